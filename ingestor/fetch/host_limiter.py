"""How many requests a host gets at a time, how far apart, and when it is to be left alone.

A client acquires a slot for each request. :class:`MemoryHostLimiter` bounds what this process
asks; :class:`~ingestor.cluster.host_limiter.SharedHostLimiter` is the same over all workers of an
archive. What a host itself asks for is kept by :class:`HostWishes`, which is pure. Requests that
wait for their host stand in :class:`HostQueues`: each host in its turn, so that none starves
another, and the limiter is never asked in vain: a host that is busy is tried again when the
limiter said, or when one of its requests ended.
"""

from __future__ import annotations

import threading
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Generic, Protocol, TypeVar
from urllib.parse import urlsplit

from ingestor.clock import Clock
from ingestor.model import HostPause

FAILURES_IN_A_ROW = 5
"""429 or 503 without a word on when to come back: after so many the host is left alone."""

UNSAID_PAUSE = timedelta(minutes=5)
"""For how long, then: about what Retry-After says where it is said."""

SHORT_PAUSE = timedelta(seconds=30)
"""A pass waits so long for a host; what has to wait longer is put off to a later pass."""

LONGEST_CRAWL_DELAY = 60.0
"""Seconds. A site that asks for more is asked once a minute: a pass must come to an end."""

MOST_DOUBTED_DOUBLINGS = 3
"""A host whose pages are not believed gets up to eight times the usual delay: enough to calm most
of those that verify, and a pass still comes to an end."""

LOOK = 0.05
"""Seconds after which a host whose slots are all taken is tried again."""

SLOW_SECONDS = 3.0
"""A request that takes longer keeps its host's slot, but gives its place among all to another."""

SLOW_PLACES = 4
"""Times as many requests as usual may be under way, where all but the usual number are slow."""

_USUAL_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Slot:
    """A request may begin; it counts as under way until the slot is released."""

    release: Callable[[], None]
    """Called once, from any thread."""


@dataclass(frozen=True, slots=True)
class Busy:
    """No request may begin yet."""

    wait: float
    """Seconds after which it makes sense to try again."""


class HostLimiter(Protocol):
    """The limits of each host, over all who use the same limiter. Safe to use from threads."""

    def acquire(self, host: str, delay: float) -> Slot | Busy | HostPause:
        """Take a slot at a host, if a request may begin now.

        The next one may begin ``delay`` seconds later. :class:`HostPause`: the host is to be left
        alone for so long that nobody should wait for it.
        """

    def hold_off(self, host: str, seconds: float) -> None:
        """Let no request to a host begin within so many seconds from now."""

    def pause(self, host: str, pause: HostPause) -> None:
        """Leave a host alone until a moment."""

    def pauses(self) -> dict[str, HostPause]:
        """Return the hosts that are to be left alone now, with why and until when."""


@dataclass(slots=True)
class _Host:
    free_at: float = 0.0
    """Second of the monotonic clock before which no request may begin."""
    taken: int = 0
    """Slots that were not released."""


class MemoryHostLimiter:
    """The limits of what one process asks."""

    def __init__(
        self, slots: int, clock: Clock, pauses: Mapping[str, HostPause] | None = None
    ) -> None:
        """Allow each host so many requests at a time; ``pauses`` were asked for in earlier runs."""
        self._slots = slots
        self._clock = clock
        self._pauses = dict(pauses or {})
        self._hosts = defaultdict[str, _Host](_Host)
        self._lock = threading.Lock()

    def acquire(self, host: str, delay: float) -> Slot | Busy | HostPause:
        """Take a slot, as :class:`HostLimiter` has it."""
        with self._lock:
            pause = self._pauses.get(host)
            if pause and pause.until > self._clock.now():
                return pause
            state, now = self._hosts[host], self._clock.monotonic()
            if state.taken >= self._slots:
                return Busy(max(LOOK, state.free_at - now))
            if state.free_at > now:
                return Busy(state.free_at - now)
            state.taken += 1
            state.free_at = now + delay
        return Slot(partial(self._release, host))

    def hold_off(self, host: str, seconds: float) -> None:
        """Let no request begin for a while."""
        with self._lock:
            state = self._hosts[host]
            state.free_at = max(state.free_at, self._clock.monotonic() + seconds)

    def pause(self, host: str, pause: HostPause) -> None:
        """Leave a host alone."""
        with self._lock:
            self._pauses[host] = pause

    def pauses(self) -> dict[str, HostPause]:
        """Return the hosts that are to be left alone now."""
        now = self._clock.now()
        with self._lock:
            return {host: pause for host, pause in self._pauses.items() if pause.until > now}

    def _release(self, host: str) -> None:
        with self._lock:
            self._hosts[host].taken -= 1


