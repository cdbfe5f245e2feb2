"""A process for pure work: tasks go in, outcomes come out in the same order, within bounds.

Both ends speak over a pair of sockets: a message is its length and a pickle. A process reads its
tasks ahead and its owner takes the outcomes when it has time, so neither waits for the other.
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
import resource
import select
import signal
import socket
import struct
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import resource_tracker
from multiprocessing.context import ForkServerContext
from queue import SimpleQueue
from typing import Any, Generic, TypeVar

from ingestor.errors import TooSlow, WorkerDied, WorkersFailed

R = TypeVar("R")

KILLED_AFTER = 2
"""After so many times its processor time a process is ended from outside: it hears no signals."""

WAITED_FOR = 6
"""And so many times that may pass on the clock, for work that waits instead of working."""

TIMEOUT_AFTER = 12
"""After so many times that on the clock, the process hears no signal at all and is killed."""

MOST_MEMORY_BYTES = 2 * 1024**3
"""Address space of a process. Reading the worst 8 MiB that we know how to write takes 1.8 GB; a
real page takes a tenth of it."""

_LOADED_ONCE = (
    "ingestor.workers.tasks",
    "ingestor.extract",
    "feedparser",
    "warcio.warcwriter",
)
"""What the processes have in common: loaded before they are forked."""

_SWITCH_SECONDS = 0.0005
"""Seconds after which a task lets the thread read on that brings the next ones."""

_LENGTH = struct.Struct("!Q")

_END = b""
"""The message after which a process ends by itself."""


@dataclass(slots=True, eq=False)
class Task(Generic[R]):
    """Work on its way through a process, and what came of it."""

    message: bytes
    """The pickled work; ``b""``: none."""
    source: object = None
    """Whose work it is: what costs a lot holds up that of its own source alone."""
    outcome: R | Exception | None = None
    is_done: bool = False
    is_suspect: bool = False
    """A process died at it: if another one does so too, it is to blame."""

    def finish(self, outcome: R | Exception | None) -> None:
        """Write down what came of it; the work is not needed any more."""
        self.outcome, self.is_done, self.message = outcome, True, b""


class WorkerProcess:
    """A process, as its owner has it. Used by one thread at a time.

    It is forked from a clean server process, never from this one with its threads.
    """

    def __init__(self, seconds: float) -> None:
        """Start it; ``seconds`` are the processor time of a task."""
        ours, theirs = socket.socketpair()
        # Whatever takes longer than this does not come any more.
        self._timeout = seconds * TIMEOUT_AFTER
        self._began = time.monotonic()
        ours.settimeout(self._timeout)
        self._socket = ours
        self._poll = select.poll()
        self._poll.register(ours, select.POLLIN)
        self._writable = select.poll()
        self._writable.register(ours, select.POLLOUT)
        self._unsent: deque[memoryview] = deque()
        self._process = _context().Process(target=_serve, args=(theirs, seconds), daemon=True)
        # Ctrl-C is for the owner alone: neither a worker nor the process from which it is forked
        # hears it, not even while they begin.
        # The tracker first: it unblocks the signal for whoever starts it.
        resource_tracker.ensure_running()
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            self._process.start()
        except EOFError as error:
            raise WorkersFailed(
                "the process from which workers are forked has ended; start the program again"
            ) from error
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        theirs.close()
        self.tasks: deque[Task[Any]] = deque()
        """Sent and not answered, the oldest first: that is the one it works on."""
        self.sent = 0
        """How many tasks it was sent in its life."""
        self.is_ready = False
        """Whether it could begin to work: known from its first message, or its end."""
        self.is_costly = False
        """Whether it is for work that costs a lot, and what is quick goes elsewhere."""
        self.is_alone = False
        """Whether it gets no more than the task that it was started for."""
        self.parent = 0
        """The id of the process from which it was forked, once it is ready."""

    def fileno(self) -> int:
        """Return the descriptor at which its outcomes come."""
        return self._socket.fileno()

    def send(self, task: Task[Any]) -> None:
        """Send it a task. Raises :class:`OSError` when it is gone or does not take anything."""
        if not self.tasks:
            self._began = time.monotonic()
        is_idle = not self.tasks
        self.tasks.append(task)
        self.sent += 1
        if is_idle:
            _send(self._socket, task.message)
        else:
            # In the middle of C code it may not read ahead: nobody waits for that.
            self._unsent += [memoryview(_LENGTH.pack(len(task.message))), memoryview(task.message)]
            self.flush()

    def flush(self) -> None:
        """Send what is still to be sent, as far as it is taken without waiting."""
        while self._unsent and self._writable.poll(0):
            part = self._unsent.popleft()
            if rest := part[self._socket.send(part) :]:
                self._unsent.appendleft(rest)

    @property
    def events(self) -> int:
        """What is waited for at its descriptor, as :class:`select.poll` has it."""
        return select.POLLIN | (select.POLLOUT if self._unsent else 0)

    def has_outcome(self) -> bool:
        """Whether an outcome, or its end, can be taken without waiting.

        Raises :class:`OSError` when it ended before it could begin, or is silent for too long.
        """
        if not self.is_ready and self._poll.poll(0):
            self._await_ready()
            self._began = time.monotonic()
        if self._poll.poll(0):
            return True
        if self.tasks and time.monotonic() - self._began > self._timeout:
            raise TimeoutError("it says nothing any more")
        return False

    def seconds(self) -> float:
        """Return how long it has been at its oldest task, on the clock."""
        return time.monotonic() - self._began if self.tasks and self.is_ready else 0.0

    def idle_seconds(self) -> float:
        """Return for how long it has had nothing to do, on the clock."""
        return 0.0 if self.tasks else time.monotonic() - self._began

    def receive(self) -> None:
        """Wait for the outcome of the oldest task, and record it.

        Raises :class:`OSError` when the process is gone, or is silent for too long.
        """
        self._await_ready()
        message = _received(self._socket)
        task = self.tasks.popleft()
        self._began = time.monotonic()
        try:
            task.finish(pickle.loads(message))  # noqa: S301 - from our own process
        except Exception as error:  # noqa: BLE001 - whatever it is, it belongs to this task
            task.finish(error)

    def release(self, wanted: Callable[[Task[Any]], bool]) -> list[Task[Any]]:
        """Return the tasks behind the oldest one that are ``wanted`` by another process.

        It was sent them, and does them too; what comes of that is nobody's any more.
        """
        released = [task for task in list(self.tasks)[1:] if wanted(task)]
        nobodys = Task[Any](b"", is_done=True)
        self.tasks = deque(nobodys if task in released else task for task in self.tasks)
        return released

    def end(self) -> None:
        """Let it end if it has nothing to do, else kill it; wait until it is gone."""
        if self.tasks:
            self._process.kill()
        else:
            try:
                _send(self._socket, _END)
            except OSError:
                # It is gone, or will never listen.
                self._process.kill()
        self._process.join(self._timeout)
        self.kill()

    def kill(self) -> None:
        """End it at once; wait until it is gone."""
        self._process.kill()
        self._process.join()
        with suppress(OSError):
            # It may have said so and died before anybody listened.
            self._await_ready()
        self._socket.close()
        self._process.close()

    def _await_ready(self) -> None:
        if not self.is_ready:
            self.parent = int(_received(self._socket))
            self.is_ready = True


def _context() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["__main__", *_LOADED_ONCE])
    return context


def _send(to: socket.socket, message: bytes) -> None:
    # Two calls instead of one: a page is not copied for the sake of eight bytes.
    to.sendall(_LENGTH.pack(len(message)))
    to.sendall(message)


def _received(source: socket.socket) -> bytearray:
    """Return the next message; raise :class:`OSError` when there will be none."""
    (length,) = _LENGTH.unpack(_exactly(source, _LENGTH.size))
    return _exactly(source, length)


def _exactly(source: socket.socket, length: int) -> bytearray:
    data = bytearray(length)
    view, received = memoryview(data), 0
    while received < length:
        # All at once where this end waits for it: each call gives way to the working thread.
        count = source.recv_into(view[received:], 0, socket.MSG_WAITALL)
        if not count:
            raise ConnectionResetError("the other end is gone")
        received += count
    return data


def _serve(owner: socket.socket, seconds: float) -> None:
    """Do the owner's tasks until there are no more; runs in the process."""
    _prepare()
    # The first message: what goes wrong from here on is the work's fault.
    _send(owner, str(os.getppid()).encode())
    tasks: SimpleQueue[bytearray] = SimpleQueue()
    outcomes: SimpleQueue[bytes] = SimpleQueue()
    threading.Thread(target=_read_ahead, args=(owner, tasks), daemon=True).start()
    threading.Thread(target=_answer, args=(owner, outcomes), daemon=True).start()
    while message := tasks.get():
        outcomes.put(_outcome(message, seconds))


