"""Work under way in several rounds beside each other, so that nothing holds up what is not its own.

::

    due | choose: a share for each source | a round: an iterator | in turns | through, ids

The stages are iterators that yield whenever they would wait: the ids of what is through, mostly
none. A pass goes on with one of them until it ends; the daemon with all of them in turns. A round
whose pages are slow so goes on as long as it takes, while others begin beside it.

A source is whose work it is: a feed, or a picture's host. How much of it may be under way is its
share: one more for what came soon, one less for what came late, and only a few while something of
it has not come for long.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Generic, TypeAlias, TypeVar

from ingestor import log
from ingestor.clock import Clock

T = TypeVar("T")

Round: TypeAlias = Generator[Sequence[int], None, None]
"""Work that goes on whenever it is asked to; yields the ids of what is through."""

LONGEST_SECONDS = 1.0
"""A batch does not wait longer than this for more: what is known is soon written down."""

SOON_SECONDS = 5.0
"""What is through within this came soon."""

FIRST_SHARE = 20
"""Of a source of which nothing is known yet."""

LEAST_SHARE = 4
"""Also of a source that costs a lot: one slow page does not hold up the others of its feed."""

MOST_SHARE = 200

ALONE_ABOVE = 4
"""A source of which more begins at once has a round of its own: others do not queue behind it."""

MOST_UNDER_WAY = 1_000
"""Of a stage, so that what is in memory stays small."""


WAIT_SECONDS = 0.05
"""How long one waits for a thread before others have their turn."""


def aside(work: Callable[[], T]) -> Generator[Sequence[int], None, T]:
    """Do what may hang in a thread of its own; let others have their turn until it is done.

    Returns what it returns, or raises its error. A thread that hangs does not outlive the program.
    """
    outcome: Future[T] = Future()

    def run() -> None:
        """Work, and say what came of it."""
        try:
            outcome.set_result(work())
        except BaseException as error:  # noqa: BLE001 - raised where the outcome is asked for
            outcome.set_exception(error)

    threading.Thread(target=run, name="aside", daemon=True).start()
    while not wait([outcome], WAIT_SECONDS).done:
        yield ()
    return outcome.result()


class Turns(Generic[T]):
    """Iterators that go on in turns: each until it yields nothing (``None`` or ``()``)."""

    def __init__(self) -> None:
        self._waiting: deque[Iterator[T | None]] = deque()

    def __len__(self) -> int:
        """Return how many have not ended."""
        return len(self._waiting)

    def add(self, work: Iterator[T | None]) -> None:
        """Add an iterator; it goes on with the others' next turn."""
        self._waiting.append(work)

    def go_on(self) -> Iterator[T]:
        """Give each its turn, and yield what comes."""
        for _ in range(len(self._waiting)):
            # Whoever was first is last the next time: all of them want the same slots.
            work = self._waiting.popleft()
            for came in work:
                if not came:
                    self._waiting.append(work)
                    break
                yield came


def batches(
    items: Iterable[T | None], size: int, monotonic: Callable[[], float]
) -> Iterator[list[T]]:
    """Yield the items as they come, at most ``size`` at a time, without waiting long for more.

    ``monotonic`` are seconds that only grow. Time is looked at when an item comes, or ``None``,
    which stands for waiting; an empty batch lets others have their turn meanwhile.
    """
    batch: list[T] = []
    began = 0.0
    for item in items:
        began = began if batch else monotonic()
        if item is not None:
            batch.append(item)
        if batch and (len(batch) >= size or monotonic() - began >= LONGEST_SECONDS):
            yield batch
            batch = []
        elif item is None:
            yield []
    if batch:
        yield batch


def finish(work: Round, clock: Clock, stop_timeout: timedelta) -> None:
    """Go on with work until it is through.

    Once the program is to stop it has half of ``stop_timeout`` for what is under way; the rest of
    it stays pending in the database.
    """
    ends = float("inf")
    for _ in work:
        now = clock.monotonic()
        if clock.stop.is_set():
            ends = min(ends, now + stop_timeout.total_seconds() / 2)
        if now > ends:
            log.warning("stopped_before_done", stop_timeout_s=stop_timeout.total_seconds())
            return