@dataclass(slots=True)
class HostWishes:
    """What hosts ask for, in robots.txt and by their answers. Safe to use from threads."""

    usual_delay: float
    """Seconds between two requests to a host that asks for no more."""
    _delays: dict[str, float] = field(default_factory=dict)
    _failures: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    """Answers in a row that asked us to slow down."""
    _doubted: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    """Pages in a row that were not believed."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def delay(self, host: str) -> float:
        """Return the seconds between two requests to a host."""
        with self._lock:
            doublings = min(self._doubted.get(host, 0), MOST_DOUBTED_DOUBLINGS)
        return self._delays.get(host, self.usual_delay) * 2.0**doublings

    def judged(self, host: str, *, believed: bool) -> None:
        """Note whether a page was believed: a host that gives others is asked more slowly."""
        with self._lock:
            if believed:
                self._doubted.pop(host, None)
            else:
                self._doubted[host] += 1

    def crawl_delay(self, host: str, seconds: float) -> float:
        """Return the seconds between two requests to a host whose robots.txt asks for so many."""
        delay = max(self.usual_delay, min(seconds, LONGEST_CRAWL_DELAY))
        self._delays[host] = delay
        return delay

    def answered(self, host: str) -> None:
        """Note an answer that asked for nothing: the host is well."""
        with self._lock:
            self._failures.pop(host, None)

    def slow_down(
        self, host: str, wait: timedelta | None, moment: datetime, reason: str
    ) -> float | HostPause:
        """Return what to give a host that asked at ``moment`` to be asked less.

        That is ``wait`` if it said for how long; otherwise a time that doubles with each such
        answer in a row, and at last a pause. A short time comes back as seconds.
        """
        with self._lock:
            self._failures[host] += 1
            failures = self._failures[host]
        if wait is None and failures < FAILURES_IN_A_ROW:
            return self.delay(host) * 2.0**failures
        wait = UNSAID_PAUSE if wait is None else wait
        if wait <= SHORT_PAUSE:
            return wait.total_seconds()
        # Whole seconds, as they are written down.
        return HostPause((moment + wait).replace(microsecond=0), reason)


class Places:
    """The places for requests under way, over all hosts. Safe to use from threads."""

    def __init__(self, number: int, monotonic: Callable[[], float]) -> None:
        """Have so many for quick requests; slow ones give theirs to others, up to a bound."""
        self._number = number
        self._monotonic = monotonic
        self._began: dict[object, float] = {}

    def is_free(self) -> bool:
        """Whether a request may begin."""
        now, running = self._monotonic(), list(self._began.values())
        quick = sum(now - began < SLOW_SECONDS for began in running)
        return quick < self._number and len(running) < SLOW_PLACES * self._number

    def take(self) -> Callable[[], object]:
        """Take a place, and return what gives it back."""
        key = object()
        self._began[key] = self._monotonic()
        return partial(self._began.pop, key)


class SourceShares:
    """The slots at a host that one source holds: half of them at most, so that others have some.

    Safe to use from threads.
    """

    def __init__(self, slots: int) -> None:
        """Share out so many slots of each host."""
        self._most = slots - slots // 2
        self._held = defaultdict[str, int](int)
        self._lock = threading.Lock()

    def acquire(
        self, key: str, acquire: Callable[[], Slot | Busy | HostPause]
    ) -> Slot | Busy | HostPause:
        """Take a slot by ``acquire``; ``key`` stands for a source at a host."""
        with self._lock:
            if self._held[key] >= self._most:
                return Busy(LOOK)
            slot = acquire()
            if not isinstance(slot, Slot):
                return slot
            self._held[key] += 1
        return Slot(partial(self._release, key, slot))

    def _release(self, key: str, slot: Slot) -> None:
        with self._lock:
            self._held[key] -= 1
        slot.release()


def host_of(url: str) -> str:
    """Return the host, with its port where it is not the usual one; ``""`` if there is none."""
    try:
        parts = urlsplit(url)
        name, port = parts.hostname or "", parts.port
    except ValueError:
        return ""
    return name if port in {None, _USUAL_PORTS.get(parts.scheme)} else f"{name}:{port}"


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Ready(Generic[T]):
    """A request that may begin, with the slot that it has at its host."""

    host: str
    item: T
    slot: Slot


@dataclass(frozen=True, slots=True)
class Paused(Generic[T]):
    """All requests that waited for a host which is to be left alone."""

    host: str
    items: list[T]
    pause: HostPause


@dataclass(slots=True)
class _HostQueue(Generic[T]):
    waiting: deque[T] = field(default_factory=deque)
    again_at: float = 0.0
    """Second of the caller's clock at which the limiter is asked again."""
    running: int = 0
    """Requests that were taken out and did not end: each may wait for more than its slot."""


class HostQueues(Generic[T]):
    """A queue for each host."""

    def __init__(self, acquire: Callable[[str], Slot | Busy | HostPause], *, per_host: int) -> None:
        """Give out what ``acquire`` has a slot for, at most ``per_host`` at a time for a host."""
        self._acquire = acquire
        self._per_host = per_host
        self._queues: dict[str, _HostQueue[T]] = {}
        self._order: deque[str] = deque()

    def put(self, host: str, item: T) -> None:
        """Add a request to the end of its host's queue."""
        if host not in self._queues:
            self._queues[host] = _HostQueue()
            self._order.append(host)
        self._queues[host].waiting.append(item)

    def take(self, now: float) -> Ready[T] | Paused[T] | None:
        """Take out what need not wait any more at ``now``; ``None``: all have to."""
        for _ in range(len(self._order)):
            host = self._order[0]
            self._order.rotate(-1)
            queue = self._queues[host]
            if not self._is_open(queue) or queue.again_at > now:
                continue
            match self._acquire(host):
                case Slot() as slot:
                    queue.running += 1
                    return Ready(host, queue.waiting.popleft(), slot)
                case Busy(wait):
                    queue.again_at = now + wait
                case HostPause() as pause:
                    items = list(queue.waiting)
                    queue.waiting.clear()
                    return Paused(host, items, pause)
        return None

    def ended(self, host: str) -> None:
        """Say that a request to a host ended: its slot may serve the next one."""
        queue = self._queues[host]
        queue.running -= 1
        queue.again_at = 0.0

    def wait(self, now: float) -> float | None:
        """Return the seconds until a host is tried again; ``None``: not before a request ended."""
        times = [queue.again_at for queue in self._queues.values() if self._is_open(queue)]
        return max(0.0, min(times) - now) if times else None

    def _is_open(self, queue: _HostQueue[T]) -> bool:
        return bool(queue.waiting) and queue.running < self._per_host

    def __len__(self) -> int:
        """Return how many requests wait."""
        return sum(len(queue.waiting) for queue in self._queues.values())
