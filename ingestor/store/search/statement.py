"""The search as one SQL statement, for ``sqlite3``, ``psql``, pandas and DuckDB. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ingestor.store.filters import Filters
from ingestor.store.search.index_postgresql import numbers
from ingestor.store.search.query import Order, Query, match, terms_of

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
    indexed: Callable[[tuple[str, ...]], str]
    """Condition: the index has all these words; ``""`` when it cannot help."""


def _in_sqlite(words: tuple[str, ...]) -> str:
    terms = match(words)
    return f"articles_fts MATCH {_quoted(terms)}" if terms else ""


def _in_postgresql(words: tuple[str, ...]) -> str:
    terms = numbers(terms_of(words))
    return f"f.terms @> '{{{','.join(map(str, terms))}}}'" if terms else ""


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
    indexed = "" if filters.doubted else words.indexed(query.wanted)
    where = [indexed] if indexed else []
    where += [_has(words, word) for word in query.wanted]
    where += [f"NOT {_has(words, word)}" for word in query.unwanted]
    where += _filtered(filters)
    joined = f"articles_fts f JOIN articles a ON a.id = f.{words.row}"
    return "\n".join(
        [
            "SELECT a.id, a.date, a.media, a.title, a.url",
            f"  FROM {joined if indexed else 'articles a'}",
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
