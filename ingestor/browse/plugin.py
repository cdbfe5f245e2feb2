"""Our pages inside Datasette: the front page, /search and /article/<id>, and who is answered.

What each answer says of itself to the browser, and what it may load, stands in its headers.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, MutableMapping
from functools import partial
from typing import Any, TypeAlias, TypeVar
from urllib.parse import urlencode

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


class Guarded:
    """An ASGI application whose answers have a policy: Datasette's where they state none.

    With ``hosts``, it answers only who asks for one of these names: a page elsewhere whose
    name was made to lead to this machine ("DNS rebinding") asks for its own.
    """

    def __init__(self, inner: Application, hosts: frozenset[str]) -> None:
        self._inner = inner
        self._hosts = hosts

    async def __call__(self, scope: Message, receive: Any, send: Send) -> None:
        """Answer a request."""
        if scope["type"] == "http" and self._hosts and _host(scope) not in self._hosts:
            body = b"This archive is to be asked for as localhost or 127.0.0.1.\n"
            headers = [(b"content-type", b"text/plain")]
            await send({"type": "http.response.start", "status": 400, "headers": headers})
            await send({"type": "http.response.body", "body": body})
            return
        await self._inner(scope, receive, partial(_sent, send))


def _host(scope: Message) -> str:
    """Return the host that a request asks for, without its port."""
    named = next((value for name, value in scope["headers"] if name == b"host"), b"")
    return re.sub(r":\d*$", "", named.decode("latin-1")).strip("[]").lower()


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
