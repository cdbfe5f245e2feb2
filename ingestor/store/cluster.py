"""The workers of a cluster: days that were deferred to them, who lives, which jobs wait and run.

Days of a feed, or of all, are to be walked (backfill) or read again (reextract).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Literal

from sqlalchemy import ColumnElement, Connection, delete, select, text, update

from ingestor.store.db import locks
from ingestor.store.due import assignment_is_due
from ingestor.store.schema.cluster import assignments

Kind = Literal["backfill", "reextract"]


@dataclass(frozen=True, slots=True)
class Assignment:
    """Days of one feed, or of all."""

    kind: Kind
    feed_id: int | None
    """``None``: all feeds."""
    span: tuple[date, date]
    """First and last publication day, both included."""
    attempts: int = 0
    """How often it was tried before."""


def assign(connection: Connection, wanted: Sequence[Assignment]) -> int:
    """Add what does not wait already; return how many that are."""
    known = {_key(pending) for pending in _pending(connection)}
    rows = [
        {
            "kind": assignment.kind,
            "feed_id": assignment.feed_id,
            "first_day": assignment.span[0].isoformat(),
            "last_day": assignment.span[1].isoformat(),
        }
        for assignment in wanted
        if _key(assignment) not in known
    ]
    if rows:
        connection.execute(assignments.insert(), rows)
    return len(rows)


def due_assignments(connection: Connection, kind: Kind, now: datetime, limit: int) -> list[int]:
    """Return the ids of assignments whose time has come, in the order in which they were added."""
    query = (
        select(assignments.c.id)
        .where(assignments.c.kind == kind, assignment_is_due(now))
        .order_by(assignments.c.id)
        .limit(limit)
    )
    return list(connection.execute(query).scalars())


def assignment(connection: Connection, assignment_id: int) -> Assignment | None:
    """Return an assignment that is pending; ``None``: it is done, or was given up."""
    return next(_pending(connection, assignments.c.id == assignment_id), None)


def assignment_done(connection: Connection, assignment_id: int) -> None:
    """Forget an assignment: it is done."""
    connection.execute(delete(assignments).where(assignments.c.id == assignment_id))


def assignment_failed(
    connection: Connection, assignment_id: int, error: str, next_attempt_at: datetime | None
) -> None:
    """Write down why an assignment failed, and when it is tried again; ``None``: no more."""
    connection.execute(
        update(assignments)
        .where(assignments.c.id == assignment_id)
        .values(
            attempts=assignments.c.attempts + 1,
            error=error,
            next_attempt_at=next_attempt_at,
            state="pending" if next_attempt_at else "parked",
        )
    )


def _key(assignment: Assignment) -> tuple[object, ...]:
    return assignment.kind, assignment.feed_id, assignment.span


def _pending(connection: Connection, *where: ColumnElement[bool]) -> Iterator[Assignment]:
    query = select(assignments).where(assignments.c.state == "pending", *where)
    for row in connection.execute(query).all():
        span = date.fromisoformat(row.first_day), date.fromisoformat(row.last_day)
        yield Assignment(row.kind, row.feed_id, span, row.attempts)


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
_ASSIGNED = text("SELECT kind, state, count(*) FROM assignments GROUP BY 1, 2 ORDER BY 1, 2")


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
    assigned: dict[str, dict[str, int]] = {}
    for kind, state, number in connection.execute(_ASSIGNED):
        assigned.setdefault(kind, {})[state] = number
    return ClusterState(
        workers=int(connection.execute(_ALIVE, seconds).scalar_one()),
        names=tuple(locks.holders(connection, locks.RUN)),
        queues={
            row.queue_name: QueueState(row.waiting, row.running, row.failed, row.again)
            for row in connection.execute(_QUEUES)
        },
        stalled=tuple(connection.execute(_LOST, seconds).scalars()),
        assignments=assigned,
    )


def forget_running(connection: Connection) -> None:
    """Remove every job that counts as running, when no worker is: they are planned again."""
    connection.execute(text("DELETE FROM procrastinate_jobs WHERE status = 'doing'"))
