"""The full-text index on PostgreSQL: the same terms as numbers, behind a GIN index.

Two characters are one number of 32 bits, one character is its own code. Of the indexes that were
measured (docs/scaling.md) that is the smallest and the quickest to write; none is smaller with
words, and ``pg_trgm`` finds no word of two characters but by reading every text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from zlib import crc32

from sqlalchemy import Connection, TextualSelect, text

from ingestor.store.schema import articles
from ingestor.store.search import Clause, tokens

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
_MATCHING = "SELECT article_id FROM articles_fts WHERE"
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


def answers(connection: Connection, asked: Sequence[Clause], limit: int | None) -> list[int]:
    """Return articles that meet all these clauses, at most so many, in no order."""
    query = text(f"{_MATCHING} {condition(asked)} LIMIT CAST(:limit AS bigint)")
    with _by_the_index(connection):
        return list(connection.execute(query, {"limit": limit}).scalars())


def matching(asked: Sequence[Clause]) -> TextualSelect:
    """Return a query of the articles that meet all these clauses."""
    return text(f"{_MATCHING} {condition(asked)}").columns(articles.c.id)


def latest(connection: Connection, asked: Sequence[Clause]) -> Iterator[int]:
    """Yield the articles that meet all these clauses, the last archived first."""
    query = text(f"{_MATCHING} {condition(asked)} ORDER BY article_id DESC")
    with _by_the_index(connection):
        latest_first = connection.execute(query, execution_options=_IN_PARTS)
    with latest_first:
        yield from latest_first.scalars()


def between(connection: Connection, asked: Sequence[Clause], first: int, last: int) -> list[int]:
    """Return the articles that meet all these clauses, of those with ids from first to last."""
    query = text(f"{_MATCHING} {condition(asked)} AND article_id BETWEEN :first AND :last")
    with _by_the_index(connection):
        return list(connection.execute(query, {"first": first, "last": last}).scalars())


def having(connection: Connection, asked: Sequence[Clause], limit: int) -> int:
    """Return how many articles meet all these clauses, counted to ``limit``."""
    found = f"{_MATCHING} {condition(asked)} LIMIT :limit"
    query = text(f"SELECT count(*) FROM ({found}) AS found")  # noqa: S608 - numbers of ours
    with _by_the_index(connection):
        return int(connection.execute(query, {"limit": limit}).scalar_one())


def condition(asked: Sequence[Clause], terms: str = "terms") -> str:
    """Return the condition that the column ``terms`` meets all these clauses; at least one is."""
    alone = [clause[0] for clause in asked if len(clause) == 1]
    groups = [clause for clause in asked if len(clause) > 1]
    # All that must be there is looked up in the index together.
    together: list[Clause] = [(tuple(chain.from_iterable(alone)),)] if alone else []
    return " AND ".join(
        "(" + " OR ".join(f"{terms} @> '{_array(each)}'" for each in clause) + ")"
        if len(clause) > 1
        else f"{terms} @> '{_array(clause[0])}'"
        for clause in (*together, *groups)
    )


def _array(terms: Iterable[str]) -> str:
    return "{" + ",".join(map(str, numbers(terms))) + "}"


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
