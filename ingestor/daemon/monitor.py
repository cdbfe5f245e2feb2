"""What a daemon or a worker tells of how it is: to systemd, and over HTTP to whoever asks.

systemd hears it by its notify protocol, a datagram a message; health and metrics are three
addresses, answered beside the work.
"""

from __future__ import annotations

import os
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TypeAlias

from ingestor import log
from ingestor.clock import Clock
from ingestor.config import Settings
from ingestor.config.values import Location, ObjectAddress
from ingestor.daemon.folder_sizes import FolderSizes
from ingestor.daemon.health import Freshness, Heartbeat, not_alive, not_ready
from ingestor.errors import ConfigError
from ingestor.observer import Observer
from ingestor.store.cluster import ClusterState, cluster_state
from ingestor.store.db.database import Database
from ingestor.text.counts import counted
from ingestor.version import install_line

TELL_SECONDS = 1.0
"""How long a message to the service manager may take: the work waits for it."""


@dataclass(frozen=True, slots=True)
class Systemd:
    """The service manager, when one started us and wants to hear."""

    address: str = ""
    """``NOTIFY_SOCKET``: a path, or a name that begins with ``@``; ``""``: nobody listens."""
    watchdog_seconds: float | None = None
    """How long it waits for a sign of life before it restarts us; ``None``: it does not."""

    def tell(self, *lines: str) -> None:
        """Send one message. A manager that does not listen is no reason to stop working."""
        if not self.address:
            return
        # An abstract name begins with a zero byte, which no environment variable can hold.
        address = f"\0{self.address[1:]}" if self.address.startswith("@") else self.address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
                # Its queue is short, and it may have stopped reading.
                sender.settimeout(TELL_SECONDS)
                sender.sendto("\n".join(lines).encode(), address)
        except OSError as error:
            log.warning("systemd_not_told", error=str(error))

    def reloading(self) -> None:
        """Say that the configuration is read again; READY=1 has to follow."""
        self.tell("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")


def systemd(environment: Mapping[str, str]) -> Systemd:
    """Return the service manager that the environment names."""
    ours = environment.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
    microseconds = environment.get("WATCHDOG_USEC", "")
    return Systemd(
        address=environment.get("NOTIFY_SOCKET", ""),
        watchdog_seconds=int(microseconds) / 1e6 if ours and microseconds.isdigit() else None,
    )


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

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002 - its signature there
        """Log it: who hangs up in the middle is no event, and a bug has to be found."""
        error = sys.exception()
        if isinstance(error, OSError):
            log.debug("asked_in_vain", error=str(error))
        else:
            log.error("answer_failed", exc_info=error)


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


LONGEST_INTERVAL = timedelta(seconds=5)
"""How old the status that systemd shows may be."""


