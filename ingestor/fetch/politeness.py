"""Whose turn it is: bounded parallelism and a pause for each host, fairly. No clock, no I/O."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from ingestor.fetch.host_limiter import Hosts

T = TypeVar("T")


@dataclass(slots=True)
class _Host(Generic[T]):
    waiting: deque[T] = field(default_factory=deque)
    running: int = 0


class HostQueues(Generic[T]):
    """Requests that wait for their host; hosts take turns, so that none starves another."""

    def __init__(self, *, per_host: int, pace: Hosts) -> None:
        """Allow ``per_host`` requests at a time to a host, at the pace that it is to be given."""
        self._per_host = per_host
        self._pace = pace
        self._hosts: dict[str, _Host[T]] = {}
        self._turn: deque[str] = deque()

    def put(self, host: str, item: T) -> None:
        """Add a request to the end of its host's queue."""
        if host not in self._hosts:
            self._hosts[host] = _Host()
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
