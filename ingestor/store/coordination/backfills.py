"""Backfills: which days of a feed's past are through, and how far the one in work is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, select

from ingestor.store.schema import backfills


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a day of a feed is."""

    pages: int = 0
    """Pages whose entries are written down."""
    finished: bool = False


def progress(connection: Connection, feed_id: int, day: str) -> Progress:
    """Return how far a day is."""
    where = (backfills.c.feed_id == feed_id) & (backfills.c.day == day)
    row = connection.execute(select(backfills).where(where)).first()
    return Progress(row.pages, row.finished_at is not None) if row else Progress()


def record(
    connection: Connection, feed_id: int, day: str, *, pages: int, finished_at: datetime | None
) -> None:
    """Write down how far a day is."""
    forget(connection, feed_id, day)
    connection.execute(
        backfills.insert().values(feed_id=feed_id, day=day, pages=pages, finished_at=finished_at)
    )


def forget(connection: Connection, feed_id: int, day: str) -> None:
    """Let a day be walked from its beginning."""
    connection.execute(
        delete(backfills).where(backfills.c.feed_id == feed_id, backfills.c.day == day)
    )
