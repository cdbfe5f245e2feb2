"""What there is of a day, a security or a medium: counts a day, names over time, edits.

Days are publication days in Asia/Shanghai, but for edits: those are of the day on which the
archive saw them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from statistics import median_low
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Select,
    Text,
    bindparam,
    func,
    literal_column,
    select,
    type_coerce,
)

from ingestor.store.filters import Filters, articles_of_symbol, conditions
from ingestor.store.names.securities import KnownNames
from ingestor.store.overview import symbol_counts
from ingestor.store.schema import (
    DOUBTED,
    IS_BELIEVED,
    IS_EDIT,
    articles,
    captures,
    feeds,
    revisions,
    securities,
    sightings,
    symbols,
)
from ingestor.store.stored_articles import ArticleRevision, revisions_of
from ingestor.text.dates import SHANGHAI, is_day

LATEST = 5_000
"""Of a security that more articles name the last ones are counted."""

MOST_NAMED = 12
"""Securities that stand in a list of the most named."""

MONTH = 30
"""Days with which a day is compared."""

DELAYS = 50
"""Latest articles of a feed by which its delay is known."""


@dataclass(frozen=True, slots=True)
class MonthlyMention:
    """How often a security is named on a day, and was in the days before it."""

    symbol: str
    name: str
    articles: int
    a_day: float
    """Articles a day in the :data:`MONTH` days before."""


@dataclass(frozen=True, slots=True)
class SecurityName:
    """A time in which a security bore a name."""

    name: str
    known_from: datetime
    last_seen_at: datetime


@dataclass(frozen=True, slots=True)
class SeenEdit:
    """An edit: what the article said before it, and after."""

    before: ArticleRevision
    after: ArticleRevision


def day_counts(connection: Connection, filters: Filters) -> dict[str, int]:
    """Return how many articles are meant, by publication day."""
    query = select(articles.c.date, func.count()).group_by(articles.c.date)
    if filters.symbol:
        query = query.where(articles.c.id.in_(_latest_of(filters.symbol)))
        filters = replace(filters, symbol="")
    return dict(connection.execute(query.where(*conditions(filters))).all())


def _latest_of(symbol: str) -> Select[Any]:
    """Select the latest articles that name a security."""
    return articles_of_symbol(symbol).order_by(symbols.c.article_id.desc()).limit(LATEST)


def edits_between(since: date, until: date) -> ColumnElement[bool]:
    """Condition on revisions: an edit that was seen on these days, both included."""
    return IS_EDIT & _within(revisions.c.seen_at, since, until)


def edit_counts(connection: Connection, since: date, until: date) -> dict[str, int]:
    """Return how many edits were seen, by day."""
    return _by_day(connection, revisions.c.seen_at, edits_between(since, until))


def doubt_counts(connection: Connection, since: date, until: date) -> dict[str, int]:
    """Return how many looks brought no article, by day."""
    looked_at = captures.c.fetched_at
    return _by_day(connection, looked_at, DOUBTED & _within(looked_at, since, until))


def _by_day(
    connection: Connection, moment: Column[Any], condition: ColumnElement[bool]
) -> dict[str, int]:
    written = type_coerce(moment, Text)
    # China's clocks are eight hours ahead: no archive saw the summers of before 1992.
    if connection.dialect.name == "sqlite":
        day = func.date(written, "+8 hours")
    else:
        day = func.to_char(func.timezone("Asia/Shanghai", moment), "YYYY-MM-DD")
    days = select(day, func.count()).where(condition).group_by(literal_column("1"))
    return dict(connection.execute(days).all())


def _within(moment: Column[Any], since: date, until: date) -> ColumnElement[bool]:
    return (moment >= _begin(since)) & (moment < _begin(until + timedelta(days=1)))


def _begin(day: date) -> datetime:
    # The first day of the calendar begins in China before there is one in UTC.
    day = max(day, date.min + timedelta(days=1))
    return datetime(day.year, day.month, day.day, tzinfo=SHANGHAI).astimezone(UTC)


def edits_of(
    connection: Connection, day: date | None, *, limit: int, before: int | None = None
) -> list[SeenEdit]:
    """Return the edits that were seen on a day, ``None``: on any, the last one first.

    With ``before`` those whose sequence is smaller: to go on where a list ended.
    """
    query = select(revisions.c.sequence, revisions.c.article_id)
    query = query.where(IS_EDIT if day is None else edits_between(day, day))
    if before is not None:
        query = query.where(revisions.c.sequence < before)
    query = query.order_by(revisions.c.sequence.desc()).limit(limit)
    return _seen_edits(connection, connection.execute(query).all())


def _seen_edits(connection: Connection, rows: Sequence[Any]) -> list[SeenEdit]:
    wanted = {row.sequence for row in rows}
    edits: dict[int, SeenEdit] = {}
    before: ArticleRevision | None = None
    for revision in revisions_of(connection, {row.article_id for row in rows}):
        is_later = before is not None and before.id == revision.id
        if before is not None and is_later and revision.sequence in wanted:
            edits[revision.sequence] = SeenEdit(before, revision)
        # What turned out not to be the article is nothing that was changed.
        if revision.cause != "doubt" or not is_later:
            before = revision
    return [edits[row.sequence] for row in rows if row.sequence in edits]


def most_named(connection: Connection, day: str) -> list[MonthlyMention]:
    """Return the securities that a day names most against the month before it."""
    today = _mentions(connection, day, day) if is_day(day) else None
    if not today:
        return []
    first = date.fromisoformat(day) - timedelta(days=MONTH)
    before = _mentions(connection, first.isoformat(), _day_before(day), list(today))
    names = KnownNames(connection, list(today))
    named = [
        MonthlyMention(symbol, names.at(symbol), number, before[symbol] / MONTH)
        for symbol, number in today.items()
    ]
    # Half an article a day stands for what was never named: one mention is no news.
    named.sort(key=lambda each: (-each.articles / (each.a_day + 0.5), each.symbol))
    return named[:MOST_NAMED]


def _day_before(day: str) -> str:
    return (date.fromisoformat(day) - timedelta(days=1)).isoformat()


def _mentions(
    connection: Connection, since: str, until: str, named: Sequence[str] = ()
) -> Counter[str]:
    """Count the articles of some days by the securities that they name, or by some of them."""
    query = (
        select(symbols.c.symbol, func.count())
        .join(articles)
        .where(
            articles.c.date.between(since, until), symbols.c.last_revision.is_(None), IS_BELIEVED
        )
        .group_by(symbols.c.symbol)
    )
    if named:
        # By an expression: an index has all articles of a security, and those are many.
        query = query.where((symbols.c.symbol + "").in_(named))
    return Counter(dict(connection.execute(query).all()))


def names_of(connection: Connection, symbol: str) -> list[SecurityName]:
    """Return what a security was called, the oldest name first; ``[]``: nothing names it."""
    columns = securities.c["name", "first_seen_at", "last_seen_at"]
    query = select(*columns).where(securities.c.symbol == symbol)
    rows = connection.execute(query.order_by(securities.c.first_seen_at))
    return [SecurityName(*row) for row in rows]


def named_with(connection: Connection, symbol: str) -> list[tuple[str, str, int]]:
    """Return the securities that articles name beside one: code, name, in how many articles."""
    return symbol_counts(connection, _latest_of(symbol), MOST_NAMED, but=symbol)


def has_medium(connection: Connection, name: str) -> bool:
    """Return whether an article is by this medium."""
    query = select(articles.c.id).where(articles.c.media == name, IS_BELIEVED).limit(1)
    return connection.execute(query).first() is not None


_LATEST_OF_FEED = (
    select(*sightings.c["article_id", "seen_at"])
    .where(sightings.c.feed_id == bindparam("feed"))
    .order_by(sightings.c.article_id.desc())
    .limit(DELAYS)
    .subquery()
)
_ANNOUNCED = select(_LATEST_OF_FEED.c.seen_at, articles.c.published_at).join(
    articles, articles.c.id == _LATEST_OF_FEED.c.article_id
)


def delays(connection: Connection) -> dict[str, timedelta]:
    """Return how long after their publication feeds announce articles, as a rule, by name."""
    known = {}
    for feed_id, name in connection.execute(select(feeds.c.id, feeds.c.name)).all():
        announced = connection.execute(_ANNOUNCED, {"feed": feed_id})
        if late := [seen - at for seen, at in announced if at and seen >= at]:
            known[name] = median_low(late)
    return known
