"""``ingest browse``: the archive in a web browser."""

from __future__ import annotations

import re
from contextlib import closing
from ipaddress import ip_address
from typing import Annotated
from urllib.parse import urlsplit

import typer

from ingestor.cli.archive import existing
from ingestor.cli.common import options, say, say_error
from ingestor.clock import Clock
from ingestor.errors import UsageError
from ingestor.version import install_line

BaseUrl = Annotated[
    str,
    typer.Option(
        "--base-url",
        metavar="ADDRESS",
        help="Where a proxy before it shows it: /archive/ or https://news.example/archive/.",
    ),
]
ReadOnlyPublic = Annotated[
    bool,
    typer.Option(
        "--read-only-public",
        help="For everybody: no SQL, no feeds' addresses, few requests a second.",
    ),
]


def browse(
    context: typer.Context,
    host: Annotated[
        str, typer.Option("--host", metavar="ADDRESS", help="Address to listen at.")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help="Port to listen at; 0: any free one.")
    ] = 8001,
    base_url: BaseUrl = "/",
    public: ReadOnlyPublic = False,
) -> None:
    """Show the archive in a web browser, read-only, until Ctrl-C.

    Search, articles and their edits, in Chinese and English; of an SQLite file its tables too.
    Needs the extra [browse]. Example: ingest browse --port 8080
    """
    try:
        from ingestor.browse import guard, server  # noqa: PLC0415 - an extra
        from ingestor.browse.application import BrowsedArchive  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise UsageError(f"browsing needs Datasette and Babel: {install_line('browse')}") from error

    origin, prefix = _place(base_url)
    own = _is_loopback(host) and not public
    known = {host, urlsplit(origin).hostname or host}
    settings = options(context).settings()
    with closing(existing(settings)) as database:
        archive = BrowsedArchive(
            database,
            Clock(),
            raw=settings.archive.raw_dir,
            images=settings.archive.images_dir,
            prefix=prefix,
            origin=origin,
            is_public=public,
            hosts=guard.LOOPBACK | known if own else frozenset(),
        )
        with server.listen(host, port) as listening, server.opened(archive) as pages:
            if not _is_loopback(host):
                say_error(f"everybody who reaches {host} can read the whole archive")
            address = f"[{host}]" if ":" in host else host
            url = f"http://{address}:{listening.getsockname()[1]}{prefix}/"
            server.serve(pages, listening, lambda: say(url))


def _place(base_url: str) -> tuple[str, str]:
    """Return the origin, ``""`` for none, and the path without a slash at its end, of an address.

    Raises :class:`UsageError` for what is neither a path nor an address of the web.
    """
    parts = urlsplit(base_url)
    origin = f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""
    is_known = parts.scheme in {"http", "https"} if origin else not parts.scheme
    path = parts.path.rstrip("/")
    if not is_known or parts.query or parts.fragment or not _PATH.fullmatch(path):
        raise UsageError(f'--base-url: "{base_url}" is neither /archive/ nor https://…/archive/')
    return origin, path


_PATH = re.compile(r"(?:/[A-Za-z0-9._~-]++)*+")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
