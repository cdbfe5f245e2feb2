"""Who is answered, and what each answer says of itself to the browser: what it may load."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, MutableMapping
from functools import partial
from typing import Any, TypeAlias

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