def _read_ahead(owner: socket.socket, tasks: SimpleQueue[bytearray]) -> None:
    try:
        while message := _received(owner):
            tasks.put(message)
        tasks.put(message)
    except (OSError, MemoryError):
        # The owner was killed, and nobody else would tell this process; or the page that is being
        # read takes all memory. Without this thread nothing would ever come again.
        os._exit(1)


def _answer(owner: socket.socket, outcomes: SimpleQueue[bytes]) -> None:
    try:
        while True:
            _send(owner, outcomes.get())
    except OSError:
        os._exit(1)


def _outcome(message: bytearray, seconds: float) -> bytes:
    """Do a task; return what comes of it, a result or an exception, pickled."""
    try:
        work: Callable[[], object] = pickle.loads(message)  # noqa: S301 - from our owner
        return pickle.dumps(_bounded(work, seconds), pickle.HIGHEST_PROTOCOL)
    except Exception as error:  # noqa: BLE001 - handed to the owner, as it is
        # Where it was raised does not cross the pickle by itself.
        error.add_note(f"in a worker process:\n{traceback.format_exc()}")
        return _pickled_error(error)


def _pickled_error(error: Exception) -> bytes:
    try:
        return pickle.dumps(error, pickle.HIGHEST_PROTOCOL)
    except Exception:  # noqa: BLE001 - an exception may hold anything
        plain = RuntimeError(f"{error!r}\n{''.join(error.__notes__)}")
        return pickle.dumps(plain, pickle.HIGHEST_PROTOCOL)


class _TimeUp(BaseException):
    """Not an Exception: a parser that catches those must not go on."""


def _time_up(*_: object) -> None:
    raise _TimeUp


def _bounded(work: Callable[[], R], seconds: float) -> R:
    """Do the work within its time; runs in the process's main thread, which hears signals."""
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
    """Bound the process's memory; it leaves Ctrl-C to its owner, and its end too.

    It writes nothing: what becomes of a task is told to the owner, and what a library, Python or
    the C library says when the process ends would stand between the lines of the log.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    nothing = os.open(os.devnull, os.O_WRONLY)
    for number in (1, 2):
        os.dup2(nothing, number)
    os.close(nothing)
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    ours = MOST_MEMORY_BYTES if most == resource.RLIM_INFINITY else min(MOST_MEMORY_BYTES, most)
    resource.setrlimit(resource.RLIMIT_AS, (ours, most))
    sys.setswitchinterval(_SWITCH_SECONDS)
