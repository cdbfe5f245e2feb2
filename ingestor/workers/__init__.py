"""A pool of processes for pure work: reading feeds, extracting articles.

A process is started when work comes that no other is free for: a pass in which nothing changed
never pays for one. Processes are replaced now and then because parsers grow.

What strangers wrote can make a parser run for ever, fill the memory or crash. Each piece of
work has so much processor time; within Python an exception ends it, within C code the kernel
ends the process, and one that neither works nor hears a signal is ended by this one. Memory is
bounded by the kernel. When a process dies, the piece that it was at is done again in a process of
its own, and the others that it had been given by another: only what dies again is to blame. A
process that dies before it can work is nobody's fault but the system's, and ends the run.
"""

from __future__ import annotations

import os
import pickle
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Self, TypeVar

from ingestor.errors import WorkerDied, WorkersFailed
from ingestor.workers.process import Task, WorkerProcess

T = TypeVar("T")
R = TypeVar("R")

TASKS_A_PROCESS = 2_000
"""After so many a process is replaced: feed parsers are known to grow (feedparser 287, 296)."""

SECONDS_A_TASK = 10.0
"""Processor time for one page or feed: the largest real ones take a tenth of a second."""

MOST_IN_FLIGHT = 64
"""Pieces given out before the first is through: while a batch is saved, others are read."""

MOST_BYTES_IN_FLIGHT = 16 * 1024**2
"""Of these pieces together, but for the last: a page has 0.1 to 0.4 MB, and at most 8 MiB."""


class Workers:
    """The pool, for one thread at a time.

    Close it, or use it in a ``with`` block, to end its processes.
    """

    def __init__(self, processes: int | None = None, *, seconds: float = SECONDS_A_TASK) -> None:
        """Have at most so many ``processes``, one a processor core where none is given."""
        self._seconds = seconds
        self._most = processes or os.cpu_count() or 1
        self._processes: list[WorkerProcess] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes:
            process.end()
        self._processes.clear()

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
        """Yield each item with the result of its work, in order, as soon as it is there.

        ``work_for`` names the work, which has to be picklable, or ``None`` for no work. An
        error is yielded, not raised.
        """
        flight: deque[tuple[T, Task[R]]] = deque()
        for item in items:
            flight.append((item, self._begun(work_for(item))))
            while flight and (self._came(flight[0][1]) or _is_full(flight)):
                landed, piece = flight.popleft()
                self._wait_for(piece)
                yield landed, piece.outcome
        while flight:
            landed, piece = flight.popleft()
            self._wait_for(piece)
            yield landed, piece.outcome

    def _begun(self, work: Callable[[], R] | None) -> Task[R]:
        piece = Task[R](b"")
        if work is None:
            piece.settle(None)
            return piece
        try:
            piece.message = pickle.dumps(work, pickle.HIGHEST_PROTOCOL)
        except Exception as error:  # noqa: BLE001 - whatever it is, it belongs to this item
            piece.settle(error)
            return piece
        self._give(piece)
        return piece

    def _give(self, piece: Task[Any]) -> None:
        process = self._free()
        try:
            process.give(piece)
        except OSError:
            self._lost(process)

    def _free(self) -> WorkerProcess:
        """Return the process that has the least to do; a new one while all are busy."""
        for worn in [one for one in self._processes if _is_worn(one) and not one.pieces]:
            self._processes.remove(worn)
            worn.end()
        able = [one for one in self._processes if not _is_worn(one)]
        idle = [one for one in able if not one.pieces]
        if not idle and len(able) < self._most:
            idle = [WorkerProcess(self._seconds)]
            self._processes += idle
        return min(idle or able, key=lambda one: len(one.pieces))

    def _came(self, piece: Task[Any]) -> bool:
        """Whether a piece is done, after a look at what has come."""
        while not piece.is_done and (process := self._holder(piece)).has_news():
            self._take(process)
        return piece.is_done

    def _wait_for(self, piece: Task[Any]) -> None:
        while not piece.is_done:
            self._take(self._holder(piece))

    def _holder(self, piece: Task[Any]) -> WorkerProcess:
        return next(one for one in self._processes if piece in one.pieces)

    def _take(self, process: WorkerProcess) -> None:
        try:
            process.take()
        except OSError:
            self._lost(process)

    def _lost(self, process: WorkerProcess) -> None:
        """Do again what a process had been given that is gone, or that stands still."""
        self._processes.remove(process)
        process.kill()
        _require_begun(process)
        # It worked on the first; that one may be to blame.
        suspect, *others = process.pieces
        self._do_alone(suspect)
        for piece in others:
            self._give(piece)

    def _do_alone(self, piece: Task[Any]) -> None:
        process = WorkerProcess(self._seconds)
        try:
            process.give(piece)
            process.take()
        except OSError:
            process.kill()
            _require_begun(process)
            blame = "it kills the process that reads it, or takes too long in it"
            piece.settle(WorkerDied(blame))
        else:
            process.end()


def _require_begun(process: WorkerProcess) -> None:
    if not process.began:
        raise WorkersFailed(
            "a worker process ended before it could begin: is there memory for it, and was the "
            "program replaced while it runs? Start it again"
        )


def _is_worn(process: WorkerProcess) -> bool:
    return process.given >= TASKS_A_PROCESS


def _is_full(flight: deque[tuple[T, Task[R]]]) -> bool:
    known = sum(len(piece.message) for _, piece in flight)
    return len(flight) > MOST_IN_FLIGHT or known > MOST_BYTES_IN_FLIGHT
