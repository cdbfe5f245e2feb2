"""``ingest worker``: one of many on an archive in PostgreSQL."""

from __future__ import annotations

import os
from contextlib import closing
from typing import Annotated

import typer

from ingestor.cli.common import options
from ingestor.cli.logs import set_up_logs
from ingestor.clock import Clock
from ingestor.config import Settings
from ingestor.daemon.loop import stop_on_signals
from ingestor.daemon.monitor import Monitor, systemd
from ingestor.errors import ConfigError, UsageError
from ingestor.store.db.database import Database
from ingestor.version import install_line


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
        raise ConfigError(f"workers need an extra: {install_line('cluster')}") from error
    worker.require_server(database)
    wanted = _chosen(queues, plan.QUEUES)
    clock, manager = Clock(), systemd(os.environ)
    monitor = Monitor(settings, database, clock, manager=manager)
    number = worker.ClusterWorker.jobs_at_a_time(settings, concurrency)
    with stop_on_signals(clock, settings.service.stop_timeout), monitor.answering():
        worker.ClusterWorker(settings, database, clock, monitor.heartbeat, wanted, number).run(
            monitor.check, monitor.interval.total_seconds()
        )
    manager.tell("STOPPING=1", "STATUS=stopped")


def _chosen(queues: str | None, known: tuple[str, ...]) -> list[str] | None:
    if queues is None:
        return None
    chosen = [queue.strip() for queue in queues.split(",") if queue.strip()]
    for queue in chosen:
        if queue not in known:
            raise UsageError(
                f'--queues: there is no queue "{queue}"; there are: {", ".join(known)}'
            )
    if not chosen:
        raise UsageError(f"--queues: names none; there are: {', '.join(known)}")
    return chosen
