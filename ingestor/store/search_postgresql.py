"""The full-text index on PostgreSQL: a ``tsvector`` of the same terms, behind a GIN index."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, literal_column, text

from ingestor.store.schema import articles
from ingestor.store.search import tokens
from ingestor.store.search_query import terms_of

_INSERT = text(
    "INSERT INTO articles_fts(article_id, terms)"
    " VALUES (:id, array_to_tsvector(CAST(:terms AS text[])))"
)
_DELETE = text("DELETE FROM articles_fts WHERE article_id = :id")
_UNINDEXED = text(
    "SELECT count(*) FROM articles FULL JOIN articles_fts ON article_id = id"
    " WHERE id IS NULL OR article_id IS NULL"
)
_MAY_HAVE = "articles_fts.terms @@ CAST(:terms AS tsquery)"


def add(connection: Connection, new: Sequence[tuple[int, str, str]]) -> None:
    """Index articles that are not in the index: of each its id, title and text."""
    rows = [
        {"id": article_id, "terms": sorted({*tokens(title).split(), *tokens(content).split()})}
        for article_id, title, content in new
    ]
    connection.execute(_INSERT, rows)


def remove(connection: Connection, article_id: int, title: str, content: str) -> None:  # noqa: ARG001 - SQLite needs them
    """Take an article out."""
    connection.execute(_DELETE, {"id": article_id})


def empty(connection: Connection) -> None:
    """Take every article out, to make the index anew."""
    connection.execute(text("DELETE FROM articles_fts"))


def unindexed(connection: Connection) -> int:
    """Return how many articles the index lacks, or has too many."""
    return int(connection.execute(_UNINDEXED).scalar_one())


def narrowed(query: Select[Any], words: tuple[str, ...]) -> tuple[Select[Any], ColumnElement[Any]]:
    """Return a query of articles, narrowed down to those that may have all these words.

    And what it is best ordered by to have the newest in the archive first.
    """
    if not (terms := _expression(words)):
        return query, articles.c.id
    found = query.select_from(text("articles_fts")).where(
        text(_MAY_HAVE).bindparams(terms=terms),
        articles.c.id == literal_column("articles_fts.article_id"),
    )
    return found, articles.c.id


def total(connection: Connection) -> int:
    """Return how many articles are indexed."""
    return int(connection.execute(text("SELECT count(*) FROM articles_fts")).scalar_one())


def having(connection: Connection, word: str, most: int) -> int | None:
    """Return how many articles may have a word, counted to ``most``.

    ``None`` when the index does not know such words.
    """
    if not (terms := _expression((word,))):
        return None
    counting = text(
        f"SELECT count(*) FROM (SELECT 1 FROM articles_fts WHERE {_MAY_HAVE} LIMIT :most) AS found"  # noqa: S608 - constants
    )
    return int(connection.execute(counting, {"terms": terms, "most": most}).scalar_one())


def _expression(words: tuple[str, ...]) -> str:
    return " & ".join(f"'{one}'" if len(one) > 1 else f"'{one}':*" for one in terms_of(words))
