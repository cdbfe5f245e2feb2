"""Health and metrics over HTTP: three addresses, answered beside the work."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TypeAlias

import structlog

from ingestor.errors import ConfigError

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class HealthPage:
    """An answer."""

    status: int
    body: bytes
    content_type: str = "text/plain; charset=utf-8"


Pages: TypeAlias = Mapping[str, Callable[[], HealthPage]]


def verdict(reasons: list[str]) -> HealthPage:
    """Return 200 when there is no reason against it, else 503 with the reasons, one a line."""
    return HealthPage(503 if reasons else 200, "\n".join([*(reasons or ["ok"]), ""]).encode())


@contextmanager
def answering(listen: str, pages: Pages) -> Iterator[int]:
    """Answer ``pages`` at ``host:port`` while the block runs; yields the port.

    Raises :class:`ConfigError` when the address cannot be had.
    """
    host, _, port = listen.rpartition(":")
    try:
        server = _Server((host.strip("[]"), int(port)), pages)
    except (OSError, OverflowError) as error:
        raise ConfigError(f'service.listen: cannot listen at "{listen}": {error}') from error
    thread = threading.Thread(target=server.serve_forever, name="web", daemon=True)
    thread.start()
    log.info("listening", address=listen, port=server.server_port)
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], pages: Pages) -> None:
        self.pages = pages
        super().__init__(address, _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = 5
    """Seconds for a request to come: who says nothing holds no thread for ever."""

    def version_string(self) -> str:
        """Say no more of us than needed."""
        return "ingestor"

    def do_GET(self) -> None:
        """Answer a page."""
        answer = self.server.pages.get(self.path.partition("?")[0])
        page = answer() if answer else HealthPage(404, b"/healthz, /readyz and /metrics are here\n")
        self.send_response(page.status)
        self.send_header("Content-Type", page.content_type)
        self.send_header("Content-Length", str(len(page.body)))
        self.end_headers()
        self.wfile.write(page.body)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - its name there
        """Log what was asked only for those who look for it: probes come every few seconds."""
        log.debug("asked", line=format % arguments)
