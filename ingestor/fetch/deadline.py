"""A deadline for everything that a request waits for, from the connection to the last byte.

A timeout for each read does not end a server that sends one byte of its headers a second.
Here every read and write of a connection gets no more time than the request has left.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from ssl import SSLContext
from typing import Any

import httpcore

_ENDS: ContextVar[float] = ContextVar("ends")
"""When the request that this thread makes has to be through; a connection serves many."""


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Give what is asked inside the block no more than ``seconds`` altogether."""
    # The operating system's time, not the program's clock: this is about real sockets.
    token = _ENDS.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _ENDS.reset(token)


def _left(timeout: float | None, late: type[Exception]) -> float | None:
    ends = _ENDS.get(None)
    if ends is None:
        return timeout
    left = ends - time.monotonic()
    if left <= 0:
        raise late("the whole answer takes too long")
    return left if timeout is None else min(timeout, left)


class TimedBackend(httpcore.NetworkBackend):
    """Opens connections that keep to the deadline."""

    def __init__(self, inner: httpcore.NetworkBackend) -> None:
        self._inner = inner

    def connect_tcp(  # noqa: PLR0917 - httpcore's signature
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect, in the time that is left."""
        left = _left(timeout, httpcore.ConnectTimeout)
        return _TimedStream(
            self._inner.connect_tcp(host, port, left, local_address, socket_options)
        )


class _TimedStream(httpcore.NetworkStream):
    def __init__(self, inner: httpcore.NetworkStream) -> None:
        self._inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read what has come, in the time that is left."""
        return self._inner.read(max_bytes, _left(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write all of it, in the time that is left."""
        self._inner.write(buffer, _left(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        """Close the connection."""
        self._inner.close()

    def start_tls(
        self,
        ssl_context: SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        """Begin TLS; the handshake too has only the time that is left."""
        left = _left(timeout, httpcore.ConnectTimeout)
        return _TimedStream(self._inner.start_tls(ssl_context, server_hostname, left))

    def get_extra_info(self, info: str) -> Any:
        """Return what the connection knows of itself."""
        return self._inner.get_extra_info(info)
