"""The full-text index on SQLite: an FTS5 table without texts and without positions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import Connection, TextualSelect, text

from ingestor.store.schema import articles
from ingestor.store.search import Clause, expression, tokens

FULL_TEXT_INDEX = (
    "CREATE VIRTUAL TABLE articles_fts USING fts5("
    "title, content, content='', detail=none, tokenize='unicode61 remove_diacritics 0')"
)
"""SQLite's full-text table: contentless, its rowid is ``articles.id``.

It holds overlapping pairs of Chinese characters, so that any word of two characters is a
token; see :mod:`ingestor.store.search.query`.
"""

_INSERT = text("INSERT INTO articles_fts(rowid, title, content) VALUES (:id, :title, :content)")
_DELETE = text(
    "INSERT INTO articles_fts(articles_fts, rowid, title, content) "
    "VALUES ('delete', :id, :title, :content)"
)
_MATCHING = "SELECT rowid FROM articles_fts WHERE articles_fts MATCH :terms"
_ANSWERS = text(f"{_MATCHING} LIMIT :limit")
_LATEST = text(f"{_MATCHING} ORDER BY rowid DESC")
_BETWEEN = text(f"{_MATCHING} AND rowid BETWEEN :first AND :last")
_HAVING = text(f"SELECT count(*) FROM ({_MATCHING} LIMIT :limit)")  # noqa: S608 - constants
_IN_PARTS = {"yield_per": 500}
_BELIEVED = "SELECT id FROM articles WHERE doubted_at IS NULL"
_MISSING = f"SELECT count(*) FROM ({_BELIEVED} EXCEPT SELECT id FROM articles_fts_docsize)"  # noqa: S608 - constants
_SURPLUS = f"SELECT count(*) FROM articles_fts_docsize WHERE id NOT IN ({_BELIEVED})"  # noqa: S608 - constants


def create(connection: Connection) -> None:
    """Make the index of a new database."""
    connection.exec_driver_sql(FULL_TEXT_INDEX)


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
    return sum(int(connection.exec_driver_sql(sql).scalar_one()) for sql in (_MISSING, _SURPLUS))


def check(connection: Connection) -> None:
    """Go through the whole index; SQLite's error is raised where it is damaged."""
    connection.execute(text("INSERT INTO articles_fts(articles_fts) VALUES ('integrity-check')"))


def answers(connection: Connection, asked: Sequence[Clause], limit: int | None) -> list[int]:
    """Return articles that meet all these clauses, at most so many, in no order."""
    values = {"terms": expression(asked), "limit": -1 if limit is None else limit}
    return list(connection.execute(_ANSWERS, values).scalars())


def matching(asked: Sequence[Clause]) -> TextualSelect:
    """Return a query of the articles that meet all these clauses."""
    ids = text(_MATCHING).bindparams(terms=expression(asked))
    return ids.columns(articles.c.id)


def latest(connection: Connection, asked: Sequence[Clause]) -> Iterator[int]:
    """Yield the articles that meet all these clauses, the last archived first."""
    latest_first = connection.execute(
        _LATEST, {"terms": expression(asked)}, execution_options=_IN_PARTS
    )
    with latest_first:
        yield from latest_first.scalars()


def between(connection: Connection, asked: Sequence[Clause], first: int, last: int) -> list[int]:
    """Return the articles that meet all these clauses, of those with ids from first to last."""
    values = {"terms": expression(asked), "first": first, "last": last}
    return list(connection.execute(_BETWEEN, values).scalars())


def having(connection: Connection, asked: Sequence[Clause], limit: int) -> int:
    """Return how many articles meet all these clauses, counted to ``limit``."""
    values = {"terms": expression(asked), "limit": limit}
    return int(connection.execute(_HAVING, values).scalar_one())
