"""Which jobs there should be: for what is due in the archive's tables and nobody has a job for."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias, get_args

from sqlalchemy import Connection, text

from ingestor.store import due, entries
from ingestor.store.coordination import assignments

Queue: TypeAlias = Literal[
    "plan", "poll", "ingest", "recheck", "files", "pictures", "backfill", "reextract"
]
QUEUES: tuple[Queue, ...] = get_args(Queue)
"""What a worker can be for (``--queues``); ``plan`` is the planning itself."""

FEED_SHARES = 64
"""Polls of as many shares of the feeds run at a time; the feeds of a share share a job."""

CHECK_SHARES, FILE_SHARES = 16, 8
"""The same for second looks at pages, and for files."""

MOST_WAITING = 200
"""Slices of entries that wait as jobs: more is planned as these are done."""

MOST_PENDING = 20_000
"""With so many entries waiting no further day of the past is walked: it would flood the queue."""

DAYS_AT_A_TIME = 16
"""Assignments that are planned at a time."""

_PRIORITIES: dict[Queue, int] = {"plan": 9, "poll": 2, "recheck": 1, "files": 1}
"""Polls are bounded by their feeds' rhythm, files and second looks by the articles: none of them
can keep the others waiting for long."""

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
    return [one for one in _due(connection, now, taken, pictures=pictures) if one.lock not in taken]


def announced(connection: Connection, feed_id: int, now: datetime) -> list[Claim]:
    """Return the jobs that are missing for what a feed has just announced."""
    slices = due.due_batches(connection, now, MOST_WAITING, feed_id)
    taken = claimed(connection)
    return [one for one in _claims("ingest", slices) if one.lock not in taken]


def claimed(connection: Connection) -> set[str]:
    """Return the names of the parts that are in work, or wait for a worker."""
    return set(connection.execute(_CLAIMED).scalars())


def _due(
    connection: Connection, now: datetime, taken: Collection[str], *, pictures: bool
) -> Iterator[Claim]:
    yield from _claims("poll", due.due_feed_shards(connection, now, FEED_SHARES))
    yield from _claims("recheck", due.due_recheck_shards(connection, now, CHECK_SHARES))
    yield from _claims("files", due.due_file_shards(connection, FILE_SHARES))
    in_work = sum(one.startswith("ingest:") for one in taken)
    if (room := MOST_WAITING - in_work) > 0:
        yield from _claims("ingest", due.due_batches(connection, now, in_work + room))
    if pictures and due.is_image_due(connection, now):
        yield Claim("pictures", 0)
    yield from _claims("reextract", assignments.due(connection, "reextract", now, DAYS_AT_A_TIME))
    days = assignments.due(connection, "backfill", now, DAYS_AT_A_TIME)
    if days and entries.count(connection, "pending") < MOST_PENDING:
        yield from _claims("backfill", days)


def _claims(queue: Queue, numbers: Iterable[int]) -> Iterator[Claim]:
    return (Claim(queue, number) for number in numbers)
