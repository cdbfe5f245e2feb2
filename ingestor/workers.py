"""A pool of processes for pure work: reading feeds, extracting articles.

The pool is started when the first piece of work comes: a pass in which nothing changed
never pays for it. Workers are forked from a clean server process, never from this one with
its threads, and replaced now and then because parsers grow.
"""

from __future__ import annotations

import concurrent.futures
import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures.process import BrokenProcessPool
from typing import Self, TypeVar

from ingestor.errors import WorkerDied

T = TypeVar("T")
R = TypeVar("R")

TASKS_PER_WORKER = 2_000
"""After so many a worker is replaced: feed parsers are known to grow (feedparser 287, 296)."""


class Workers:
    """The pool. Close it, or use it in a ``with`` block, to end its processes."""

    def __init__(self, processes: int | None = None) -> None:
        self._processes = processes or os.cpu_count() or 1
        self._pool: concurrent.futures.ProcessPoolExecutor | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None

    def call(self, work: Callable[[], R]) -> R:
        """Run one piece of work in the pool and return its result, or raise its error."""
        outcome = next(iter(self.through([work], lambda one: one)))[1]
        if isinstance(outcome, Exception):
            raise outcome
        if outcome is None:
            raise TypeError("work that runs in the pool returns something")
        return outcome

    def through(
        self, items: Iterable[T], work_for: Callable[[T], Callable[[], R] | None]
    ) -> Iterator[tuple[T, R | Exception | None]]:
        """Yield each item with the result of its work, in order.

        ``work_for`` names the work, which has to be picklable, or ``None`` for no work. An
        error is yielded, not raised. No more is in flight than keeps the workers busy.
        """
        flight: deque[tuple[T, concurrent.futures.Future[R] | None]] = deque()
        for item in items:
            work = work_for(item)
            flight.append((item, self._submit(work) if work else None))
            while len(flight) > 4 * self._processes:
                landed, future = flight.popleft()
                outcome = _outcome(future)
                yield landed, outcome
        while flight:
            landed, future = flight.popleft()
            outcome = _outcome(future)
            yield landed, outcome

    def _submit(self, work: Callable[[], R]) -> concurrent.futures.Future[R]:
        try:
            return self._started().submit(work)
        except BrokenProcessPool:
            self._pool = None
            return self._started().submit(work)

    def _started(self) -> concurrent.futures.ProcessPoolExecutor:
        if self._pool is None:
            context = multiprocessing.get_context("forkserver")
            context.set_forkserver_preload(["__main__", "ingestor.extract", "ingestor.sources"])
            self._pool = concurrent.futures.ProcessPoolExecutor(
                self._processes,
                mp_context=context,
                initializer=_ignore_interrupts,
                max_tasks_per_child=TASKS_PER_WORKER,
            )
        return self._pool


def _outcome(future: concurrent.futures.Future[R] | None) -> R | Exception | None:
    try:
        return future.result() if future else None
    except BrokenProcessPool:
        return WorkerDied("the process that read it died; it is tried again")
    except Exception as error:  # noqa: BLE001 - whatever it is, it belongs to this item
        return error


def _ignore_interrupts() -> None:
    """Leave Ctrl-C to the main process, which lets running work finish."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
