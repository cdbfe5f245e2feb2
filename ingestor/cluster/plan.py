"""Which jobs there should be, and putting them into Procrastinate's tables.

There should be one for whatever is due in the archive's tables and nobody has a job for.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias, get_args

from procrastinate import SyncPsycopgConnector
from procrastinate.exceptions import AlreadyEnqueued
from procrastinate.jobs import Job
from procrastinate.manager import JobManager
from sqlalchemy import Connection, text

from ingestor.store import cluster, due, entries

Queue: TypeAlias = Literal[
    "plan", "poll", "ingest", "recheck", "files", "pictures", "backfill", "reextract"
]
QUEUES: tuple[Queue, ...] = get_args(Queue)
"""What a worker can be for (``--queues``); ``plan`` is the planning itself."""

FEED_SHARDS = 64
"""Polls of as many shards of the feeds run at a time; the feeds of a shard have one job."""

CHECK_SHARDS, FILE_SHARDS = 16, 8
"""The same for second looks at pages, and for files."""

MOST_WAITING = 200
"""Batches of entries that wait as jobs: more is planned as these are done."""

MOST_PENDING = 20_000
"""With so many entries waiting no further day of the past is walked: it would flood the queue."""

DAYS_AT_A_TIME = 16
"""Assignments that are planned at a time."""

_PRIORITIES: dict[Queue, int] = {"plan": 9, "poll": 2, "recheck": 1, "files": 1}
"""Polls are bounded by their feeds' intervals, files and second looks by the articles: none of them
can keep the others waiting for long."""

_JOBS = JobManager(SyncPsycopgConnector())
"""It opens no connection: each job goes through the one that is handed in."""

_CLAIMED = text(
    "SELECT lock FROM procrastinate_jobs WHERE lock IS NOT NULL AND status IN ('todo', 'doing')"
)


@dataclass(frozen=True, slots=True)
class Claim:
    """A job on a part of what is due."""

    queue: Queue
    number: int
    """Which part."""

    @property
    def lock(self) -> str:
        """Return the part's name: no two jobs with it run, and no two of them wait."""
        return f"{self.queue}:{self.number}"

    @property
    def priority(self) -> int:
        """Return how urgent it is: higher ones are done first."""
        return _PRIORITIES.get(self.queue, 0)


def unclaimed(connection: Connection, now: datetime, *, pictures: bool) -> list[Claim]:
    """Return the jobs that are missing at ``now``; ``pictures`` says whether those are kept."""
    taken = claimed(connection)
    claims = _due(connection, now, taken, pictures=pictures)
    return [claim for claim in claims if claim.lock not in taken]


def announced(connection: Connection, feed_id: int, now: datetime) -> list[Claim]:
    """Return the jobs that are missing for what a feed has just announced."""
    batches = due.due_batches(connection, now, MOST_WAITING, feed_id)
    taken = claimed(connection)
    return [claim for claim in _claims("ingest", batches) if claim.lock not in taken]


def claimed(connection: Connection) -> set[str]:
    """Return the names of the parts that are in work, or wait for a worker."""
    return set(connection.execute(_CLAIMED).scalars())


def _due(
    connection: Connection, now: datetime, taken: Collection[str], *, pictures: bool
) -> Iterator[Claim]:
    yield from _claims("poll", due.due_feed_shards(connection, now, FEED_SHARDS))
    yield from _claims("recheck", due.due_recheck_shards(connection, now, CHECK_SHARDS))
    yield from _claims("files", due.due_file_shards(connection, FILE_SHARDS))
    if sum(lock.startswith("ingest:") for lock in taken) < MOST_WAITING:
        yield from _claims("ingest", due.due_batches(connection, now, MOST_WAITING))
    if pictures and due.is_image_due(connection, now):
        yield Claim("pictures", 0)
    yield from _claims(
        "reextract", cluster.due_assignments(connection, "reextract", now, DAYS_AT_A_TIME)
    )
    days = cluster.due_assignments(connection, "backfill", now, DAYS_AT_A_TIME)
    if days and entries.count(connection, "pending") < MOST_PENDING:
        yield from _claims("backfill", days)


def _claims(queue: Queue, numbers: Iterable[int]) -> Iterator[Claim]:
    return (Claim(queue, number) for number in numbers)


def defer(connection: Connection, claims: Sequence[Claim]) -> int:
    """Put jobs into the queue, with what else this transaction writes; return how many were new.

    Of those that somebody else puts there at the same moment there is one afterwards.
    """
    if not claims:
        return 0
    try:
        with connection.begin_nested():
            raw = connection.connection.driver_connection
            _JOBS.batch_defer_jobs([_job(claim) for claim in claims], connection=raw)
    except AlreadyEnqueued:
        if len(claims) == 1:
            return 0
        return sum(defer(connection, [claim]) for claim in claims)
    return len(claims)


def _job(claim: Claim) -> Job:
    return Job(
        queue=claim.queue,
        task_name=claim.queue,
        lock=claim.lock,
        queueing_lock=claim.lock,
        priority=claim.priority,
        task_kwargs={"number": claim.number},
    )
