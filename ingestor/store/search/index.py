"""The full-text index of whichever database it is: what all can do, and how each does it.

On SQLite it is an FTS5 table without texts and without positions. On PostgreSQL the same terms
stand as numbers behind a GIN index: two characters are one number of 32 bits, one character is its
own code. Of the indexes that were measured (docs/scaling.md) that is the smallest and the quickest
to write; none is smaller with words, and ``pg_trgm`` finds no word of two characters but by reading
every text.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from typing import Any, ClassVar
from zlib import crc32

from sqlalchemy import Connection, TextualSelect, text

from ingestor.store.schema import articles
from ingestor.store.search import Clause, expression, tokens

FULL_TEXT_INDEX = (
    "CREATE VIRTUAL TABLE articles_fts USING fts5("
    "title, content, content='', detail=none, tokenize='unicode61 remove_diacritics 0')"
)
"""SQLite's full-text table: contentless, its rowid is ``articles.id``.

It holds overlapping pairs of Chinese characters, so that any word of two characters is a
token; see :mod:`ingestor.store.search`.
"""

PAIR = 2
"""Characters of a term."""

_SIGN, _RANGE = 1 << 31, 1 << 32
_IN_PARTS = {"yield_per": 500}
_BELIEVED = "SELECT id FROM articles WHERE doubted_at IS NULL"


@dataclass(frozen=True, slots=True)
class FullText(ABC):
    """The index of a connection's database; a class for each kind."""

    connection: Connection
    made_by: ClassVar[tuple[str, ...]]
    emptied_by: ClassVar[str]
    checked_by: ClassVar[str] = ""
    """Raises the database's error where it is damaged; ``""``: a server sees to that itself."""
    key: ClassVar[str]
    """Column with the article's id."""
    indexed: ClassVar[str]
    """Selects the ids of all articles that it has."""

    def create(self) -> None:
        """Make the index of a new database."""
        for statement in self.made_by:
            self.connection.exec_driver_sql(statement)

    @abstractmethod
    def add(self, new: Sequence[tuple[int, str, str]]) -> None:
        """Index articles that are not in the index: of each its id, title and text."""

    @abstractmethod
    def remove(self, article_id: int, title: str, content: str) -> None:
        """Take an article out; ``title`` and ``content`` are what it was indexed with."""

    def empty(self) -> None:
        """Take every article out, to make the index anew."""
        self.connection.exec_driver_sql(self.emptied_by)

    def unindexed(self) -> int:
        """Return how many articles the index lacks, or has too many."""
        ways = ((_BELIEVED, self.indexed), (self.indexed, _BELIEVED))
        odd = (f"SELECT count(*) FROM ({has} EXCEPT {lacks}) AS odd" for has, lacks in ways)  # noqa: S608 - constants
        return sum(int(self.connection.exec_driver_sql(query).scalar_one()) for query in odd)

    def check(self) -> None:
        """Go through the whole index; the database's error is raised where it is damaged."""
        if self.checked_by:
            self.connection.exec_driver_sql(self.checked_by)

    def answers(self, asked: Sequence[Clause], limit: int | None) -> list[int]:
        """Return articles that meet all these clauses, at most so many, in no order."""
        if limit is None:
            return self._ids(asked)
        return self._ids(asked, " LIMIT :limit", limit=limit)

    def between(self, asked: Sequence[Clause], first: int, last: int) -> list[int]:
        """Return the articles that meet all these clauses, of those with ids from first to last."""
        return self._ids(asked, f" AND {self.key} BETWEEN :first AND :last", first=first, last=last)

    def having(self, asked: Sequence[Clause], limit: int) -> int:
        """Return how many articles meet all these clauses, counted to ``limit``."""
        found, values = self._matching(asked)
        query = text(f"SELECT count(*) FROM ({found} LIMIT :limit) AS found")  # noqa: S608 - ours
        with self._by_the_index():
            return int(self.connection.execute(query, {**values, "limit": limit}).scalar_one())

    def latest(self, asked: Sequence[Clause]) -> Iterator[int]:
        """Yield the articles that meet all these clauses, the last archived first."""
        found, values = self._matching(asked)
        query = text(f"{found} ORDER BY {self.key} DESC")
        with self._by_the_index():
            latest_first = self.connection.execute(query, values, execution_options=_IN_PARTS)
        with latest_first:
            yield from latest_first.scalars()

    def matching(self, asked: Sequence[Clause]) -> TextualSelect:
        """Return a query of the articles that meet all these clauses."""
        found, values = self._matching(asked)
        return text(found).bindparams(**values).columns(articles.c.id)

    def _ids(self, asked: Sequence[Clause], rest: str = "", **limits: int) -> list[int]:
        found, values = self._matching(asked)
        with self._by_the_index():
            return list(self.connection.execute(text(found + rest), {**values, **limits}).scalars())

    @abstractmethod
    def _matching(self, asked: Sequence[Clause]) -> tuple[str, Mapping[str, Any]]:
        """Return the statement for the ids of what meets all these clauses, and its values."""

    @contextmanager
    def _by_the_index(self) -> Iterator[None]:
        """Keep the planner from reading the whole table, where it would."""
        yield


