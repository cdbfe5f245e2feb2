"""Which articles a query may mean, the first ones first: ids, out of the indexes alone.

Nothing here takes longer because there are more articles that nobody will look at: ids come one
part after the other, and whoever has enough of them stops. What cannot be enumerated in order is
taken whole only where it is known to be little. The same search is also given as one SQL
statement, for ``sqlite3``, ``psql``, pandas and DuckDB.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import chain

from sqlalchemy import BindParameter, Connection, bindparam, func, literal_column, select

from ingestor.store.filters import Filters, articles_of_symbol
from ingestor.store.schema import articles
from ingestor.store.search import (
    Clause,
    Order,
    Query,
    clauses,
    expression,
    plain,
    terms_of,
)
from ingestor.store.search import index as full_text
from ingestor.store.search.index import condition
from ingestor.text.dates import is_day
from ingestor.text.normalize import normalize

_ORDERS = {
    Order.RELEVANCE: "a.date DESC, a.published_at DESC",
    Order.NEWEST: "a.date DESC, a.published_at DESC",
    Order.OLDEST: "a.date, a.published_at",
}


@dataclass(frozen=True, slots=True)
class _Words:
    """How a kind of database says what is particular to it."""

    row: str
    """Column of the index with the article's id."""
    like: str
    newline: str
    indexed: Callable[[Sequence[Clause]], str]
    """Condition: the index has all of this."""


def _in_sqlite(asked: Sequence[Clause]) -> str:
    return f"articles_fts MATCH {_quoted(expression(asked))}"


def _in_postgresql(asked: Sequence[Clause]) -> str:
    return condition(asked, "f.terms")


_WORDS = {
    "sqlite": _Words("rowid", "LIKE", "char(10)", _in_sqlite),
    "postgresql": _Words("article_id", "ILIKE", "chr(10)", _in_postgresql),
}


def statement(query: Query, filters: Filters, *, order: Order, limit: int, kind: str) -> str:
    """Return a statement that finds what the query finds, with the newest first.

    ``kind`` is the database's: ``sqlite`` or ``postgresql``. Plain SQL cannot rank, and folds the
    case of Latin letters only.
    """
    words = _WORDS[kind]
    # The index does not have what is doubted.
    asked = () if filters.doubted else clauses(query)
    where = [words.indexed(asked)] if asked else []
    where += [_has(words, word) for word in query.wanted]
    where += [f"({' OR '.join(_has(words, word) for word in each)})" for each in query.either]
    where += [f"NOT {_has(words, word)}" for word in query.unwanted]
    where += _filtered(filters)
    joined = f"articles_fts f JOIN articles a ON a.id = f.{words.row}"
    return "\n".join(
        [
            "SELECT a.id, a.date, a.media, a.title, a.url",
            f"  FROM {joined if asked else 'articles a'}",
            " WHERE " + "\n   AND ".join(where),
            f" ORDER BY {_ORDERS[order]} LIMIT {limit};",
        ]
    )


def _has(words: _Words, word: str) -> str:
    pattern = word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    text = f"(a.title || {words.newline} || a.content_text)"
    return f"{text} {words.like} {_quoted(f'%{pattern}%')} ESCAPE '\\'"


def _filtered(filters: Filters) -> list[str]:
    where = [] if filters.doubted else ["a.doubted_at IS NULL"]
    if filters.since:
        where.append(f"a.date >= {_quoted(filters.since)}")
    if filters.until:
        where.append(f"a.date <= {_quoted(filters.until)}")
    if filters.media:
        where.append(f"a.media = {_quoted(filters.media)}")
    if filters.symbol:
        named = f"article_id = a.id AND symbol = {_quoted(filters.symbol)}"
        if not filters.doubted:
            named += " AND last_revision IS NULL"
        where.append(f"a.id IN (SELECT article_id FROM symbols WHERE {named})")  # noqa: S608 - it is printed, not run
    if filters.feeds:
        named = ", ".join(map(_quoted, filters.feeds))
        announced = "SELECT 1 FROM sightings s JOIN feeds f ON f.id = s.feed_id"
        where.append(f"EXISTS ({announced} WHERE s.article_id = a.id AND f.name IN ({named}))")
    return where


def _quoted(text: str) -> str:
    """Return an SQL string literal; without line breaks, so that it can be pasted."""
    return "'" + " ".join(text.split("\n")).replace("\x00", "").replace("'", "''") + "'"


SAMPLED = 100
"""Articles, from the whole archive, that tell whether a single character is a common one …"""

