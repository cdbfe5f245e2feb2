"""Procrastinate: its tables, and what our jobs are: tasks, retries, what is done again and again.

Its tables are made and upgraded by what it ships, when a worker starts. They are no part of our
migrations: those run for SQLite too, and without the extra; and what they would hold is a matter
of the installed version of Procrastinate. Which version made the tables is written into the
comment of one of them. Several workers that start at once do it one after the other.

A job that is lost, with its worker or because the database was away when it ended, Procrastinate
leaves ``doing``, and its lock held: it is put back into the queue.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from procrastinate import App, BaseRetryStrategy, PsycopgConnector, RetryDecision
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Job, Status
from procrastinate.schema import SchemaManager
from procrastinate.utils import utcnow
from sqlalchemy import Connection, Engine, text

from ingestor import log
from ingestor.cluster import plan
from ingestor.cluster.jobs import Jobs
from ingestor.daemon.health import Heartbeat
from ingestor.errors import ArchiveError, IngestorError, SchemaTooNew, StorageFailed
from ingestor.pipeline import Services
from ingestor.store.db import locks
from ingestor.store.db.database import Database

PLANNED = "* * * * * */2"
"""Every two seconds, by one worker of all: what feeds announce has its jobs at once anyway."""

RECOVERED = "* * * * * */5"

FORGOTTEN = "17 * * * *"

CONNECTIONS = 3
"""To the database for the engine's own business, beside those that the jobs work with."""

SOON, LATER = 10, 600
"""Seconds after which a job is tried again: where the archive was away, and after a bug of ours."""

MOST_TRIES = 6
"""With a bug; after that the job counts as failed, and its part is planned anew."""


Version = tuple[int, ...]

_MARK = "made by procrastinate "
_COMMENT = text(
    "SELECT obj_description(oid, 'pg_class') FROM pg_class"
    " WHERE relname = 'procrastinate_jobs' AND relkind = 'r'"
)
"""From the table: what ``to_regclass`` says comes from a cache, which behind a lock that was
waited for may still be that of before."""


class Retries(BaseRetryStrategy):
    """When a job is tried again.

    The waits do not grow: a job that was lost with its worker counts as tried as well.
    """

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        """Return when, or ``None`` for no more."""
        if isinstance(exception, ArchiveError):
            return RetryDecision(retry_in={"seconds": SOON})
        again = job.attempts < MOST_TRIES
        return RetryDecision(retry_in={"seconds": LATER}) if again else None


@dataclass(frozen=True, slots=True)
class Context:
    """What the engine's tasks work with."""

    database: Database
    jobs: Jobs
    heartbeat: Heartbeat
    stalled_after: float
    """Seconds without a heartbeat after which a worker counts as gone."""
    pictures: bool
    """Whether pictures are kept."""


def engine(context: Context) -> App:
    """Return Procrastinate's app with our tasks, not yet opened."""
    app = App(connector=PsycopgConnector(**_connection(context.database.engine)))
    for queue, work in context.jobs.by_name().items():
        app.task(name=queue, queue=queue, retry=Retries())(_task(context, queue, work))
    _add_planning(app, context)
    return app


def _task(
    context: Context, queue: str, work: Callable[[Services, int], None]
) -> Callable[[int], None]:
    def run(number: int) -> None:
        """Do what is due in a part, as a job."""
        with context.jobs.services.borrow() as services:
            if services.clock.stop.is_set():
                # It stays due in our tables, and is planned again.
                return
            try:
                with context.heartbeat.running(f"{queue}:{number}"):
                    work(services, number)
            except IngestorError as error:
                log.warning("job_failed", job=f"{queue}:{number}", error=str(error))
                raise
            except Exception:
                log.exception("job_failed", job=f"{queue}:{number}")
                raise

    return run


def _add_planning(app: App, context: Context) -> None:
    # One at a time over all workers. Recovering has no lock: a worker that dies in the middle of
    # it would keep all others from it.
    for name, cron, lock, work in (
        ("plan", PLANNED, "plan", partial(_plan, context)),
        ("recover", RECOVERED, None, partial(requeue_lost, app, context.stalled_after)),
        ("forget", FORGOTTEN, None, partial(forget_old, app)),
    ):
        task = app.task(name=name, queue="plan", priority=9, lock=lock, queueing_lock=name)
        app.periodic(cron=cron)(task(_timed(work)))


def _timed(work: Callable[[], Awaitable[None]]) -> Callable[[int], Awaitable[None]]:
    async def run(timestamp: int) -> None:  # noqa: ARG001 - Procrastinate's signature
        """Do it, whatever the time is that it was planned for."""
        await work()

    return run


async def _plan(context: Context) -> None:
    """Turn what is due into jobs, unless the program is to stop."""
    if not context.jobs.clock.stop.is_set():
        await asyncio.to_thread(_defer_due, context)


