"""The few numbers that tell whether the work moves: asked for every few seconds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, or_, select

from ingestor.store.schema import WAITING, entries, feeds


@dataclass(frozen=True, slots=True)
class Vitals:
    """The queue at one moment."""

    pending: int
    """Entries that wait, due or not."""
    parked: int
    """Entries that were given up."""
    due: int
    """Feeds and entries whose time has come."""
    feeds: int
    failing: int
    """Feeds whose last poll failed."""


def vitals(connection: Connection, now: datetime) -> Vitals:
    """Return how the queue is at ``now``; the indexes answer it."""
    query = select(entries.c.state, func.count()).where(WAITING).group_by(entries.c.state)
    waiting = {row[0]: int(row[1]) for row in connection.execute(query)}
    active = feeds.c.active == 1
    return Vitals(
        pending=waiting.get("pending", 0),
        parked=waiting.get("parked", 0),
        due=_due(connection, now),
        feeds=_count(connection, active),
        failing=_count(connection, active, feeds.c.failures > 0),
    )


def _due(connection: Connection, now: datetime) -> int:
    """Return how many feeds and entries have their time come by ``now``."""
    active = feeds.c.active == 1
    late_entries = _count(
        connection,
        WAITING,
        entries.c.state == "pending",
        or_(entries.c.next_attempt_at.is_(None), entries.c.next_attempt_at <= now),
        entries.c.feed_id.in_(select(feeds.c.id).where(active)),
    )
    late_feeds = _count(
        connection, active, or_(feeds.c.next_poll_at.is_(None), feeds.c.next_poll_at <= now)
    )
    return late_entries + late_feeds


def _count(connection: Connection, *conditions: object) -> int:
    query = select(func.count()).where(*conditions)  # type: ignore[arg-type]
    return int(connection.execute(query).scalar_one())
