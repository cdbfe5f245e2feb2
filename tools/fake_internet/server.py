"""The server behind the fake internet: a proxy for http, and for https through CONNECT."""

from __future__ import annotations

import contextlib
import gzip
import socket
import socketserver
import ssl
import struct
import sys
import threading
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler
from typing import Any, Protocol
from urllib.parse import urlsplit

from tools.fake_internet.pages import Answer, Visit

LONGEST_WAIT = 10.0
"""Seconds after which also a hanging or dripping answer ends."""


class Net(Protocol):
    """What the server asks the fake internet for."""

    stopping: threading.Event
    faults: list[BaseException]

    def answer(self, url: str, headers: Mapping[str, str]) -> Answer: ...
    def context(self, host: str) -> ssl.SSLContext: ...
    def note(self, visit: Visit) -> None: ...


class TlsSocket(ssl.SSLSocket):
    """Is closed when its client went away before there was a TLS connection.

    :mod:`ssl` asks for the client's address while it makes a socket, and gives up without closing
    it where there is none any more.
    """

    def getpeername(self) -> Any:
        try:
            return super().getpeername()
        except OSError as error:
            self.close()
            raise ConnectionAbortedError from error


class Server(socketserver.ThreadingTCPServer):
    """One thread a connection."""

    daemon_threads = False  # so that closing the server waits for them
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, net: Net) -> None:
        self.net = net
        self._open: set[socket.socket] = set()
        super().__init__(("127.0.0.1", 0), _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def wrap(self, plain: socket.socket, host: str) -> ssl.SSLSocket:
        """Turn a connection into a TLS one; the handshake is still to be done."""
        secured = self.net.context(host).wrap_socket(
            plain, server_side=True, do_handshake_on_connect=False
        )
        self._open.add(secured)
        return secured

    def hang_up(self) -> None:
        """End all connections, so that the threads that wait on them end."""
        for connection in self._open.copy():
            with contextlib.suppress(OSError):  # the client, or the thread, was faster
                # not SSLSocket's own: it would pull TLS away from under the thread
                socket.socket.shutdown(connection, socket.SHUT_RDWR)

    def handle_error(self, *_: Any) -> None:
        """Keep a fault of ours for the end; a client that goes away is part of the game."""
        error = sys.exception()
        if error and not isinstance(error, OSError) and not self.net.stopping.is_set():
            self.net.faults.append(error)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server
    timeout = 5
    disable_nagle_algorithm = True  # else every answer waits 40 ms for the client's ACK
    tunnel = ""

    def log_message(self, *_: object) -> None:
        """Keep quiet: the log is the server's."""

    def finish(self) -> None:
        try:
            super().finish()
        finally:
            if self.tunnel:
                self.server.shutdown_request(self.connection)

    def do_CONNECT(self) -> None:
        self.tunnel = self.path.removesuffix(":443")
        self.send_response(200)
        self.end_headers()
        self.rfile.close()
        host = urlsplit(f"//{self.path}").hostname or ""
        self.connection = secured = self.server.wrap(self.connection, host)
        secured.do_handshake()
        self.rfile, self.wfile = secured.makefile("rb"), secured.makefile("wb")
        self.close_connection = False

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers.get("Content-Length", "0"))))

    def do_GET(self) -> None:
        self._answer(b"")

    def _answer(self, sent: bytes) -> None:
        net = self.server.net
        host = self.tunnel or self.headers.get("Host", "")
        url = f"https://{host}{self.path}" if self.path.startswith("/") else self.path
        headers = dict(self.headers)
        answer = net.answer(url, headers)
        known = answer.is_known(headers)
        status = 304 if known else answer.status
        net.note(Visit(time.monotonic(), url, headers, status, sent))
        if answer.how == "hang":
            net.stopping.wait(LONGEST_WAIT)
        if answer.how in {"hang", "reset"}:
            self._reset()
        else:
            self._send(answer, b"" if known else answer.body, status)

    def _reset(self) -> None:
        """Close so that the client sees a reset: no lingering (socket(7)), nothing flushed."""
        at_once = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
        self.connection.close()
        self.close_connection = True

    def _send(self, answer: Answer, body: bytes, status: int) -> None:
        self.send_response(status)
        if "gzip" in self.headers.get("Accept-Encoding", "") and body and not answer.how:
            body = gzip.compress(body, 1)
            self.send_header("Content-Encoding", "gzip")
        own = {"Content-Type": answer.content_type}
        if answer.status == 200:
            own |= {"ETag": answer.entity_tag, "Last-Modified": answer.last_modified}
        if status != 304:
            own["Content-Length"] = str(len(body) + (50 if answer.how == "cut" else 0))
        for name, value in (own | dict(answer.headers)).items():
            if value:
                self.send_header(name, value)
        self.end_headers()
        self._write(body, slowly=answer.how == "drip")
        self.close_connection = self.close_connection or bool(answer.how)

    def _write(self, body: bytes, *, slowly: bool) -> None:
        if not slowly:
            self.wfile.write(body)
            return
        end = time.monotonic() + LONGEST_WAIT
        for place in range(len(body)):
            self.wfile.write(body[place : place + 1])
            self.wfile.flush()
            if self.server.net.stopping.wait(0.2) or time.monotonic() > end:
                return
