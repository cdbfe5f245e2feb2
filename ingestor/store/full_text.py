"""The full-text index of whichever database it is: what all of them can do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from sqlalchemy import ColumnElement, Connection, Select

from ingestor.store import search_postgresql, search_sqlite


class FullText(Protocol):
    """The index of one kind of database; a module each."""

    def add(self, connection: Connection, new: Sequence[tuple[int, str, str]]) -> None:
        """Index articles that are not in the index: of each its id, title and text."""

    def remove(self, connection: Connection, article_id: int, title: str, content: str) -> None:
        """Take an article out; ``title`` and ``content`` are what it was indexed with."""

    def empty(self, connection: Connection) -> None:
        """Take every article out, to make the index anew."""

    def unindexed(self, connection: Connection) -> int:
        """Return how many articles the index lacks, or has too many."""

    def narrowed(
        self, query: Select[Any], words: tuple[str, ...]
    ) -> tuple[Select[Any], ColumnElement[Any]]:
        """Return a query of articles, narrowed down to those that may have all these words.

        And what it is best ordered by to have the newest in the archive first.
        """

    def total(self, connection: Connection) -> int:
        """Return how many articles are indexed."""

    def having(self, connection: Connection, word: str, most: int) -> int | None:
        """Return how many articles may have a word, counted to ``most``.

        ``None`` when the index does not know such words.
        """


_KINDS: dict[str, FullText] = {"sqlite": search_sqlite, "postgresql": search_postgresql}


def of(connection: Connection) -> FullText:
    """Return the index of a connection's database."""
    return _KINDS[connection.dialect.name]


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
