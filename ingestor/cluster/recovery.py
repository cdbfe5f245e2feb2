"""Jobs that were lost: with their worker, or because the database was away when they ended.

Procrastinate leaves such a job ``doing``, and its lock held.
"""

from __future__ import annotations

from collections.abc import Collection

from procrastinate import App
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Job, Status
from procrastinate.utils import utcnow
from sqlalchemy import text

from ingestor import log
from ingestor.store.db.database import Database

FAILED_HOURS = 24 * 7
"""How long a job that failed stands in the table; one that succeeded goes at once."""

_MINE = text("SELECT id FROM procrastinate_jobs WHERE status = 'doing' AND worker_id = :worker")


async def requeue_lost(app: App, stalled_after: float) -> int:
    """Put the jobs of workers without a heartbeat for so many seconds back into the queue.

    Returns how many there were. The workers are forgotten.
    """
    manager = app.job_manager
    lost = list(await manager.get_stalled_jobs(seconds_since_heartbeat=stalled_after))
    for job in lost:
        await _requeue(app, job)
    await manager.prune_stalled_workers(stalled_after)
    return len(lost)


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
