"""Time and chance, as parameters: the program's edges hand them in, tests own them."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Clock:
    """The time of day, elapsed time, waiting, chance, and whether we are asked to stop."""

    now: Callable[[], datetime] = _now
    """The moment, aware, in UTC."""
    monotonic: Callable[[], float] = time.monotonic
    """Seconds that only grow, for measuring."""
    chance: Callable[[], float] = random.random
    """A number in [0, 1)."""
    stop: threading.Event = field(default_factory=threading.Event)
    """Set when the program should end: no new work is begun after that."""

    def sleep(self, seconds: float) -> None:
        """Wait, but not longer than until :attr:`stop` is set."""
        self.stop.wait(seconds)