class Monitor:
    """The heartbeat, and those who hear of it.

    ``steps`` have to run once before the daemon is ready. A worker of many has none, and is
    ready when the database answers.
    """

    def __init__(
        self,
        settings: Settings,
        database: Database,
        clock: Clock,
        *,
        manager: Systemd,
        steps: frozenset[str] = frozenset(),
    ) -> None:
        self.manager = manager
        self._settings = settings
        self._is_worker = not steps
        self._freshness = Freshness(database, clock)
        self.observer, self._metrics = self._counting(clock)
        self.heartbeat = Heartbeat(
            database,
            clock,
            self.observer,
            settings.service.stuck_after,
            steps,
            shared=self._is_worker,
        )
        self._ready = False
        self._checking = threading.Lock()

    @property
    def interval(self) -> timedelta:
        """Between heartbeats: a third of what systemd wants, so that a late one kills nobody."""
        wanted = self.manager.watchdog_seconds
        third = timedelta(seconds=wanted / 3) if wanted else LONGEST_INTERVAL
        return min(third, LONGEST_INTERVAL)

    def use(self, settings: Settings) -> None:
        """Go by a new configuration."""
        self._settings = settings
        self.heartbeat.stuck_after = settings.service.stuck_after

    @contextmanager
    def answering(self) -> Iterator[None]:
        """Answer health and metrics, if the configuration says where."""
        if not self._settings.service.listen:
            yield
            return
        with answering(self._settings.service.listen, self._pages()):
            yield

    def _pages(self) -> Pages:
        # Three heartbeats may be late before somebody is told.
        oldest = max(10.0, 3 * self.interval.total_seconds())
        alive = partial(not_alive, self.heartbeat, oldest)
        ready = partial(not_ready, self.heartbeat, self._freshness, oldest)
        return {
            "/healthz": lambda: verdict(alive()),
            # The feeds of an archive that many work on are no reason to replace one of them.
            "/readyz": lambda: verdict(alive() if self._is_worker else ready()),
            "/metrics": self._metrics,
        }

    def check(self) -> None:
        """Look at the database and at what runs, and tell systemd."""
        # The end of the first tick, and the first heartbeat, may come at the same time.
        with self._checking:
            self._check()

    def note_step(self) -> None:
        """Say at once that the first tick is through: who waits for that waits no longer."""
        if self.heartbeat.started and not self._ready:
            self.check()

    def _check(self) -> None:
        well = self.heartbeat.check()
        if not well:
            log.error(
                "worker_stuck" if self._is_worker else "service_stuck",
                reason=self.heartbeat.trouble,
            )
        if well and not self._ready and self.heartbeat.started:
            self._ready = True
            self.manager.tell("READY=1")
            log.info("worker_ready" if self._is_worker else "service_ready")
        lines = [f"STATUS={self._status()}"]
        if well and self._ready:
            lines.append("WATCHDOG=1")
        elif well:
            # The first tick over many feeds takes its time; as long as it moves it has it.
            lines.append("EXTEND_TIMEOUT_USEC=60000000")
        self.manager.tell(*lines)

    def _status(self) -> str:
        trouble, snapshot = self.heartbeat.trouble, self.heartbeat.snapshot
        if self._is_worker:
            return trouble or f"{counted(len(self.heartbeat.steps), 'job')} running"
        if snapshot is None:
            return f"{trouble}; " if trouble else ""
        counts = (
            f"{counted(snapshot.feeds, 'feed')} ({snapshot.failing} failing), "
            f"{counted(snapshot.pending, 'entry')} pending, {snapshot.parked} parked"
        )
        return f"{trouble}; {counts}" if trouble else counts

    def _counting(self, clock: Clock) -> tuple[Observer, Callable[[], HealthPage]]:
        """Return who counts, and the page that shows the counts; they need prometheus-client."""
        try:
            from ingestor.daemon.metrics import Gauges, Metrics  # noqa: PLC0415 - an extra
        except ModuleNotFoundError:
            missing = HealthPage(501, f"{install_line('metrics')} brings metrics\n".encode())
            return Observer(clock.monotonic), lambda: missing
        counts = Metrics(clock)
        sizes = FolderSizes(self._folders, clock)
        kind = "text/plain; version=0.0.4; charset=utf-8"

        def page() -> HealthPage:
            """Return the counts as they are now, in Prometheus' form."""
            gauges = Gauges(self.heartbeat, self._freshness, sizes, self._cluster)
            return HealthPage(200, counts.text(gauges), kind)

        return counts, page

    def _folders(self) -> dict[str, Location]:
        archive = self._settings.archive
        folders: dict[str, Location] = {"archive": archive.dir}
        if archive.raw == "warc":
            folders["warc"] = archive.raw_dir
            if isinstance(archive.raw_dir, ObjectAddress):
                folders["warc-spool"] = archive.raw_spool
        return folders

    def _cluster(self) -> ClusterState | None:
        if not self._is_worker:
            return None
        with self.heartbeat.database.reading() as connection:
            return cluster_state(connection, self._settings.cluster.stalled_after)