def _defer_due(context: Context) -> None:
    now = context.jobs.clock.now()
    with context.database.transaction() as connection:
        plan.defer(connection, plan.unclaimed(connection, now, pictures=context.pictures))


def _connection(engine: Engine) -> dict[str, Any]:
    """Return what a pool of psycopg connects with, as SQLAlchemy does."""
    _, arguments = engine.dialect.create_connect_args(engine.url)
    return {
        "conninfo": "",
        "kwargs": {**arguments, "connect_timeout": 10, "application_name": "ingestor's jobs"},
        "min_size": 1,
        "max_size": CONNECTIONS,
        # Nobody is told while it connects again and again.
        "reconnect_timeout": 30.0,
    }


def prepare(database: Database) -> None:
    """Bring Procrastinate's tables to the installed version.

    Raises :class:`SchemaTooNew` when a newer one made them.
    """
    installed = version("procrastinate")
    with database.transaction() as connection:
        if _made_by(connection) == _numbers(installed):
            return
        locks.take(connection, locks.UPGRADE)
        made_by = _made_by(connection)
        if made_by is None:
            _run(connection, SchemaManager.get_schema())
        elif made_by > _numbers(installed):
            raise SchemaTooNew(
                f"{database.where}: its jobs were made by a newer Procrastinate "
                f"({'.'.join(map(str, made_by))}, here {installed}); upgrade this machine's"
            )
        else:
            for path in _migrations(made_by, _numbers(installed)):
                log.info("engine_migrated", file=path.name)
                _run(connection, path.read_text("utf-8"))
        _run(connection, f"COMMENT ON TABLE procrastinate_jobs IS '{_MARK}{installed}'")


def _made_by(connection: Connection) -> Version | None:
    """Return the version that made the tables; ``None``: they are not there."""
    row = connection.execute(_COMMENT).first()
    if row is None:
        return None
    comment: str = row[0] or ""
    if not comment.startswith(_MARK):
        raise StorageFailed(
            "the database's tables of Procrastinate are another program's; give the archive a "
            "database of its own"
        )
    return _numbers(comment.removeprefix(_MARK))


def _migrations(above: Version, up_to: Version) -> list[Path]:
    """Return the migrations between two versions, whose names begin with theirs: 03.04.00_01_."""
    paths = sorted(Path(SchemaManager.get_migrations_path()).glob("*.sql"))
    return [path for path in paths if above < _numbers(path.name.partition("_")[0]) <= up_to]


def _numbers(written: str) -> Version:
    return tuple(int(number) for number in re.findall(r"\d+", written)[:3])


def _run(connection: Connection, sql: str) -> None:
    """Run several statements at once, as they are: they hold percent signs and dollar quotes."""
    raw = connection.connection.driver_connection
    if raw is not None:
        raw.execute(sql)


FAILED_HOURS = 24 * 7
"""How long a job that failed stands in the table; one that succeeded goes at once."""

_MINE = text("SELECT id FROM procrastinate_jobs WHERE status = 'doing' AND worker_id = :worker")


async def requeue_lost(app: App, stalled_after: float) -> None:
    """Put the jobs of workers without a heartbeat for so many seconds back into the queue.

    The workers are forgotten.
    """
    manager = app.job_manager
    for job in list(await manager.get_stalled_jobs(seconds_since_heartbeat=stalled_after)):
        await _requeue(app, job)
    await manager.prune_stalled_workers(stalled_after)


async def forget_old(app: App) -> None:
    """Remove jobs that failed long ago."""
    await app.job_manager.delete_old_jobs(
        FAILED_HOURS, include_failed=True, include_cancelled=True, include_aborted=True
    )


def left_doing(database: Database, worker: int, running: Collection[int]) -> set[int]:
    """Return the jobs that stand as this worker's and that it does not do."""
    with database.reading() as connection:
        mine = set(connection.execute(_MINE, {"worker": worker}).scalars())
    return mine - set(running)


async def requeue(app: App, ids: Collection[int]) -> None:
    """Put jobs that :func:`left_doing` returned back into the queue."""
    for number in ids:
        for job in await app.job_manager.list_jobs_async(id=number, status=Status.DOING.value):
            await _requeue(app, job)


async def _requeue(app: App, job: Job) -> None:
    log.warning("job_lost", job=job.lock or job.task_name, id=job.id, worker=job.worker_id)
    try:
        await app.job_manager.retry_job(job, retry_at=utcnow())
    except ConnectorException:
        # Another one for the same part waits already, or somebody else put it back.
        for left in await app.job_manager.list_jobs_async(id=job.id, status=Status.DOING.value):
            await app.job_manager.finish_job(left, Status.ABORTED, delete_job=True)
