"""Who is answered, and what each answer says of itself to the browser that shows it."""

from __future__ import annotations

import re
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from functools import partial
from ipaddress import IPv6Address, ip_address
from typing import Any, TypeAlias

from ingestor.browse.languages import N_, chosen

_NOTHING = "default-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"

_PAGE = f"{_NOTHING}; style-src 'self'; script-src 'nonce-{{nonce}}'"

OURS = f"{_PAGE}; img-src 'self'"
"""Content-Security-Policy of our pages: nothing of other machines, and of scripts the one with the
number that was made up for this answer: no text of a stranger's can name it."""

WITH_PICTURES = f"{_PAGE}; img-src 'self' https: http:"
"""For an article whose pictures were asked for."""

WITH_FRAME = f"{OURS}; frame-src 'self'"
"""For the page around one as it was received."""

RECEIVED = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'self'"
)
"""For a page as it was received: no script, no request, nobody's cookies, no way out."""

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

REQUESTS_AT_ONCE = 60
"""Requests that a reader of a public archive may make at once …"""

REQUESTS_A_SECOND = 2.0
"""… and how many a second are added again."""

MOST_READERS = 10_000
"""Readers whose requests are counted; the one who has been quiet longest is forgotten."""


@dataclass(slots=True)
class RateLimit:
    """How many requests each reader may still make."""

    at_once: int = REQUESTS_AT_ONCE
    a_second: float = REQUESTS_A_SECOND
    clock: Callable[[], float] = time.monotonic
    """Seconds, from any beginning."""
    _left: OrderedDict[str, tuple[float, float]] = field(default_factory=OrderedDict)

    def wait(self, reader: str) -> float:
        """Count a request; return for how many seconds its reader has to wait: 0, it is answered.

        A reader is an address, of IPv6 its network of 64 bits.
        """
        now, name = self.clock(), _network(reader)
        left, since = self._left.pop(name, (float(self.at_once), now))
        left = min(self.at_once, left + (now - since) * self.a_second)
        is_answered = left >= 1
        self._left[name] = (left - 1 if is_answered else left), now
        if len(self._left) > MOST_READERS:
            self._left.popitem(last=False)
        return 0.0 if is_answered else (1 - left) / self.a_second


def _network(reader: str) -> str:
    try:
        address = ip_address(reader)
    except ValueError:
        return reader
    if isinstance(address, IPv6Address):
        return str(int(address) >> 64)
    return reader


class Guarded:
    """An ASGI application whose answers have a policy: Datasette's where they state none.

    With ``hosts``, it answers only who asks for one of these names: a page elsewhere whose
    name was made to lead to this machine ("DNS rebinding") asks for its own. What a page elsewhere
    asks for by its reader's browser is answered when the reader goes there, and runs no SQL.
    ``is_costly`` says of a path that it is Datasette's.
    """

    def __init__(
        self,
        inner: Application,
        hosts: frozenset[str],
        is_costly: Callable[[str], bool],
        limit: RateLimit | None = None,
    ) -> None:
        self._inner, self._hosts, self._is_costly, self._limit = inner, hosts, is_costly, limit

    async def __call__(self, scope: Message, receive: Any, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._inner(scope, receive, send)
        elif self._hosts and _host(scope) not in self._hosts:
            why = N_("This archive is to be asked for as localhost or 127.0.0.1.")
            await _refuse(scope, send, 400, why)
        elif self._limit and (seconds := self._limit.wait((scope.get("client") or ("",))[0])):
            later = (b"retry-after", str(int(seconds) + 1).encode())
            await _refuse(scope, send, 429, N_("Too many requests: wait a moment."), later)
        elif self._is_from_elsewhere(scope):
            why = N_("A page of another site may not ask for this.")
            await _refuse(scope, send, 403, why)
        elif scope["method"] not in {"GET", "HEAD"} and not self._is_costly(scope["path"]):
            allowed = (b"allow", b"GET, HEAD")
            await _refuse(scope, send, 405, N_("This archive is read-only."), allowed)
        else:
            await self._inner(scope, receive, partial(_sent, send))

    def _is_from_elsewhere(self, scope: Message) -> bool:
        """Whether a page of another site asks for what costs, or what its reader did not go to.

        By the W3C's Fetch Metadata. A browser too old to send it is told apart by naming itself
        one.
        """
        asks_datasette = bool(scope["query_string"]) and self._is_costly(scope["path"])
        site = header(scope, b"sec-fetch-site")
        if not site:
            return asks_datasette and header(scope, b"user-agent").startswith("Mozilla/")
        gone_to = header(scope, b"sec-fetch-mode"), header(scope, b"sec-fetch-dest")
        elsewhere = site in {"cross-site", "same-site"}
        return elsewhere and (asks_datasette or gone_to != ("navigate", "document"))


async def _refuse(
    scope: Message, send: Send, status: int, why: str, *more: tuple[bytes, bytes]
) -> None:
    said = chosen("", "", header(scope, b"accept-language")).gettext(why)
    headers = [(b"content-type", b"text/plain; charset=utf-8"), *more]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": f"{said}\n".encode()})


def _host(scope: Message) -> str:
    """Return the host that a request asks for, without its port."""
    return re.sub(r":\d*$", "", header(scope, b"host")).strip("[]").lower()


def header(scope: Message, wanted: bytes) -> str:
    """Return a header of a request, ``""`` for none."""
    values = (value for name, value in scope["headers"] if name == wanted)
    return next(values, b"").decode("latin-1")


async def _sent(send: Send, message: Message) -> None:
    if message["type"] == "http.response.start":
        message = {**message, "headers": _complete(list(message.get("headers", [])))}
    await send(message)


def _complete(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    more = [(b"referrer-policy", b"no-referrer"), (b"x-content-type-options", b"nosniff")]
    if not any(name.lower() == b"content-security-policy" for name, _ in headers):
        more.append((b"content-security-policy", DATASETTES.encode()))
    return headers + more
