"""How far long work has come: a bar on a terminal, a log line now and then elsewhere."""

from __future__ import annotations

import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ingestor import log
from ingestor.observer import Observer, PollResult

if TYPE_CHECKING:
    from rich.progress import Progress

ITEMS_A_LINE = 5_000
"""Items between two log lines: a line every minute or so."""

SECONDS_A_LOOK = 0.5
"""Between two looks at how far a pass is."""

Advance = Callable[[int], None]
"""Told how many more items are through."""


@contextmanager
def progress(what: str, count: Callable[[], int]) -> Iterator[Advance]:
    """Give something to tell of each part of the work that is done.

    ``what`` names the items. ``count`` says how many there are; it is asked for the bar only.
    """
    with bar(what, count() if sys.stderr.isatty() else 0) as shown:
        yield shown.advance if shown else _Lines(what)


@contextmanager
def bar(what: str, total: int, outcome: str = "") -> Iterator[Bar | None]:
    """Give a bar while the block runs; ``None`` where standard error is no terminal.

    ``what`` is what it counts, ``outcome`` what comes of it, if that is counted as well. Lines
    that are written to standard error meanwhile stand above the bar.
    """
    if not sys.stderr.isatty():
        yield None
        return
    from rich import progress  # noqa: PLC0415 - most runs have no terminal
    from rich.console import Console  # noqa: PLC0415

    counts = progress.TextColumn(
        f"{{task.fields[count]}} {outcome}, {{task.fields[rate]:.1f}}/s"
        if outcome
        else "{task.fields[rate]:.0f}/s"
    )
    with progress.Progress(
        progress.TextColumn("{task.description}"),
        progress.BarColumn(bar_width=None),
        progress.MofNCompleteColumn(),
        counts,
        progress.TimeRemainingColumn(),
        progress.TextColumn("{task.fields[waits]}"),
        console=Console(stderr=True),
    ) as shown:
        shown.add_task(what, total=total, count=0, rate=0.0, waits="")
        yield Bar(shown)


class PassWatch(Observer):
    """Counts what a pass asks for, and says what it waits for; the calls come from many threads."""

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()
        self._asked: Counter[str] = Counter()
        self._last = ""
        self.polls = 0
        self.ended = 0
        """Requests, those of feeds included."""

    def asking(self, host: str) -> None:
        """Count a request that is under way."""
        with self._lock:
            self._asked[host] += 1
            self._last = host

    def requested(self, host: str, *, answered: bool, seconds: float, received: int) -> None:
        """Count a request as ended."""
        with self._lock:
            self._asked[host] -= 1
            self.ended += 1
        super().requested(host, answered=answered, seconds=seconds, received=received)

    def polled(self, result: PollResult) -> None:
        """Count a feed."""
        with self._lock:
            self.polls += 1
        super().polled(result)

    def waits_for(self) -> str:
        """Return the busiest of the hosts that are asked now; between two requests the last one."""
        with self._lock:
            hosts = [host for host, number in self._asked.most_common() if number > 0]
        more = f" and {len(hosts) - 1} more" if hosts[1:] else ""
        return f"{hosts[0] if hosts else self._last}{more}"


@contextmanager
def pass_bar(
    watch: PassWatch, feeds: int, pending: Callable[[], int], known: Callable[[], int]
) -> Iterator[None]:
    """Show a bar of a pass while the block runs, where standard error is a terminal.

    First of its ``feeds``; then of pages, of which ``known`` says how many were announced and
    ``pending`` how many are still to come.
    """
    with bar("feeds", feeds, "new") as shown:
        if shown is None:
            yield
            return
        ended = threading.Event()

        def follow() -> None:
            """Show how far it is, twice a second."""
            while not ended.wait(SECONDS_A_LOOK):
                left, announced = pending(), known()
                if watch.polls < feeds or not announced:
                    what, done, total = "feeds", watch.polls, feeds
                else:
                    # What is downloaded is done for who watches, though it is saved with others.
                    saved, loaded = announced - left, watch.ended - watch.polls
                    what, done, total = "pages", min(max(saved, loaded), announced), announced
                waited = watch.waits_for() if done < total else ""
                shown.show(what, done, total, watch.articles, waited)

        following = threading.Thread(target=follow, name="bar", daemon=True)
        following.start()
        try:
            yield
        finally:
            ended.set()
            following.join()


class Bar:
    """A bar on standard error."""

    def __init__(self, shown: Progress) -> None:
        self._shown = shown

    def advance(
        self, number: int = 1, *, at: str = "", count: int = 0, rated: int | None = None
    ) -> None:
        """Show that ``number`` more items are through, up to ``at``.

        ``count`` is what came of all so far. The rate is that of ``rated`` things done so far,
        else of the items, in a second.
        """
        (task,) = self._shown.tasks
        done = task.completed + number if rated is None else rated
        self._shown.update(
            task.id,
            advance=number,
            description=at or task.description,
            count=count,
            rate=done / max(task.elapsed or 0.0, 0.001),
        )

    def show(self, what: str, done: int, total: int, count: int, waits_for: str) -> None:
        """Show how many of how many are done, what came of them, and what is waited for."""
        (task,) = self._shown.tasks
        self._shown.update(
            task.id,
            description=what,
            completed=done,
            total=total,
            count=count,
            rate=done / max(task.elapsed or 0.0, 0.001),
            waits=f"waits for {waits_for}" if waits_for else "",
        )


class _Lines:
    """Writes a line for every few thousand items."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._done = 0

    def __call__(self, number: int) -> None:
        before, self._done = self._done, self._done + number
        if before // ITEMS_A_LINE != self._done // ITEMS_A_LINE:
            log.info("progress", what=self._what, done=self._done)
