"""One run at a time on one archive: a lock that the system gives back when its owner dies."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from ingestor.errors import ArchiveInUse, StorageFailed
from ingestor.store.db import locks
from ingestor.store.db.database import Database

_DESCRIPTORS: dict[tuple[int, int], int] = {}
"""Of each database's file, by device and inode, that this process held."""


@contextmanager
def only_run(database: Database) -> Iterator[None]:
    """Hold the archive for one run; readers and short writers are not kept out.

    Raises :class:`ArchiveInUse`, which names the other run's process, when there is one.
    A lock left by a process that was killed is no lock: the kernel drops it, or the server
    does with its connection.
    """
    if database.path is not None:
        with _file_held(database.path):
            database.hold()
            yield
    else:
        with _server_held(database, shared=False):
            yield


def holder(database: Database) -> str:
    """Return who holds the archive, as ``process 123``; ``""`` for nobody. Takes no lock itself.

    Of the workers of a cluster, all. Where the system does not list its locks, as only Linux
    does (proc_locks(5)), it is the process that took it last, if that lives.
    """
    if database.path is None:
        with database.session() as connection:
            others = locks.holders(connection, locks.RUN)
        return f"process {', '.join(others)}" if others else ""
    number = _owner(database.path)
    try:
        inode = f":{database.path.stat().st_ino} "
        listed = Path("/proc/locks").read_text(encoding="ascii").splitlines()
        held = any("FLOCK" in line and inode in line for line in listed)
    except OSError:
        held = number.isdecimal() and _lives(int(number))
    return (f"process {number}" if number else "another process") if held else ""


def _owner(archive: Path) -> str:
    """Return the number of the process that took the lock last, ``""`` where that is not known."""
    path = archive.resolve().with_name(f"{archive.resolve().name}.lock")
    return path.read_text(encoding="ascii", errors="replace").strip() if path.exists() else ""


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


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
        if not locks.hold(connection, locks.RUN, shared=shared):
            others = locks.holders(connection, locks.RUN)
            who = f"process {', '.join(others)}" if others else "another process"
            raise ArchiveInUse(f"{database.where}: in use by {who}; stop it first, or let it work")
        try:
            yield
        finally:
            # The server sees a connection's end a moment later: too late for what runs next.
            with suppress(DBAPIError):
                locks.release(connection)


@contextmanager
def _file_held(archive: Path) -> Iterator[None]:
    """Hold the database's file itself: by whatever name it was opened, it is the same one.

    Its descriptor is never closed: that would take SQLite's own locks on the file away from the
    whole process (POSIX).
    """
    owner = archive.resolve().with_name(f"{archive.resolve().name}.lock")
    try:
        descriptor = _descriptor(archive)
        if os.fstat(descriptor).st_nlink > 1:
            raise StorageFailed(
                f"{archive}: has several names (hard links), and SQLite would keep a journal for"
                " each; leave it one"
            )
        _take(descriptor, archive)
        owner.write_text(f"{os.getpid()}\n", encoding="ascii")
    except OSError as error:
        name = error.filename or archive
        raise StorageFailed(f"{name}: cannot be opened: {error.strerror}") from error
    try:
        yield
    finally:
        fcntl.flock(descriptor, fcntl.LOCK_UN)


def _descriptor(archive: Path) -> int:
    if archive.exists():
        status = archive.stat()
        known = _DESCRIPTORS.get((status.st_dev, status.st_ino))
        if known is not None:
            return known
    # An empty file is a new database to SQLite.
    descriptor = os.open(archive, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    status = os.fstat(descriptor)
    return _DESCRIPTORS.setdefault((status.st_dev, status.st_ino), descriptor)


def _take(descriptor: int, archive: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        owner = _owner(archive)
        who = f"process {owner}" if owner else "another process"
        raise ArchiveInUse(f"{archive}: in use by {who}; stop it first, or let it work") from error
