"""The jobs: each hands the pipeline's own function the rows that it is for, and what it needs."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from queue import SimpleQueue

from ingestor import log, policy
from ingestor.clock import Clock
from ingestor.cluster.host_limiter import SharedHostLimiter
from ingestor.cluster.plan import CHECK_SHARDS, FEED_SHARDS, FILE_SHARDS, Queue, announced, defer
from ingestor.config import Settings
from ingestor.model import Feed, FeedState
from ingestor.observer import Observer
from ingestor.pipeline import Services, Summary
from ingestor.pipeline.backfill import Backfill
from ingestor.pipeline.files import IMAGES_A_ROUND, image_round, write_files
from ingestor.pipeline.ingest import check_again, ingest_entries
from ingestor.pipeline.poll import poll_feeds
from ingestor.pipeline.reextract import reextract
from ingestor.pipeline.services import opened
from ingestor.store import cluster, due, feeds, images
from ingestor.store.cluster import Assignment
from ingestor.store.db.database import Database
from ingestor.store.due import Shard, batch_ids
from ingestor.store.filters import Filters

FEEDS_A_JOB = 100
"""Feeds that one job polls; the next plan sees to the others of its shard."""


@dataclass(frozen=True, slots=True)
class ServicePool:
    """What jobs work with: each has a WARC file, a client and processes of its own."""

    free: SimpleQueue[Services]

    @contextmanager
    def borrow(self) -> Iterator[Services]:
        """Give what one job works with; waits while others have all of it."""
        services = self.free.get()
        try:
            yield services
        finally:
            self.free.put(services)


@contextmanager
def open_services(
    settings: Settings, database: Database, clock: Clock, observer: Observer, *, number: int
) -> Iterator[ServicePool]:
    """Open what ``number`` jobs at a time work with."""
    limiter = SharedHostLimiter(database, settings.fetch, clock)
    processes = max(1, (os.cpu_count() or 1) // number)

    free: SimpleQueue[Services] = SimpleQueue()
    with ExitStack() as stack:
        for _ in range(number):
            services = opened(
                settings, database, clock, observer, processes=processes, limiter=limiter
            )
            free.put(stack.enter_context(services))
        yield ServicePool(free)


@dataclass(frozen=True, slots=True)
class Jobs:
    """What a worker does, by the names of its queues. Runs in threads."""

    services: ServicePool
    clock: Clock
    feeds: Mapping[str, Feed]
    """Those of this worker's configuration, by name."""

    def by_name(self) -> dict[Queue, Callable[[Services, int], None]]:
        """Return what is done for a part of what is due, by the queue's name."""
        return {
            "poll": self.poll,
            "ingest": self.ingest,
            "recheck": self.recheck,
            "files": self.files,
            "pictures": self.pictures,
            "backfill": self.backfill,
            "reextract": self.reextract,
        }

    def poll(self, services: Services, number: int) -> None:
        """Poll the feeds of a shard that are due."""
        now, shard = self.clock.now(), Shard(number, FEED_SHARDS)
        with services.database.reading() as connection:
            names = due.due_feeds(connection, now, shard, FEEDS_A_JOB)
        if states := self._states(services, names):
            summary = Summary()
            services.finish(poll_feeds(services, states, summary))
            self._defer_ingest(services, summary)

    def ingest(self, services: Services, number: int) -> None:
        """Ingest the entries of a batch that are due."""
        now = self.clock.now()
        with services.database.reading() as connection:
            names = due.feeds_with_due_entries(connection, now, batch_ids(number))
        if states := self._states(services, names):
            services.finish(ingest_entries(services, states, Summary(), ids=batch_ids(number)))

    def recheck(self, services: Services, number: int) -> None:
        """Look again at the articles of a shard that are due."""
        services.finish(check_again(services, Summary(), Shard(number, CHECK_SHARDS)))

    def files(self, services: Services, number: int) -> None:
        """Write the files of a shard that are due."""
        archive, shard = services.settings.archive, Shard(number, FILE_SHARDS)
        write_files(services.database, archive, services.observer, shard=shard)

    def pictures(self, services: Services, number: int) -> None:  # noqa: ARG002 - there is one part
        """Download some of the pictures that are due."""
        if services.settings.archive.images:
            with services.database.reading() as connection:
                pictures = images.due(connection, self.clock.now(), IMAGES_A_ROUND)
            services.finish(image_round(services, pictures))

    def backfill(self, services: Services, number: int) -> None:
        """Walk the days of an assignment; what they announce is ingested by jobs of its own."""
        assignment = self._assignment(services, number)
        if assignment is None or assignment.feed_id is None:
            return
        states = self._states(services, self._names(services, assignment.feed_id))
        if not states:
            error = (
                f"feed {assignment.feed_id} is not in the configuration of the worker that took it"
            )
            self._record(services, number, assignment, error)
            return
        backfill = Backfill(services, states, assignment.span, ingest=False)
        for day in backfill:
            log.info("backfill_day", feed=day.feed, day=day.day.isoformat(), new=day.entries_new)
            self._defer_ingest(services, backfill.summary)
        summary = backfill.summary
        if not self.clock.stop.is_set():
            failed = bool(summary.feeds_failed)
            self._record(
                services, number, assignment, "; ".join(summary.problems) if failed else ""
            )

    def reextract(self, services: Services, number: int) -> None:
        """Read the captured pages of an assignment's days again."""
        assignment = self._assignment(services, number)
        if assignment is None:
            return
        names = () if assignment.feed_id is None else self._names(services, assignment.feed_id)
        first, last = (day.isoformat() for day in assignment.span)
        unreadable = 0
        for read in reextract(
            services.settings.archive,
            services.database,
            services.workers,
            self.clock,
            filters=Filters(first, last, feeds=tuple(names), doubted=True),
            dry_run=False,
        ):
            services.observer.moved()
            if read.outcome == "unreadable":
                unreadable += 1
                log.warning("reextract_failed", url=read.before.article.url, error=read.reason)
        if not self.clock.stop.is_set():
            # What today's rules cannot read stays as it is; the same rules would fail again.
            log.info("reextract_days", first=first, last=last, unreadable=unreadable)
            self._record(services, number, assignment, "")

    def _defer_ingest(self, services: Services, summary: Summary) -> None:
        """Defer the jobs for what was announced; what a kill leaves out is planned later."""
        with services.database.transaction() as connection:
            for feed_id in summary.feeds_with_news:
                defer(connection, announced(connection, feed_id, self.clock.now()))
        summary.feeds_with_news.clear()

    def _states(self, services: Services, names: Sequence[str]) -> list[FeedState]:
        """Return these feeds as they are; what this worker's configuration lacks is left out."""
        known = [self.feeds[name] for name in names if name in self.feeds]
        with services.database.reading() as connection:
            return feeds.states(connection, known) if known else []

    def _names(self, services: Services, feed_id: int) -> list[str]:
        with services.database.reading() as connection:
            return [name for name, known in feeds.ids(connection).items() if known == feed_id]

    def _assignment(self, services: Services, number: int) -> Assignment | None:
        with services.database.reading() as connection:
            return cluster.assignment(connection, number)

    def _record(self, services: Services, number: int, assignment: Assignment, error: str) -> None:
        again: datetime | None = None
        if error:
            now, chance = self.clock.now(), self.clock.chance()
            again = policy.after_failure(
                "broken", assignment.attempts + 1, now, chance=chance
            ).next_attempt_at
            log.warning("assignment_failed", kind=assignment.kind, error=error)
        with services.database.transaction() as connection:
            if error:
                cluster.assignment_failed(connection, number, error, again)
            else:
                cluster.assignment_done(connection, number)
