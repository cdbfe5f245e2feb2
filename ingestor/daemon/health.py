"""How a daemon or a worker is: whether its work moves, and whether it is of use right now.

The heartbeat is what feeds systemd's watchdog. ``/healthz`` says whether the process should be
restarted, ``/readyz`` whether somebody should look at it: most feeds fail, or are later than
they ever were.
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
from ingestor.text.counts import counted
from ingestor.text.sanitize import one_line

LOOKED_AT_EVERY = timedelta(minutes=1)
"""Probes come every few seconds, and a feed is not late from one second to the next."""

COUNTED_EVERY = timedelta(seconds=30)
"""How old the counts of an archive may be that nobody has changed: time alone makes things due."""

LEAST_FREE = 256 * 1024**2
"""Bytes; a day of a busy archive, and room for SQLite to finish what it began."""

MOST_NAMED = 5
"""Feeds that are named with their reason; `ingest status` has them all."""


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
    """The daemon's sign of life. One thread works, another checks, others ask.

    A check is good when the database answered and the work that is due moves: something was
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
    snapshot: HealthSnapshot | None = None
    trouble: str = "the first tick has not run yet"
    """Why the last check was not good; ``""`` when it was."""
    checked_at: float | None = None
    _counted: tuple[int | None, float] = (None, float("-inf"))
    """The archive's count of changes at the snapshot, and when that was."""

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

    def check(self) -> bool:
        """Look at the database and at the work; return whether all is well."""
        try:
            snapshot = self._snapshot()
        except ArchiveError as error:
            self.trouble = f"the database does not answer: {error}"
        else:
            self.trouble = self._stuck(snapshot.due)
        self.checked_at = self.clock.monotonic()
        return not self.trouble

    def _snapshot(self) -> HealthSnapshot:
        """Return the counts; those of the last check where nobody has changed anything since."""
        changes, now = self.database.changes(), self.clock.monotonic()
        last, then = self._counted
        if self.snapshot and last == changes and now < then + COUNTED_EVERY.total_seconds():
            return self.snapshot
        with self.database.reading() as connection:
            self.snapshot = health_snapshot(connection, self.clock.now())
        # Without such a number it is always counted.
        self._counted = (changes, now if changes is not None else float("-inf"))
        return self.snapshot

    def age(self) -> float:
        """Return the seconds since the last check; for ever when there was none."""
        return float("inf") if self.checked_at is None else self.clock.monotonic() - self.checked_at

    def _stuck(self, due: int) -> str:
        if not self.steps and (self.shared or not due):
            # Nothing to do is as good as something done.
            self.observer.moved()
        still = self.clock.monotonic() - self.observer.moved_at
        if still <= self.stuck_after.total_seconds():
            return ""
        names = ", ".join(f'"{step}"' for step in self.steps)
        doing = f"step {names}" if names else "no step runs"
        waiting = counted(due, "feed or entry is", "feeds and entries are")
        return f"nothing moved for {still:.0f} s: {doing}, {waiting} due"


def not_alive(heartbeat: Heartbeat, oldest: float) -> list[str]:
    """Return why the service should be restarted; nothing while it works."""
    if heartbeat.checked_at is None:
        return []
    reasons = [heartbeat.trouble] if heartbeat.trouble else []
    if heartbeat.age() > oldest:
        reasons.append(f"the scheduler does not tick: no heartbeat for {heartbeat.age():.0f} s")
    return reasons


def not_ready(heartbeat: Heartbeat, freshness: Freshness, oldest: float) -> list[str]:
    """Return why the service is not ready; nothing when it is."""
    reasons = not_alive(heartbeat, oldest)
    if not heartbeat.started:
        reasons.append("the first tick has not run yet")
    reasons += _stale(heartbeat, freshness)
    if heartbeat.snapshot and heartbeat.snapshot.damages:
        places = counted(heartbeat.snapshot.damages, "place")
        reasons.append(f"the database is damaged in {places}: see `ingest verify`")
    if heartbeat.database.path:
        free = shutil.disk_usage(heartbeat.database.path.parent).free
        if free < LEAST_FREE:
            reasons.append(f"only {free // 1024**2} MiB are free on the database's disk")
    return reasons


def _stale(heartbeat: Heartbeat, freshness: Freshness) -> Iterator[str]:
    """Say so when most feeds fail or are late: one of many is the alert rules' affair."""
    snapshot = heartbeat.snapshot
    if not snapshot or not snapshot.feeds:
        return
    try:
        late = freshness.late()
    except ArchiveError as error:
        yield f"the database does not answer: {error}"
        return
    if (snapshot.failing + len(late)) * 2 <= snapshot.feeds:
        return
    if snapshot.failing:
        yield f"{snapshot.failing} of {counted(snapshot.feeds, 'feed')} failing"
    if late:
        yield f"{len(late)} of {counted(snapshot.feeds, 'feed')} late"
    for name, reason in list(late.items())[:MOST_NAMED]:
        yield f"{one_line(name)}: {reason}"
