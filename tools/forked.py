"""Runs ``ingest`` as a process that is forked from one which has everything imported already.

Importing takes most of the time of a short command, and tests run hundreds of them. What runs is
the command line's ``main`` in a process of its own, with its own folder, environment, standard
streams and exit code. ``python -m ingestor`` itself is what the daemon's tests start.
"""

from __future__ import annotations

import atexit
import importlib
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Mapping, Sequence
from functools import cache
from multiprocessing import forkserver, set_forkserver_preload
from pathlib import Path
from typing import Any, NoReturn

from ingestor.cli import main

LONGEST = 120
"""Seconds after which a run is ended."""


def run(
    arguments: Sequence[str], folder: Path, environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run ``ingest`` with these arguments; return its exit code and what it said."""
    with (
        socket.socket(socket.AF_UNIX) as asked,
        tempfile.TemporaryFile("w+", encoding="utf-8") as out,
        tempfile.TemporaryFile("w+", encoding="utf-8") as errors,
    ):
        asked.connect(_server())
        order = {
            "arguments": list(arguments),
            "folder": str(folder),
            "environment": dict(environment),
        }
        wish = b"s3" if "AWS_ENDPOINT_URL" in environment else b"!"
        socket.send_fds(asked, [wish], [out.fileno(), errors.fileno()])
        asked.sendall(json.dumps(order).encode())
        asked.shutdown(socket.SHUT_WR)
        answer = asked.makefile("rb").read()
        assert answer, "the process that others are forked from has ended"
        out.seek(0)
        errors.seek(0)
        return subprocess.CompletedProcess(
            ["ingest", *arguments], int(answer), out.read(), errors.read()
        )


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
        print("ready", flush=True)
        while all(key.fileobj is listening for key, _ in waiting.select()):
            connection, _ = listening.accept()
            if connection.recv(2, socket.MSG_PEEK) == b"s3":
                importlib.import_module("s3fs")
            if not os.fork():
                _watch(connection)
            connection.close()


def _watch(connection: socket.socket) -> NoReturn:
    """Start the run, wait for its end, and say its exit code."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    _, streams, _, _ = socket.recv_fds(connection, 2, 2)
    order = json.loads(connection.makefile("rb").read())
    process = os.fork()
    if not process:
        connection.close()
        _be(order, streams)
    signal.signal(signal.SIGALRM, lambda *_: os.kill(process, signal.SIGKILL))
    signal.alarm(LONGEST)
    _, status = os.waitpid(process, 0)
    connection.sendall(str(os.waitstatus_to_exitcode(status)).encode())
    os._exit(0)


def _be(order: dict[str, Any], streams: list[int]) -> NoReturn:
    """Be the run."""
    os.chdir(order["folder"])
    os.environ.clear()
    os.environ.update(order["environment"])
    nothing = os.open(os.devnull, os.O_RDONLY)
    for number, stream in enumerate([nothing, *streams]):
        os.dup2(stream, number)
        os.close(stream)
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
