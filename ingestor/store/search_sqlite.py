"""The full-text index on SQLite: an FTS5 table without texts and without positions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, literal_column, text

from ingestor.store.schema import articles
from ingestor.store.search import tokens
from ingestor.store.search_query import match

_INSERT = text("INSERT INTO articles_fts(rowid, title, content) VALUES (:id, :title, :content)")
_DELETE = text(
    "INSERT INTO articles_fts(articles_fts, rowid, title, content) "
    "VALUES ('delete', :id, :title, :content)"
)
_MISSING = "SELECT count(*) FROM articles WHERE id NOT IN (SELECT id FROM articles_fts_docsize)"
_SURPLUS = "SELECT count(*) FROM articles_fts_docsize WHERE id NOT IN (SELECT id FROM articles)"


def add(connection: Connection, new: Sequence[tuple[int, str, str]]) -> None:
    """Index articles that are not in the index: of each its id, title and text."""
    rows = [
        {"id": article_id, "title": tokens(title), "content": tokens(content)}
        for article_id, title, content in new
    ]
    connection.execute(_INSERT, rows)


def remove(connection: Connection, article_id: int, title: str, content: str) -> None:
    """Take an article out; ``title`` and ``content`` are what it was indexed with."""
    values = {"id": article_id, "title": tokens(title), "content": tokens(content)}
    connection.execute(_DELETE, values)


def empty(connection: Connection) -> None:
    """Take every article out, to make the index anew."""
    connection.execute(text("INSERT INTO articles_fts(articles_fts) VALUES ('delete-all')"))


def unindexed(connection: Connection) -> int:
    """Return how many articles the index lacks, or has too many."""
    return sum(int(connection.exec_driver_sql(one).scalar_one()) for one in (_MISSING, _SURPLUS))


def narrowed(query: Select[Any], words: tuple[str, ...]) -> tuple[Select[Any], ColumnElement[Any]]:
    """Return a query of articles, narrowed down to those that may have all these words.

    And what it is best ordered by to have the newest in the archive first.
    """
    if not (terms := match(words)):
        return query, articles.c.id
    found = query.select_from(text("articles_fts")).where(
        text("articles_fts MATCH :terms").bindparams(terms=terms),
        articles.c.id == literal_column("articles_fts.rowid"),
    )
    return found, literal_column("articles_fts.rowid")


def total(connection: Connection) -> int:
    """Return how many articles are indexed."""
    count = text("SELECT count(*) FROM articles_fts_docsize")
    return int(connection.execute(count).scalar_one())


def having(connection: Connection, word: str, most: int) -> int | None:
    """Return how many articles may have a word, counted to ``most``.

    ``None`` when the index does not know such words.
    """
    if not (terms := match((word,))):
        return None
    counting = text(
        "SELECT count(*) FROM "
        "(SELECT rowid FROM articles_fts WHERE articles_fts MATCH :terms LIMIT :most)"
    )
    return int(connection.execute(counting, {"terms": terms, "most": most}).scalar_one())
