"""Putting jobs into Procrastinate's tables, within a transaction of ours."""

from __future__ import annotations

from collections.abc import Sequence

from procrastinate import SyncPsycopgConnector
from procrastinate.exceptions import AlreadyEnqueued
from procrastinate.jobs import Job
from procrastinate.manager import JobManager
from sqlalchemy import Connection

from ingestor.cluster.plan import Claim

_JOBS = JobManager(SyncPsycopgConnector())
"""It opens no connection: each job goes through the one that is handed in."""


def defer(connection: Connection, claims: Sequence[Claim]) -> int:
    """Put jobs into the queue, with what else this transaction writes; return how many were new.

    Of those that somebody else puts there at the same moment there is one afterwards.
    """
    if not claims:
        return 0
    try:
        with connection.begin_nested():
            raw = connection.connection.driver_connection
            _JOBS.batch_defer_jobs([_job(one) for one in claims], connection=raw)
    except AlreadyEnqueued:
        if len(claims) == 1:
            return 0
        return sum(defer(connection, [one]) for one in claims)
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
