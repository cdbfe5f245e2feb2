"""Runs ``ingest`` in forked processes, and kills them at a chosen point.

A process that is forked from this one has everything imported already, so that hundreds of
runs take minutes. Points are the moments at which a kill could hurt: around each commit, each
fsync and each rename, where something has changed on the disk since the point before, and in the
middle of a WARC record. Commands come as JSON lines on
standard input, one run each; the answer is a JSON line on standard output.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import resource
import signal
import sqlite3
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from multiprocessing import forkserver, set_forkserver_preload
from pathlib import Path
from typing import Any

from psycopg.pq import TransactionStatus
from sqlalchemy.engine.default import DefaultDialect

from ingestor.archive.warc.writer import WarcArchive
from ingestor.cli import main, reextract, run
from ingestor.clock import Clock
from ingestor.pipeline import services
from ingestor.workers import Workers
from tools.forked import choose_forkserver

LONGEST = 240
"""Seconds after which a run hangs."""


class InlineWorkers(Workers):
    """Does the work at once, in this process: what is tested here is not the pool."""

    def through(self, items: Any, work_for: Any) -> Any:
        """Yield each item with the result of its work, or its error."""
        for item in items:
            work = work_for(item)
            try:
                outcome = work() if work else None
            except Exception as error:  # noqa: BLE001 - it belongs to the work, as in the pool
                outcome = error
            yield item, outcome

    def as_done(self, items: Any, work_for: Any, source: Any) -> Any:
        """Yield the same, and pass on where others may have their turn."""
        del source
        for item in items:
            if item is None:
                yield None
            else:
                yield from self.through([item], work_for)


class Points:
    """Counts the points that a run passes, and dies at the chosen one.

    A kill leaves what lies on the disk, synced or not. Where that is what lay there at the point
    before, a kill would show the same again: it is no point.
    """

    def __init__(self, kill_at: int) -> None:
        self.kill_at = kill_at
        self.names: list[str] = []
        self._left = b""

    def __call__(self, name: str) -> None:
        left = what_lies_there()
        # What a commit changes in PostgreSQL lies elsewhere.
        if (left != self._left or name == "after commit") and self.here(name):
            self.die()
        self._left = left

    def here(self, name: str) -> bool:
        self.names.append(name)
        return len(self.names) == self.kill_at

    def die(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)


def what_lies_there() -> bytes:
    """Return a hash of every file of the folder that a run works in, by name and bytes."""
    digest = hashlib.blake2b()
    for path in sorted(Path().rglob("*")):
        # The driver's own, and what SQLite makes anew from its log (its WAL format, 2.3).
        if path.suffix in {".out", ".err", ".db-shm"} or not path.is_file():
            continue
        with suppress(FileNotFoundError):  # another thread was faster
            data = path.read_bytes()
            digest.update(f"{path}\n{len(data)}\n".encode() + data)
    return digest.digest()


def around(owner: Any, name: str, point: Points, label: str) -> None:
    """Let a function pass a point before it is called and one after."""
    original = getattr(owner, name)

    def wrapped(*arguments: Any, **named: Any) -> Any:
        point(f"before {label}")
        result = original(*arguments, **named)
        point(f"after {label}")
        return result

    setattr(owner, name, wrapped)


def install(point: Points) -> None:
    """Put the points into this process."""
    around(os, "fsync", point, "fsync")
    around(os, "replace", point, "rename")
    commit, changes = DefaultDialect.do_commit, {}

    def do_commit(self: Any, connection: Any) -> None:
        driver = connection.driver_connection
        made = changes_of(driver)
        writes = made != changes.get(id(driver), 0)
        changes[id(driver)] = made
        if writes:
            point("before commit")
        commit(self, connection)
        if writes:
            point("after commit")

    DefaultDialect.do_commit = do_commit  # type: ignore[method-assign]
    write = WarcArchive.write

    def torn(self: Any, *arguments: Any) -> Any:
        place = write(self, *arguments)
        if point.here("in the middle of a WARC record"):
            file = self._file
            file.flush()
            os.truncate(file.name, place.offset + place.length // 2)
            point.die()
        return place

    WarcArchive.write = torn  # type: ignore[method-assign]


def changes_of(connection: Any) -> int:
    """Return a number that is another one when a transaction has written something."""
    if isinstance(connection, sqlite3.Connection):
        return connection.total_changes
    if connection.info.transaction_status != TransactionStatus.INTRANS:
        return 0
    # A transaction has a number only once it writes.
    return connection.execute("SELECT pg_current_xact_id_if_assigned()::text").fetchone()[0] or 0


def child(command: dict[str, Any]) -> None:
    """Be one run of the program; never returns."""
    folder = Path(command["folder"])
    os.chdir(folder)
    os.environ.update(command["environment"])
    with (folder / "driver.out").open("w") as out, (folder / "driver.err").open("w") as err:
        os.dup2(out.fileno(), 1)
        os.dup2(err.fileno(), 2)
    point = Points(command["kill_at"])
    choose_forkserver()
    # Killed at any moment, not at a point: with worker processes, as people run it.
    if "kill_after" not in command:
        services.Workers = InlineWorkers  # type: ignore[misc]
        reextract.Workers = InlineWorkers  # type: ignore[misc]
        install(point)
    if most := command.get("most_file_bytes"):
        # Writing on fails as on a full disk, but for this process only.
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    shift = timedelta(seconds=command.get("clock_shift", 0))
    run.Clock = lambda: Clock(now=lambda: datetime.now(UTC) + shift)  # type: ignore[assignment,misc]
    code = 70
    try:
        main(command["arguments"])
    except SystemExit as wanted:
        code = wanted.code if isinstance(wanted.code, int) else 0
    finally:
        (folder / "driver.points").write_text("\n".join(point.names), "utf-8")
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def run_of(command: dict[str, Any]) -> dict[str, float]:
    """Run the program in a fork, and kill it after ``kill_after`` seconds; return how it ended."""
    seconds, began = command.get("kill_after", LONGEST), time.monotonic()
    pid = os.fork()
    if not pid:
        child(command)

    def kill(*_: Any) -> None:
        # It may have ended by itself just now.
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)

    signal.signal(signal.SIGALRM, kill)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    _, status = os.waitpid(pid, 0)
    signal.setitimer(signal.ITIMER_REAL, 0)
    took = time.monotonic() - began
    # As `timeout` says it: nobody takes what hangs for what was killed at a point.
    code = 124 if took >= LONGEST else os.waitstatus_to_exitcode(status)
    return {"code": code, "seconds": took}


def serve() -> None:
    """Answer commands until standard input ends."""
    importlib.import_module("tools.warm")
    # The process from which workers are forked: one for all runs, not one each.
    set_forkserver_preload(["tools.warm"])
    forkserver.ensure_running()
    importlib.import_module("tools.rehearsal")
    for line in sys.stdin:
        print(json.dumps(run_of(json.loads(line))), flush=True)


if __name__ == "__main__":
    serve()
