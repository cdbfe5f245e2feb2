"""How the archive is, in numbers: what ``ingest status`` shows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, ScalarSelect, Table, case, func, select

from ingestor.store.schema import WAITING, articles, entries, feeds, revisions, sightings


@dataclass(frozen=True, slots=True)
class FeedHealth:
    """How one feed is."""

    name: str
    kind: str
    url: str
    active: bool
    articles: int
    """Articles that it announced, first or not."""
    pending: int
    parked: int
    last_ok_at: datetime | None
    last_new_at: datetime | None
    next_poll_at: datetime | None
    failures: int
    last_error: str
    moved_to: str
    """Where its address has moved to for good; ``""``: it has not."""
    stopped: str
    """Why it is not asked any more; ``""``: it is."""


@dataclass(frozen=True, slots=True)
class Parked:
    """An entry that was given up, with its reason."""

    feed: str
    url: str
    title: str
    error: str


def feed_health(connection: Connection, moves: int) -> list[FeedHealth]:
    """Return every feed that was ever configured, active ones first.

    An address counts as moved after ``moves`` polls in a row that were redirected.
    """
    seen: dict[int, int] = {
        row.feed_id: row.articles
        for row in connection.execute(
            select(sightings.c.feed_id, func.count().label("articles")).group_by(
                sightings.c.feed_id
            )
        )
    }
    queue = _queues(connection)
    rows = connection.execute(select(feeds).order_by(feeds.c.active.desc(), feeds.c.id))
    return [
        FeedHealth(
            name=row.name,
            kind=row.kind,
            url=row.url,
            active=bool(row.active),
            articles=seen.get(row.id, 0),
            pending=queue.get(row.id, (0, 0))[0],
            parked=queue.get(row.id, (0, 0))[1],
            last_ok_at=row.last_ok_at,
            last_new_at=row.last_new_at,
            next_poll_at=row.next_poll_at,
            failures=row.failures,
            last_error=row.last_error,
            moved_to=row.moved_to if row.moved_polls >= moves else "",
            stopped=row.stopped,
        )
        for row in rows
    ]


def _queues(connection: Connection) -> dict[int, tuple[int, int]]:
    """Return how many entries are pending and parked, by feed."""
    rows = connection.execute(
        select(
            entries.c.feed_id,
            func.sum(case((entries.c.state == "pending", 1), else_=0)).label("pending"),
            func.sum(case((entries.c.state == "parked", 1), else_=0)).label("parked"),
        )
        .where(WAITING)
        .group_by(entries.c.feed_id)
    )
    return {row.feed_id: (row.pending, row.parked) for row in rows}


def parked(connection: Connection, limit: int) -> list[Parked]:
    """Return the entries that were given up last."""
    rows = connection.execute(
        select(feeds.c.name, entries.c.url, entries.c.title, entries.c.error)
        .join(feeds)
        .where(WAITING, entries.c.state == "parked")
        # By an expression: SQLite would go through all entries from the last one on otherwise.
        .order_by((entries.c.id + 0).desc())
        .limit(limit)
    )
    return [Parked(*row) for row in rows]


def totals(connection: Connection) -> dict[str, int | str | None]:
    """Return the numbers of the archive as a whole."""
    # Each by itself: an index answers it. Together, SQLite would read every article.
    row = connection.execute(
        select(
            _count(articles).label("articles"),
            _count(revisions).label("revisions"),
            select(func.min(articles.c.date)).scalar_subquery().label("first_day"),
            select(func.max(articles.c.date)).scalar_subquery().label("last_day"),
        )
    ).one()
    return dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's documented name


def _count(table: Table) -> ScalarSelect[int]:
    return select(func.count()).select_from(table).scalar_subquery()