COMMON = 0.02
"""… which is in this share of them. An index puts together all pairs that begin with a character
before it answers: for a rare one that is little, and for a common one the texts tell sooner."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """Where one way becomes quicker than another; what is found is the same."""

    listed: int = 2_000
    """So few articles are listed and put in order, rather than met on the way through all days."""
    many: int = 20_000
    """So few are looked up in the index at once, and met on the way inside the database."""
    days_of: int = 1_024
    """Articles whose days are gone through at once at first; then ever more, up to …"""
    most_days_of: int = 65_536
    close: int = 2_048
    """Ids no farther apart are looked up in the index in one go."""


USUAL = Bounds()

_LAST = select(func.max(articles.c.id))
_IDS = select(articles.c.id)
_LIST: BindParameter[int] = bindparam("ids", expanding=True)
_THESE = articles.c.id.in_(_LIST)
_TEXTS = select(articles.c.title, articles.c.content_text).where(_THESE)
_BETWEEN_DAYS = (articles.c.date >= bindparam("first")) & (articles.c.date <= bindparam("last"))
_DAYS = _IDS.where(_BETWEEN_DAYS)
_EDGE = select(articles.c.date).where(_BETWEEN_DAYS).limit(1).offset(bindparam("size"))
_NEVER = "9999-12-31"
_UP = (articles.c.date, articles.c.published_at, articles.c.id)
_DOWN = tuple(column.desc() for column in _UP)


@dataclass(frozen=True, slots=True)
class Candidates:
    """What the indexes say of a query."""

    terms: tuple[Clause, ...]
    """What the full-text index is asked for; ``()``: it cannot help, or would not."""
    common: frozenset[str]
    """Characters of the query that it is not asked for, because they are common ones."""
    every: frozenset[int] | None
    """All of its answers; ``None``: they are too many to be listed."""
    bounds: Bounds = USUAL


def look_up(connection: Connection, query: Query, bounds: Bounds = USUAL) -> Candidates:
    """Ask the indexes how common a query's words are."""
    common = _common(connection, [term for term in terms_of(query.words) if len(term) == 1])
    asked = clauses(query, common)
    if not asked:
        return Candidates((), common, None, bounds)
    # The articles of a single character are put together anew whenever they are asked for.
    terms = chain.from_iterable(chain.from_iterable(asked))
    limit = None if any(len(term) == 1 for term in terms) else bounds.listed + 1
    ids = full_text.of(connection).answers(asked, limit)
    every = frozenset(ids) if limit is None or len(ids) <= bounds.listed else None
    return Candidates(asked, common, every, bounds)


def candidates(
    connection: Connection, lookup: Candidates, filters: Filters, order: Order
) -> Iterator[int]:
    """Yield ids of all articles that a query may mean, in order.

    By relevance those that were archived last come first, or with a filter by day those that
    were published last. Not all filters are applied: who reads the articles has to.
    """
    limit = lookup.bounds.listed
    listed = lookup.every
    if listed is None or len(listed) > limit:
        named = _of_symbol(connection, filters, limit)
        listed = listed if named is None else named
    if listed is not None and len(listed) <= limit:
        yield from in_order(connection, listed, order)
    elif order is Order.RELEVANCE and not filters.since and not filters.until:
        yield from _archived_last(connection, lookup)
    elif _are_many(connection, lookup):
        yield from _by_day(connection, lookup, filters, order)
    else:
        yield from _met(connection, lookup, filters, order)


def how_many(connection: Connection, word: str, lookup: Candidates, *, limit: int) -> int:
    """Return how many articles the index knows to have a word, counted up to ``limit``."""
    wanted = terms_of((word,))
    if not wanted or any(term in lookup.common for term in wanted):
        return limit
    if any(len(term) == 1 for term in wanted):
        return len(lookup.every or ())
    return full_text.of(connection).having(plain(wanted), limit)


