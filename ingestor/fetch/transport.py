"""A deadline for everything that a request waits for, from the connection to the last byte.

A timeout for each read does not end a server that sends one byte of its headers a second.
Here every read and write of a connection gets no more time than the request has left.

Which way a request leaves: straight, over checked addresses, or through a proxy.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from ssl import SSLContext
from typing import Any
from urllib.request import getproxies_environment, proxy_bypass

import httpcore
import httpx

from ingestor.errors import ConfigError
from ingestor.fetch.guard import GuardedBackend, Network

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


def transport(
    proxy: str, *, connections: int, allow_private: bool, network: Network
) -> httpx.BaseTransport:
    """Return the transport for a client.

    ``proxy`` is the configured proxy's address; with ``""`` the variables HTTP_PROXY,
    HTTPS_PROXY and NO_PROXY decide. Certificates are checked against the usual
    authorities, or those that SSL_CERT_FILE names. Raises :class:`ConfigError` for a
    proxy address that is none.
    """
    backend = network.sockets if allow_private else GuardedBackend(network)
    return _Routes(proxy, connections, backend)


def _on(backend: httpcore.NetworkBackend, transport: httpx.HTTPTransport) -> httpx.HTTPTransport:
    """Let a transport open its connections through a backend of ours."""
    # httpx offers no way to hand its pool a network backend; both are pinned to the minor
    # version in which these attributes hold them.
    transport._pool._network_backend = TimedBackend(backend)  # noqa: SLF001
    return transport


class _Routes(httpx.BaseTransport):
    """Sends each request through the proxy that its scheme and host ask for, or straight."""

    def __init__(self, proxy: str, connections: int, backend: httpcore.NetworkBackend) -> None:
        tls = httpx.create_ssl_context()
        limits = httpx.Limits(
            max_connections=connections,
            max_keepalive_connections=connections,
            keepalive_expiry=30.0,
        )
        self._direct = _on(backend, httpx.HTTPTransport(verify=tls, limits=limits))
        self._configured = bool(proxy)
        named = {"http": proxy, "https": proxy} if proxy else _environment()
        self._proxied = {scheme: _proxy(url, tls, limits) for scheme, url in named.items()}

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request the way it has to go."""
        proxied = self._proxied.get(request.url.scheme)
        if proxied is None or (not self._configured and proxy_bypass(request.url.host)):
            proxied = self._direct
        return proxied.handle_request(request)

    def close(self) -> None:
        """Close every connection."""
        for one in (self._direct, *self._proxied.values()):
            one.close()


def _environment() -> dict[str, str]:
    found = getproxies_environment()
    every = found.get("all", "")
    named = {scheme: found.get(scheme, every) for scheme in ("http", "https")}
    return {
        scheme: url if "://" in url else f"http://{url}" for scheme, url in named.items() if url
    }


def _proxy(url: str, tls: ssl.SSLContext, limits: httpx.Limits) -> httpx.HTTPTransport:
    try:
        proxied = httpx.HTTPTransport(verify=tls, limits=limits, proxy=url)
    except (ValueError, ImportError, httpx.InvalidURL) as error:
        raise ConfigError(f"fetch.proxy: not a proxy that can be used: {error}") from error
    return _on(httpcore.SyncBackend(), proxied)
