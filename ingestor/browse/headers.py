"""What each answer says of itself to the browser: what it may load, and from where."""

from __future__ import annotations

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

Message: TypeAlias = MutableMapping[str, Any]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
Application: TypeAlias = Callable[[Message, Any, Send], Awaitable[None]]


class Guarded:
    """An ASGI application whose answers have a policy: Datasette's where they state none."""

    def __init__(self, inner: Application) -> None:
        self._inner = inner

    async def __call__(self, scope: Message, receive: Any, send: Send) -> None:
        """Answer a request."""
        await self._inner(scope, receive, partial(_sent, send))


async def _sent(send: Send, message: Message) -> None:
    if message["type"] == "http.response.start":
        message = {**message, "headers": _complete(list(message.get("headers", [])))}
    await send(message)


def _complete(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    more = [(b"referrer-policy", b"no-referrer"), (b"x-content-type-options", b"nosniff")]
    if not any(name.lower() == b"content-security-policy" for name, _ in headers):
        more.append((b"content-security-policy", DATASETTES.encode()))
    return headers + more