class _SqliteIndex(FullText):
    __slots__ = ()
    made_by = (FULL_TEXT_INDEX,)
    emptied_by = "INSERT INTO articles_fts(articles_fts) VALUES ('delete-all')"
    checked_by = "INSERT INTO articles_fts(articles_fts) VALUES ('integrity-check')"
    key = "rowid"
    indexed = "SELECT id FROM articles_fts_docsize"

    def add(self, new: Sequence[tuple[int, str, str]]) -> None:
        """Index articles that are not in the index."""
        self.connection.execute(_INSERT, [_terms(*article) for article in new])

    def remove(self, article_id: int, title: str, content: str) -> None:
        """Take an article out."""
        self.connection.execute(_DELETE, _terms(article_id, title, content))

    def _matching(self, asked: Sequence[Clause]) -> tuple[str, Mapping[str, Any]]:
        found = "SELECT rowid FROM articles_fts WHERE articles_fts MATCH :terms"
        return found, {"terms": expression(asked)}


_INSERT = text("INSERT INTO articles_fts(rowid, title, content) VALUES (:id, :title, :content)")
_DELETE = text(
    "INSERT INTO articles_fts(articles_fts, rowid, title, content) "
    "VALUES ('delete', :id, :title, :content)"
)


def _terms(article_id: int, title: str, content: str) -> dict[str, object]:
    return {"id": article_id, "title": tokens(title), "content": tokens(content)}


class _PostgresqlIndex(FullText):
    __slots__ = ()
    made_by = (
        """
CREATE TABLE articles_fts (
    article_id BIGINT NOT NULL CONSTRAINT pk_articles_fts PRIMARY KEY
        CONSTRAINT fk_articles_fts_article_id REFERENCES articles (id),
    terms INTEGER[] NOT NULL
)""",
        "CREATE INDEX ix_articles_fts_terms ON articles_fts USING gin (terms)",
    )
    emptied_by = "DELETE FROM articles_fts"
    key = "article_id"
    indexed = "SELECT article_id FROM articles_fts"

    def add(self, new: Sequence[tuple[int, str, str]]) -> None:
        """Index articles that are not in the index."""
        rows = [
            {"id": article_id, "terms": _indexed(f"{title}\n{content}")}
            for article_id, title, content in new
        ]
        self.connection.execute(_ADD, rows)

    def remove(self, article_id: int, title: str, content: str) -> None:  # noqa: ARG002 - SQLite needs them
        """Take an article out."""
        self.connection.execute(_REMOVE, {"id": article_id})

    def _matching(self, asked: Sequence[Clause]) -> tuple[str, Mapping[str, Any]]:
        return f"SELECT article_id FROM articles_fts WHERE {condition(asked)}", {}  # noqa: S608 - numbers of ours

    @contextmanager
    def _by_the_index(self) -> Iterator[None]:
        """Keep the planner from reading the whole table: it takes unpacking a row for free."""
        self.connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        yield
        self.connection.exec_driver_sql("SET LOCAL enable_seqscan = on")


_ADD = text("INSERT INTO articles_fts(article_id, terms) VALUES (:id, CAST(:terms AS integer[]))")
_REMOVE = text("DELETE FROM articles_fts WHERE article_id = :id")


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


_KINDS: Mapping[str, type[FullText]] = {"sqlite": _SqliteIndex, "postgresql": _PostgresqlIndex}


def of(connection: Connection) -> FullText:
    """Return the index of a connection's database."""
    return _KINDS[connection.dialect.name](connection)
