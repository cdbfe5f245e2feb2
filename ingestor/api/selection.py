"""Which articles filters mean: their ids, the first ones of a list, by a short way to them.

    the latest articles, most lists are full by then | else what the rarest filters let through

A list costs what it shows, or what the rarest of its filters lets through: never the archive.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
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


@dataclass(frozen=True, slots=True)
class WayBounds:
    """Where one way becomes quicker than another; what is found is the same."""

    few: int = 6_000
    """So few articles that pass a filter are put in order whatever the others are."""
    latest: int = 20_000
    """So many of the latest articles are gone through else: some hundredths of a second."""
    walked: int = 8
    """So many are gone through in the order of an index while one is looked up by its id."""
    most_sorted: int = 250_000
    """So many that pass a filter are put in order at most; one that more pass is met often on the
    way through all days. About where both take a quarter of a second in an archive of a million."""
    listed: int = 60_000
    """So many that pass a filter are listed to find the edits of them; of more, each edit's article
    is looked at: a page of edits is full sooner than the list."""


USUAL = WayBounds()

_MOST_LISTS = 2_000
"""An archive with more different lists of categories than this is gone through as it is."""

_ORDER = (
    articles.c.date.desc(),
    articles.c.published_at.desc().nulls_last(),
    articles.c.id.desc(),
)

_Ids = Select[Any] | CompoundSelect[Any]


def newest(
    connection: Connection,
    filters: Filters,
    upto: int,
    *,
    first: int,
    limit: int,
    bounds: WayBounds = USUAL,
) -> list[int]:
    """Return articles, the last publication day first, without the ``first`` ones.

    ``upto`` is the largest id that counts; the filters' own limit does not.
    """
    page = slice(first, first + limit)
    meant = _meant(filters, upto, page)
    if not (filters.symbol or filters.feeds or filters.category or filters.origin):
        return _read(connection, meant)
    ways = list(_ways(connection, filters))
    rarest = _counted(connection, ways, bounds.few)
    if not rarest:
        latest, is_all = _latest(connection, filters, meant, bounds.latest)
        if is_all or len(latest) == limit:
            return latest
        rarest = _counted(connection, ways, bounds.most_sorted)
        reach = 2 * bounds.latest * (first + limit) // max(1, len(latest))
        if not rarest or reach < bounds.walked * rarest[0][0]:
            latest, is_all = _latest(connection, filters, meant, reach)
            if is_all or len(latest) == limit:
                return latest
    if rarest and rarest[0][0] <= first:
        return []
    # Where that are many, by the next rarest too.
    several = 1 if rarest and rarest[0][0] <= bounds.few else 2
    return _read(connection, _meant(filters, upto, page, [way for _, way in rarest[:several]]))


def _meant(filters: Filters, upto: int, page: slice, ways: Sequence[_Way] = ()) -> Select[Any]:
    """Select what is meant, in order: of all articles, or of those to which these ways lead."""
    # By an expression: SQLite would go by the ids otherwise, and sort all that there is.
    query = select(articles.c.id).where(articles.c.id + 0 <= upto)
    if ways:
        query = query.where(
            articles.c.id.in_(intersect(*(select(way.ids.subquery()) for way in ways)))
        )
    none = Filters()
    answered = {name: getattr(none, name) for way in ways for name in way.answers}
    query = query.where(*conditions(replace(filters, **answered)))
    return query.order_by(*_ORDER).offset(page.start).limit(page.stop - page.start)


def _read(connection: Connection, ids: _Ids) -> list[int]:
    return list(connection.execute(ids).scalars())


def _latest(
    connection: Connection, filters: Filters, meant: Select[Any], number: int
) -> tuple[list[int], bool]:
    """Return what is meant among so many of the latest articles, and whether there are no more."""
    days = select(articles.c.date).where(*_within(filters)).order_by(articles.c.date.desc())
    edge = connection.execute(days.offset(number).limit(1)).scalar()
    return _read(connection, meant.where(articles.c.date >= (edge or ""))), edge is None


def _within(filters: Filters) -> list[ColumnElement[bool]]:
    """Conditions: the days that are asked for."""
    return conditions(Filters(since=filters.since, until=filters.until, doubted=True))


@dataclass(frozen=True, slots=True)
class _Way:
    """The articles that pass one of the filters, by an index alone."""

    ids: _Ids
    answers: tuple[str, ...]
    """Filters that need not be looked at any more."""


def _counted(connection: Connection, ways: Iterable[_Way], most: int) -> list[tuple[int, _Way]]:
    """Return the ways along which there are at most so many articles, the fewest first."""
    counts = []
    for way in ways:
        counted = select(func.count()).select_from(way.ids.limit(most + 1).subquery())
        number = int(connection.execute(counted).scalar_one())
        if number <= most:
            counts.append((number, way))
    return sorted(counts, key=lambda counted: counted[0])


def _ways(connection: Connection, filters: Filters) -> Iterator[_Way]:
    within = select(articles.c.id).where(*_within(filters))
    if filters.symbol:
        yield _Way(articles_of_symbol(filters.symbol), ("symbol",))
    if filters.origin or filters.category:
        kinds = _kinds(connection, filters)
        if kinds is not None:
            ids = union_all(*(within.where(kind) for kind in kinds))
            yield _Way(ids, ("origin", "category"))
    if filters.media:
        yield _Way(within.where(articles.c.media == filters.media), ("media",))
    if filters.feeds:
        yield _Way(articles_of_feeds(filters.feeds), ("feeds",))
    if filters.since or filters.until:
        yield _Way(within, ())


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
        # A list of ids is sooner looked up in than an index in which each is elsewhere.
        rarest = _counted(connection, _ways(connection, filters), USUAL.listed)[:2]
        query = query.where(*(revisions.c.article_id.in_(way.ids) for _, way in rarest))
    query = query.where(~select(later.c.sequence).where(is_later).exists())
    query = query.order_by(revisions.c.sequence.desc()).offset(first).limit(limit)
    return list(connection.execute(query).scalars())
