"""Which feeds are late, each by its own rhythm: what ``status`` and ``/readyz`` say of them."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

from sqlalchemy import Connection

from ingestor.clock import Clock
from ingestor.dates import iso_utc
from ingestor.operations.rhythm import (
    SHORTEST_SILENCE,
    is_unanswered,
    longest_silence,
    quiet_since,
)
from ingestor.store.db.database import Database
from ingestor.store.rhythms import answering, latest_publications

LOOKED_AT_EVERY = timedelta(minutes=1)
"""Probes come every few seconds, and a feed is not late from one second to the next."""


def late_feeds(connection: Connection, now: datetime) -> dict[str, str]:
    """Return why feeds are late, by their names; feeds that fail are not among them."""
    late = {}
    for one in answering(connection):
        if is_unanswered(one.last_ok_at, one.interval, now):
            late[one.name] = "not polled: does the daemon run?"
            continue
        if one.last_new_at is None or now - one.last_new_at <= SHORTEST_SILENCE:
            # Nobody is quiet after so short a time: most feeds need no look at their past.
            continue
        silence = longest_silence(latest_publications(connection, one.id))
        if since := quiet_since(one.last_new_at, silence, now):
            late[one.name] = f"nothing new since {iso_utc(since)}, longer than it ever was"
    return late


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
