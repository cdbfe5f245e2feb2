"""Runs the daemon as systemd does: a process, a notify socket, signals, an exit code."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import pytest

from tools import forked
from tools.running import Site

LONGEST = 240
"""Seconds after which something has not happened; a bound for slow machines, not a measure."""


def wait_for(
    condition: Callable[[], object], seconds: float = LONGEST, *, fails: bool = True
) -> None:
    """Wait until a condition holds; when it does not within that time, fail or go on."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.05)
    if fails:
        pytest.fail("it did not happen in time")


class Manager:
    """A service manager's end of the notify protocol."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.messages: list[list[str]] = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(f"\0{address[1:]}" if address.startswith("@") else address)
        self._socket.setblocking(False)

    def hear(self) -> list[list[str]]:
        """Return all messages so far, each as its lines."""
        while True:
            try:
                self.messages.append(self._socket.recv(4096).decode().splitlines())
            except BlockingIOError:
                return self.messages

    def heard(self, line: str) -> bool:
        """Return whether a message had a line that begins so."""
        return any(one.startswith(line) for message in self.hear() for one in message)

    def close(self) -> None:
        """Give the socket back."""
        self._socket.close()


@dataclass
class Daemon:
    """A running ``ingest``; in a ``with`` block it is killed at the end if need be.

    It is forked, which takes a tenth of the time; ``whole``, it is ``python -m ingestor`` from the
    interpreter's first moment, in its ``environment``, and its workers descend from it.
    """

    site: Site
    arguments: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)
    whole: bool = field(default=False, kw_only=True)

    def __enter__(self) -> Self:
        # A file, not a pipe: nobody reads while it runs, and a full pipe would stop it.
        self._errors = (self.site.folder / "stderr.txt").open("w+", encoding="utf-8")
        self.process = self._started()
        return self

    def _started(self) -> forked.Process | subprocess.Popen:
        environment = self.site.environment() | self.environment
        with Path(os.devnull).open("r+b") as null:
            streams = [null, null, self._errors]
            if not self.whole:
                return forked.Process(
                    self.arguments, self.site.folder, environment, streams, longest=2 * LONGEST
                )
            stdin, stdout, stderr = streams
            return subprocess.Popen(
                [sys.executable, "-m", "ingestor", *self.arguments],
                cwd=self.site.folder,
                env=environment,
                stdin=stdin,
                stdout=stdout,
                stderr=stderr,
            )

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._errors.close()

    def said(self) -> str:
        """Return what it wrote to standard error so far."""
        return Path(self._errors.name).read_text("utf-8")

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send the signal and return the exit code."""
        self.process.send_signal(number)
        return self.process.wait(timeout=LONGEST)
