"""Is it due? Each of these conditions once; and what is due, by the parts that workers take.

A part is a shard of a table's rows or a batch of neighbouring entries, so that a few numbers
stand for thousands of rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeAlias

from sqlalchemy import (
    BindParameter,
    Column,
    ColumnElement,
    Connection,
    ScalarSelect,
    Select,
    and_,
    bindparam,
    delete,
    func,
    or_,
    select,
    true,
    update,
)

from ingestor.store.schema import WAITING, articles, entries, feeds, images, pictures
from ingestor.store.schema.cluster import assignments, hosts

ENTRIES_A_BATCH = 32
"""Entries of a job. What the engine costs a job is then less than 1 ms an article, and a worker
that dies loses some seconds of work (docs/scaling.md)."""

IMAGES_AN_ARTICLE = 100
"""Further ones of one article are left: the longest slides have some sixty."""

LONGEST_PAUSE = timedelta(days=1)
"""Nothing is put off for longer because a host, or a failing feed, asks for it."""

LONGEST_RETRY = timedelta(hours=30)
"""Nor because a try failed."""

_Moment: TypeAlias = datetime | BindParameter[datetime]

FILE_IS_DUE: ColumnElement[bool] = articles.c.file_sha256.is_(None)
"""Condition on ``articles``: its file is to be written, or, where it is doubted, to go."""


@dataclass(frozen=True, slots=True)
class Shard:
    """The rows whose id, divided by ``of``, leaves ``number``."""

    number: int
    of: int

    def has(self, key: Column[int]) -> ColumnElement[bool]:
        """Return the condition that a row is in this shard."""
        return true() if self.of == 1 else key % self.of == self.number


ALL = Shard(0, 1)
"""Every row."""


def pull_in(connection: Connection, now: datetime, *, polls: timedelta, rechecks: timedelta) -> int:
    """Let be due now what is due later than anything is put off; return how much that was.

    A clock that was ahead writes such moments, and they would stop all work for years with
    nothing wrong to be seen. ``polls`` and ``rechecks`` are the longest waits of feeds and of
    articles.
    """
    waits = (
        (feeds.c.next_poll_at, max(polls, LONGEST_PAUSE), true()),
        (entries.c.next_attempt_at, LONGEST_RETRY, WAITING),
        # There is one row a picture; an index has those without a copy.
        (pictures.c.next_attempt_at, LONGEST_RETRY, pictures.c.path.is_(None)),
        (articles.c.next_check_at, rechecks, true()),
        (assignments.c.next_attempt_at, LONGEST_RETRY, true()),
    )
    pulled = 0
    for column, longest, among in waits:
        # Twice: jitter and chance come on top, and a day's slip mends itself.
        late = update(column.table).where(among, column > now + 2 * longest)
        pulled += connection.execute(late.values({column.name: now})).rowcount
    paused = delete(hosts).where(hosts.c.paused_until > now + 2 * LONGEST_PAUSE)
    return pulled + connection.execute(paused).rowcount


_IS_ASKED = and_(feeds.c.active == 1, feeds.c.stopped == "")
_IS_TRIED = and_(WAITING, entries.c.state == "pending")
_IS_CHECKED = articles.c.feed_id.is_not(None)


def feed_is_due(now: _Moment) -> ColumnElement[bool]:
    """Condition on ``feeds``: it is to be asked."""
    return and_(_IS_ASKED, _at_once_or(feeds.c.next_poll_at, now))


def entry_is_due(now: _Moment) -> ColumnElement[bool]:
    """Condition on ``entries``: it is to be tried, if its feed is active."""
    return and_(_IS_TRIED, _at_once_or(entries.c.next_attempt_at, now))


def recheck_is_due(now: _Moment) -> ColumnElement[bool]:
    """Condition on ``articles``: its page is to be looked at again."""
    return and_(articles.c.next_check_at <= now, _IS_CHECKED)


def image_is_due(now: _Moment) -> ColumnElement[bool]:
    """Condition on ``images``, with ``pictures`` where it was asked for: to be downloaded."""
    come = or_(pictures.c.url.is_(None), pictures.c.next_attempt_at <= now)
    return and_(images.c.path.is_(None), images.c.position <= IMAGES_AN_ARTICLE, come)


def assignment_is_due(now: datetime) -> ColumnElement[bool]:
    """Condition on ``assignments``: a worker is to begin it."""
    come = _at_once_or(assignments.c.next_attempt_at, now)
    return and_(assignments.c.state == "pending", come)


def _at_once_or(column: Column[Any], now: _Moment) -> ColumnElement[bool]:
    return or_(column.is_(None), column <= now)


def due_feeds(
    connection: Connection, now: datetime, shard: Shard = ALL, limit: int | None = None
) -> list[str]:
    """Return the names of feeds of this shard that are due, the longest due first."""
    query = select(feeds.c.name).where(feed_is_due(now), shard.has(feeds.c.id))
    query = query.order_by(feeds.c.next_poll_at.is_not(None), feeds.c.next_poll_at).limit(limit)
    return list(connection.execute(query).scalars())


def feeds_with_due_entries(
    connection: Connection, now: datetime, ids: range | None = None
) -> list[str]:
    """Return the names of the active feeds that have entries due; among these ids, if given."""
    due = select(entries.c.feed_id).where(entry_is_due(now), has_id(ids))
    query = select(feeds.c.name).where(feeds.c.id.in_(due), feeds.c.active == 1)
    return list(connection.execute(query).scalars())


def has_id(ids: range | None) -> ColumnElement[bool]:
    """Condition on ``entries``: it has one of these ids (without gaps); ``None``: any."""
    return true() if ids is None else entries.c.id.between(ids.start, ids.stop - 1)


def is_anything_due(connection: Connection, now: datetime, *, with_images: bool) -> bool:
    """Return whether any of what the daemon does is due, pictures with ``with_images``."""
    question = _ANYTHING_OR_IMAGES if with_images else _ANYTHING
    return bool(connection.execute(question, {"now": now}).scalar_one())


def next_due(connection: Connection, now: datetime, *, with_images: bool) -> datetime | None:
    """Return when the first is due of what is put off at ``now``; ``None``: nothing is."""
    question = _NEXT_OR_IMAGES if with_images else _NEXT
    moments = connection.execute(question, {"now": now}).one()
    return min((moment for moment in moments if moment), default=None)


def files_due(connection: Connection) -> int:
    """Return how many files are to be written, or to go."""
    query = select(func.count()).select_from(articles).where(FILE_IS_DUE)
    return int(connection.execute(query).scalar_one())


def is_image_due(connection: Connection, now: datetime) -> bool:
    """Return whether there is a picture to be downloaded."""
    return connection.execute(_images_due(now).limit(1)).first() is not None


def _images_due(now: _Moment) -> Select[tuple[str]]:
    query = select(images.c.url).outerjoin(pictures, pictures.c.url == images.c.url)
    return query.where(image_is_due(now))


# Written once: the daemon asks each second, and writing it takes longer than answering it.
_NOW: BindParameter[datetime] = bindparam("now")
# What waits for a feed that is none any more waits for good.
_ACTIVE = entries.c.feed_id.in_(select(feeds.c.id).where(feeds.c.active == 1))
_KINDS = (
    select(feeds.c.id).where(feed_is_due(_NOW)).exists(),
    select(entries.c.id).where(entry_is_due(_NOW), _ACTIVE).exists(),
    select(articles.c.id).where(recheck_is_due(_NOW)).exists(),
    select(articles.c.id).where(FILE_IS_DUE).exists(),
)
_ANYTHING = select(or_(*_KINDS))
_ANYTHING_OR_IMAGES = select(or_(*_KINDS, _images_due(_NOW).exists()))


def _first_after_now(column: Column[Any], *among: ColumnElement[bool]) -> ScalarSelect[Any]:
    later = select(column).where(column > _NOW, *among)
    return later.order_by(column).limit(1).scalar_subquery()


_FIRST_OF_EACH = (
    _first_after_now(feeds.c.next_poll_at, _IS_ASKED),
    _first_after_now(entries.c.next_attempt_at, _IS_TRIED, _ACTIVE),
    _first_after_now(articles.c.next_check_at, _IS_CHECKED),
)
_NEXT = select(*_FIRST_OF_EACH)
_NEXT_OR_IMAGES = select(
    *_FIRST_OF_EACH, _first_after_now(pictures.c.next_attempt_at, pictures.c.path.is_(None))
)


def batch_ids(number: int) -> range:
    """Return the ids of the entries in a batch: neighbours, as one feed announced them."""
    return range(number * ENTRIES_A_BATCH, (number + 1) * ENTRIES_A_BATCH)


def due_batches(
    connection: Connection, now: datetime, limit: int, feed_id: int | None = None
) -> Sequence[int]:
    """Return the batches that have entries due, oldest first; of one feed, if named."""
    query = (
        select((entries.c.id // ENTRIES_A_BATCH).label("number"))
        .join(feeds, feeds.c.id == entries.c.feed_id)
        .where(entry_is_due(now), feeds.c.active == 1)
    )
    if feed_id is not None:
        query = query.where(entries.c.feed_id == feed_id)
    # The oldest of them: a backlog of millions is not sorted out at once.
    oldest = query.order_by(entries.c.id).limit(limit * ENTRIES_A_BATCH)
    return _numbers(connection, oldest)[:limit]


def due_feed_shards(connection: Connection, now: datetime, of: int) -> Sequence[int]:
    """Return the shards in which a feed is due."""
    return _numbers(connection, _shards(feeds.c.id, of).where(feed_is_due(now)))


def due_recheck_shards(connection: Connection, now: datetime, of: int) -> Sequence[int]:
    """Return the shards in which an article's page is to be looked at again."""
    return _numbers(connection, _shards(articles.c.id, of).where(recheck_is_due(now)))


def due_file_shards(connection: Connection, of: int) -> Sequence[int]:
    """Return the shards in which an article's file is to be written."""
    return _numbers(connection, _shards(articles.c.id, of).where(FILE_IS_DUE))


def _shards(key: Column[int], of: int) -> Select[tuple[int]]:
    return select((key % of).label("number"))


def _numbers(connection: Connection, query: Select[tuple[int]]) -> Sequence[int]:
    number = query.subquery().c.number
    return connection.execute(select(number).distinct().order_by(number)).scalars().all()
