"""The full-text index of whichever database it is: what all of them can do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from sqlalchemy import Connection, TextualSelect

from ingestor.store.search import Clause, index_postgresql, index_sqlite


class FullText(Protocol):
    """The index of one kind of database; a module each."""

    def create(self, connection: Connection) -> None:
        """Make the index of a new database."""

    def add(self, connection: Connection, new: Sequence[tuple[int, str, str]]) -> None:
        """Index articles that are not in the index: of each its id, title and text."""

    def remove(self, connection: Connection, article_id: int, title: str, content: str) -> None:
        """Take an article out; ``title`` and ``content`` are what it was indexed with."""

    def empty(self, connection: Connection) -> None:
        """Take every article out, to make the index anew."""

    def unindexed(self, connection: Connection) -> int:
        """Return how many articles the index lacks, or has too many."""

    def check(self, connection: Connection) -> None:
        """Go through the whole index; the database's error is raised where it is damaged."""

    def answers(
        self, connection: Connection, asked: Sequence[Clause], limit: int | None
    ) -> list[int]:
        """Return articles that meet all these clauses, at most so many, in no order."""

    def matching(self, asked: Sequence[Clause]) -> TextualSelect:
        """Return a query of the articles that meet all these clauses."""

    def latest(self, connection: Connection, asked: Sequence[Clause]) -> Iterator[int]:
        """Yield the articles that meet all these clauses, the last archived first."""

    def between(
        self, connection: Connection, asked: Sequence[Clause], first: int, last: int
    ) -> list[int]:
        """Return the articles that meet all these clauses, of those with ids from first to last."""

    def having(self, connection: Connection, asked: Sequence[Clause], limit: int) -> int:
        """Return how many articles meet all these clauses, counted to ``limit``."""


_KINDS: dict[str, FullText] = {"sqlite": index_sqlite, "postgresql": index_postgresql}


def of(connection: Connection) -> FullText:
    """Return the index of a connection's database."""
    return _KINDS[connection.dialect.name]


def create(connection: Connection) -> None:
    """Make the index of a new database."""
    of(connection).create(connection)


def add(connection: Connection, new: Sequence[tuple[int, str, str]]) -> None:
    """Index articles that are not in the index: of each its id, title and text."""
    of(connection).add(connection, new)


def remove(connection: Connection, article_id: int, title: str, content: str) -> None:
    """Take an article out; ``title`` and ``content`` are what it was indexed with."""
    of(connection).remove(connection, article_id, title, content)


def empty(connection: Connection) -> None:
    """Take every article out, to make the index anew."""
    of(connection).empty(connection)


def unindexed(connection: Connection) -> int:
    """Return how many articles the index lacks, or has too many."""
    return of(connection).unindexed(connection)


def check(connection: Connection) -> None:
    """Go through the whole index; the database's error is raised where it is damaged."""
    of(connection).check(connection)
