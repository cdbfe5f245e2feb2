"""How the archive is, in numbers: its feeds, their staleness, the queue, and what there is.

The health snapshot is asked for every few seconds, the others when somebody wants to see them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    FromClause,
    ScalarSelect,
    Select,
    Table,
    bindparam,
    case,
    func,
    literal,
    select,
    text,
    true,
)

from ingestor.policy import SHORTEST_SILENCE, is_unanswered, longest_silence, quiet_since
from ingestor.store import damages
from ingestor.store.due import entry_is_due, feed_is_due
from ingestor.store.filters import Filters, conditions
from ingestor.store.names.securities import KnownNames
from ingestor.store.schema import (
    BELIEVED,
    WAITING,
    articles,
    entries,
    feeds,
    revisions,
    sightings,
    symbols,
)
from ingestor.text.dates import iso_utc

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
    latest = (
        select(sightings.c.article_id)
        .where(sightings.c.feed_id == feed_id)
        .order_by(sightings.c.article_id.desc())
        .limit(ARTICLES_LOOKED_AT)
        .subquery()
    )
    query = select(articles.c.published_at).join(latest, latest.c.article_id == articles.c.id)
    return [moment for moment in connection.execute(query).scalars() if moment]


def late_feeds(connection: Connection, now: datetime) -> dict[str, str]:
    """Return why feeds are late, by their names; feeds that fail are not among them."""
    late = {}
    for feed in answering(connection):
        if is_unanswered(feed.last_ok_at, feed.interval, now):
            late[feed.name] = "not polled: does the daemon run?"
            continue
        if feed.last_new_at is None or now - feed.last_new_at <= SHORTEST_SILENCE:
            # Nobody is quiet after so short a time: most feeds need no look at their past.
            continue
        silence = longest_silence(latest_publications(connection, feed.id))
        if since := quiet_since(feed.last_new_at, silence, now):
            late[feed.name] = f"nothing new since {iso_utc(since)}, longer than it ever was"
    return late


@dataclass(frozen=True, slots=True)
class HealthSnapshot:
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
    damages: int
    """Places at which the database was found to be damaged."""


def health_snapshot(connection: Connection, now: datetime) -> HealthSnapshot:
    """Return how the queue is at ``now``; the indexes answer it."""
    query = select(entries.c.state, func.count()).where(WAITING).group_by(entries.c.state)
    waiting = {row[0]: int(row[1]) for row in connection.execute(query)}
    active = feeds.c.active == 1
    return HealthSnapshot(
        pending=waiting.get("pending", 0),
        parked=waiting.get("parked", 0),
        due=_due(connection, now),
        feeds=_count_where(connection, active),
        failing=_count_where(connection, active, feeds.c.failures > 0),
        damages=len(damages.fresh(connection)),
    )


def _due(connection: Connection, now: datetime) -> int:
    """Return how many feeds and entries have their time come by ``now``."""
    active = select(feeds.c.id).where(feeds.c.active == 1)
    due_entries = _count_where(connection, entry_is_due(now), entries.c.feed_id.in_(active))
    return due_entries + _count_where(connection, feed_is_due(now))


def _count_where(connection: Connection, *conditions: object) -> int:
    query = select(func.count()).where(*conditions)  # type: ignore[arg-type]
    return int(connection.execute(query).scalar_one())


@dataclass(frozen=True, slots=True)
class FeedHealth:
    """How one feed is."""

    name: str
    kind: str
    url: str
    active: bool
    articles: int
    """Articles that it announced, first or not; 0 where they were not counted."""
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
    zone_shift_s: int
    """Seconds by which its times are set right; 0: they are right as they come."""


class FeedCondition(StrEnum):
    """What is to be said of a feed first: the worst comes first."""

    UNKNOWN = "not configured"
    STOPPED = "stopped"
    FAILING = "failing"
    DOUBTED = "doubted"
    LATE = "late"
    NEVER = "never polled"
    OK = "ok"


def feed_state(feed: FeedHealth, *, late: bool, doubted: bool) -> FeedCondition:
    """Return the state of a feed, of which others know whether it is late or doubted. Pure."""
    states = (
        (FeedCondition.UNKNOWN, not feed.active),
        (FeedCondition.STOPPED, bool(feed.stopped)),
        (FeedCondition.FAILING, feed.failures > 0),
        (FeedCondition.DOUBTED, doubted),
        (FeedCondition.LATE, late),
        (FeedCondition.NEVER, feed.last_ok_at is None),
    )
    return next((state for state, holds in states if holds), FeedCondition.OK)


@dataclass(frozen=True, slots=True)
class Parked:
    """An entry that was given up, with its reason."""

    feed: str
    url: str
    title: str
    error: str


def feed_health(connection: Connection, moves: int, *, counted: bool = True) -> list[FeedHealth]:
    """Return every feed that was ever configured, active ones first.

    An address counts as moved after ``moves`` polls in a row that were redirected. Not ``counted``,
    none says how many articles it has: a million take a tenth of a second.
    """
    query = select(sightings.c.feed_id, func.count()).group_by(sightings.c.feed_id)
    seen: Counter[int] = Counter()
    if counted:
        seen.update(dict(connection.execute(query).all()))
        seen.subtract(dict(connection.execute(query.join(articles).where(~BELIEVED)).all()))
    queue = _queues(connection)
    rows = connection.execute(select(feeds).order_by(feeds.c.active.desc(), feeds.c.id))
    return [
        FeedHealth(
            name=row.name,
            kind=row.kind,
            url=row.url,
            active=bool(row.active),
            articles=seen[row.id],
            pending=queue.get(row.id, (0, 0))[0],
            parked=queue.get(row.id, (0, 0))[1],
            last_ok_at=row.last_ok_at,
            last_new_at=row.last_new_at,
            next_poll_at=row.next_poll_at,
            failures=row.failures,
            last_error=row.last_error,
            moved_to=row.moved_to if row.moved_polls >= moves else "",
            stopped=row.stopped,
            zone_shift_s=row.zone_shift_s,
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


def newest_article(connection: Connection) -> datetime | None:
    """Return when the archive saw a new article last."""
    return connection.execute(select(func.max(articles.c.first_seen_at))).scalar()


def last_sequence(connection: Connection) -> int:
    """Return the sequence of the latest revision, 0 where there is none."""
    return int(connection.execute(select(func.max(revisions.c.sequence))).scalar() or 0)


def totals(connection: Connection) -> dict[str, int | str | None]:
    """Return the numbers of the archive as a whole, without what is doubted."""
    # Each by itself: an index answers it. Together, SQLite would read every article.
    doubted = select(func.count()).select_from(articles).where(~BELIEVED)
    row = connection.execute(
        select(
            (_count(articles) - doubted.scalar_subquery()).label("articles"),
            _count(revisions).label("revisions"),
            select(func.min(articles.c.date)).where(BELIEVED).scalar_subquery().label("first_day"),
            select(func.max(articles.c.date)).where(BELIEVED).scalar_subquery().label("last_day"),
        )
    ).one()
    return dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's documented name


def size(connection: Connection) -> int:
    """Return the bytes that the database takes on the disk, without a write-ahead log."""
    if connection.dialect.name == "postgresql":
        asked = "SELECT pg_database_size(current_database())"
    else:
        asked = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
    return int(connection.execute(text(asked)).scalar_one())


def _count(table: Table) -> ScalarSelect[int]:
    return select(func.count()).select_from(table).scalar_subquery()


class CountedBy(StrEnum):
    """What articles are counted by, beside their days."""

    MEDIA = "media"
    SYMBOL = "symbol"
    FEED = "feed"


@dataclass(frozen=True, slots=True)
class ArticleCount:
    """How many articles there are of a publication day, a name, or both."""

    day: str
    """``""``: of all days."""
    name: str
    """Of a medium or feed, or the code of a security; ``""``: the article says none, or of all."""
    articles: int


def article_counts(
    connection: Connection, filters: Filters, *, by_day: bool, of: CountedBy | None
) -> list[ArticleCount]:
    """Return how many articles are meant, by publication day, by name, or both; in no order.

    An article counts for each security that it names and each feed that announced it; one that was
    imported for its last category.
    """
    counts: Counter[tuple[str, str]] = Counter()
    meant = conditions(replace(filters, doubted=True))
    # By an index, where one has the days; what is doubted is little, and taken off again.
    for sign, condition in ((1, true()), (-1, ~BELIEVED)):
        for day, name, number in connection.execute(_counted(by_day, of).where(*meant, condition)):
            last = name.splitlines()[-1] if name and of is CountedBy.FEED else name
            counts[day, last] += sign * number
    return [ArticleCount(day, name, number) for (day, name), number in counts.items() if number > 0]


def _counted(by_day: bool, of: CountedBy | None) -> Select[Any]:
    day = articles.c.date if by_day else literal("")
    name: ColumnElement[str] = literal("")
    source: FromClause = articles
    match of:
        case CountedBy.MEDIA:
            name = articles.c.media
        case CountedBy.SYMBOL:
            # Under other names than the filters' own look at these tables.
            named = symbols.alias("named")
            name, current = named.c.symbol, named.c.last_revision.is_(None)
            source = articles.join(named, (named.c.article_id == articles.c.id) & current)
        case CountedBy.FEED:
            seen, by = sightings.alias("seen"), feeds.alias("announced_by")
            name = func.coalesce(by.c.name, articles.c.categories)
            source = articles.outerjoin(seen, seen.c.article_id == articles.c.id)
            source = source.outerjoin(by, by.c.id == seen.c.feed_id)
    grouped = [column for column in (day, name) if not isinstance(column, BindParameter)]
    return select(day, name, func.count()).select_from(source).group_by(*grouped)


def articles_a_day(connection: Connection, days: int) -> list[tuple[str, int]]:
    """Return the last ``days`` publication days that have articles, the oldest first."""
    query = select(articles.c.date, func.count()).group_by(articles.c.date)
    # Counted by itself: an index answers it, and what is doubted is little.
    doubted: dict[str, int] = dict(connection.execute(query.where(~BELIEVED)).all())
    rows = connection.execute(query.order_by(articles.c.date.desc()).limit(days)).all()
    counts = [(day, number - doubted.get(day, 0)) for day, number in reversed(rows)]
    return [(day, number) for day, number in counts if number]


_AMOUNT = func.count()
_SYMBOLS = (
    select(symbols.c.symbol, _AMOUNT)
    .where(
        symbols.c.article_id.in_(bindparam("ids", expanding=True)),
        symbols.c.last_revision.is_(None),
    )
    .group_by(symbols.c.symbol)
    .order_by(_AMOUNT.desc(), symbols.c.symbol)
    .limit(bindparam("limit"))
)


def symbol_counts(
    connection: Connection, ids: Sequence[int], limit: int
) -> list[tuple[str, str, int]]:
    """Return the securities that most of these articles name: code, name, how many."""
    counts = connection.execute(_SYMBOLS, {"ids": list(ids), "limit": limit}).all()
    known = KnownNames(connection, [symbol for symbol, _ in counts])
    return [(symbol, known.at(symbol), number) for symbol, number in counts]
