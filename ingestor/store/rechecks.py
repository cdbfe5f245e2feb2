"""Looking again at articles: which are due, and what came of it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, select, update

from ingestor.model import Validators
from ingestor.store.due import ALL, Shard, recheck_is_due
from ingestor.store.schema import articles

_BEGIN = (
    update(articles)
    .where(articles.c.id == bindparam("of"), articles.c.checks == 0)
    .values(
        next_check_at=bindparam("due"),
        etag=bindparam("tag"),
        last_modified=bindparam("modified"),
    )
)


@dataclass(frozen=True, slots=True)
class DueCheck:
    """An article whose page is to be looked at again."""

    article_id: int
    url: str
    title: str
    validators: Validators
    first_seen_at: datetime
    due_at: datetime
    checks: int
    """How often it was looked at before."""
    author: str
    categories: tuple[str, ...]
    feed_id: int


def due(
    connection: Connection,
    now: datetime,
    limit: int,
    shard: Shard = ALL,
    *,
    but_of: Collection[int] = (),
) -> list[DueCheck]:
    """Return articles of this shard whose time has come, the longest due first.

    Those that came by these feeds are left out.
    """
    rows = connection.execute(
        select(articles)
        .where(recheck_is_due(now), shard.has(articles.c.id), articles.c.feed_id.not_in(but_of))
        .order_by(articles.c.next_check_at)
        .limit(limit)
    )
    return [
        DueCheck(
            article_id=row.id,
            url=row.url,
            title=row.title,
            validators=Validators(row.etag, row.last_modified),
            first_seen_at=row.first_seen_at,
            due_at=row.next_check_at,
            checks=row.checks,
            author=row.author,
            categories=tuple(row.categories.splitlines()),
            feed_id=row.feed_id,
        )
        for row in rows
    ]


@dataclass(frozen=True, slots=True)
class FirstCheck:
    """When a new article's page is looked at again, and what makes that look conditional."""

    article_id: int
    validators: Validators
    next_check_at: datetime | None


def begin(connection: Connection, planned: Sequence[FirstCheck]) -> None:
    """Plan the first looks at the pages of articles; those looked at already are left."""
    if planned:
        rows = [
            {
                "of": check.article_id,
                "due": check.next_check_at,
                "tag": check.validators.etag,
                "modified": check.validators.last_modified,
            }
            for check in planned
        ]
        connection.execute(_BEGIN, rows)


def done(
    connection: Connection,
    check: DueCheck,
    validators: Validators | None,
    *,
    next_check_at: datetime | None,
) -> None:
    """Write down that a page was looked at; ``None`` leaves its validators."""
    values: dict[str, object] = {"checks": check.checks + 1, "next_check_at": next_check_at}
    if validators:
        values |= {"etag": validators.etag, "last_modified": validators.last_modified}
    connection.execute(update(articles).where(articles.c.id == check.article_id).values(**values))


def postpone(connection: Connection, check: DueCheck, until: datetime) -> None:
    """Look at a page no sooner than ``until``; it was not looked at, so it counts as no look."""
    due = update(articles).where(articles.c.id == check.article_id)
    connection.execute(due.values(next_check_at=until))
