"""How the workers of a cluster are: who lives, which jobs wait, run, failed or were lost."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import Connection, text

from ingestor.store.coordination import assignments
from ingestor.store.db import locks

_HAS_JOBS = text("SELECT to_regclass('procrastinate_jobs') IS NOT NULL")
_QUEUES = text("""
SELECT queue_name,
  count(*) FILTER (WHERE status = 'todo') AS waiting,
  count(*) FILTER (WHERE status = 'doing') AS running,
  count(*) FILTER (WHERE status = 'failed') AS failed,
  count(*) FILTER (WHERE status = 'todo' AND attempts > 0) AS again
FROM procrastinate_jobs GROUP BY queue_name ORDER BY queue_name
""")
_LOST = text("""
SELECT coalesce(lock, task_name) FROM procrastinate_jobs AS job
WHERE status = 'doing' AND NOT EXISTS (
  SELECT FROM procrastinate_workers AS worker WHERE worker.id = job.worker_id
  AND last_heartbeat >= now() - make_interval(secs => :seconds)
) ORDER BY 1
""")
_ALIVE = text(
    "SELECT count(*) FROM procrastinate_workers"
    " WHERE last_heartbeat >= now() - make_interval(secs => :seconds)"
)


@dataclass(frozen=True, slots=True)
class QueueState:
    """The jobs of one queue; those that are done are not there any more."""

    waiting: int
    running: int
    failed: int
    """Given up by the engine; what they were for is planned anew."""
    again: int
    """Of those that wait: tried before, or lost with a worker."""


@dataclass(frozen=True, slots=True)
class ClusterState:
    """The workers and their jobs at one moment."""

    workers: int
    """Workers with a recent heartbeat."""
    names: tuple[str, ...]
    """Who holds the archive: ``PROCESS on HOST``."""
    queues: dict[str, QueueState]
    stalled: tuple[str, ...]
    """Jobs whose worker has no heartbeat any more: others do them within the minute."""
    assignments: dict[str, dict[str, int]] = field(default_factory=dict)
    """Days that were handed over (--defer): by kind, how many are pending and parked."""


def cluster_state(connection: Connection, stalled_after: timedelta) -> ClusterState | None:
    """Return how the workers are; ``None`` for an archive on which none ever worked."""
    if not locks.has_locks(connection) or not connection.execute(_HAS_JOBS).scalar_one():
        return None
    seconds = {"seconds": stalled_after.total_seconds()}
    handed: dict[str, dict[str, int]] = {}
    for (kind, state), number in sorted(assignments.counts(connection).items()):
        handed.setdefault(kind, {})[state] = number
    return ClusterState(
        workers=int(connection.execute(_ALIVE, seconds).scalar_one()),
        names=tuple(locks.holders(connection, locks.RUN)),
        queues={
            row.queue_name: QueueState(row.waiting, row.running, row.failed, row.again)
            for row in connection.execute(_QUEUES)
        },
        stalled=tuple(connection.execute(_LOST, seconds).scalars()),
        assignments=handed,
    )


def forget_running(connection: Connection) -> None:
    """Remove every job that counts as running, when no worker is: they are planned again."""
    connection.execute(text("DELETE FROM procrastinate_jobs WHERE status = 'doing'"))
