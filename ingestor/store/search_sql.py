"""The search as one SQL statement, for the ``sqlite3`` shell, pandas and DuckDB. Pure."""

from __future__ import annotations

from ingestor.store.exports import Filters
from ingestor.store.search_query import Order, Query, match

_ORDERS = {
    Order.RELEVANCE: "a.date DESC, a.published_at DESC",
    Order.NEWEST: "a.date DESC, a.published_at DESC",
    Order.OLDEST: "a.date, a.published_at",
}


def statement(query: Query, filters: Filters, *, order: Order, limit: int) -> str:
    """Return an SQLite statement that finds what the query finds, with the newest first.

    Plain SQL cannot rank, and folds the case of Latin letters only.
    """
    terms = match(query.wanted)
    where = [f"articles_fts MATCH {_quoted(terms)}"] if terms else []
    where += [_has(word) for word in query.wanted]
    where += [f"NOT {_has(word)}" for word in query.unwanted]
    where += _filtered(filters)
    source = "articles_fts f JOIN articles a ON a.id = f.rowid" if terms else "articles a"
    return "\n".join(
        [
            "SELECT a.id, a.date, a.media, a.title, a.url",
            f"  FROM {source}",
            " WHERE " + "\n   AND ".join(where),
            f" ORDER BY {_ORDERS[order]} LIMIT {limit};",
        ]
    )


def _has(word: str) -> str:
    pattern = word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"(a.title || char(10) || a.content_text) LIKE {_quoted(f'%{pattern}%')} ESCAPE '\\'"


def _filtered(filters: Filters) -> list[str]:
    where = []
    if filters.since:
        where.append(f"a.date >= {_quoted(filters.since)}")
    if filters.until:
        where.append(f"a.date <= {_quoted(filters.until)}")
    if filters.media:
        where.append(f"a.media = {_quoted(filters.media)}")
    if filters.symbol:
        named = f"article_id = a.id AND symbol = {_quoted(filters.symbol)}"
        where.append(f"a.id IN (SELECT article_id FROM symbols WHERE {named})")  # noqa: S608 - it is printed, not run
    if filters.feeds:
        named = ", ".join(map(_quoted, filters.feeds))
        announced = "SELECT 1 FROM sightings s JOIN feeds f ON f.id = s.feed_id"
        where.append(f"EXISTS ({announced} WHERE s.article_id = a.id AND f.name IN ({named}))")
    return where


def _quoted(text: str) -> str:
    """Return an SQL string literal; without line breaks, so that it can be pasted."""
    return "'" + " ".join(text.split("\n")).replace("\x00", "").replace("'", "''") + "'"
