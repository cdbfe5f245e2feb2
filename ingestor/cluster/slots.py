"""What jobs work with, opened once for as many as run at a time."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from queue import SimpleQueue

from ingestor.clock import Clock
from ingestor.cluster.host_limiter import SharedHostLimiter
from ingestor.config import Settings
from ingestor.observer import Observer
from ingestor.pipeline import Services
from ingestor.pipeline.services import opened
from ingestor.store.db.database import Database


@dataclass(frozen=True, slots=True)
class Slots:
    """Means for several jobs at a time: each has a WARC file, a client and processes of its own."""

    free: SimpleQueue[Services]

    @contextmanager
    def one(self) -> Iterator[Services]:
        """Give the means for one job; waits while others have all of them."""
        services = self.free.get()
        try:
            yield services
        finally:
            self.free.put(services)


@contextmanager
def open_slots(
    settings: Settings, database: Database, clock: Clock, observer: Observer, *, number: int
) -> Iterator[Slots]:
    """Open the means for ``number`` jobs at a time."""
    limiter = SharedHostLimiter(database, settings.fetch, clock)
    processes = max(1, (os.cpu_count() or 1) // number)

    free: SimpleQueue[Services] = SimpleQueue()
    with ExitStack() as stack:
        for _ in range(number):
            services = opened(
                settings,
                database,
                clock,
                observer,
                processes=processes,
                limiter=limiter,
            )
            free.put(stack.enter_context(services))
        yield Slots(free)