def _common(connection: Connection, characters: Sequence[str]) -> frozenset[str]:
    """Return those of these characters that are in many articles."""
    if not characters:
        return frozenset()
    last = connection.execute(_LAST).scalar() or 0
    # From everywhere: the latest ones may all come from one feed, and be about one thing.
    spread = list(range(last, 0, -max(1, last // SAMPLED)))
    rows = connection.execute(_TEXTS, {"ids": spread}).all()
    sample = [normalize(f"{row.title}\n{row.content_text}") for row in rows]
    least = max(1.0, COMMON * len(sample))
    counts = {each: sum(each in text for text in sample) for each in characters}
    return frozenset(character for character, count in counts.items() if count >= least)


def _of_symbol(connection: Connection, filters: Filters, limit: int) -> frozenset[int] | None:
    """Return the articles of the security that is asked for, ``None`` if they are many."""
    if not filters.symbol:
        return None
    query = articles_of_symbol(filters.symbol).limit(limit + 1)
    ids = connection.execute(query).scalars().all()
    return frozenset(ids) if len(ids) <= limit else None


def in_order(connection: Connection, listed: frozenset[int], order: Order) -> Sequence[int]:
    """Return ids in order."""
    if order is Order.RELEVANCE:
        return sorted(listed, reverse=True)
    query = _IDS.where(_THESE).order_by(*(_UP if order is Order.OLDEST else _DOWN))
    return connection.execute(query, {"ids": list(listed)}).scalars().all()


def _archived_last(connection: Connection, lookup: Candidates) -> Iterator[int]:
    if lookup.every is not None:
        yield from sorted(lookup.every, reverse=True)
        return
    if lookup.terms:
        yield from full_text.of(connection).latest(lookup.terms)
        return
    newest = _IDS.order_by(articles.c.id.desc())
    with connection.execute(newest, execution_options={"yield_per": 500}) as ids:
        yield from ids.scalars()


def _are_many(connection: Connection, lookup: Candidates) -> bool:
    many = lookup.bounds.many
    if lookup.every is not None:
        return len(lookup.every) > many
    having = full_text.of(connection).having
    return not lookup.terms or having(lookup.terms, many + 1) > many


def _met(
    connection: Connection, lookup: Candidates, filters: Filters, order: Order
) -> Iterator[int]:
    """Go through all articles in order, inside the database, and yield those of the index."""
    index = full_text.of(connection).matching(lookup.terms)
    # The sign keeps SQLite from putting those in order first, of which only some are wanted.
    query = _DAYS.where(literal_column("+articles.id").in_(index))
    query = query.order_by(*(_UP if order is Order.OLDEST else _DOWN))
    days = {"first": filters.since, "last": filters.until or _NEVER}
    with connection.execute(query, days, execution_options={"yield_per": 100}) as ids:
        yield from ids.scalars()


def _by_day(
    connection: Connection, lookup: Candidates, filters: Filters, order: Order
) -> Iterator[int]:
    """Go through the days, some at a time, and yield the articles of each that are candidates."""
    for ids in _days(connection, filters, order, lookup.bounds):
        if not lookup.terms:
            yield from ids
            continue
        among = lookup.every if lookup.every is not None else _among(connection, lookup, ids)
        yield from (article_id for article_id in ids if article_id in among)


def _days(
    connection: Connection, filters: Filters, order: Order, bounds: Bounds
) -> Iterator[Sequence[int]]:
    """Yield the articles of the days that are asked for, in order, some days at a time."""
    oldest_first = order is Order.OLDEST
    ordered = _DAYS.order_by(*(_UP if oldest_first else _DOWN))
    edges = _EDGE.order_by(articles.c.date if oldest_first else articles.c.date.desc())
    first, last, size = filters.since, filters.until or _NEVER, bounds.days_of
    while True:
        values = {"first": first, "last": last}
        edge = connection.execute(edges, values | {"size": size}).scalar()
        if edge is None or not is_day(edge):
            # Behind a day that is damaged there is none to go on from.
            yield connection.execute(ordered, values).scalars().all()
            return
        whole = {"last": edge} if oldest_first else {"first": edge}
        yield connection.execute(ordered, values | whole).scalars().all()
        if oldest_first:
            first = (date.fromisoformat(edge) + timedelta(days=1)).isoformat()
        else:
            last = (date.fromisoformat(edge) - timedelta(days=1)).isoformat()
        size = min(2 * size, bounds.most_days_of)


def _among(connection: Connection, lookup: Candidates, ids: Sequence[int]) -> set[int]:
    """Return those of these ids that the full-text index answers with."""
    hits: set[int] = set()
    for first, last in _runs(sorted(ids), lookup.bounds.close):
        hits.update(full_text.of(connection).between(lookup.terms, first, last))
    return hits


def _runs(ids: Sequence[int], close: int) -> Iterator[tuple[int, int]]:
    """Yield the first and the last of each run of ids that are close to one another."""
    first = last = ids[0] if ids else 0
    for article_id in ids:
        if article_id - last > close:
            yield first, last
            first = article_id
        last = article_id
    if ids:
        yield first, last
