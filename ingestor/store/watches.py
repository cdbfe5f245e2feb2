"""Watches: how far each has come over the revisions, and when its next hit is tried again."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, select, update

from ingestor.store.db import locks
from ingestor.store.overview import last_sequence
from ingestor.store.schema.cluster import watches
from ingestor.text.dates import iso_utc
from ingestor.text.sanitize import one_line, redact

LONGEST_WAIT = timedelta(days=2)
"""No retry is further away, unless a clock was wrong when it was written down."""


@dataclass(frozen=True, slots=True)
class WatchState:
    """How far a watch has come."""

    name: str
    sequence: int
    """Of the last revision that is through."""
    delivered: int = 0
    delivered_at: datetime | None = None
    attempts: int = 0
    """Failed deliveries of the next hit in a row."""
    next_attempt_at: datetime | None = None
    error: str = ""

    @property
    def is_stopped(self) -> bool:
        """Whether its hits are not tried any more, until somebody asks for it."""
        return self.attempts > 0 and self.next_attempt_at is None

    def is_due(self, last: int, now: datetime) -> bool:
        """Return whether there is something for it, ``last`` being the latest revision."""
        if self.sequence >= last or self.is_stopped:
            return False
        again = self.next_attempt_at
        return again is None or not now < again <= now + LONGEST_WAIT


def register(connection: Connection, names: Collection[str]) -> None:
    """Let watches that are new begin now: with the next revision that comes."""
    locks.lock_configuration(connection)
    known = states(connection)
    for name in names:
        if name not in known:
            last = last_sequence(connection)
            connection.execute(watches.insert().values(name=name, sequence=last))


def states(connection: Connection) -> dict[str, WatchState]:
    """Return every watch that was ever configured, by its name."""
    rows = connection.execute(select(watches).order_by(watches.c.name))
    return {row.name: WatchState(*row) for row in rows}


def through(
    connection: Connection, name: str, sequence: int, *, delivered: int = 0, now: datetime
) -> None:
    """Note that all is through up to a revision, so many ``delivered`` hits among it."""
    values: dict[str, object] = {"sequence": sequence}
    if delivered:
        values |= {
            "delivered": watches.c.delivered + delivered,
            "delivered_at": now,
            "attempts": 0,
            "next_attempt_at": None,
            "error": "",
        }
    connection.execute(update(watches).where(watches.c.name == name).values(**values))


def failed(connection: Connection, name: str, error: str, again: datetime | None) -> None:
    """Note that the next hit could not be delivered, and when it is tried ``again``, if it is."""
    values = {"attempts": watches.c.attempts + 1, "next_attempt_at": again, "error": error}
    connection.execute(update(watches).where(watches.c.name == name).values(**values))


def retry(connection: Connection) -> int:
    """Make what failed due at once; return how many watches that are."""
    waiting = update(watches).where(watches.c.attempts > 0)
    return connection.execute(waiting.values(attempts=0, next_attempt_at=None, error="")).rowcount


def said_of(state: WatchState) -> str:
    """Say on a line how a watch fails."""
    error = redact(one_line(state.error))
    if state.is_stopped:
        return f"stopped: {error}; `ingest retry` tries it again"
    again = iso_utc(state.next_attempt_at) if state.next_attempt_at else "once"
    return f"failed {state.attempts}×, again at {again}: {error}"
