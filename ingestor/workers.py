"""A pool of processes for pure work: reading feeds, extracting articles.

The pool is started when the first piece of work comes: a pass in which nothing changed
never pays for it. Workers are forked from a clean server process, never from this one with
its threads, and replaced now and then because parsers grow.

What strangers wrote can make a parser run for ever, fill the memory or crash. Each piece of
work has so much processor time; within Python an exception ends it, within C code the kernel
ends the process, and one that neither works nor hears a signal is ended by this one. Memory is
bounded by the kernel. When a process dies, everything that was in flight is done again, each
piece in a process of its own: only the one that dies again is to blame.
"""

from __future__ import annotations

import concurrent.futures
import multiprocessing
import os
import resource
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import partial
from typing import Generic, Self, TypeVar

from ingestor.errors import TooSlow, WorkerDied

T = TypeVar("T")
R = TypeVar("R")

TASKS_PER_WORKER = 2_000
"""After so many a worker is replaced: feed parsers are known to grow (feedparser 287, 296)."""

SECONDS_A_PIECE = 10.0
"""Processor time for one page or feed: the largest real ones take a tenth of a second."""

KILLED_AFTER = 2
"""After so many times that, the process is ended from outside: it does not hear signals."""

WAITED_FOR = 6
"""And so many times that may pass on the clock, for work that waits instead of working."""

GIVEN_UP_AFTER = 12
"""After so many times that on the clock, the process hears no signal at all and is killed."""

MOST_MEMORY_BYTES = 2 * 1024**3
"""Address space of a worker. Reading the worst 8 MiB that we know how to write takes 1.8 GB; a
real page takes a tenth of it."""


class Workers:
    """The pool. Close it, or use it in a ``with`` block, to end its processes."""

    def __init__(self, processes: int | None = None, *, seconds: float = SECONDS_A_PIECE) -> None:
        self._seconds = seconds
        self._processes = processes or os.cpu_count() or 1
        self._pool: concurrent.futures.ProcessPoolExecutor | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool:
            # What still runs may end, but not keep us for ever.
            timer = threading.Timer(self._patience, _kill, [self._pool])
            timer.start()
            self._pool.shutdown(cancel_futures=True)
            timer.cancel()
            self._pool = None

    @property
    def _patience(self) -> float:
        """Seconds on the clock after which a piece whose turn it is does not come any more."""
        return self._seconds * GIVEN_UP_AFTER

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
        flight: deque[tuple[T, _Piece[R]]] = deque()
        for item in items:
            flight.append((item, self._submit(work_for(item))))
            while len(flight) > 4 * self._processes:
                landed, piece = flight.popleft()
                outcome = self._outcome(piece)
                yield landed, outcome
        while flight:
            landed, piece = flight.popleft()
            outcome = self._outcome(piece)
            yield landed, outcome

    def _submit(self, work: Callable[[], R] | None) -> _Piece[R]:
        if work is None:
            return _Piece()
        bounded = partial(_bounded, work, self._seconds)
        try:
            return _Piece(bounded, self._started().submit(bounded))
        except BrokenProcessPool:
            self._pool = None
            return _Piece(bounded, self._started().submit(bounded))

    def _outcome(self, piece: _Piece[R]) -> R | Exception | None:
        if piece.work is None or piece.future is None:
            return None
        if self._pool and not _came(piece.future, self._patience):
            _kill(self._pool)
        try:
            return piece.future.result()
        except BrokenProcessPool:
            return _alone(piece.work, self._patience)
        except Exception as error:  # noqa: BLE001 - whatever it is, it belongs to this item
            return error

    def _started(self) -> concurrent.futures.ProcessPoolExecutor:
        if self._pool is None:
            self._pool = _pool(self._processes)
        return self._pool


@dataclass(frozen=True, slots=True)
class _Piece(Generic[R]):
    """Work in flight; without work, nothing."""

    work: Callable[[], R] | None = None
    future: concurrent.futures.Future[R] | None = None


def _pool(processes: int) -> concurrent.futures.ProcessPoolExecutor:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["__main__", "ingestor.reading"])
    return concurrent.futures.ProcessPoolExecutor(
        processes,
        mp_context=context,
        initializer=_prepare,
        max_tasks_per_child=TASKS_PER_WORKER,
    )


def _came(future: concurrent.futures.Future[R], seconds: float) -> bool:
    """Whether a result, or an error, comes within so many seconds on the clock."""
    try:
        future.exception(seconds)
    except TimeoutError:
        return False
    return True


def _kill(pool: concurrent.futures.ProcessPoolExecutor) -> None:
    """End a pool's processes at once; what was in flight raises BrokenProcessPool."""
    # Python 3.14 has kill_workers() for this; before, the processes stand only here.
    processes = pool._processes or {}  # noqa: SLF001
    for process in list(processes.values()):
        process.kill()


def _alone(work: Callable[[], R], patience: float) -> R | Exception:
    """Do a piece again in a process of its own; the pool died and somebody is to blame."""
    with _pool(1) as pool:
        future = pool.submit(work)
        if not _came(future, patience):
            _kill(pool)
        try:
            return future.result()
        except BrokenProcessPool:
            return WorkerDied("it kills the process that reads it, or takes too long in it")
        except Exception as error:  # noqa: BLE001 - whatever it is, it belongs to this item
            return error


class _TimeUp(BaseException):
    """Not an Exception: a parser that catches those must not go on."""


def _time_up(*_: object) -> None:
    raise _TimeUp


def _bounded(work: Callable[[], R], seconds: float) -> R:
    """Do the work within its time; runs in a worker process."""
    for number in (signal.SIGVTALRM, signal.SIGALRM):
        signal.signal(number, _time_up)
    try:
        signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
        signal.setitimer(signal.ITIMER_REAL, seconds * WAITED_FOR)
        # SIGPROF is left as it is: it ends the process, also one that is inside C code.
        signal.setitimer(signal.ITIMER_PROF, seconds * KILLED_AFTER)
        return work()
    except _TimeUp:
        # "from None": a traceback of where it was has no meaning and may be endless.
        raise TooSlow(f"reading it takes more than {seconds:g} seconds") from None
    except MemoryError:
        gigabytes = MOST_MEMORY_BYTES // 1024**3
        raise WorkerDied(f"reading it takes more than {gigabytes} GiB of memory") from None
    finally:
        for timer in (signal.ITIMER_VIRTUAL, signal.ITIMER_REAL, signal.ITIMER_PROF):
            signal.setitimer(timer, 0)


def _prepare() -> None:
    """Bound a new worker's memory; it leaves Ctrl-C to the main process, and ends with it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    ours = MOST_MEMORY_BYTES if most == resource.RLIM_INFINITY else min(MOST_MEMORY_BYTES, most)
    resource.setrlimit(resource.RLIMIT_AS, (ours, most))
    threading.Thread(target=_end_with_parent, name="parent", daemon=True).start()


def _end_with_parent() -> None:
    """End this process when its owner was killed: nobody else would tell it."""
    if parent := multiprocessing.parent_process():
        parent.join()
        os._exit(1)
