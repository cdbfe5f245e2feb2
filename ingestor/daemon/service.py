"""The daemon, composed: the steps, the heartbeat, what systemd and others are told."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta

import structlog

from ingestor.clock import Clock
from ingestor.config import Settings
from ingestor.config.values import Location, ObjectAddress
from ingestor.daemon import web
from ingestor.daemon.folder_sizes import FolderSizes
from ingestor.daemon.health import Freshness, Heartbeat, not_alive, not_ready
from ingestor.daemon.loop import Step, serve
from ingestor.daemon.systemd import Systemd
from ingestor.errors import ConfigError
from ingestor.observer import Observer
from ingestor.pipeline import STAGES, Services, register_feeds, run_step
from ingestor.pipeline.services import opened
from ingestor.store.coordination.cluster_state import ClusterState
from ingestor.store.db.database import Database, maintain

log = structlog.get_logger(__name__)

HOUSEKEEPING = timedelta(minutes=10)
"""How often the write-ahead log is brought back to nothing; it grows under long readers."""

SLOWEST_BEAT = timedelta(seconds=5)
"""How old the status that systemd shows may be."""


class Service:
    """The running daemon; ``read`` reads the configuration again."""

    def __init__(
        self, settings: Settings, database: Database, clock: Clock, read: Callable[[], Settings]
    ) -> None:
        self.settings = settings
        self.database = database
        self.clock = clock
        self.reload = threading.Event()
        self.freshness = Freshness(database, clock)
        self.observer, self._metrics = counting(
            clock, self.freshness, FolderSizes(self._folders, clock)
        )
        self.systemd = Systemd()
        self.pulse = Heartbeat(
            database, clock, self.observer, settings.service.stuck_after, frozenset(STAGES)
        )
        self._read = read
        self._stack = ExitStack()
        self._services: Services | None = None
        self._ready = False
        self._beating = threading.Lock()

    @contextmanager
    def answering(self) -> Iterator[None]:
        """Answer health and metrics, if the configuration says where."""
        if not self.settings.service.listen:
            yield
            return
        with web.answering(self.settings.service.listen, self._pages()):
            yield

    def _pages(self) -> web.Pages:
        # Three beats may be late before somebody is told.
        oldest = max(10.0, 3 * self._rhythm().total_seconds())
        return {
            "/healthz": lambda: web.verdict(not_alive(self.pulse, oldest)),
            "/readyz": lambda: web.verdict(not_ready(self.pulse, self.freshness, oldest)),
            "/metrics": lambda: self._metrics(self.pulse),
        }

    def _folders(self) -> dict[str, Location]:
        archive = self.settings.archive
        folders: dict[str, Location] = {"archive": archive.dir}
        if archive.raw == "warc":
            folders["warc"] = archive.raw_dir
            if isinstance(archive.raw_dir, ObjectAddress):
                folders["warc-spool"] = archive.raw_spool
        return folders

    @contextmanager
    def open(self) -> Iterator[None]:
        """Hold what the steps work with."""
        try:
            self._open(self.settings)
            yield
        finally:
            self._stack.close()

    def run(self) -> None:
        """Serve until the clock's ``stop`` is set."""
        steps = [Step(name, self._step(name)) for name in STAGES]
        steps.append(Step("housekeeping", lambda: maintain(self.database), HOUSEKEEPING))
        steps.append(Step("reload", self._reload_if_asked))
        steps.append(Step("heartbeat", self._beat, self._rhythm(), beside=True))
        serve(steps, self.clock)
        self.systemd.tell("STOPPING=1", "STATUS=stopped")

    def _open(self, settings: Settings) -> None:
        """Open the steps' means for these settings, then let go of those before."""
        with ExitStack() as fresh:
            services = fresh.enter_context(
                opened(settings, self.database, self.clock, self.observer)
            )
            register_feeds(services)
            self._stack.close()
            self._stack = fresh.pop_all()
        self._services, self.settings = services, settings
        self.pulse.stuck_after = settings.service.stuck_after

    def _step(self, name: str) -> Callable[[], None]:
        def run() -> None:
            if self._services is None:
                raise TypeError("a step before the services are open")
            with self.pulse.running(name):
                run_step(self._services, name)
            if self.pulse.started and not self._ready:
                # Who waits for the service is not to wait for the next heartbeat.
                self._beat()

        return run

    def _rhythm(self) -> timedelta:
        """Beat three times as often as systemd wants, so that one late beat kills nobody."""
        wanted = self.systemd.watchdog_seconds
        third = timedelta(seconds=wanted / 3) if wanted else SLOWEST_BEAT
        return min(third, SLOWEST_BEAT)

    def _beat(self) -> None:
        # The end of the first tick, and the first heartbeat, may come at the same time.
        with self._beating:
            self._beat_once()

    def _beat_once(self) -> None:
        well = self.pulse.beat()
        if not well:
            log.error("service_stuck", reason=self.pulse.trouble)
        if well and not self._ready and self.pulse.started:
            self._ready = True
            self.systemd.tell("READY=1")
            log.info("service_ready")
        lines = [f"STATUS={self._status()}"]
        if well and self._ready:
            lines.append("WATCHDOG=1")
        elif well:
            # The first tick over many feeds takes its time; as long as it moves it has it.
            lines.append("EXTEND_TIMEOUT_USEC=60000000")
        self.systemd.tell(*lines)

    def _status(self) -> str:
        now = self.pulse.vitals
        counts = (
            f"{now.feeds} feeds ({now.failing} failing), "
            f"{now.pending} entries pending, {now.parked} parked"
            if now
            else ""
        )
        return f"{self.pulse.trouble}; {counts}" if self.pulse.trouble else counts

    def _reload_if_asked(self) -> None:
        """Take over the new configuration; runs between two steps, never beside one."""
        if not self.reload.is_set():
            return
        self.reload.clear()
        self.systemd.reloading()
        try:
            settings = self._read()
            self._refuse_what_is_fixed(settings)
            self._open(settings)
        except ConfigError as error:
            log.error("config_refused", error=str(error))  # noqa: TRY400 - a person's mistake
        else:
            log.info("config_reloaded", feeds=len(settings.feeds))
        finally:
            self.systemd.tell("READY=1")

    def _refuse_what_is_fixed(self, settings: Settings) -> None:
        if settings.store.url != self.settings.store.url:
            raise ConfigError("store.url: cannot change while the daemon runs; restart it")
        if settings.service.listen != self.settings.service.listen:
            raise ConfigError("service.listen: cannot change while the daemon runs; restart it")


def counting(
    clock: Clock,
    freshness: Freshness,
    folders: FolderSizes,
    cluster: Callable[[], ClusterState | None] = lambda: None,
) -> tuple[Observer, Callable[[Heartbeat], web.Page]]:
    """Return who counts, and what shows the counts; they need prometheus-client."""
    try:
        from ingestor.daemon.metrics import Gauges, Metrics  # noqa: PLC0415 - an extra
    except ModuleNotFoundError:
        missing = web.Page(501, b"pip install 'ingestor[metrics]' brings metrics\n")
        return Observer(clock.monotonic), lambda _: missing
    counts = Metrics(clock)
    kind = "text/plain; version=0.0.4; charset=utf-8"

    def page(pulse: Heartbeat) -> web.Page:
        gauges = Gauges(pulse, freshness, folders, cluster)
        return web.Page(200, counts.text(gauges), kind)

    return counts, page
