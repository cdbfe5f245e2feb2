"""A pool of processes for pure work: reading feeds, extracting articles.

A process is started when work comes that no other is free for: a pass in which nothing changed
never pays for one. Processes are replaced now and then because parsers grow.

What strangers wrote can make a parser run for ever, fill the memory or crash. Each task has so
much processor time; within Python an exception ends it, within C code the kernel
ends the process, and one that neither works nor hears a signal is ended by this one. Memory is
bounded by the kernel. When a process dies, the task that it was at is done again in a process of
its own, and the others that it had been sent by another: only what dies again is to blame. A
process that dies before it can work is nobody's fault but the system's, and ends the run.

Work has a source, the feed that announced it. What takes longer than :data:`QUICK_SECONDS` keeps
its process to itself: what waits there is sent to another one. Where several of a source do so, its
further work goes to one process that all such sources share, until it is quick again.
"""

from __future__ import annotations

import os
import pickle
import select
import signal
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

QUICK_SECONDS = 1.0
"""On the clock. What takes longer holds up nobody but its own source."""

COSTLY_PROCESSES = 1
"""For all sources whose work takes long: what is quick goes on beside them."""

MOST_BESIDE = 8
"""Processes beside those for each processor core, while some are at work that takes long."""

IDLE_SECONDS = 60.0
"""After so long without work a process is ended where somebody looks after that."""

TICK_SECONDS = 0.05
"""How long one waits for work before others have their turn."""

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
        self._costly: set[object] = set()
        """Sources whose latest work took long."""
        self._waiting = 0
        """How many wait for work, in turns."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes:
            process.end()
        self._processes.clear()

    def rest(self) -> None:
        """End the processes that had no work for a minute, and with the last what forks them.

        What comes next starts it again: multiprocessing sees that it has ended.
        """
        idle = [process for process in self._processes if process.idle_seconds() > IDLE_SECONDS]
        for process in idle:
            self._processes.remove(process)
            process.end()
        if idle and not self._processes:
            # Our child, and not waited for: its number is nobody else's.
            os.kill(idle[-1].parent, signal.SIGKILL)

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

    def as_done(
        self,
        items: Iterable[T | None],
        work_for: Callable[[T], Callable[[], R] | None],
        source: Callable[[T], object],
    ) -> Iterator[tuple[T, R | Exception | None] | None]:
        """Yield as :meth:`through`, but whatever is done first, and ``None`` while nothing is.

        ``source`` names whose work it is: where that of one costs much, others go past it.
        A ``None`` among the items is passed on: others may have their turn, then come back.
        """
        in_flight: deque[tuple[T, Task[R]]] = deque()
        self._waiting += 1
        try:
            for item in items:
                if item is not None:
                    in_flight.append((item, self._started(work_for(item), source(item))))
                yield from self._landed(in_flight)
                while _is_full(in_flight):
                    yield None
                    yield from self._landed(in_flight, TICK_SECONDS / self._waiting)
                if item is None:
                    yield None
            while in_flight:
                yield from self._landed(in_flight, TICK_SECONDS / self._waiting)
                if in_flight:
                    yield None
        finally:
            self._waiting -= 1

    def _landed(
        self, in_flight: deque[tuple[T, Task[R]]], wait: float = 0.0
    ) -> Iterator[tuple[T, R | Exception | None]]:
        """Take out what is done, and yield it; wait so many seconds for something to come."""
        self._look(wait)
        landed = [(item, task.outcome) for item, task in in_flight if task.is_done]
        if landed:
            waiting = [(item, task) for item, task in in_flight if not task.is_done]
            in_flight.clear()
            in_flight.extend(waiting)
        yield from landed

    def _wait_for(self, task: Task[Any]) -> None:
        while not task.is_done:
            self._look(TICK_SECONDS)

    def _started(self, work: Callable[[], R] | None, source: object = None) -> Task[R]:
        task = Task[R](b"", source)
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
        process = self._least_busy(costly=task.source in self._costly)
        try:
            process.send(task)
        except OSError:
            self._replace(process)

    def _least_busy(self, *, costly: bool) -> WorkerProcess:
        """Return the process that has the least to do; a new one while all are busy.

        What costs a lot goes to a process of its own, and never to those of what is quick.
        """
        able = [
            process
            for process in self._processes
            if process.is_costly == costly and not (process.is_alone or _is_worn(process))
        ]
        most = COSTLY_PROCESSES if costly else self._most
        if all(process.tasks for process in able) and len(able) < most:
            if len(self._processes) < self._most + MOST_BESIDE or not self._processes:
                able = [self._begun(costly=costly)]
            else:
                able = able or self._processes
        return min(able, key=lambda process: len(process.tasks))

    def _begun(self, *, costly: bool) -> WorkerProcess:
        process = WorkerProcess(self._seconds)
        process.is_costly = costly
        self._processes.append(process)
        return process

    def _is_done(self, task: Task[Any]) -> bool:
        """Whether a task is done, after a look at what has come."""
        if not task.is_done:
            self._look(0.0)
        return task.is_done

    def _look(self, wait: float) -> None:
        """Take in what has come, or comes within ``wait`` seconds; look after the processes."""
        busy = [process for process in self._processes if process.tasks]
        if wait and busy:
            poll = select.poll()
            for process in busy:
                poll.register(process, process.events)
            poll.poll(wait * 1000)
        for process in busy:
            self._serve(process)
        for process in [process for process in self._processes if not process.tasks]:
            if process.is_costly or _is_worn(process):
                self._processes.remove(process)
                process.end()

    def _serve(self, process: WorkerProcess) -> None:
        if process not in self._processes:
            # It ended meanwhile, as another's tasks were sent to it.
            return
        try:
            process.flush()
            while process.tasks and process.has_outcome():
                self._take(process)
        except OSError:
            self._replace(process)
        else:
            if process.seconds() > QUICK_SECONDS and not process.is_costly:
                self._go_past(process)

    def _take(self, process: WorkerProcess) -> None:
        source, seconds = process.tasks[0].source, process.seconds()
        process.receive()
        if seconds < QUICK_SECONDS:
            self._costly.discard(source)

    def _go_past(self, process: WorkerProcess) -> None:
        """Leave a process to what it is at, which takes long, and send what waits there elsewhere.

        The first time also what is of the same source: it may be one page. Where two of it take
        long at once, that source is one whose work costs a lot.
        """
        source = process.tasks[0].source
        if source is None:
            return
        process.is_costly = True
        late = [slow for slow in self._processes if slow.seconds() > QUICK_SECONDS]
        if sum(slow.tasks[0].source == source for slow in late) > 1:
            self._costly.add(source)
        for task in process.release(lambda task: task.source not in self._costly):
            self._send(task)

    def _replace(self, process: WorkerProcess) -> None:
        """Do again what a process had been sent that is gone, or that stands still."""
        self._processes.remove(process)
        process.kill()
        _require_ready(process)
        # It worked on the first; that one may be to blame, and is done again alone.
        suspect, *others = process.tasks
        if suspect.is_suspect:
            blame = "it kills the process that reads it, or takes too long in it"
            suspect.finish(WorkerDied(blame))
        elif not suspect.is_done:
            suspect.is_suspect = True
            self._do_alone(suspect)
        for task in others:
            if not task.is_done:
                self._send(task)

    def _do_alone(self, task: Task[Any]) -> None:
        process = self._begun(costly=True)
        process.is_alone = True
        try:
            process.send(task)
        except OSError:
            self._replace(process)


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
