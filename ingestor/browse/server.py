"""The pages of an archive, Datasette for its tables, and the web server before both."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import rich
import uvicorn
from datasette.app import Datasette
from datasette.plugins import pm
from sqlalchemy import Integer, Table

from ingestor.browse.application import TABLES, BrowsedArchive, Pages
from ingestor.browse.guard import Application, Message, Send
from ingestor.browse.pages import ROUTES
from ingestor.browse.plugin import Plugin
from ingestor.errors import UsageError
from ingestor.store import schema
from ingestor.store.schema.views import VIEWS


def described(database: str) -> dict[str, Any]:
    """Return Datasette's metadata for the archive under the name ``database``."""
    tables: dict[str, Any] = {
        table.name: {
            "description": table.comment,
            "columns": {column.name: column.comment for column in table.columns},
            **_sorting(table),
        }
        for table in schema.articles.metadata.tables.values()
    }
    for view in VIEWS:
        columns = dict(view.columns)
        tables[view.name] = {"description": view.comment, "columns": columns} | _UNSORTED
    tables["articles"] |= {"label_column": "title", "facets": ["media", "date"]}
    return {
        "title": "ingestor",
        "databases": {database: {"description": "The archive, live.", "tables": tables}},
    }


_UNSORTED: dict[str, Any] = {"sortable_columns": []}


def _sorting(table: Table) -> dict[str, Any]:
    """Return how a table may be sorted: one that grows by its key alone, the newest row first.

    Sorted by anything else, Datasette's second page reads and sorts all rows, and is interrupted.
    """
    if table.name == "feeds":
        return {}
    keys = [column.name for column in table.primary_key]
    if len(keys) > 1 or not isinstance(table.c[keys[0]].type, Integer):
        return _UNSORTED
    return {"sortable_columns": keys, "sort_desc": keys[0]}


@contextmanager
def opened(archive: BrowsedArchive) -> Iterator[Pages]:
    """Give the pages of an archive; of an SQLite file, with its tables, unless it is public."""
    file = archive.database.path
    if file is None or archive.is_public:
        yield Pages(archive, ROUTES, None)
        return
    with _tables(file, archive.prefix) as datasette:
        # Unlike its file, a database's name has no bytes that an address cannot say.
        name = datasette.urls.database(file.stem).removeprefix(f"{archive.prefix}{TABLES}")
        yield Pages(archive, ROUTES, _Started(datasette), str(name))


class _Started:
    """Datasette as an application, which starts it with its first request."""

    def __init__(self, datasette: Datasette) -> None:
        self._datasette = datasette
        self._application: Application = datasette.app()

    async def __call__(self, scope: Message, receive: Any, send: Send) -> None:
        await self._datasette.invoke_startup()
        await self._application(scope, receive, send)


@contextmanager
def _tables(file: Path, prefix: str) -> Iterator[Datasette]:
    """Give Datasette over the archive's SQLite file, which it opens read-only."""
    plugin = Plugin(prefix)
    # Datasette prints a traceback, local variables and all, for each address that is not there.
    rich.reconfigure(quiet=True)
    # Datasette asks for plugins while it is made.
    pm.register(plugin, name=f"{Plugin.__name__}-{id(plugin)}")
    try:
        yield Datasette(
            [str(file)],
            metadata=described(file.stem),
            settings={
                "base_url": f"{prefix}{TABLES}",
                "default_page_size": 50,
                # An article's HTML in a cell is for recognising it; its page shows all of it.
                "truncate_cells_html": 200,
                # Looking for further facets takes most of a large table's page.
                "suggest_facets": False,
            },
        )
    finally:
        pm.unregister(plugin)


def serve(pages: Pages, listening: socket.socket, ready: Callable[[], object]) -> None:
    """Answer until SIGINT or SIGTERM; ``ready`` is called once requests are taken."""
    # The socket listens already: a request that comes before the server runs waits for it.
    ready()
    config = uvicorn.Config(pages, log_level="warning", lifespan="off")
    # Raised once more by uvicorn, when all is closed: Ctrl-C is how one leaves.
    with suppress(KeyboardInterrupt):
        uvicorn.Server(config).run(sockets=[listening])


def listen(host: str, port: int) -> socket.socket:
    """Return a socket at this address; raise :class:`UsageError` when it cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except (OSError, OverflowError) as error:
        raise UsageError(
            f"cannot listen at {host} port {port}: {error}; choose another with --port"
        ) from error
