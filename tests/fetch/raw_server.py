"""A server that says exactly what a test lets it say, byte by byte."""

import contextlib
import socket
import struct
import threading
from collections.abc import Callable
from datetime import timedelta

from ingestor.clock import Clock
from ingestor.config.sections import FetchSettings
from ingestor.fetch.client import Fetcher
from ingestor.model import Request

MOST = 256 * 1024
"""Bytes of a body that :func:`fetch` takes."""

LONGEST = 60
"""Seconds; a bound for slow machines, not a measure."""

Script = Callable[[socket.socket, threading.Event], None]
"""What a server does with a connection after the request; the event: the test is over."""


class RawServer:
    """Listens on loopback; use it in a ``with`` block."""

    def __init__(self, script: Script) -> None:
        self.requests: list[bytes] = []
        self._script = script
        self._over = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads = [threading.Thread(target=self._accept)]
        self.url = f"http://127.0.0.1:{self.port}/"

    @property
    def port(self) -> int:
        return self._listener.getsockname()[1]

    def __enter__(self):
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        # A thread in accept() is woken by a connection, not by closing.
        socket.create_connection(("127.0.0.1", self.port)).close()
        for thread in self._threads:
            thread.join()
        self._listener.close()

    def _accept(self) -> None:
        while not self._over.is_set():
            connection, _ = self._listener.accept()
            thread = threading.Thread(target=self._serve, args=(connection,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        connection.settimeout(LONGEST)
        with connection, contextlib.suppress(OSError):  # the client leaves: that is the point
            if request := connection.recv(65536):
                self.requests.append(request)
                self._script(connection, self._over)


def says(*parts: bytes) -> Script:
    """Send these bytes and close."""

    def script(connection, _over):
        for part in parts:
            connection.sendall(part)

    return script


def page(body: bytes, *headers: str, status: str = "200 OK") -> Script:
    """Send a whole answer."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return says("\r\n".join([*lines, "", ""]).encode() + body)


def endless(head: bytes, part: bytes, pause: float = 0.0) -> Script:
    """Send ``head``, then ``part`` again and again, ``pause`` seconds apart, for ever."""

    def script(connection, over):
        connection.sendall(head)
        while not over.wait(pause):
            connection.sendall(part)

    return script


def hang(_connection, over) -> None:
    """Take the request and say nothing."""
    over.wait(LONGEST)


def reset(connection, _over) -> None:
    """End the connection with a reset: no lingering (socket(7))."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nabc")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def limits(*, private: bool = True, timeout: float = LONGEST) -> FetchSettings:
    return FetchSettings(
        user_agent="test",
        timeout=timedelta(seconds=timeout),
        max_bytes=MOST,
        connections=4,
        connections_per_host=2,
        delay_per_host=timedelta(0),
        robots=False,
        proxy="",
        allow_private_addresses=private,
    )


def fetch(server: RawServer, url: str = "", timeout: float = LONGEST):
    with Fetcher(limits(timeout=timeout), Clock(), ports=frozenset({server.port})) as client:
        return client.get(Request(url or server.url))
