"""One run at a time on one archive: a lock that the system gives back when its owner dies."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from ingestor.errors import ArchiveInUse, StorageFailed
from ingestor.store.db import advisory
from ingestor.store.db.database import Database


@contextmanager
def only_run(database: Database) -> Iterator[None]:
    """Hold the archive for one run; readers and short writers are not kept out.

    Raises :class:`ArchiveInUse`, which names the other run's process, when there is one.
    A lock left by a process that was killed is no lock: the kernel drops it, or the server
    does with its connection.
    """
    if database.path is not None:
        with _file_held(database.path):
            yield
    else:
        with _server_held(database, shared=False):
            yield


@contextmanager
def one_of_many(database: Database) -> Iterator[None]:
    """Hold the archive together with others who do so: the workers of a cluster.

    Raises :class:`ArchiveInUse` while :func:`only_run` holds it, and keeps it from doing so.
    """
    with _server_held(database, shared=True):
        yield


@contextmanager
def _server_held(database: Database, *, shared: bool) -> Iterator[None]:
    with database.session() as connection:
        if not advisory.hold(connection, advisory.RUN, shared=shared):
            others = advisory.holders(connection, advisory.RUN)
            who = f"process {', '.join(others)}" if others else "another process"
            raise ArchiveInUse(f"{database.where}: in use by {who}; stop it first, or let it work")
        try:
            yield
        finally:
            # The server sees a connection's end a moment later: too late for what runs next.
            with suppress(DBAPIError):
                advisory.release(connection)


@contextmanager
def _file_held(archive: Path) -> Iterator[None]:
    path = archive.with_name(f"{archive.name}.lock")
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise StorageFailed(f"{path}: cannot be written: {error.strerror}") from error
    try:
        _take(descriptor, path, archive)
        yield
    finally:
        os.close(descriptor)


def _take(descriptor: int, path: Path, archive: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        owner = path.read_text(encoding="ascii", errors="replace").strip()
        who = f"process {owner}" if owner else "another process"
        raise ArchiveInUse(f"{archive}: in use by {who}; stop it first, or let it work") from error
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode("ascii"), 0)
