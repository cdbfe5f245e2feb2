"""A pool of processes for pure work: reading feeds, extracting articles.

A process is started when work comes that no other is free for: a pass in which nothing changed
never pays for one. Processes are replaced now and then because parsers grow.

What strangers wrote can make a parser run for ever, fill the memory or crash. Each task has so
much processor time; within Python an exception ends it, within C code the kernel
ends the process, and one that neither works nor hears a signal is ended by this one. Memory is
bounded by the kernel. When a process dies, the task that it was at is done again in a process of
its own, and the others that it had been sent by another: only what dies again is to blame. A
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
"""Tasks sent out before the first is done: while a batch is saved, others are read."""

MOST_BYTES_IN_FLIGHT = 16 * 1024**2
"""Of these tasks together, but for the last: a page has 0.1 to 0.4 MB, and at most 8 MiB."""


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
        """Run one task in the pool and return its result, or raise its error."""
        outcome = next(iter(self.through([work], lambda task: task)))[1]
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
        in_flight: deque[tuple[T, Task[R]]] = deque()
        for item in items:
            in_flight.append((item, self._started(work_for(item))))
            while in_flight and (self._is_done(in_flight[0][1]) or _is_full(in_flight)):
                landed, task = in_flight.popleft()
                self._wait_for(task)
                yield landed, task.outcome
        for landed, task in in_flight:
            self._wait_for(task)
            yield landed, task.outcome

    def _wait_for(self, task: Task[Any]) -> None:
        while not task.is_done:
            self._receive(self._process_of(task))

    def _started(self, work: Callable[[], R] | None) -> Task[R]:
        task = Task[R](b"")
        if work is None:
            task.finish(None)
            return task
        try:
            task.message = pickle.dumps(work, pickle.HIGHEST_PROTOCOL)
        except Exception as error:  # noqa: BLE001 - whatever it is, it belongs to this item
            task.finish(error)
            return task
        self._send(task)
        return task

    def _send(self, task: Task[Any]) -> None:
        process = self._least_busy()
        try:
            process.send(task)
        except OSError:
            self._replace(process)

    def _least_busy(self) -> WorkerProcess:
        """Return the process that has the least to do; a new one while all are busy."""
        for worn in [process for process in self._processes if _is_worn(process)]:
            if not worn.tasks:
                self._processes.remove(worn)
                worn.end()
        able = [process for process in self._processes if not _is_worn(process)]
        if all(process.tasks for process in able) and len(able) < self._most:
            able = [WorkerProcess(self._seconds)]
            self._processes += able
        return min(able, key=lambda process: len(process.tasks))

    def _is_done(self, task: Task[Any]) -> bool:
        """Whether a task is done, after a look at what has come."""
        while not task.is_done and (process := self._process_of(task)).has_outcome():
            self._receive(process)
        return task.is_done

    def _process_of(self, task: Task[Any]) -> WorkerProcess:
        return next(process for process in self._processes if task in process.tasks)

    def _receive(self, process: WorkerProcess) -> None:
        try:
            process.receive()
        except OSError:
            self._replace(process)

    def _replace(self, process: WorkerProcess) -> None:
        """Do again what a process had been sent that is gone, or that stands still."""
        self._processes.remove(process)
        process.kill()
        _require_ready(process)
        # It worked on the first; that one may be to blame.
        suspect, *others = process.tasks
        self._do_alone(suspect)
        for task in others:
            self._send(task)

    def _do_alone(self, task: Task[Any]) -> None:
        process = WorkerProcess(self._seconds)
        try:
            process.send(task)
            process.receive()
        except OSError:
            process.kill()
            _require_ready(process)
            blame = "it kills the process that reads it, or takes too long in it"
            task.finish(WorkerDied(blame))
        else:
            process.end()


def _require_ready(process: WorkerProcess) -> None:
    if not process.is_ready:
        raise WorkersFailed(
            "a worker process ended before it could begin: is there memory for it, and was the "
            "program replaced while it runs? Start it again"
        )


def _is_worn(process: WorkerProcess) -> bool:
    return process.sent >= TASKS_A_PROCESS


def _is_full(in_flight: deque[tuple[T, Task[R]]]) -> bool:
    total = sum(len(task.message) for _, task in in_flight)
    return len(in_flight) > MOST_IN_FLIGHT or total > MOST_BYTES_IN_FLIGHT