@dataclass(slots=True)
class _Source:
    """A source, with what of it is under way: ids, and the second in which each began."""

    share: int = FIRST_SHARE
    began: dict[int, float] = field(default_factory=dict)
    served_at: float = 0.0

    def room(self, now: float) -> int:
        """Return how much of it may begin."""
        late = any(now - began > SOON_SECONDS for began in self.began.values())
        return max(0, (LEAST_SHARE if late else self.share) - len(self.began))

    def end(self, number: int, now: float) -> None:
        """Note that something is through."""
        began = self.began.pop(number, None)
        if began is not None:
            step = 1 if now - began <= SOON_SECONDS else -1
            self.share = min(max(self.share + step, LEAST_SHARE), MOST_SHARE)


class Rounds(Generic[T]):
    """The rounds of one stage."""

    def __init__(
        self,
        clock: Clock,
        begin: Callable[[Sequence[T]], Round],
        key: Callable[[T], int],
        source: Callable[[T], int],
    ) -> None:
        """``begin`` makes a round of what is due; each has a number, and so has its source."""
        self._clock = clock
        self._begin = begin
        self._key = key
        self._source = source
        self._sources: dict[int, _Source] = {}
        self._rounds: deque[tuple[Round, dict[int, int]]] = deque()

    def __len__(self) -> int:
        """Return how much is under way."""
        return sum(len(source.began) for source in self._sources.values())

    def room(self, name: int) -> int:
        """Return how much of a source may begin now."""
        source = self._sources.get(name, _Source())
        return min(source.room(self._clock.monotonic()), max(0, MOST_UNDER_WAY - len(self)))

    def under_way(self, name: int) -> int:
        """Return how much of a source is under way."""
        return len(self._sources[name].began) if name in self._sources else 0

    def full(self) -> list[int]:
        """Return the sources of which nothing more may begin now."""
        return [name for name in self._sources if not self.room(name)]

    def in_order(self, sources: Iterable[int]) -> list[int]:
        """Return sources in the order in which they are served: who waited longest comes first."""
        known = self._sources
        return sorted(sources, key=lambda name: known[name].served_at if name in known else 0.0)

    def offer(self, due: Iterable[T]) -> None:
        """Begin what of this is not under way, and within the share of its source."""
        now, left = self._clock.monotonic(), MOST_UNDER_WAY - len(self)
        chosen: dict[int, list[T]] = {}
        for item in due:
            name, key = self._source(item), self._key(item)
            source = self._sources.setdefault(name, _Source())
            if left > 0 and key not in source.began and source.room(now):
                source.began[key] = source.served_at = now
                left -= 1
                chosen.setdefault(name, []).append(item)
        small = [item for items in chosen.values() if len(items) <= ALONE_ABOVE for item in items]
        large = [items for items in chosen.values() if len(items) > ALONE_ABOVE]
        for items in filter(None, [small, *large]):
            keys = {self._key(item): self._source(item) for item in items}
            self._rounds.append((self._begin(items), keys))

    def go_on(self) -> bool:
        """Give each round its turn; return whether anything came."""
        moved = False
        for _ in range(len(self._rounds)):
            work, keys = self._rounds.popleft()
            through = next(work, None)
            ended = list(keys) if through is None else through
            self._end(keys, ended)
            moved = moved or bool(ended)
            if through is not None:
                self._rounds.append((work, keys))
        return moved

    def _end(self, keys: dict[int, int], ended: Collection[int]) -> None:
        now = self._clock.monotonic()
        for key in ended:
            if key in keys:
                self._sources[keys.pop(key)].end(key, now)

    def drop(self) -> None:
        """Leave what is under way to itself: it is due in the database still."""
        for work, _ in self._rounds:
            work.close()
        self._rounds.clear()
        self._sources.clear()
