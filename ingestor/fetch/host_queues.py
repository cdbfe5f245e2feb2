"""Requests that wait for their host: each host in its turn, so that none starves another. No I/O.

Whether a request may begin is asked of a limiter, never in vain: a host that is busy is tried
again when the limiter said, or when one of its requests ended.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from ingestor.fetch.host_limiter import Busy, Slot
from ingestor.model import HostPause

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
