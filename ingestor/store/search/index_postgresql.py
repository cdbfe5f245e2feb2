"""The full-text index on PostgreSQL: the same terms as numbers, behind a GIN index.

Two characters are one number of 32 bits, one character is its own code. Of the indexes that were
measured (docs/scaling.md) that is the smallest and the quickest to write; none is smaller with
words, and ``pg_trgm`` finds no word of two characters but by reading every text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from zlib import crc32

from sqlalchemy import Connection, TextualSelect, text

from ingestor.store.schema import articles
from ingestor.store.search.query import tokens

_TABLE = """
CREATE TABLE articles_fts (
    article_id BIGINT NOT NULL CONSTRAINT pk_articles_fts PRIMARY KEY
        CONSTRAINT fk_articles_fts_article_id REFERENCES articles (id),
    terms INTEGER[] NOT NULL
)"""
_INDEX = "CREATE INDEX ix_articles_fts_terms ON articles_fts USING gin (terms)"
_INSERT = text(
    "INSERT INTO articles_fts(article_id, terms) VALUES (:id, CAST(:terms AS integer[]))"
)
_DELETE = text("DELETE FROM articles_fts WHERE article_id = :id")
_UNINDEXED = text(
    "SELECT count(*) FROM (SELECT id FROM articles WHERE doubted_at IS NULL) AS believed"
    " FULL JOIN articles_fts ON article_id = id WHERE id IS NULL OR article_id IS NULL"
)
_MATCHING = "SELECT article_id FROM articles_fts WHERE terms @> CAST(:terms AS integer[])"
_ANSWERS = text(f"{_MATCHING} LIMIT CAST(:limit AS bigint)")
_LATEST = text(f"{_MATCHING} ORDER BY article_id DESC")
_BETWEEN = text(f"{_MATCHING} AND article_id BETWEEN :first AND :last")
_HAVING = text(f"SELECT count(*) FROM ({_MATCHING} LIMIT :limit) AS found")  # noqa: S608 - constants
_INDEX_ONLY, _ANY_WAY = (text(f"SET LOCAL enable_seqscan = {state}") for state in ("off", "on"))
_IN_PARTS = {"yield_per": 500}

PAIR = 2
"""Characters of a term."""

_SIGN, _RANGE = 1 << 31, 1 << 32


def create(connection: Connection) -> None:
    """Make the index of a new database."""
    connection.exec_driver_sql(_TABLE)
    connection.exec_driver_sql(_INDEX)


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


def check(connection: Connection) -> None:
    """Do nothing: a server sees to its indexes itself."""


def answers(connection: Connection, terms: Sequence[str], limit: int | None) -> list[int]:
    """Return articles that have all these terms, at most so many, in no order."""
    values = {"terms": numbers(terms), "limit": limit}
    with _by_the_index(connection):
        return list(connection.execute(_ANSWERS, values).scalars())


def matching(terms: Sequence[str]) -> TextualSelect:
    """Return a query of the articles that have all these terms."""
    ids = text(_MATCHING).bindparams(terms=numbers(terms))
    return ids.columns(articles.c.id)


def latest(connection: Connection, terms: Sequence[str]) -> Iterator[int]:
    """Yield the articles that have all these terms, the last archived first."""
    values = {"terms": numbers(terms)}
    with _by_the_index(connection):
        latest_first = connection.execute(_LATEST, values, execution_options=_IN_PARTS)
    with latest_first:
        yield from latest_first.scalars()


def between(connection: Connection, terms: Sequence[str], first: int, last: int) -> list[int]:
    """Return the articles that have all these terms, of those with ids from first to last."""
    values = {"terms": numbers(terms), "first": first, "last": last}
    with _by_the_index(connection):
        return list(connection.execute(_BETWEEN, values).scalars())


def having(connection: Connection, terms: Sequence[str], limit: int) -> int:
    """Return how many articles have all these terms, counted to ``limit``."""
    values = {"terms": numbers(terms), "limit": limit}
    with _by_the_index(connection):
        return int(connection.execute(_HAVING, values).scalar_one())


@contextmanager
def _by_the_index(connection: Connection) -> Iterator[None]:
    """Keep the planner from reading the whole table: it takes unpacking a row for free."""
    connection.execute(_INDEX_ONLY)
    yield
    connection.execute(_ANY_WAY)


def numbers(terms: Iterable[str]) -> list[int]:
    """Return the numbers that stand for terms of one or two characters, each once."""
    return sorted({_number(term) for term in terms})


def _indexed(text: str) -> list[int]:
    """Return the numbers of all pairs of a text, and of all single characters."""
    pairs = {term for term in tokens(text).split() if len(term) <= PAIR}
    return numbers(pairs | {character for pair in pairs for character in pair})


def _number(term: str) -> int:
    codes = term.encode("utf-16-be", "surrogatepass")
    # Rare characters need more room: that some share a number only makes a candidate more.
    value = int.from_bytes(codes) if len(codes) <= 2 * PAIR else crc32(codes)
    return value - _RANGE if value >= _SIGN else value
