"""Datasette over an archive, with what the schema says of each column, and its web server."""

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

from ingestor.browse.plugin import Plugin
from ingestor.clock import Clock
from ingestor.errors import UsageError
from ingestor.store import schema
from ingestor.store.db.database import Database
from ingestor.store.schema.views import VIEWS

_HERE = Path(__file__).parent


def described(database: str) -> dict[str, Any]:
    """Return Datasette's metadata for the archive under the name ``database``."""
    tables: dict[str, Any] = {
        table.name: {
            "description": table.comment,
            "columns": {column.name: column.comment for column in table.columns},
        }
        for table in schema.articles.metadata.tables.values()
    }
    for view in VIEWS:
        tables[view.name] = {"description": view.comment, "columns": dict(view.columns)}
    tables["articles"] |= {
        "label_column": "title",
        "sort_desc": "published_at",
        "facets": ["media", "date"],
    }
    return {
        "title": "ingestor",
        "databases": {database: {"description": "The archive, live.", "tables": tables}},
    }


@contextmanager
def opened(
    database: Database, file: Path, clock: Clock, hosts: frozenset[str]
) -> Iterator[Datasette]:
    """Give Datasette over the archive's SQLite file, which it opens read-only.

    It answers who asks for one of these host names; for any, where there are none.
    """
    plugin = Plugin(database, clock, hosts)
    # Datasette prints a traceback, local variables and all, for each address that is not there.
    rich.reconfigure(quiet=True)
    # Datasette asks for routes while it is made.
    pm.register(plugin, name=f"{Plugin.__name__}-{id(plugin)}")
    try:
        yield Datasette(
            [str(file)],
            metadata=described(file.stem),
            template_dir=str(_HERE / "templates"),
            settings={
                "default_page_size": 50,
                # An article's HTML in a cell is for recognising it; its page shows all of it.
                "truncate_cells_html": 200,
                # Looking for further facets takes most of a large table's page.
                "suggest_facets": False,
            },
            static_mounts=[("style", str(_HERE / "static"))],
        )
    finally:
        pm.unregister(plugin)


def serve(datasette: Datasette, listening: socket.socket, ready: Callable[[], object]) -> None:
    """Answer until SIGINT or SIGTERM; ``ready`` is called once requests are taken."""
    # The socket listens already: a request that comes before the server runs waits for it.
    ready()
    config = uvicorn.Config(datasette.app(), log_level="warning", lifespan="on")
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
