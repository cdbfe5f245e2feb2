"""``ingest browse``: the archive in a web browser."""

from __future__ import annotations

from contextlib import closing
from ipaddress import ip_address
from typing import Annotated

import typer

from ingestor.cli.archive import existing
from ingestor.cli.common import options, say, say_error
from ingestor.clock import Clock
from ingestor.errors import UsageError
from ingestor.version import install_line


def browse(
    context: typer.Context,
    host: Annotated[
        str, typer.Option("--host", metavar="ADDRESS", help="Address to listen at.")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help="Port to listen at; 0: any free one.")
    ] = 8001,
) -> None:
    """Show the archive in a web browser, read-only, until Ctrl-C.

    Datasette over the live file, with a search, articles and their edits. Needs the extra
    [browse]. Example: ingest browse --port 8080
    """
    try:
        from ingestor.browse import plugin, server  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise UsageError(f"browsing needs Datasette: {install_line('browse')}") from error

    own = _is_loopback(host)
    names = plugin.LOOPBACK | {host} if own else frozenset[str]()
    with closing(existing(options(context).settings())) as database:
        if database.path is None:
            raise UsageError(
                "browsing needs an SQLite file; `ingest copy --to sqlite:///…` makes one"
            )
        with (
            server.listen(host, port) as listening,
            server.opened(database, database.path, Clock(), names) as datasette,
        ):
            if not own:
                say_error(f"everybody who reaches {host} can read the whole archive")
            address = f"[{host}]" if ":" in host else host
            url = f"http://{address}:{listening.getsockname()[1]}/"
            server.serve(datasette, listening, lambda: say(url))


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
