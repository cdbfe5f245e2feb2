"""When feeds answered, and when their latest articles were published: their rhythm."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, literal_column, select

from ingestor.store.schema import articles, feeds, sightings

ARTICLES_LOOKED_AT = 200
"""Enough to hold a week-end of a feed with thirty articles a day."""


@dataclass(frozen=True, slots=True)
class AnsweringFeed:
    """An active feed whose last poll did not fail."""

    id: int
    name: str
    interval: timedelta
    """Between two polls."""
    last_ok_at: datetime | None
    last_new_at: datetime | None


def answering(connection: Connection) -> list[AnsweringFeed]:
    """Return the feeds that are active and did not fail last time."""
    query = select(feeds).where(feeds.c.active == 1, feeds.c.failures == 0).order_by(feeds.c.id)
    return [
        AnsweringFeed(
            row.id, row.name, timedelta(seconds=row.interval_s), row.last_ok_at, row.last_new_at
        )
        for row in connection.execute(query)
    ]


def latest_publications(connection: Connection, feed_id: int) -> list[datetime]:
    """Return the moments of a feed's latest articles, as far as they are known."""
    # SQLite's index of the feed is in the order of the rows, so that the last ones are found
    # without sorting the feed's whole past.
    sqlite = connection.dialect.name == "sqlite"
    newest = literal_column("sightings.rowid") if sqlite else sightings.c.article_id
    latest = (
        select(sightings.c.article_id)
        .where(sightings.c.feed_id == feed_id)
        .order_by(newest.desc())
        .limit(ARTICLES_LOOKED_AT)
        .subquery()
    )
    query = select(articles.c.published_at).join(latest, latest.c.article_id == articles.c.id)
    return [moment for moment in connection.execute(query).scalars() if moment]
