"""Which articles filters mean: their ids, the first ones of a list, by a short way to them.

    the latest articles, most lists are full by then | else what the rarest filters let through

A list costs what it shows, or what the rarest of its filters lets through: never the archive.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Connection,
    Select,
    false,
    func,
    intersect,
    literal,
    select,
    union_all,
)

from ingestor.store.filters import (
    Filters,
    articles_of_feeds,
    articles_of_symbol,
    conditions,
    in_category,
)
from ingestor.store.schema import DOUBTED_IDS, IS_EDIT, articles, revisions

LATEST = 20_000
"""So many of the latest articles are gone through first: some hundredths of a second."""

FEW = 10_000
"""So few articles that pass a filter are looked at whatever the others are."""

MOST_SORTED = 250_000
"""So many articles of a filter are put in order; a filter that more of them pass is met often on
the way through all days. About where both take a quarter of a second in an archive of a million."""

_MOST_LISTS = 2_000
"""An archive with more different lists of categories than this is gone through as it is."""

_NEVER = "9999-12-31"
_ORDER = (
    articles.c.date.desc(),
    articles.c.published_at.desc().nulls_last(),
    articles.c.id.desc(),
)

_Ids = Select[Any] | CompoundSelect[Any]


def newest(
    connection: Connection, filters: Filters, upto: int, *, first: int, limit: int
) -> list[int]:
    """Return articles, the last publication day first, without the ``first`` ones.

    ``upto`` is the largest id that counts; the filters' own limit does not.
    """
    # By an expression: SQLite would go by the ids otherwise, and sort all that there is.
    meant = select(articles.c.id).where(*conditions(filters), articles.c.id + 0 <= upto)
    meant = meant.order_by(*_ORDER).offset(first).limit(limit)
    if filters.symbol or filters.feeds or filters.category or filters.origin:
        edge = _edge(connection, filters)
        latest = list(connection.execute(meant.where(articles.c.date >= edge)).scalars())
        if not edge or len(latest) == limit:
            return latest
        fewest = _fewest(connection, filters)
        if fewest is not None:
            meant = meant.where(articles.c.id.in_(fewest))
    return list(connection.execute(meant).scalars())


def _within(filters: Filters) -> list[ColumnElement[bool]]:
    """Conditions: the days that are asked for."""
    return conditions(Filters(since=filters.since, until=filters.until, doubted=True))


def _edge(connection: Connection, filters: Filters) -> str:
    """Return the first day of the latest articles; ``""``: there are no more than those."""
    days = select(articles.c.date).where(*_within(filters)).order_by(articles.c.date.desc())
    return str(connection.execute(days.offset(LATEST).limit(1)).scalar() or "")


def _fewest(connection: Connection, filters: Filters) -> _Ids | None:
    """Select the articles that pass the rarest of some filters; ``None``: all are frequent.

    Where that are many, the ones that pass the rarest two.
    """
    counts = []
    for ids in _ways(connection, filters):
        counted = select(func.count()).select_from(ids.limit(MOST_SORTED + 1).subquery())
        number = int(connection.execute(counted).scalar_one())
        if number <= FEW:
            return ids
        if number <= MOST_SORTED:
            counts.append((number, ids))
    rarest = [ids for _, ids in sorted(counts, key=lambda counted: counted[0])[:2]]
    return intersect(*(select(ids.subquery()) for ids in rarest)) if rarest else None


def _ways(connection: Connection, filters: Filters) -> Iterator[_Ids]:
    """Yield what selects the articles that pass one of the filters, by an index alone."""
    within = select(articles.c.id).where(*_within(filters))
    if filters.symbol:
        yield articles_of_symbol(filters.symbol)
    if filters.origin or filters.category:
        kinds = _kinds(connection, filters)
        if kinds is not None:
            yield union_all(*(within.where(kind) for kind in kinds))
    if filters.media:
        yield within.where(articles.c.media == filters.media)
    if filters.feeds:
        yield articles_of_feeds(filters.feeds)
    if filters.since or filters.until:
        yield within


def _kinds(connection: Connection, filters: Filters) -> list[ColumnElement[bool]] | None:
    """Return conditions, one an origin, that say what the filters say of origin and categories.

    ``None``: it is not to be had. Only SQLite has them in an index, which is asked for the next
    value and the next one.
    """
    if connection.dialect.name != "sqlite":
        return None
    kinds: list[ColumnElement[bool]] = []
    for origin in [filters.origin] if filters.origin else _steps(connection, articles.c.origin):
        of = articles.c.origin == origin
        lists = _steps(connection, articles.c.categories, of, category=filters.category)
        if len(lists) > _MOST_LISTS:
            return None
        kinds.append(of & articles.c.categories.in_(lists))
    return kinds or [false()]


def _steps(
    connection: Connection,
    column: ColumnElement[str],
    *conditions: ColumnElement[bool],
    category: str = "",
) -> Sequence[str]:
    """Return the values of a column, each of which an index finds behind the one before it."""
    least = select(func.min(column).label("value")).where(*conditions)
    steps = least.cte("steps", recursive=True)
    following = least.where(column > steps.c.value).scalar_subquery()
    steps = steps.union_all(select(following).where(steps.c.value.is_not(None)))
    query = select(steps.c.value).where(steps.c.value.is_not(None)).limit(_MOST_LISTS + 1)
    if category:
        query = query.where(in_category(steps.c.value, category))
    return list(connection.execute(query).scalars())


def edited(
    connection: Connection, filters: Filters, upto: int, *, first: int, limit: int
) -> list[int]:
    """Return articles that were edited, the last edit first, without the ``first`` ones.

    ``upto`` is the sequence of the last edit that counts.
    """
    later = revisions.alias("later")
    is_later = (
        (later.c.article_id == revisions.c.article_id)
        & (later.c.sequence > revisions.c.sequence)
        & (later.c.sequence <= upto)
        & (later.c.cause == literal("edit", literal_execute=True))
    )
    query = select(revisions.c.article_id).where(IS_EDIT, revisions.c.sequence <= upto)
    if filters == Filters():
        # None of the articles need be read for it.
        query = query.where(revisions.c.article_id.not_in(DOUBTED_IDS))
    else:
        query = query.join(articles, articles.c.id == revisions.c.article_id)
        query = query.where(*conditions(filters))
    query = query.where(~select(later.c.sequence).where(is_later).exists())
    query = query.order_by(revisions.c.sequence.desc()).offset(first).limit(limit)
    return list(connection.execute(query).scalars())
