"""What Datasette shows of an archive, and within what bounds: a plugin of one Datasette."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from datasette import hookimpl
from datasette.app import Datasette
from markupsafe import Markup

LONGEST_VALUE = 16 * 2**20
"""Bytes of one value or row that a query may make: more than any article has."""

LARGEST_RESULT = 64 * 2**20
"""Bytes of the texts and blobs in all rows of one result."""

_HEAP = 512 * 2**20
"""Bytes that SQLite may hold in this process."""

_Hook = TypeVar("_Hook", bound=Callable[..., Any])
_hook: Callable[[_Hook], _Hook] = hookimpl


class _Rows:
    """Makes rows of what a query gives, until they are too large together."""

    def __init__(self) -> None:
        self._bytes: WeakKeyDictionary[sqlite3.Cursor, int] = WeakKeyDictionary()

    def __call__(self, cursor: sqlite3.Cursor, values: tuple[Any, ...]) -> sqlite3.Row:
        """Return the next row of a cursor; raise :class:`sqlite3.OperationalError`."""
        held = sum(len(value) for value in values if isinstance(value, (str, bytes)))
        self._bytes[cursor] = held = held + self._bytes.get(cursor, 0)
        if held > LARGEST_RESULT:
            raise sqlite3.OperationalError(
                f"the result is larger than {LARGEST_RESULT // 2**20} MiB: ask for fewer rows"
            )
        return sqlite3.Row(cursor, values)


_ARTICLE = Markup('<a href="{}/article/{}">{}</a>')


class Plugin:
    """Leads from Datasette's tables to the articles' pages, for one Datasette."""

    __name__ = "ingestor"
    """What Datasette calls it in its list of plugins."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._of: Datasette | None = None

    @_hook
    def render_cell(  # noqa: PLR0917 - Datasette's signature
        self, row: Any, value: Any, column: str, table: str | None, datasette: Datasette
    ) -> Any:
        """Lead from an article's title or id, in a table or a query's result, to its page."""
        if not self._belongs_to(datasette):
            return None
        if table == "articles" and column == "title":
            return _ARTICLE.format(self._prefix, row["id"], value)
        if column == "article_id" and value:
            # Datasette puts the article's title beside a reference to it.
            named = value if isinstance(value, dict) else {"value": value, "label": value}
            return _ARTICLE.format(self._prefix, named["value"], named["label"])
        return None

    @_hook
    def prepare_connection(
        self, conn: sqlite3.Connection, database: str, datasette: Datasette
    ) -> None:
        """Bound what a query of a reader may hold: Datasette bounds its time and its rows."""
        del database
        if not self._belongs_to(datasette):
            return
        conn.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LONGEST_VALUE)
        conn.execute(f"PRAGMA hard_heap_limit = {_HEAP}")
        conn.row_factory = _Rows()

    @_hook
    def register_routes(self, datasette: Datasette) -> list[tuple[str, Any]]:
        """Add none; Datasette asks for them while it is made, and so says which one this is."""
        self._belongs_to(datasette)
        return []

    def _belongs_to(self, datasette: Datasette) -> bool:
        """Return whether this plugin is for ``datasette``: the first that asks for anything.

        Plugins are known to every Datasette in a process, and asked while one is made.
        """
        self._of = self._of or datasette
        return self._of is datasette
