"""``ingest worker``: one of many on an archive in PostgreSQL."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from typing import Annotated

import structlog
import typer

from ingestor.cli.common import options, set_up_logs
from ingestor.clock import Clock
from ingestor.config import Settings
from ingestor.daemon import web
from ingestor.daemon.folder_sizes import FolderSizes
from ingestor.daemon.health import Freshness, Heartbeat, not_alive
from ingestor.daemon.loop import stop_on_signals
from ingestor.daemon.service import SLOWEST_BEAT, counting
from ingestor.daemon.systemd import systemd
from ingestor.errors import ConfigError, UsageError
from ingestor.store.coordination.cluster_state import ClusterState, cluster_state
from ingestor.store.db.database import Database

log = structlog.get_logger(__name__)


def worker(
    context: typer.Context,
    queues: Annotated[
        str | None,
        typer.Option("--queues", metavar="A,B", help="Only jobs of these queues (else all)."),
    ] = None,
    concurrency: Annotated[
        int | None,
        typer.Option("--concurrency", metavar="N", min=1, max=64, help="Jobs at a time."),
    ] = None,
) -> None:
    """Work on an archive in PostgreSQL, beside other workers on any number of machines.

    Runs in the foreground until SIGTERM or Ctrl-C; what is not done then is done by others. The
    queues are plan, poll, ingest, recheck, files, pictures, backfill and reextract.

    Example: ingest worker --queues plan,poll,ingest --concurrency 4
    """
    set_up_logs(options(context))
    settings = options(context).settings()
    with closing(Database(settings.store.url)) as database:
        _work(settings, database, queues, concurrency)


def _work(
    settings: Settings, database: Database, queues: str | None, concurrency: int | None
) -> None:
    try:
        from ingestor.cluster import plan, worker  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as error:
        raise ConfigError("workers need an extra: pip install 'ingestor[cluster]'") from error
    worker.require_server(database)
    wanted = _chosen(queues, plan.QUEUES)
    clock = Clock()
    life = _Life(settings, database, clock)
    with ExitStack() as stack:
        stack.enter_context(stop_on_signals(clock, settings.service.stop_timeout))
        stack.enter_context(life.answering())
        number = worker.ClusterWorker.jobs_at_a_time(settings, concurrency)
        worker.ClusterWorker(settings, database, clock, life.pulse, wanted, number).run(
            life.beat, life.rhythm
        )
    life.systemd.tell("STOPPING=1", "STATUS=stopped")


def _chosen(queues: str | None, known: tuple[str, ...]) -> list[str] | None:
    if queues is None:
        return None
    chosen = [one.strip() for one in queues.split(",") if one.strip()]
    for one in chosen:
        if one not in known:
            raise UsageError(f'--queues: there is no queue "{one}"; there are: {", ".join(known)}')
    if not chosen:
        raise UsageError(f"--queues: names none; there are: {', '.join(known)}")
    return chosen


class _Life:
    """A worker's signs of life: to systemd, and over HTTP."""

    def __init__(self, settings: Settings, database: Database, clock: Clock) -> None:
        self._listen = settings.service.listen
        self._settings, self._database = settings, database
        freshness = Freshness(database, clock)
        raw = {"warc": settings.archive.raw_dir} if settings.archive.raw == "warc" else {}
        sizes = FolderSizes(lambda: {"archive": settings.archive.dir, **raw}, clock)
        observer, self._metrics = counting(clock, freshness, sizes, self._cluster)
        self.pulse = Heartbeat(database, clock, observer, settings.service.stuck_after, shared=True)
        self.systemd = systemd(os.environ)
        wanted = self.systemd.watchdog_seconds
        self.rhythm = min(wanted / 3, SLOWEST_BEAT.total_seconds()) if wanted else 5.0
        self._ready = False

    @contextmanager
    def answering(self) -> Iterator[None]:
        """Answer health and metrics, if the configuration says where."""
        if not self._listen:
            yield
            return
        oldest = max(10.0, 3 * self.rhythm)
        alive = lambda: web.verdict(not_alive(self.pulse, oldest))  # noqa: E731 - twice the same
        pages = {
            "/healthz": alive,
            "/readyz": alive,
            "/metrics": lambda: self._metrics(self.pulse),
        }
        with web.answering(self._listen, pages):
            yield

    def _cluster(self) -> ClusterState | None:
        with self._database.reading() as connection:
            return cluster_state(connection, self._settings.cluster.stalled_after)

    def beat(self) -> None:
        """Look at the database and at what runs, and tell systemd."""
        well = self.pulse.beat()
        if not well:
            log.error("worker_stuck", reason=self.pulse.trouble)
        if well and not self._ready:
            self._ready = True
            self.systemd.tell("READY=1")
            log.info("worker_ready")
        doing = f"{len(self.pulse.steps)} jobs running"
        lines = [f"STATUS={self.pulse.trouble or doing}"]
        if well:
            lines.append("WATCHDOG=1")
        self.systemd.tell(*lines)
