"""Which feeds are late, each by its own rhythm: what ``status`` and ``/readyz`` say of them.

Does the work move? What the watchdog is fed by, and what ``/healthz`` says.

Is the service of use right now? The reasons why not; what ``/readyz`` says.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from ingestor.clock import Clock
from ingestor.errors import ArchiveError
from ingestor.observer import Observer
from ingestor.store.db.database import Database
from ingestor.store.overview import HealthSnapshot, health_snapshot, late_feeds
from ingestor.text.sanitize import one_line

LOOKED_AT_EVERY = timedelta(minutes=1)
"""Probes come every few seconds, and a feed is not late from one second to the next."""


class Freshness:
    """The feeds that are late, looked up at most once a minute. Safe to use from threads."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._lock = threading.Lock()
        self._late: dict[str, str] = {}
        self._until = float("-inf")

    def late(self) -> dict[str, str]:
        """Return as :func:`late_feeds`; raise :class:`~ingestor.errors.ArchiveError`."""
        with self._lock:
            if self._clock.monotonic() >= self._until:
                with self._database.reading() as connection:
                    self._late = late_feeds(connection, self._clock.now())
                self._until = self._clock.monotonic() + LOOKED_AT_EVERY.total_seconds()
            return self._late


@dataclass(slots=True)
class Heartbeat:
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
    vitals: HealthSnapshot | None = None
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
                self.vitals = health_snapshot(connection, self.clock.now())
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


LEAST_FREE = 256 * 1024**2
"""Bytes; a day of a busy archive, and room for SQLite to finish what it began."""


MOST_NAMED = 5
"""Feeds that are named with their reason; `ingest status` has them all."""


def not_ready(pulse: Heartbeat, freshness: Freshness, oldest_beat: float) -> list[str]:
    """Return why the service is not ready; nothing when it is."""
    return list(_reasons(pulse, freshness, oldest_beat))


def not_alive(pulse: Heartbeat, oldest_beat: float) -> list[str]:
    """Return why the service should be restarted; nothing while it works."""
    if pulse.beaten_at is None:
        return []
    reasons = [pulse.trouble] if pulse.trouble else []
    if pulse.age() > oldest_beat:
        reasons.append(f"the scheduler does not tick: no heartbeat for {pulse.age():.0f} s")
    return reasons


def _reasons(pulse: Heartbeat, freshness: Freshness, oldest_beat: float) -> Iterator[str]:
    yield from not_alive(pulse, oldest_beat)
    if not pulse.started:
        yield "the first tick has not run yet"
    yield from _stale(pulse, freshness)
    if pulse.database.path:
        free = shutil.disk_usage(pulse.database.path.parent).free
        if free < LEAST_FREE:
            yield f"only {free // 1024**2} MiB are free on the database's disk"


def _stale(pulse: Heartbeat, freshness: Freshness) -> Iterator[str]:
    """Say so when most feeds fail or are late: one of many is the alert rules' affair."""
    now = pulse.vitals
    if not now or not now.feeds:
        return
    try:
        late = freshness.late()
    except ArchiveError as error:
        yield f"the database does not answer: {error}"
        return
    if (now.failing + len(late)) * 2 <= now.feeds:
        return
    if now.failing:
        yield f"{now.failing} of {now.feeds} feeds fail"
    if late:
        yield f"{len(late)} of {now.feeds} feeds are late"
    for name, reason in list(late.items())[:MOST_NAMED]:
        yield f"{one_line(name)}: {reason}"
