"""Procrastinate, told what our jobs are: tasks, retries, and what is done again and again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import structlog
from procrastinate import App, BaseRetryStrategy, PsycopgConnector, RetryDecision
from procrastinate.jobs import Job
from sqlalchemy import Engine

from ingestor.cluster import engine_jobs, plan, recovery
from ingestor.cluster.jobs import Jobs
from ingestor.daemon.health import Heartbeat
from ingestor.errors import ArchiveError, IngestorError
from ingestor.pipeline import Services
from ingestor.store.db.database import Database

log = structlog.get_logger(__name__)

PLANNED = "* * * * * */2"
"""Every two seconds, by one worker of all: what feeds announce has its jobs at once anyway."""

RECOVERED = "* * * * * */5"

TIDIED = "17 * * * *"

CONNECTIONS = 3
"""To the database for the engine's own business, beside those that the jobs work with."""

SOON, LATER = 10, 600
"""Seconds after which a job is tried again: where the archive was away, and after a bug of ours."""

MOST_TRIES = 6
"""With a bug; after that the job counts as failed, and its part is planned anew."""


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
    pulse: Heartbeat
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
        with context.jobs.slots.one() as services:
            if services.clock.stop.is_set():
                # It stays due in our tables, and is planned again.
                return
            try:
                with context.pulse.running(f"{queue}:{number}"):
                    work(services, number)
            except IngestorError as error:
                log.warning("job_failed", job=f"{queue}:{number}", error=str(error))
                raise
            except Exception:
                log.exception("job_failed", job=f"{queue}:{number}")
                raise

    return run


def _add_planning(app: App, context: Context) -> None:
    async def plan(timestamp: int) -> None:  # noqa: ARG001 - Procrastinate's signature
        """Turn what is due into jobs."""
        if not context.jobs.clock.stop.is_set():
            await asyncio.to_thread(_plan, context)

    async def recover(timestamp: int) -> None:  # noqa: ARG001 - Procrastinate's signature
        """Hand back the jobs of workers that are gone."""
        await recovery.hand_back_lost(app, context.stalled_after)

    async def tidy(timestamp: int) -> None:  # noqa: ARG001 - Procrastinate's signature
        """Forget old jobs."""
        await recovery.forget_old(app)

    # One at a time over all workers. Recovering has no lock: a worker that dies in the middle of
    # it would keep all others from it.
    for work, cron, lock in (
        (plan, PLANNED, "plan"),
        (recover, RECOVERED, None),
        (tidy, TIDIED, None),
    ):
        name = work.__name__
        task = app.task(name=name, queue="plan", priority=9, lock=lock, queueing_lock=name)(work)
        app.periodic(cron=cron)(task)


def _plan(context: Context) -> int:
    """Turn what is due into jobs; return how many."""
    now = context.jobs.clock.now()
    with context.database.transaction() as connection:
        claims = plan.unclaimed(connection, now, pictures=context.pictures)
        return engine_jobs.defer(connection, claims)


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
