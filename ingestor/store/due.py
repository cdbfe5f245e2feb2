"""What is due, by the parts in which workers take it: a few numbers for thousands of rows."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Select, or_, select

from ingestor.store.images import due as due_pictures
from ingestor.store.schema import articles, entries, feeds
from ingestor.store.shards import Shard

ENTRIES_A_BATCH = 32
"""Entries of a job. What the engine costs a job is then less than 1 ms an article, and a worker
that dies loses some seconds of work (docs/scaling.md)."""


def batch_ids(number: int) -> range:
    """Return the ids of the entries in a slice: neighbours, as one feed announced them."""
    return range(number * ENTRIES_A_BATCH, (number + 1) * ENTRIES_A_BATCH)


def due_feeds(connection: Connection, now: datetime, share: Shard, limit: int) -> list[str]:
    """Return the names of feeds of this share whose time has come, the longest due first."""
    query = select(feeds.c.name).where(_feed_due(now), share.has(feeds.c.id))
    query = query.order_by(feeds.c.next_poll_at.is_not(None), feeds.c.next_poll_at).limit(limit)
    return list(connection.execute(query).scalars())


def due_feed_shards(connection: Connection, now: datetime, of: int) -> list[int]:
    """Return the shares in which a feed's time has come."""
    return _numbers(connection, select((feeds.c.id % of).label("number")).where(_feed_due(now)))


def due_batches(
    connection: Connection, now: datetime, limit: int, feed_id: int | None = None
) -> list[int]:
    """Return the slices in which an entry's time has come, oldest first; of one feed, if named."""
    query = (
        select((entries.c.id // ENTRIES_A_BATCH).label("number"))
        .join(feeds, feeds.c.id == entries.c.feed_id)
        .where(_entry_due(now), feeds.c.active == 1)
    )
    if feed_id is not None:
        query = query.where(entries.c.feed_id == feed_id)
    # The oldest of them: a backlog of millions is not sorted out at once.
    oldest = query.order_by(entries.c.id).limit(limit * ENTRIES_A_BATCH)
    return _numbers(connection, oldest)[:limit]


def feeds_of_batch(connection: Connection, now: datetime, number: int) -> list[str]:
    """Return the names of the feeds whose entries are due in a slice."""
    ids = batch_ids(number)
    query = (
        select(feeds.c.name)
        .join(entries, entries.c.feed_id == feeds.c.id)
        .where(_entry_due(now), entries.c.id.between(ids.start, ids.stop - 1))
    )
    return list(connection.execute(query.distinct()).scalars())


def due_recheck_shards(connection: Connection, now: datetime, of: int) -> list[int]:
    """Return the shares in which an article's page is to be looked at again."""
    due = articles.c.next_check_at <= now
    query = select((articles.c.id % of).label("number"))
    return _numbers(connection, query.where(due, articles.c.feed_id.is_not(None)))


def due_file_shards(connection: Connection, of: int) -> list[int]:
    """Return the shares in which an article's file is to be written."""
    query = select((articles.c.id % of).label("number"))
    return _numbers(connection, query.where(articles.c.file_sha256.is_(None)))


def is_image_due(connection: Connection, now: datetime) -> bool:
    """Return whether there is a picture to be had."""
    return bool(due_pictures(connection, now, 1))


def _feed_due(now: datetime) -> ColumnElement[bool]:
    due = or_(feeds.c.next_poll_at.is_(None), feeds.c.next_poll_at <= now)
    return (feeds.c.active == 1) & (feeds.c.stopped == "") & due


def _entry_due(now: datetime) -> ColumnElement[bool]:
    due = or_(entries.c.next_attempt_at.is_(None), entries.c.next_attempt_at <= now)
    return (entries.c.state == "pending") & due


def _numbers(connection: Connection, query: Select[tuple[int]]) -> list[int]:
    found = query.subquery()
    numbers = select(found.c.number).distinct().order_by(found.c.number)
    return [int(one) for one in connection.execute(numbers).scalars()]
