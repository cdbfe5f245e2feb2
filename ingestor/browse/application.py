"""The web application: which address is which page, and Datasette for all that is a table.

Plain ASGI: a page is a function from a request to an answer, and runs in a thread.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache, partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

import jinja2
from markupsafe import Markup

from ingestor.browse import guard
from ingestor.browse.guard import Application, Guarded, Message, RateLimit, Send, header
from ingestor.browse.languages import N_, Language, chosen, spoken
from ingestor.clock import Clock
from ingestor.config.values import Location
from ingestor.errors import ArchiveError, UsageError
from ingestor.store.db.database import Database
from ingestor.text.sanitize import storable

_HERE = Path(__file__).parent

TABLES = "/tables/"
"""Where Datasette is."""

LANGUAGE_COOKIE = "ingestor_lang"

_STATIC = {
    "page.css": "text/css; charset=utf-8",
    "keys.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}

_A_YEAR = 365 * 24 * 3600

REMEMBERED_SECONDS = 30
"""How old may be what is shown of an archive that nobody changes: time alone makes feeds late."""

_MOST_REMEMBERED = 16

_LONGEST_QUERY = 10_000
"""Bytes: the longest search (a thousand Chinese characters) has nine thousand."""

_ASKED = frozenset({
    "q", "media", "symbol", "feed", "category", "origin", "day", "since", "until", "order", "page",
    "size", "upto", "before", "revision", "from", "to", "pictures", "lang",
})  # fmt: skip
"""What pages are asked: nothing else comes back in their links."""


class Memory:
    """What views read of an archive, while nobody commits anything to it. Safe to use from threads.

    A server does not say whether anybody has: of its archives nothing is remembered.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: OrderedDict[object, tuple[int, float, Any]] = OrderedDict()

    def recall(self, archive: BrowsedArchive, of: object, read: Callable[[], Any]) -> Any:
        """Return what is known ``of`` something, or else what ``read`` returns."""
        # Before it is read: what is committed meanwhile is seen the next time.
        changes, now = archive.database.changes(), archive.clock.monotonic()
        with self._lock:
            known = self._known.get(of)
        if known and known[0] == changes and now < known[1] + REMEMBERED_SECONDS:
            return known[2]
        value = read()
        if changes is not None:
            with self._lock:
                self._known[of] = changes, now, value
                self._known.move_to_end(of)
                if len(self._known) > _MOST_REMEMBERED:
                    self._known.popitem(last=False)
        return value


@dataclass(frozen=True, slots=True)
class BrowsedArchive:
    """An archive that is shown, and how."""

    database: Database
    clock: Clock
    raw: Location | None = None
    """Folder of the WARC files."""
    images: Location | None = None
    """Folder of the pictures that are kept."""
    prefix: str = ""
    """Path under which it is, ``/archive``; ``""``: at the top."""
    origin: str = ""
    """``https://news.example``, where that is known; ``""``: as it is asked for."""
    is_public: bool = False
    """For everybody: no SQL, no feeds' addresses."""
    hosts: frozenset[str] = frozenset()
    """Names under which it is answered; none: any."""
    memory: Memory = field(default_factory=Memory)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a page answers with."""

    body: bytes
    content_type: str = "text/html; charset=utf-8"
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class PageRequest:
    """What a page is asked."""

    archive: BrowsedArchive
    path: str
    """Without the archive's prefix."""
    asked: Mapping[str, str]
    """The query of the address."""
    language: Language
    tables: str
    """Address of the tables; ``""``: there are none."""
    origin: str
    """``http://127.0.0.1:8001``."""
    nonce: str = field(default_factory=lambda: secrets.token_urlsafe(16))

    def url(self, path: str, **query: object) -> str:
        """Return the address of a page of ours, below the prefix; empty values are left out."""
        values = {name: value for name, value in query.items() if value not in {None, ""}}
        words = f"?{urlencode(values)}" if values else ""
        return f"{self.archive.prefix}{quote(path)}{words}"

    def here(self, **query: object) -> str:
        """Return the address of this page, with some values of its query changed."""
        known = {name: value for name, value in self.asked.items() if name != "lang"}
        return self.url(self.path, **{**known, **query})

    def page(
        self,
        template: str,
        values: Mapping[str, Any],
        *,
        status: int = 200,
        policy: str = guard.OURS,
    ) -> Answer:
        """Return a page of ours."""
        said = self.language
        known = {
            "_": said.gettext,
            "ngettext": said.ngettext,
            "language": said,
            "languages": list(spoken().values()),
            "url": self.url,
            "here": self.here,
            "path": self.path,
            "asked": self.asked,
            "tables": self.tables,
            "nonce": self.nonce,
            "public": self.archive.is_public,
            "version": static_version(),
        }
        html = _templates().get_template(f"{template}.html").render({**known, **values})
        headers = (
            ("content-security-policy", policy.replace("{nonce}", self.nonce)),
            ("content-language", said.tag),
            ("vary", "Accept-Language, Cookie"),
            ("cache-control", "no-cache"),
        )
        return Answer(html.encode("utf-8", "replace"), status=status, headers=headers)

    def missing(self, message: str = N_("There is no such page in the archive.")) -> Answer:
        """Return the page for what there is not."""
        return self.page("error", {"error": message}, status=404)

    def read(self, view: Callable[..., Any], *arguments: Any) -> Any:
        """Return what a view reads from the archive, in one transaction."""
        with self.archive.database.reading() as connection:
            return view(connection, *arguments)

    def recall(self, view: Callable[..., Any], now: datetime, *arguments: Hashable) -> Any:
        """Return what a view reads at a moment, or read a moment ago, if nothing has changed."""
        read = partial(self.read, view, now, *arguments)
        return self.archive.memory.recall(self.archive, (view, *arguments), read)


