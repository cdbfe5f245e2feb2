"""Everything of a worker, put together: its means, its jobs, its engine, its sign of life."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import structlog

from ingestor.clock import Clock
from ingestor.cluster import engine_schema
from ingestor.cluster.engine import Context, engine
from ingestor.cluster.jobs import Jobs
from ingestor.cluster.slots import open_slots
from ingestor.cluster.worker import Working
from ingestor.config import Settings
from ingestor.daemon.health import Pulse
from ingestor.errors import ConfigError
from ingestor.pipeline import register_feeds
from ingestor.store.db import advisory
from ingestor.store.db.database import Database
from ingestor.store.db.migrations import upgrade

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Crew:
    """What ``ingest worker`` runs."""

    settings: Settings
    database: Database
    clock: Clock
    pulse: Pulse
    queues: Sequence[str] | None
    """``None``: all of them."""
    concurrency: int

    @classmethod
    def jobs_at_a_time(cls, settings: Settings, wanted: int | None) -> int:
        """Return how many jobs a worker does at a time."""
        return wanted or settings.cluster.concurrency or os.cpu_count() or 1

    def run(self, beat: Callable[[], object], rhythm: float) -> None:
        """Work until the clock's ``stop`` is set; ``beat`` every ``rhythm`` seconds meanwhile.

        Raises :class:`~ingestor.errors.ArchiveError` where the archive cannot be worked on.
        """
        upgrade(self.database)
        engine_schema.prepare(self.database)
        stalled_after = self.settings.cluster.stalled_after.total_seconds()
        observer = self.pulse.observer
        with open_slots(
            self.settings, self.database, self.clock, observer, number=self.concurrency
        ) as slots:
            with slots.one() as services:
                register_feeds(services)
            feeds = {one.name: one.feed() for one in self.settings.feeds}
            context = Context(
                database=self.database,
                jobs=Jobs(slots, self.clock, feeds),
                pulse=self.pulse,
                stalled_after=stalled_after,
                pictures=self.settings.archive.images,
            )
            working = Working(
                app=engine(context),
                database=self.database,
                clock=self.clock,
                queues=self.queues,
                concurrency=self.concurrency,
                stalled_after=stalled_after,
                held=self._held,
            )
            with self._beating(beat, rhythm):
                asyncio.run(working.run())

    def _held(self) -> bool:
        """Return whether the database still holds the archive for this worker."""
        with self.database.reading() as connection:
            return advisory.is_held_by_us(connection, advisory.RUN)

    @contextmanager
    def _beating(self, beat: Callable[[], object], rhythm: float) -> Iterator[None]:
        over = threading.Event()

        def again() -> None:
            beat()
            while not over.wait(rhythm):
                beat()

        thread = threading.Thread(target=again, name="beat", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()


def require_server(database: Database) -> None:
    """Raise :class:`ConfigError` unless the archive is on a server that many can work with."""
    if database.path is not None or database.engine.dialect.name != "postgresql":
        raise ConfigError(
            'store.url: workers need PostgreSQL ("postgresql+psycopg://…"); '
            "this archive is an SQLite file, for which `ingest` alone is the daemon"
        )
