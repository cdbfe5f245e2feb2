"""Our pages inside Datasette: the front page, /search and /article/<id>, and who is answered.

What each answer says of itself to the browser, and what it may load, stands in its headers.
"""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections.abc import Awaitable, Callable, MutableMapping
from functools import partial
from typing import Any, TypeAlias, TypeVar
from urllib.parse import urlencode
from weakref import WeakKeyDictionary

from datasette import Response, hookimpl
from datasette.app import Datasette
from markupsafe import Markup

from ingestor.browse import views
from ingestor.clock import Clock
from ingestor.errors import UsageError
from ingestor.store.db.database import Database

_NOTHING = "default-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"

OURS = f"{_NOTHING}; style-src 'self'; img-src 'self'"
"""Content-Security-Policy of our pages: no script, and nothing of other machines."""

WITH_PICTURES = f"{OURS} https: http:"
"""For an article whose pictures were asked for."""

DATASETTES = (
    f"{_NOTHING}; style-src 'self' 'unsafe-inline'; script-src 'self' 'unsafe-inline'; "
    "connect-src 'self'; img-src 'self' data:"
)
"""Datasette's own pages have scripts and styles in them."""

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
"""What this machine calls itself."""

Message: TypeAlias = MutableMapping[str, Any]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
Application: TypeAlias = Callable[[Message, Any, Send], Awaitable[None]]


LONGEST_VALUE = 16 * 2**20
"""Bytes of one value or row that a query may make: more than any article has."""

LARGEST_RESULT = 64 * 2**20
"""Bytes of the texts and blobs in all rows of one result."""

_HEAP = 512 * 2**20
"""Bytes that SQLite may hold in this process."""

_OUR_PATHS = re.compile(r"/(?:search|article/\d+)?|/style/.*")


class Guarded:
    """An ASGI application whose answers have a policy: Datasette's where they state none.

    With ``hosts``, it answers only who asks for one of these names: a page elsewhere whose
    name was made to lead to this machine ("DNS rebinding") asks for its own. What a page elsewhere
    asks for by its reader's browser is answered when the reader goes there, and runs no SQL.
    """

    def __init__(self, inner: Application, hosts: frozenset[str]) -> None:
        self._inner = inner
        self._hosts = hosts

    async def __call__(self, scope: Message, receive: Any, send: Send) -> None:
        """Answer a request."""
        if scope["type"] == "http" and self._hosts and _host(scope) not in self._hosts:
            why = "This archive is to be asked for as localhost or 127.0.0.1.\n"
            await _refuse(send, 400, why)
        elif scope["type"] == "http" and _is_from_elsewhere(scope):
            await _refuse(send, 403, "A page of another site may not ask for this.\n")
        else:
            await self._inner(scope, receive, partial(_sent, send))


