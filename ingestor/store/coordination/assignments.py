"""Days that somebody deferred to the workers of a cluster: to walk, or to read again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from sqlalchemy import ColumnElement, Connection, delete, func, select, update

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


def add(connection: Connection, wanted: Sequence[Assignment]) -> int:
    """Add what does not wait already; return how many that are."""
    pending = _all(connection, assignments.c.state == "pending")
    known = {_key(assignment) for _, assignment in pending}
    new = [assignment for assignment in wanted if _key(assignment) not in known]
    if new:
        connection.execute(
            assignments.insert(),
            [
                {
                    "kind": assignment.kind,
                    "feed_id": assignment.feed_id,
                    "first_day": assignment.span[0].isoformat(),
                    "last_day": assignment.span[1].isoformat(),
                }
                for assignment in new
            ],
        )
    return len(new)


def due(connection: Connection, kind: Kind, now: datetime, limit: int) -> list[int]:
    """Return the ids of assignments whose time has come, in the order in which they were added."""
    query = (
        select(assignments.c.id)
        .where(assignments.c.kind == kind, assignment_is_due(now))
        .order_by(assignments.c.id)
        .limit(limit)
    )
    return list(connection.execute(query).scalars())


def get(connection: Connection, assignment_id: int) -> Assignment | None:
    """Return an assignment that is pending; ``None``: it is done, or was given up."""
    where = (assignments.c.id == assignment_id) & (assignments.c.state == "pending")
    return next((assignment for _, assignment in _all(connection, where)), None)


def done(connection: Connection, assignment_id: int) -> None:
    """Forget an assignment: it is done."""
    connection.execute(delete(assignments).where(assignments.c.id == assignment_id))


def failed(
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


def counts(connection: Connection) -> dict[tuple[str, str], int]:
    """Return how many assignments there are, by kind and state."""
    query = select(assignments.c.kind, assignments.c.state, func.count())
    rows = connection.execute(query.group_by(assignments.c.kind, assignments.c.state))
    return {(kind, state): number for kind, state, number in rows}


def _key(assignment: Assignment) -> tuple[object, ...]:
    return assignment.kind, assignment.feed_id, assignment.span


def _all(connection: Connection, where: ColumnElement[bool]) -> list[tuple[int, Assignment]]:
    rows = connection.execute(select(assignments).where(where))
    return [
        (
            row.id,
            Assignment(
                kind=row.kind,
                feed_id=row.feed_id,
                span=(date.fromisoformat(row.first_day), date.fromisoformat(row.last_day)),
                attempts=row.attempts,
            ),
        )
        for row in rows
    ]
