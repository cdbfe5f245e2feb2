"""Who else asks the same hosts: a gate before each request, where several processes share limits.

A :class:`~ingestor.fetch.client.Fetcher` keeps the limits of its own process by itself; a gate
holds them over all who pass the same one.

How each host wants to be treated: the pause between requests, and when to leave it alone.

One memory for everything that a client asks, whichever feed or step it is for. Times are
handed in; nothing here reads a clock or asks anybody.

Whose turn it is: bounded parallelism and a pause for each host, fairly. No clock, no I/O.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Generic, Protocol, TypeVar
from urllib.parse import urlsplit

from ingestor.model import HostPause


class Gate(Protocol):
    """What stands before each request. Safe to use from several threads."""

    def passing(self, host: str, delay: float) -> AbstractContextManager[None]:
        """Wait until a request to a host may begin; it is on its way while the block runs.

        ``delay`` is the least number of seconds between two requests to this host. Raises
        :class:`~ingestor.errors.Postponed` when the host is to be left alone, or is so busy that
        waiting for it makes no sense.
        """

    def slow_down(self, host: str, seconds: float, pause: HostPause | None) -> None:
        """Tell the others that a host wants no request for ``seconds``, or is to be left alone."""


class OpenGate:
    """Nobody else asks: nothing to wait for."""

    def passing(self, host: str, delay: float) -> AbstractContextManager[None]:  # noqa: ARG002 - as Gate has it
        """Let everybody pass."""
        return nullcontext()

    def slow_down(self, host: str, seconds: float, pause: HostPause | None) -> None:
        """Do nothing: there is nobody to be told."""


TROUBLES_IN_A_ROW = 5
"""429 or 503 without a word on when to come back: after so many the host is left alone."""

UNSAID_PAUSE = timedelta(minutes=5)
"""For how long, then: about what Retry-After says where it is said."""

SHORT_PAUSE = timedelta(seconds=30)
"""A pass waits so long for a host; what has to wait longer is put off to a later pass."""

LONGEST_CRAWL_DELAY = 60.0
"""Seconds. A site that asks for more is asked once a minute: a pass must come to an end."""

_USUAL_PORTS = {"http": 80, "https": 443}


@dataclass(slots=True)
class _HostPace:
    delay: float
    """Seconds between two requests."""
    free_at: float = 0.0
    """Second of the caller's monotonic clock before which no request may start."""
    troubles: int = 0
    """Answers in a row that asked us to slow down."""
    pause: HostPause | None = None


def host_of(url: str) -> str:
    """Return the host, with its port where it is not the usual one; ``""`` if there is none."""
    try:
        parts = urlsplit(url)
        name, port = parts.hostname or "", parts.port
    except ValueError:
        return ""
    return name if port in {None, _USUAL_PORTS.get(parts.scheme)} else f"{name}:{port}"


