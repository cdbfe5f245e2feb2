"""The full-text index on PostgreSQL: the same terms as numbers, behind a GIN index.

Two characters are one number of 32 bits, one character is its own code. Of the indexes that were
measured (docs/scaling.md) that is the smallest and the quickest to write; none is smaller with
words, and ``pg_trgm`` finds no word of two characters but by reading every text.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from zlib import crc32

from sqlalchemy import ColumnElement, Connection, Select, literal_column, text

from ingestor.store.schema import articles
from ingestor.store.search import tokens
from ingestor.store.search_query import terms_of

_INSERT = text(
    "INSERT INTO articles_fts(article_id, terms) VALUES (:id, CAST(:terms AS integer[]))"
)
_DELETE = text("DELETE FROM articles_fts WHERE article_id = :id")
_UNINDEXED = text(
    "SELECT count(*) FROM articles FULL JOIN articles_fts ON article_id = id"
    " WHERE id IS NULL OR article_id IS NULL"
)
_MAY_HAVE = "articles_fts.terms @> CAST(:terms AS integer[])"
PAIR = 2
"""Characters of a term."""

_SIGN, _RANGE = 1 << 31, 1 << 32


def add(connection: Connection, new: Sequence[tuple[int, str, str]]) -> None:
    """Index articles that are not in the index: of each its id, title and text."""
    rows = [
        {"id": article_id, "terms": _indexed(f"{title}\n{content}")}
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
    if not (terms := numbers(terms_of(words))):
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
    if not (terms := numbers(terms_of((word,)))):
        return None
    counting = text(
        f"SELECT count(*) FROM (SELECT 1 FROM articles_fts WHERE {_MAY_HAVE} LIMIT :most) AS found"  # noqa: S608 - constants
    )
    return int(connection.execute(counting, {"terms": terms, "most": most}).scalar_one())


def numbers(terms: Iterable[str]) -> list[int]:
    """Return the numbers that stand for terms of one or two characters, each once."""
    return sorted({_number(one) for one in terms})


def _indexed(text: str) -> list[int]:
    """Return the numbers of all pairs of a text, and of all single characters."""
    pairs = {one for one in tokens(text).split() if len(one) <= PAIR}
    return numbers(pairs | {character for pair in pairs for character in pair})


def _number(term: str) -> int:
    codes = term.encode("utf-16-be", "surrogatepass")
    # Rare characters need more room: that some share a number only makes a candidate more.
    value = int.from_bytes(codes) if len(codes) <= 2 * PAIR else crc32(codes)
    return value - _RANGE if value >= _SIGN else value