Page = Callable[..., Answer]
"""Takes a request and the parts of its path that its pattern names."""


class Pages:
    """Our pages by their addresses, and Datasette for the others."""

    def __init__(
        self,
        archive: BrowsedArchive,
        routes: Mapping[str, Page],
        tables: Application | None,
        tables_name: str = "",
    ) -> None:
        self._archive, self._tables, self._tables_name = archive, tables, tables_name
        self._routes = [(re.compile(pattern), page) for pattern, page in routes.items()]
        limit = RateLimit() if archive.is_public else None
        self._guarded = Guarded(self._answer, archive.hosts, self._is_datasettes, limit)

    async def __call__(self, scope: Message, receive: Any, send: Send) -> None:
        """Answer a request, whether the proxy before us strips the prefix or passes it on."""
        if scope["type"] == "http":
            prefix, path = self._archive.prefix, scope["path"]
            if prefix and (path == prefix or path.startswith(f"{prefix}/")):
                scope = {**scope, "path": path[len(prefix) :] or "/"}
        await self._guarded(scope, receive, send)

    async def _answer(self, scope: Message, receive: Any, send: Send) -> None:
        path = scope["path"]
        if self._tables is not None and self._is_datasettes(path):
            inside = "/" + path.removeprefix(TABLES) if path.startswith(TABLES) else path
            inner = {**scope, "path": inside, "raw_path": _raw(inside)}
            await self._tables(inner, receive, send)
            return
        answer = await asyncio.to_thread(self._page, scope)
        headers = [("content-type", answer.content_type), *answer.headers]
        headers.append(("content-length", str(len(answer.body))))
        encoded = [(name.encode(), value.encode("latin-1", "replace")) for name, value in headers]
        await send({"type": "http.response.start", "status": answer.status, "headers": encoded})
        await send({"type": "http.response.body", "body": answer.body})

    def _page(self, scope: Message) -> Answer:
        request = self._request(scope)
        matches = ((page, pattern.fullmatch(request.path)) for pattern, page in self._routes)
        page, parts = next(
            ((page, matched.groupdict()) for page, matched in matches if matched),
            (PageRequest.missing, {}),
        )
        try:
            if len(scope["query_string"]) > _LONGEST_QUERY:
                return replace(request.missing(), status=414)
            answer = page(request, **parts)
        except UsageError as error:
            answer = request.page("error", {"error": str(error)}, status=400)
        except ArchiveError as error:
            # What the database says of itself is for who runs it.
            why = "" if request.archive.is_public else str(error)
            message = N_("The archive cannot be read just now.")
            answer = request.page("error", {"error": message, "reason": why}, status=503)
        if request.asked.get("lang") in spoken():
            answer = _remembering(answer, request)
        return answer

    def _request(self, scope: Message) -> PageRequest:
        query = parse_qsl(scope["query_string"][:_LONGEST_QUERY].decode("utf-8", "replace"))
        # The first of several; no database takes a NUL.
        asked = {name: storable(value) for name, value in reversed(query) if name in _ASKED}
        cookies = re.findall(rf"\b{LANGUAGE_COOKIE}=(\w\w)\b", header(scope, b"cookie"))
        accepted = header(scope, b"accept-language")
        archive = self._archive
        tables = f"{archive.prefix}{TABLES}{self._tables_name}" if self._tables else ""
        return PageRequest(
            archive=archive,
            path=storable(scope["path"].replace("\x00", "\ufffd")),
            asked=asked,
            language=chosen(asked.get("lang", ""), "".join(cookies[:1]), accepted),
            tables=tables,
            origin=archive.origin or f"{scope.get('scheme', 'http')}://{header(scope, b'host')}",
        )

    def _is_datasettes(self, path: str) -> bool:
        """Whether a path is Datasette's: below its own, or below its database's as it once was."""
        if self._tables is None:
            return False
        name = re.escape(self._tables_name)
        return path.startswith(TABLES) or bool(re.match(rf"/(?:{name}(?:[./]|\Z)|-/)", path))


def _raw(path: str) -> bytes:
    # Datasette's own escape is a tilde; what else it decodes is what was encoded.
    return quote(path, safe="/~:@!$&'()*+,;=").encode()


def _remembering(answer: Answer, request: PageRequest) -> Answer:
    cookie = (
        f"{LANGUAGE_COOKIE}={request.asked['lang']}; Path={request.archive.prefix or ''}/; "
        f"Max-Age={_A_YEAR}; SameSite=Lax; HttpOnly"
    )
    headers = (*answer.headers, ("set-cookie", cookie))
    return Answer(answer.body, answer.content_type, answer.status, headers)


def static(request: PageRequest, name: str) -> Answer:
    """Return a file that pages need: it is another one when its address is."""
    kind = _STATIC.get(name)
    if kind is None:
        return request.missing()
    headers = (("cache-control", f"public, max-age={_A_YEAR}, immutable"),)
    return Answer((_HERE / "static" / name).read_bytes(), kind, headers=headers)


@cache
def static_version() -> str:
    """Return what names the files that pages need, as they are."""
    whole = b"".join((_HERE / "static" / name).read_bytes() for name in sorted(_STATIC))
    return hashlib.sha256(whole).hexdigest()[:12]


@cache
def _templates() -> jinja2.Environment:
    loader = jinja2.FileSystemLoader(_HERE / "templates")
    environment = jinja2.Environment(
        loader=loader,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["cleaned"] = Markup
    return environment