async def _refuse(send: Send, status: int, why: str) -> None:
    headers = [(b"content-type", b"text/plain")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": why.encode()})


def _host(scope: Message) -> str:
    """Return the host that a request asks for, without its port."""
    return re.sub(r":\d*$", "", _header(scope, b"host")).strip("[]").lower()


def _header(scope: Message, wanted: bytes) -> str:
    values = (value for name, value in scope["headers"] if name == wanted)
    return next(values, b"").decode("latin-1")


def _is_from_elsewhere(scope: Message) -> bool:
    """Whether a page of another site asks for what costs, or what its reader did not go to.

    By the W3C's Fetch Metadata. A browser too old to send it is told apart by naming itself one.
    """
    asks_datasette = bool(scope["query_string"]) and not _OUR_PATHS.fullmatch(scope["path"])
    site = _header(scope, b"sec-fetch-site")
    if not site:
        return asks_datasette and _header(scope, b"user-agent").startswith("Mozilla/")
    gone_to = _header(scope, b"sec-fetch-mode"), _header(scope, b"sec-fetch-dest")
    elsewhere = site in {"cross-site", "same-site"}
    return elsewhere and (asks_datasette or gone_to != ("navigate", "document"))


async def _sent(send: Send, message: Message) -> None:
    if message["type"] == "http.response.start":
        message = {**message, "headers": _complete(list(message.get("headers", [])))}
    await send(message)


def _complete(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    more = [(b"referrer-policy", b"no-referrer"), (b"x-content-type-options", b"nosniff")]
    if not any(name.lower() == b"content-security-policy" for name, _ in headers):
        more.append((b"content-security-policy", DATASETTES.encode()))
    return headers + more


LARGEST_ID = 2**63 - 1
"""SQLite's integers end there."""

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


_ARTICLE = Markup('<a href="/article/{}">{}</a>')


class Plugin:
    """Pages over one archive, for one Datasette."""

    __name__ = "ingestor"
    """What Datasette calls it in its list of plugins."""

    def __init__(self, database: Database, clock: Clock, hosts: frozenset[str]) -> None:
        self._database = database
        self._hosts = hosts
        self._clock = clock
        self._of: Datasette | None = None

    @_hook
    def register_routes(self, datasette: Datasette) -> list[tuple[str, Any]]:
        """Put our pages before Datasette's."""
        if not self._belongs_to(datasette):
            return []
        return [
            (r"^/$", self.front),
            (r"^/search$", self.search),
            (r"^/article/(?P<id>\d{1,19})$", self.article),
        ]

    @_hook
    def render_cell(  # noqa: PLR0917 - Datasette's signature
        self, row: Any, value: Any, column: str, table: str | None, datasette: Datasette
    ) -> Any:
        """Lead from an article's title or id, in a table or a query's result, to its page."""
        if not self._belongs_to(datasette):
            return None
        if table == "articles" and column == "title":
            return _ARTICLE.format(row["id"], value)
        if column == "article_id" and value:
            # Datasette puts the article's title beside a reference to it.
            named = value if isinstance(value, dict) else {"value": value, "label": value}
            return _ARTICLE.format(named["value"], named["label"])
        return None

    @_hook
    def asgi_wrapper(self, datasette: Datasette) -> Callable[[Application], Application]:
        """Say with every answer what it may load."""
        mine = self._belongs_to(datasette)
        return lambda inner: Guarded(inner, self._hosts) if mine else inner

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

    async def front(self, datasette: Datasette, request: Any) -> Response:
        """Answer the front page."""
        values = await asyncio.to_thread(self._read, views.front, self._clock.now())
        return await _page(datasette, request, "front", values)

    async def search(self, datasette: Datasette, request: Any) -> Response:
        """Answer a search, or what there is under a medium, security or day."""
        names = ("q", "media", "symbol", "day", "order", "page")
        asked = {name: value for name in names if (value := request.args.get(name))}
        values: dict[str, Any] = {"asked": asked, "link": lambda **new: _link(asked, new)}
        try:
            values |= await asyncio.to_thread(self._read, views.results, asked)
        except UsageError as error:
            return await _page(
                datasette, request, "search", values | {"error": str(error)}, status=400
            )
        return await _page(datasette, request, "search", values)

    async def article(self, datasette: Datasette, request: Any) -> Response:
        """Answer an article; its pictures only when they are asked for."""
        number = int(request.url_vars["id"])
        revision = (request.args.get("revision") or "")[:19]
        pictures = request.args.get("pictures") == "1"
        wanted = int(revision) if revision.isdecimal() else None
        values = None
        if max(number, wanted or 0) <= LARGEST_ID:
            values = await asyncio.to_thread(
                self._read, views.article, number, revision=wanted, pictures=pictures
            )
        if values is None:
            missing = {"error": "There is no such article, or revision of it, in the archive."}
            return await _page(datasette, request, "search", missing, status=404)
        values["html"] = Markup(values["html"])  # noqa: S704 - cleaned when it was stored; the policy allows no script
        policy = WITH_PICTURES if pictures else OURS
        return await _page(datasette, request, "article", values, policy=policy)

    def _belongs_to(self, datasette: Datasette) -> bool:
        """Return whether these pages are for ``datasette``: the first that asks for any.

        Plugins are known to every Datasette in a process, and asked while one is made.
        """
        self._of = self._of or datasette
        return self._of is datasette

    def _read(self, view: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        with self._database.reading() as connection:
            return view(connection, *arguments, **options)


async def _page(
    datasette: Datasette,
    request: Any,
    name: str,
    values: dict[str, Any],
    *,
    status: int = 200,
    policy: str = OURS,
) -> Response:
    values = {"asked": {}, "tables": next(iter(datasette.databases)), **values}
    html = await datasette.render_template(f"ingestor_{name}.html", values, request=request)
    return Response.html(html, status=status, headers={"content-security-policy": policy})


def _link(asked: dict[str, str], new: dict[str, Any]) -> str:
    """Return the address of a search with some values changed (``None``: left out)."""
    values = {**asked, "page": None, **new}
    return "/search?" + urlencode({name: value for name, value in values.items() if value})
