"""Which way a request leaves: straight, over checked addresses, or through a proxy; and its time.

Everything that a request waits for, from the connection to the last byte, keeps to one deadline.
A timeout for each read does not end a server that sends one byte of its headers a second, so
every read and write of a connection gets no more time than the request has left. Its thread is one
that nobody waits for when the program ends.
"""

from __future__ import annotations

import errno
import os
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from queue import SimpleQueue
from ssl import SSLContext
from typing import Any
from urllib.request import getproxies_environment, proxy_bypass

import httpcore
import httpx

from ingestor.errors import ConfigError, StorageFailed
from ingestor.fetch.guard import GuardedBackend, Network
from ingestor.fetch.host_limiter import SLOW_PLACES
from ingestor.text.sanitize import redact

KEPT_OPEN_SECONDS = 30.0
"""How long a connection waits for the next request."""

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


class Threads:
    """Threads for requests, as many as run at a time, which are kept for the next ones.

    The interpreter waits for the threads of a pool before it ends, and a request may take minutes.
    """

    def __init__(self) -> None:
        self._work: SimpleQueue[Callable[[], object] | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._idle = self._number = 0

    def run(self, work: Callable[[], object]) -> None:
        """Run ``work``, which raises nothing, in a thread that has nothing to do, or a new one."""
        with self._lock:
            is_new = not self._idle
            self._idle -= not is_new
            self._number += is_new
        self._work.put(work)
        if is_new:
            threading.Thread(target=self._serve, name="fetch", daemon=True).start()

    def close(self) -> None:
        """Let each end when it has nothing to do."""
        for _ in range(self._number):
            self._work.put(None)

    def _serve(self) -> None:
        while work := self._work.get():
            work()
            with self._lock:
                self._idle += 1


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
        """Connect, in the time that is left.

        Raises :class:`StorageFailed` where no descriptor is left: it is no failure of the host.
        """
        left = _left(timeout, httpcore.ConnectTimeout)
        try:
            return _TimedStream(
                self._inner.connect_tcp(host, port, left, local_address, socket_options)
            )
        except httpcore.NetworkError as error:
            _require_descriptors(error)
            raise


def _require_descriptors(error: Exception) -> None:
    # What fails for want of one says so in many ways: a look-up of a name says "try again".
    try:
        os.close(os.open(os.curdir, os.O_RDONLY))
    except OSError as refused:
        if refused.errno in {errno.EMFILE, errno.ENFILE}:
            line = "too many open files; raise the limit (ulimit -n)"
            raise StorageFailed(line) from error


_MOST_HEAD_BYTES = 128 * 1024
"""A longer head is not looked at: h11 reads none of more than 100 KiB."""

_HEAD = re.compile(rb"HTTP/1\.[01] .*?\n\r?\n", re.DOTALL)
_FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+)[ \t]*(:.*)", re.DOTALL)
_LENGTH = re.compile(rb":[ \t]*\d{1,20}([ \t]*,[ \t]*\d{1,20})*[ \t]*")


def _mended(head: bytes) -> bytes:
    """Return the head of an answer as h11 wants it: without the header lines that are none.

    Browsers read past them: ``Server : x`` (which RFC 9112, 5.1 forbids, for a proxy may take
    another length from it; here a length that is written so is left out), a line of PHP's that is
    no field, a length that is no number.
    """
    status, *lines = head.split(b"\n")
    kept = [status]
    for line in lines:
        field = _FIELD.fullmatch(line.removesuffix(b"\r"))
        if line in {b"", b"\r"} or (line[:1] in {b" ", b"\t"} and len(kept) > 1):
            kept.append(line)
        elif field and _is_sound(line, field[1].lower(), field[2]):
            kept.append(field[1] + field[2] + b"\r")
    return b"\n".join(kept)


def _may_be_head(data: bytes) -> bool:
    """Whether the head of an answer has begun; a proxy's own handshake (SOCKS) is none."""
    return len(data) < _MOST_HEAD_BYTES and data[:5] == b"HTTP/"[: len(data)] and bool(data)


def _is_sound(line: bytes, name: bytes, value: bytes) -> bool:
    if name not in {b"content-length", b"transfer-encoding"}:
        return True
    if not line.lower().startswith(name + b":"):
        return False
    # A sign is an attack rather than a slip: h11 refuses it.
    return name != b"content-length" or bool(_LENGTH.fullmatch(value) or b"-" in value)


