"""A fake internet on loopback: one server that answers, as HTTP proxy, for every host.

http and https (a certificate for any name is made on the fly) lead to the same pages. It
answers conditional requests, compresses, redirects, fails in chosen ways, and keeps a log.
"""

from __future__ import annotations

import gzip
import hashlib
import socket
import socketserver
import ssl
import tempfile
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import trustme


@dataclass(frozen=True)
class Visit:
    """One request that arrived."""

    at: float
    url: str
    headers: dict[str, str]
    status: int


@dataclass
class Answer:
    """What a page answers."""

    body: bytes = b""
    content_type: str = "text/html; charset=utf-8"
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    how: str = ""
    """A way to fail: ``reset``, ``cut`` (shorter than announced) or ``hang``."""

    @property
    def etag(self) -> str:
        return f'"{hashlib.sha256(self.body).hexdigest()[:16]}"'


class FakeInternet:
    """Use it in a ``with`` block: it stops, and closes every socket, at the end."""

    def __init__(self) -> None:
        self.pages: dict[str, Answer] = {}
        self.visits: list[Visit] = []
        self._authority = trustme.CA()
        self._contexts: dict[str, ssl.SSLContext] = {}
        self._folder = tempfile.TemporaryDirectory()
        self.ca_file = str(Path(self._folder.name) / "ca.pem")
        self._authority.cert_pem.write_to_path(self.ca_file)
        self._lock = threading.Lock()
        self.stopping = threading.Event()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.net = self
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        self._folder.cleanup()

    @property
    def proxy_url(self) -> str:
        return self.origin_url

    @property
    def origin_url(self) -> str:
        """The same pages are reached without the proxy, under this address."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def serve(self, url: str, body: str | bytes, **more: Any) -> None:
        """Put a page at an address, over http and https."""
        data = body.encode() if isinstance(body, str) else body
        self.pages[_name(url)] = Answer(data, **more)

    def fail(self, url: str, how: str) -> None:
        """Let an address answer a status (``"500"``) or break (``reset``, ``cut``, ``hang``)."""
        self.pages[_name(url)] = (
            Answer(b"failed", status=int(how)) if how.isdigit() else Answer(b"x" * 100, how=how)
        )

    def redirect(self, url: str, to: str, status: int = 302) -> None:
        """Let an address lead to another."""
        self.pages[_name(url)] = Answer(status=status, headers={"Location": to})

    def remove(self, url: str) -> None:
        """Let an address answer 404."""
        del self.pages[_name(url)]

    def asked(self, part: str = "") -> list[Visit]:
        """Return the visits so far whose address has ``part`` in it, robots.txt left out."""
        with self._lock:
            return [one for one in self.visits if part in one.url and "robots.txt" not in one.url]

    def forget(self) -> None:
        """Empty the log."""
        with self._lock:
            self.visits.clear()

    def note(self, visit: Visit) -> None:
        """Add to the log."""
        with self._lock:
            self.visits.append(visit)

    def context(self, host: str) -> ssl.SSLContext:
        """Return a TLS context with a certificate for ``host``."""
        with self._lock:
            if host not in self._contexts:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                self._authority.issue_cert(host).configure_cert(context)
                self._contexts[host] = context
            return self._contexts[host]


def _name(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.netloc}{parts.path}{'?' + parts.query if parts.query else ''}"


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128
    net: FakeInternet

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a client that goes away is part of the game."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server
    timeout = 5
    tunnel = ""

    def log_message(self, *_: object) -> None:
        """Keep quiet: the log is the server's."""

    def do_CONNECT(self) -> None:
        host = self.path.rpartition(":")[0]
        self.send_response(200)
        self.end_headers()
        plain = self.connection
        self.connection = self.server.net.context(host).wrap_socket(plain, server_side=True)
        self.rfile = self.connection.makefile("rb", -1)
        self.wfile = self.connection.makefile("wb", 0)
        self.tunnel = host
        try:
            self.close_connection = False
            while not self.close_connection:
                self.handle_one_request()
        finally:
            for one in (self.rfile, self.wfile, self.connection):
                one.close()

    def do_GET(self) -> None:
        net = self.server.net
        host = self.tunnel or self.headers.get("Host", "")
        url = self.path if "://" in self.path else f"https://{host}{self.path}"
        answer = net.pages.get(_name(url), Answer(b"nothing here", status=404))
        unchanged = answer.status == 200 and self.headers.get("If-None-Match") == answer.etag
        status = 304 if unchanged else answer.status
        net.note(Visit(time.monotonic(), url, dict(self.headers), status))
        if answer.how == "hang":
            net.stopping.wait(10)
        if answer.how in {"hang", "reset"}:
            self.connection.setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00"
            )
            self.close_connection = True
            return
        self._send(answer, b"" if unchanged else answer.body, status)

    def _send(self, answer: Answer, body: bytes, status: int) -> None:
        self.send_response(status)
        if "gzip" in self.headers.get("Accept-Encoding", "") and body and not answer.how:
            body = gzip.compress(body, 1)
            self.send_header("Content-Encoding", "gzip")
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", answer.content_type)
        if answer.status == 200:
            self.send_header("ETag", answer.etag)
        length = len(body) + (50 if answer.how == "cut" else 0)
        if status != 304:
            self.send_header("Content-Length", str(length))
        self.end_headers()
        self.wfile.write(body)
        if answer.how == "cut":
            self.close_connection = True
