"""Runs ``ingest`` as a process that is forked from one which has everything imported already.

Importing takes most of the time of a short command, and tests run hundreds of them. What runs is
the command line's ``main`` in a process of its own, with its own folder, environment, standard
streams and exit code. ``python -m ingestor`` itself is what those tests start whose environment
is to be there from the interpreter's first moment.
"""

from __future__ import annotations

import atexit
import importlib
import json
import os
import select
import selectors
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from multiprocessing import forkserver, set_forkserver_preload
from pathlib import Path
from typing import IO, Any, NoReturn

from ingestor.cli import main

LONGEST = 120
"""Seconds after which a run is ended."""

_NUMBER = struct.Struct("!i")


class Process:
    """A run that goes on, with what :class:`subprocess.Popen` has for it."""

    def __init__(
        self,
        arguments: Sequence[str],
        folder: Path,
        environment: Mapping[str, str],
        streams: Sequence[IO[Any] | int],
        *,
        longest: int = LONGEST,
    ) -> None:
        """Start it, with all three standard streams; after ``longest`` seconds it is ended."""
        self.arguments = ["ingest", *arguments]
        self.returncode: int | None = None
        order = {
            "arguments": list(arguments),
            "folder": str(folder),
            "environment": dict(environment),
            "longest": longest,
        }
        wish = b"s3" if "AWS_ENDPOINT_URL" in environment else b"!"
        self._asked = socket.socket(socket.AF_UNIX)
        self._asked.connect(_server())
        numbers = [stream if isinstance(stream, int) else stream.fileno() for stream in streams]
        socket.send_fds(self._asked, [wish], numbers)
        self._asked.sendall(json.dumps(order).encode())
        self._asked.shutdown(socket.SHUT_WR)
        self.pid = self._answer()

    def poll(self) -> int | None:
        """Return its exit code, ``None`` while it runs."""
        return None if self._runs(0) else self.wait()

    def wait(self, timeout: float | None = None) -> int:
        """Wait until it ends, and return its exit code."""
        if self.returncode is None:
            if self._runs(timeout):
                raise subprocess.TimeoutExpired(self.arguments, timeout or 0)
            self.returncode = self._answer()
            self._asked.close()
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)

    def _runs(self, timeout: float | None) -> bool:
        if self.returncode is not None:
            return False
        readable, _, _ = select.select([self._asked], [], [], timeout)
        return not readable

    def _answer(self) -> int:
        data = self._asked.recv(_NUMBER.size, socket.MSG_WAITALL)
        assert data, "the process that others are forked from has ended"
        (number,) = _NUMBER.unpack(data)
        return int(number)


def run(
    arguments: Sequence[str], folder: Path, environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run ``ingest`` with these arguments; return its exit code and what it said."""
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8") as out,
        tempfile.TemporaryFile("w+", encoding="utf-8") as errors,
        Path(os.devnull).open("rb") as nothing,
    ):
        process = Process(arguments, folder, environment, [nothing, out, errors])
        code = process.wait()
        out.seek(0)
        errors.seek(0)
        return subprocess.CompletedProcess(process.arguments, code, out.read(), errors.read())


@cache
def _server() -> str:
    """Start the process that others are forked from; return where it listens."""
    folder = tempfile.mkdtemp(prefix="ingest-")
    address = f"{folder}/socket"
    process = subprocess.Popen(
        [sys.executable, "-m", "tools.forked", address],
        cwd=Path(__file__).resolve().parents[1],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )

    def end() -> None:
        process.communicate()
        Path(address).unlink(missing_ok=True)
        Path(folder).rmdir()

    atexit.register(end)
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    return address


def _serve(address: str) -> None:
    """Fork a process for each order, until standard input ends."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as listening, selectors.DefaultSelector() as waiting:
        listening.bind(address)
        listening.listen()
        waiting.register(listening, selectors.EVENT_READ)
        waiting.register(sys.stdin, selectors.EVENT_READ)
        importlib.import_module("tools.warm")
        # The process from which workers are forked: one for all runs, not one each.
        set_forkserver_preload(["tools.warm"])
        forkserver.ensure_running()
        importlib.import_module("tools.rehearsal")
        print("ready", flush=True)
        while all(key.fileobj is listening for key, _ in waiting.select()):
            connection, _ = listening.accept()
            if connection.recv(2, socket.MSG_PEEK) == b"s3":
                importlib.import_module("s3fs")
            if not os.fork():
                _watch(connection)
            connection.close()


def _watch(connection: socket.socket) -> NoReturn:
    """Start the run, say its number, wait for its end, and say its exit code."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    _, streams, _, _ = socket.recv_fds(connection, 2, 3)
    order = json.loads(connection.makefile("rb").read())
    process = os.fork()
    if not process:
        connection.close()
        _be(order, streams)
    # The other end of a pipe or a terminal is to see that the run ended, whoever watches it.
    for stream in streams:
        os.close(stream)
    connection.sendall(_NUMBER.pack(process))
    signal.signal(signal.SIGALRM, lambda *_: os.kill(process, signal.SIGKILL))
    signal.alarm(order["longest"])
    _, status = os.waitpid(process, 0)
    # Nobody may care any more.
    with suppress(OSError):
        connection.sendall(_NUMBER.pack(os.waitstatus_to_exitcode(status)))
    os._exit(0)


def _be(order: dict[str, Any], streams: list[int]) -> NoReturn:
    """Be the run."""
    os.chdir(order["folder"])
    os.environ.clear()
    os.environ.update(order["environment"])
    time.tzset()
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    # As the interpreter begins, and `python -m ingestor`.
    sys.stdout.reconfigure(line_buffering=os.isatty(1))  # type: ignore[union-attr]
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
    choose_forkserver()
    code = 1
    try:
        main(order["arguments"])
    except SystemExit as wanted:
        code = wanted.code if isinstance(wanted.code, int) else 0
    except BaseException:  # noqa: BLE001 - as the interpreter does at its end
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def choose_forkserver() -> None:
    """Use the one that is there, without asking whether it lives: it is no child of this run.

    Workers have the environment of the process that they are forked from: where credentials
    are in it, the run starts one of its own.
    """
    shared = forkserver._forkserver
    if "AWS_ENDPOINT_URL" in os.environ:
        shared.__init__()
    else:
        shared.ensure_running = lambda: None


if __name__ == "__main__":
    _serve(sys.argv[1])