class _TimedStream(httpcore.NetworkStream):
    """A connection; the head of each answer comes through :func:`_mended`."""

    def __init__(self, inner: httpcore.NetworkStream) -> None:
        self._inner = inner
        self._in_head = False

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read what has come, in the time that is left; the head of an answer as a whole."""
        data = self._inner.read(max_bytes, _left(timeout, httpcore.ReadTimeout))
        if not self._in_head:
            return data
        while (head := _HEAD.match(data)) is None and _may_be_head(data):
            more = self._inner.read(max_bytes, _left(timeout, httpcore.ReadTimeout))
            if not more:
                break
            data += more
        # "100 Continue" and its like have a head of their own, and the answer's comes after.
        self._in_head = bool(head and data[9:10] == b"1")
        return _mended(head[0]) + data[head.end() :] if head else data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write all of it, in the time that is left."""
        self._in_head = True
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


FAILURES = (
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.ProxyError,
    httpcore.UnsupportedProtocol,
    httpx.InvalidURL,
)
"""What a request fails with, beside :class:`httpcore.TimeoutException`."""


class Transport:
    """Connections, kept open for the next request, straight to each host or through a proxy."""

    def __init__(
        self, proxy: str, *, connections: int, allow_private: bool, network: Network
    ) -> None:
        """Keep so many ``connections`` each way; :data:`SLOW_PLACES` times as many may be in use.

        ``proxy`` is the configured proxy's address; with ``""`` the variables HTTP_PROXY,
        HTTPS_PROXY and NO_PROXY decide. Certificates are checked against the usual
        authorities, or those that SSL_CERT_FILE names. Raises :class:`ConfigError` for a
        proxy address that is none.
        """
        limits: dict[str, Any] = {
            "ssl_context": httpx.create_ssl_context(),
            "max_connections": SLOW_PLACES * connections,
            "max_keepalive_connections": connections,
            "keepalive_expiry": KEPT_OPEN_SECONDS,
        }
        sockets = network.sockets if allow_private else GuardedBackend(network)
        self._direct = httpcore.ConnectionPool(network_backend=TimedBackend(sockets), **limits)
        self._is_configured = bool(proxy)
        named = {"http": proxy, "https": proxy} if proxy else _environment()
        self._proxied = {scheme: _proxy_pool(url, limits) for scheme, url in named.items()}

    def open(self, request: httpx.Request) -> httpcore.Response:
        """Send a request the way it has to go; return its answer, whose body is still to come.

        The answer has to be closed. Raises one of :data:`FAILURES`, also while the body is read.
        """
        url = request.url
        pool = self._proxied.get(url.scheme)
        if pool is None or (not self._is_configured and proxy_bypass(url.host)):
            pool = self._direct
        address = httpcore.URL(
            scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
        )
        return pool.handle_request(
            httpcore.Request(
                request.method,
                address,
                headers=request.headers.raw,
                content=request.content,
                extensions=request.extensions,
            )
        )

    def close(self) -> None:
        """Close every connection."""
        for pool in (self._direct, *self._proxied.values()):
            pool.close()


def _environment() -> dict[str, str]:
    """Return the proxies that the environment names, by the scheme that they are for."""
    proxies = getproxies_environment()
    named = {scheme: proxies.get(scheme, proxies.get("all", "")) for scheme in ("http", "https")}
    return {
        scheme: url if "://" in url else f"http://{url}" for scheme, url in named.items() if url
    }


def _proxy_pool(url: str, limits: dict[str, Any]) -> httpcore.ConnectionPool:
    try:
        proxy = httpx.Proxy(url)
        address = httpcore.URL(
            scheme=proxy.url.raw_scheme, host=proxy.url.raw_host, port=proxy.url.port, target=b"/"
        )
        # RuntimeError: the package for SOCKS is not installed.
        through = httpcore.HTTPProxy if proxy.url.scheme[:4] == "http" else httpcore.SOCKSProxy
        return through(
            address,
            proxy_auth=proxy.raw_auth,
            network_backend=TimedBackend(httpcore.SyncBackend()),
            **limits,
        )
    except RuntimeError as error:
        raise ConfigError(f"fetch.proxy: not a proxy that can be used: {error}") from error
    except (ValueError, httpx.InvalidURL) as error:
        # Not what the library says: it may quote a part of the password.
        raise ConfigError(
            f"fetch.proxy: not a proxy's address: {redact(url)}; it reads"
            " http://user:password@host:port, with %2F for a slash in the password"
        ) from error
