"""Does the work move? What the watchdog is fed by, and what ``/healthz`` says."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from ingestor.clock import Clock
from ingestor.errors import ArchiveError
from ingestor.observer import Observer
from ingestor.store.db.database import Database
from ingestor.store.vitals import Vitals, vitals


@dataclass(slots=True)
class Pulse:
    """The daemon's sign of life. One thread works, another beats, others ask.

    A beat is good when the database answered and the work that is due moves: something was
    requested, polled, stored or written within ``stuck_after``, or there was nothing to do.
    """

    database: Database
    clock: Clock
    observer: Observer
    stuck_after: timedelta
    wanted: frozenset[str] = frozenset()
    """Steps that have to run once before the service counts as started."""
    shared: bool = False
    """Others do what is due as well: that it waits is no trouble of ours while we do nothing."""
    steps: list[str] = field(default_factory=list)
    """The steps that run now."""
    ran: set[str] = field(default_factory=set)
    vitals: Vitals | None = None
    trouble: str = "the first tick has not run yet"
    """Why the last beat was not good; ``""`` when it was."""
    beaten_at: float | None = None

    @property
    def started(self) -> bool:
        """Whether every step ran once."""
        return self.wanted <= self.ran

    @contextmanager
    def running(self, step: str) -> Iterator[None]:
        """Note that a step runs while the block does."""
        self.steps.append(step)
        try:
            yield
        finally:
            self.steps.remove(step)
        self.ran.add(step)

    def beat(self) -> bool:
        """Look at the database and at the work; return whether all is well."""
        try:
            with self.database.reading() as connection:
                self.vitals = vitals(connection, self.clock.now())
        except ArchiveError as error:
            self.trouble = f"the database does not answer: {error}"
        else:
            self.trouble = self._stuck(self.vitals.due)
        self.beaten_at = self.clock.monotonic()
        return not self.trouble

    def age(self) -> float:
        """Return the seconds since the last beat; for ever when there was none."""
        return float("inf") if self.beaten_at is None else self.clock.monotonic() - self.beaten_at

    def _stuck(self, due: int) -> str:
        if not self.steps and (self.shared or not due):
            # Nothing to do is as good as something done.
            self.observer.moved()
        still = self.clock.monotonic() - self.observer.moved_at
        if still <= self.stuck_after.total_seconds():
            return ""
        names = ", ".join(f'"{one}"' for one in self.steps)
        doing = f"step {names}" if names else "no step runs"
        return f"nothing moved for {still:.0f} s: {doing}, {due} feeds and entries are due"
