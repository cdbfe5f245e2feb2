"""When the latest articles of a feed were published: what its rhythm is read from."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, select

from ingestor.store.schema import articles, feeds, sightings

ARTICLES_LOOKED_AT = 200
"""Enough to hold a week-end of a feed with thirty articles a day."""


def latest_publications(connection: Connection, feed: str) -> list[datetime]:
    """Return the moments of a feed's latest articles, as far as they are known."""
    rows = connection.execute(
        select(articles.c.published_at)
        .join(sightings, sightings.c.article_id == articles.c.id)
        .join(feeds, feeds.c.id == sightings.c.feed_id)
        .where(feeds.c.name == feed)
        .order_by(articles.c.id.desc())
        .limit(ARTICLES_LOOKED_AT)
    ).scalars()
    return [moment for moment in rows if moment]


def intervals(connection: Connection) -> dict[str, timedelta]:
    """Return how long apart each feed's polls are."""
    rows = connection.execute(select(feeds.c.name, feeds.c.interval_s))
    return {row.name: timedelta(seconds=row.interval_s) for row in rows}
