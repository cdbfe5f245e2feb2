"""A fake internet on loopback: one server that answers, as HTTP proxy, for every host.

http and https (a certificate for any name is made on the fly) lead to the same pages. It
answers conditional requests, compresses, redirects, fails in chosen ways, and keeps a log.
"""

from __future__ import annotations

import ssl
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import trustme

from tools.fake_internet.pages import Answer, Handler, Visit, name_of
from tools.fake_internet.server import Server, TlsSocket

__all__ = ["Answer", "FakeInternet", "Visit"]


class FakeInternet:
    """Use it in a ``with`` block: at the end it stops, and every thread and socket with it.

    An exception in a handler of :meth:`serve_function` is raised there too.
    """

    def __init__(self) -> None:
        self.pages: dict[str, Answer] = {}
        self.handlers: dict[str, Handler] = {}
        self.visits: list[Visit] = []
        self.faults: list[BaseException] = []
        self.stopping = threading.Event()
        self._authority = trustme.CA()
        self._contexts: dict[str, ssl.SSLContext] = {}
        self._folder = tempfile.TemporaryDirectory()
        self.ca_file = str(Path(self._folder.name) / "ca.pem")
        self._authority.cert_pem.write_to_path(self.ca_file)
        self._lock = threading.Lock()
        self._server = Server(self)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.01,), daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self.stopping.set()
        self._server.shutdown()
        self._server.hang_up()
        self._server.server_close()
        self._thread.join()
        self._folder.cleanup()
        if self.faults and kind is None:
            raise self.faults[0]

    @property
    def proxy_url(self) -> str:
        """The address to configure as HTTP proxy, for http and https."""
        return self.origin_url

    @property
    def origin_url(self) -> str:
        """The server's own address; what is served below it is reached without the proxy."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def environment(self) -> dict[str, str]:
        """Return variables that send a subprocess here for everything, and make it trust us."""
        proxies = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY"), self.proxy_url)
        variables = {**proxies, "NO_PROXY": ""}
        both = variables | {name.lower(): value for name, value in variables.items()}
        return both | {"SSL_CERT_FILE": self.ca_file}

    def serve(self, url: str, body: str | bytes, **more: Any) -> None:
        """Put a page at an address, over http and https; ``more`` as :class:`Answer` has it."""
        data = body.encode() if isinstance(body, str) else body
        self.pages[name_of(url)] = Answer(data, **more)

    def serve_function(self, prefix: str, handler: Handler) -> None:
        """Let a function answer every address that begins so and has no page; longest wins."""
        self.handlers[name_of(prefix)] = handler

    def fail(self, url: str, how: str) -> None:
        """Let an address answer a status (``"500"``) or fail as :class:`Answer` says (``how``)."""
        self.pages[name_of(url)] = (
            Answer(b"failed", status=int(how)) if how.isdigit() else Answer(b"x" * 100, how=how)
        )

    def redirect(self, url: str, to: str, status: int = 302) -> None:
        """Let an address lead to another."""
        self.pages[name_of(url)] = Answer(status=status, headers={"Location": to})

    def remove(self, url: str) -> None:
        """Let an address answer 404, as every address does that was never served."""
        del self.pages[name_of(url)]

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

    def answer(self, url: str, headers: Mapping[str, str]) -> Answer:
        """Return what an address answers: its page, else its function's, else 404."""
        name = name_of(url)
        if page := self.pages.get(name):
            return page
        prefixes = [prefix for prefix in self.handlers if name.startswith(prefix)]
        if prefixes:
            return self.handlers[max(prefixes, key=len)](url, headers)
        return Answer(b"nothing here", status=404)

    def context(self, host: str) -> ssl.SSLContext:
        """Return a TLS context with a certificate for ``host``."""
        with self._lock:
            if host not in self._contexts:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.sslsocket_class = TlsSocket
                self._authority.issue_cert(host).configure_cert(context)
                self._contexts[host] = context
            return self._contexts[host]
