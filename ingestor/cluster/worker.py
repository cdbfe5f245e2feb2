"""A worker: takes jobs until it is told to stop, whatever happens to the database meanwhile.

:class:`ClusterWorker` puts it together: services, jobs, engine, heartbeat; and keeps the engine
running.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from procrastinate import App
from procrastinate.exceptions import ConnectorException
from procrastinate.job_context import JobContext
from procrastinate.worker import Worker
from psycopg import OperationalError

from ingestor import log
from ingestor.clock import Clock
from ingestor.cluster.engine import Context, engine, left_doing, prepare, requeue
from ingestor.cluster.jobs import Jobs, open_services
from ingestor.config import Settings
from ingestor.daemon.health import Heartbeat
from ingestor.errors import ArchiveError, ConfigError
from ingestor.pipeline import register_feeds
from ingestor.store.db import locks
from ingestor.store.db.database import Database
from ingestor.store.db.locks import one_of_many
from ingestor.store.db.migrations import upgrade
from ingestor.watch.deliveries import LOOK_SECONDS, Deliveries

LOOK = 0.2
"""Seconds between two looks at whether we are to stop."""

AGAIN = 1.0
"""Seconds before a database that is away is tried again."""

CHECKED = 5.0
"""Seconds between two looks at whether all is as we think: our lock, our jobs."""


@dataclass(slots=True)
class ClusterWorker:
    """What ``ingest worker`` runs."""

    settings: Settings
    database: Database
    clock: Clock
    heartbeat: Heartbeat
    queues: Sequence[str] | None
    """``None``: all of them."""
    concurrency: int
    running: set[int] = field(default_factory=set)
    """The ids of the jobs that run now."""
    started: bool = False
    """Whether the database knew us as one of its workers."""

    @classmethod
    def jobs_at_a_time(cls, settings: Settings, wanted: int | None) -> int:
        """Return how many jobs a worker does at a time."""
        return wanted or settings.cluster.concurrency or os.cpu_count() or 1

    def run(self, report: Callable[[], object], interval: float) -> None:
        """Work until the clock's ``stop`` is set; ``report`` every ``interval`` seconds meanwhile.

        Raises :class:`~ingestor.errors.ArchiveError` where the archive cannot be worked on.
        """
        upgrade(self.database)
        prepare(self.database)
        observer = self.heartbeat.observer
        with open_services(
            self.settings, self.database, self.clock, observer, number=self.concurrency
        ) as pool:
            with pool.borrow() as services:
                register_feeds(services)
            feeds = {feed.name: feed.feed() for feed in self.settings.feeds}
            context = Context(
                database=self.database,
                jobs=Jobs(pool, self.clock, feeds),
                heartbeat=self.heartbeat,
                stalled_after=self._stalled_after,
                pictures=self.settings.archive.images,
            )
            deliveries = Deliveries(self.settings, self.database, self.clock)
            with (
                self._repeated(report, interval),
                # Most have no watch: nobody wakes for none.
                self._repeated(partial(_deliver, deliveries), LOOK_SECONDS)
                if self.settings.watch
                else nullcontext(),
                closing(deliveries),
            ):
                asyncio.run(self._work(engine(context)))

    @property
    def _stalled_after(self) -> float:
        return self.settings.cluster.stalled_after.total_seconds()

    async def _work(self, app: App) -> None:
        """Work until the clock's ``stop`` is set.

        Raises :class:`ArchiveInUse` where the archive is somebody else's at the start.
        """
        # It logs tracebacks for what is expected, such as a database that was restarted.
        for name in ("procrastinate", "psycopg.pool"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
        while not self.clock.stop.is_set():
            try:
                with one_of_many(self.database):
                    await self._session(app)
            except (ConnectorException, OperationalError, ArchiveError) as error:
                if not self.started:
                    raise
                log.warning("database_lost", error=str(error.__cause__ or error))
            await self._pause(AGAIN)

    async def _session(self, app: App) -> None:
        """Work as one registered worker, until we are to stop or the database is away."""
        async with app.open_async():
            worker = Worker(
                app=app,
                queues=self.queues,
                concurrency=self.concurrency,
                install_signal_handlers=False,
                # A third, so that one late heartbeat is no death.
                update_heartbeat_interval=self._stalled_after / 3,
                stalled_worker_timeout=self._stalled_after,
                delete_jobs="successful",
                worker_middleware=[self._tracked],
            )
            watch = asyncio.create_task(self._watch(worker))
            try:
                await worker.run()  # type: ignore[no-untyped-call]
            finally:
                watch.cancel()
                await asyncio.gather(watch, return_exceptions=True)

    async def _tracked(
        self,
        call: Callable[[], Awaitable[Any]],
        context: JobContext,
        worker: Worker,  # noqa: ARG002 - Procrastinate's signature
    ) -> Any:
        number = context.job.id or 0
        self.running.add(number)
        self.started = True
        try:
            return await call()
        finally:
            self.running.discard(number)

    async def _watch(self, worker: Worker) -> None:
        """Stop the worker when we are to stop, or when the database does not know it any more."""
        suspected: set[int] = set()
        while not self.clock.stop.is_set():
            await self._pause(CHECKED)
            try:
                if not await asyncio.to_thread(self._held):
                    log.warning("run_lost")
                    break
                suspected = await self._check_jobs(worker, suspected)
            except (ConnectorException, ArchiveError) as error:
                log.warning("database_lost", error=str(error.__cause__ or error))
                break
        worker.stop()  # type: ignore[no-untyped-call]

    async def _check_jobs(self, worker: Worker, suspected: set[int]) -> set[int]:
        """Put back the jobs that stand as ours twice in a row without being done."""
        if worker.worker_id is None:
            return set()
        self.started = True
        left = await asyncio.to_thread(
            left_doing, self.database, worker.worker_id, frozenset(self.running)
        )
        await requeue(worker.app, left & suspected)
        return left

    async def _pause(self, seconds: float) -> None:
        # The clock's event is a thread's, set by a signal; the loop has to look at it.
        for _ in range(max(1, round(seconds / LOOK))):
            if self.clock.stop.is_set():
                return
            await asyncio.sleep(LOOK)

    def _held(self) -> bool:
        """Return whether the database still holds the archive for this worker."""
        with self.database.reading() as connection:
            return locks.is_held_by_us(connection, locks.RUN)

    @contextmanager
    def _repeated(self, step: Callable[[], object], interval: float) -> Iterator[None]:
        over = threading.Event()

        def again() -> None:
            """Do it at once, and every ``interval`` seconds until it is over."""
            step()
            while not over.wait(interval):
                step()

        thread = threading.Thread(target=again, name="beside", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()


def _deliver(deliveries: Deliveries) -> None:
    """Begin what watches have waited for; a database that is away is looked at again."""
    try:
        deliveries.look()
    except ArchiveError as error:
        log.warning("database_lost", error=str(error.__cause__ or error))


def require_server(database: Database) -> None:
    """Raise :class:`ConfigError` unless the archive is on a server that many can work with."""
    if database.path is not None or database.engine.dialect.name != "postgresql":
        raise ConfigError(
            'store.url: workers need PostgreSQL ("postgresql+psycopg://…"); '
            "this archive is an SQLite file, for which `ingest` alone is the daemon"
        )
