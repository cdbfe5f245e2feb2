"""Importing this runs the usual commands once, in this process, so that its forks need not begin.

What a run makes anew and the next one would make just so stays in memory: compiled statements of
SQL and patterns, modules that are imported late, the inside of libraries. Tests fork hundreds of
runs, and half of what a short one takes is this. What a run changes in Python itself is put back.
"""

from __future__ import annotations

import gc
import logging
import os
import signal
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import Connection, Engine, event

from ingestor import log
from ingestor.cli import main
from tools.fake_internet import FakeInternet
from tools.made_up_sina import made_up, publish
from tools.running import Site

COMMANDS = (
    "--once",
    "--once",
    "status",
    "status --json",
    "search 央行",
    "show 1",
    "show --json 1",
    "verify",
    "reextract",
    "retry",
    "feed list",
    "stats",
)

HOOKS = (
    (sys, "stdout"),
    (sys, "stderr"),
    (sys, "unraisablehook"),
    (threading, "excepthook"),
    (warnings, "showwarning"),
)


class _Statements(dict):
    """Compiled statements of all engines; those of one kind of database compile alike."""

    def get(self, key: Any, default: Any = None) -> Any:
        return super().get((key[0].name, *key[1:]), default)

    def __setitem__(self, key: Any, compiled: Any) -> None:
        super().__setitem__((key[0].name, *key[1:]), compiled)


_STATEMENTS = _Statements()


@event.listens_for(Engine, "engine_connect")
def _share_statements(connection: Connection) -> None:
    connection.execution_options(compiled_cache=_STATEMENTS)


@contextmanager
def _put_back() -> Iterator[None]:
    """Put back what a run changes in Python and in the process."""
    hooks = [(owner, name, getattr(owner, name)) for owner, name in HOOKS]
    environment, folder = dict(os.environ), Path.cwd()
    streams = [os.dup(number) for number in range(3)]
    handlers = {number: signal.getsignal(number) for number in signal.valid_signals()}
    try:
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
            os.close(stream)
        for owner, name, hook in hooks:
            setattr(owner, name, hook)
        for number, handler in handlers.items():
            with suppress(OSError, TypeError):  # of some there is nothing to be set
                signal.signal(number, handler)
        logging.basicConfig(force=True, handlers=[])
        log.EVENTS.setLevel(logging.NOTSET)
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environment)


def _rehearse() -> None:
    with TemporaryDirectory() as folder, FakeInternet() as net, _put_back():
        site = Site(Path(folder), net)
        site.configure()
        publish(net, [made_up(1), made_up(2)], full=False)
        os.environ.update(site.environment())
        os.chdir(folder)
        nothing = os.open(os.devnull, os.O_RDWR)
        for number in range(3):
            os.dup2(nothing, number)
        os.close(nothing)
        for line in COMMANDS:
            with suppress(SystemExit):
                main(line.split())


_rehearse()
gc.collect()
gc.freeze()