@dataclass(slots=True)
class Hosts:
    """All hosts asked so far. Safe to use from several threads."""

    delay: float
    """Seconds between two requests to one host, unless it asks for more."""
    pauses: Mapping[str, HostPause] = field(default_factory=dict)
    """What hosts asked for before this run."""
    _hosts: dict[str, _HostPace] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def _host(self, name: str) -> _HostPace:
        if name not in self._hosts:
            self._hosts[name] = _HostPace(self.delay, pause=self.pauses.get(name))
        return self._hosts[name]

    def free_at(self, name: str) -> float:
        """Return the second before which no request to this host may start."""
        with self._lock:
            return self._host(name).free_at

    def delay_of(self, name: str) -> float:
        """Return the seconds between two requests to this host."""
        with self._lock:
            return self._host(name).delay

    def turn(self, name: str, now: float) -> float:
        """Take the next turn at this host; return the seconds until it comes."""
        with self._lock:
            host = self._host(name)
            start = max(now, host.free_at)
            host.free_at = start + host.delay
            return start - now

    def crawl_delay(self, name: str, seconds: float) -> None:
        """Heed the pause between requests that a host's robots.txt asks for."""
        with self._lock:
            host = self._host(name)
            longer = max(self.delay, min(seconds, LONGEST_CRAWL_DELAY))
            host.free_at += longer - host.delay
            host.delay = longer

    def pause(self, name: str, moment: datetime) -> HostPause | None:
        """Return the pause that a host is to be given at ``moment``, if any."""
        with self._lock:
            pause = self._host(name).pause
            return pause if pause and pause.until > moment else None

    def answered(self, name: str) -> None:
        """Note an answer that asked for nothing: the host is well."""
        with self._lock:
            self._host(name).troubles = 0

    def slow_down(
        self, name: str, wait: timedelta | None, *, now: float, moment: datetime, reason: str
    ) -> None:
        """Heed a host that asks to be asked less, for ``wait`` if it said for how long.

        ``now`` is the monotonic second and ``moment`` the time of day of one and the same
        instant. Without ``wait`` the pause doubles with each such answer in a row.
        """
        with self._lock:
            host = self._host(name)
            host.troubles += 1
            if wait is None and host.troubles < TROUBLES_IN_A_ROW:
                host.free_at = max(host.free_at, now + host.delay * 2**host.troubles)
                return
            wait = UNSAID_PAUSE if wait is None else wait
            if wait <= SHORT_PAUSE:
                host.free_at = max(host.free_at, now + wait.total_seconds())
            else:
                # Whole seconds, as they are written down.
                host.pause = HostPause((moment + wait).replace(microsecond=0), reason)

    def paused(self, moment: datetime) -> dict[str, HostPause]:
        """Return every host that is to be left alone at ``moment``, with why and until when."""
        with self._lock:
            known = {**self.pauses, **{name: host.pause for name, host in self._hosts.items()}}
        return {name: pause for name, pause in known.items() if pause and pause.until > moment}


T = TypeVar("T")


@dataclass(slots=True)
class _HostQueue(Generic[T]):
    waiting: deque[T] = field(default_factory=deque)
    running: int = 0


class HostQueues(Generic[T]):
    """Requests that wait for their host; hosts take turns, so that none starves another."""

    def __init__(self, *, per_host: int, pace: Hosts) -> None:
        """Allow ``per_host`` requests at a time to a host, at the pace that it is to be given."""
        self._per_host = per_host
        self._pace = pace
        self._hosts: dict[str, _HostQueue[T]] = {}
        self._turn: deque[str] = deque()

    def put(self, host: str, item: T) -> None:
        """Add a request to the end of its host's queue."""
        if host not in self._hosts:
            self._hosts[host] = _HostQueue()
            self._turn.append(host)
        self._hosts[host].waiting.append(item)

    def take(self, now: float) -> tuple[str, T] | None:
        """Return a request that may start at ``now``, or ``None`` when all have to wait."""
        for _ in range(len(self._turn)):
            name = self._turn[0]
            self._turn.rotate(-1)
            host = self._hosts[name]
            ready = host.waiting and host.running < self._per_host
            if ready and self._pace.free_at(name) <= now:
                host.running += 1
                self._pace.turn(name, now)
                return name, host.waiting.popleft()
        return None

    def drop(self, unwanted: Callable[[str], bool]) -> list[tuple[str, T]]:
        """Take out every request that waits for a host that is ``unwanted``; return them."""
        hosts = [(name, host) for name, host in self._hosts.items() if host.waiting]
        taken = []
        for name, host in hosts:
            if unwanted(name):
                taken += [(name, item) for item in host.waiting]
                host.waiting.clear()
        return taken

    def finished(self, host: str) -> None:
        """Say that a request to ``host`` ended."""
        self._hosts[host].running -= 1

    def wait(self, now: float) -> float | None:
        """Return the seconds until a pause ends; ``None`` when only a finished request helps."""
        times = [
            self._pace.free_at(name) - now
            for name, host in self._hosts.items()
            if host.waiting and host.running < self._per_host
        ]
        return max(0.0, min(times)) if times else None

    def __len__(self) -> int:
        """Return how many requests wait."""
        return sum(len(host.waiting) for host in self._hosts.values())
