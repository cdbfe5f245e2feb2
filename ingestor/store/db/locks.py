"""Which locks writers take, in which order; and one run at a time on one archive.

SQLite, with one writer, needs none. Each writing transaction takes what it needs in this order,
and gives it back at its end, however it ends::

    names     of the articles that it may add       advisory locks, in the order of their numbers
    articles  that it may change                    their rows, in the order of their ids
    order     before it writes a revision           one advisory lock

Of two workers that save the same article, the second finds what the first has made.
Because of *order*, revisions become visible in the order of their ``sequence``, one transaction
after the other: who asks for those above the last one that he saw misses none. Stories, which one
article may join to one, what securities are called, and the local copies of pictures are written
under it too.

Advisory locks are PostgreSQL's, by name: the server gives them back when the transaction, or the
session, ends or is killed. A run on SQLite locks the database's file: the system gives that back.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sqlalchemy import Connection, or_, select, text
from sqlalchemy.exc import DBAPIError

from ingestor.errors import ArchiveInUse, StorageFailed
from ingestor.store.db.database import Database
from ingestor.store.schema import aliases, articles

UPGRADE = "upgrade"
"""The schema is made or upgraded."""

RUN = "run"
"""A daemon or a pass is at work, alone (:func:`only_run`); or workers are, together."""

_TAKE = text("SELECT pg_advisory_xact_lock(k) FROM unnest(CAST(:keys AS bigint[])) AS k")
_TRY = {
    False: text("SELECT pg_try_advisory_lock(:key)"),
    True: text("SELECT pg_try_advisory_lock_shared(:key)"),
}
_HALF = 0xFFFFFFFF
_HOLDERS = text(
    "SELECT DISTINCT replace(application_name, 'ingestor ', '')"
    " FROM pg_locks JOIN pg_stat_activity USING (pid)"
    " WHERE locktype = 'advisory' AND granted AND objsubid = 1"
    " AND pg_locks.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    " AND CAST(classid AS bigint) = :high AND CAST(objid AS bigint) = :low"
    " AND application_name LIKE 'ingestor %' ORDER BY 1"
)
"""A 64-bit lock stands in ``pg_locks`` as two halves, with ``objsubid`` 1."""


def has_locks(connection: Connection) -> bool:
    """Return whether there are advisory locks, and a need for them."""
    return connection.dialect.name == "postgresql"


def key(name: str) -> int:
    """Return the signed 64-bit number that stands for a lock's name."""
    digest = hashlib.blake2b(f"ingestor {name}".encode("utf-8", "replace"), digest_size=8)
    return int.from_bytes(digest.digest(), signed=True)


def take(connection: Connection, *names: str) -> None:
    """Wait for these locks, and hold them to the end of the transaction.

    In one order whoever asks for them, so that nobody waits for one who waits for him.
    """
    if names and has_locks(connection):
        connection.execute(_TAKE, {"keys": sorted({key(name) for name in names})})


def hold(connection: Connection, name: str, *, shared: bool = False) -> bool:
    """Take a lock for the rest of the session, at once; return whether that was possible.

    The connection commits by itself, so that no transaction is left open meanwhile.
    """
    return bool(connection.execute(_TRY[shared], {"key": key(name)}).scalar_one())


def release(connection: Connection) -> None:
    """Give back what the session holds."""
    connection.execute(text("SELECT pg_advisory_unlock_all()"))


def holders(connection: Connection, name: str) -> Collection[str]:
    """Return who holds a lock, as ``PROCESS on HOST``, as far as that can be seen."""
    halves = {"high": key(name) >> 32 & _HALF, "low": key(name) & _HALF}
    return connection.execute(_HOLDERS, halves).scalars().all()


def is_held_by_us(connection: Connection, name: str) -> bool:
    """Return whether a session of this process holds a lock."""
    row = connection.execute(text("SELECT current_setting('application_name')")).scalar_one()
    return row.removeprefix("ingestor ") in holders(connection, name)


def lock_names(connection: Connection, names: Collection[str], titles: Iterable[str] = ()) -> None:
    """Wait for everybody who saves an article with one of these names, and keep others from it.

    ``names`` are canonical addresses and document ids; ``titles`` are their titles' keys, by which
    an adopted article without an address is recognised.
    """
    if not has_locks(connection):
        return
    keys = {f"article {name}" for name in names} | {f"title {title}" for title in titles}
    take(connection, *keys)
    also = select(aliases.c.article_id).where(aliases.c.url.in_(names))
    named = or_(
        articles.c.url.in_(names), articles.c.document_id.in_(names), articles.c.id.in_(also)
    )
    _rows(connection, named)


def lock_articles(connection: Connection, article_ids: Collection[int]) -> None:
    """Wait for everybody who changes one of these articles, and keep others from it."""
    if has_locks(connection):
        _rows(connection, articles.c.id.in_(article_ids))


def lock_revisions(connection: Connection) -> None:
    """Wait for everybody who writes revisions, stories or pictures, and keep others from it."""
    take(connection, "order")


def lock_feed(connection: Connection, feed_id: int) -> None:
    """Wait for everybody who writes down what this feed announces, and keep others from it."""
    take(connection, f"feed {feed_id}")


def lock_configuration(connection: Connection) -> None:
    """Wait for everybody who makes the feeds agree with a configuration."""
    take(connection, "configuration")


def lock_hosts(connection: Connection) -> None:
    """Wait for everybody who writes down which hosts are left alone."""
    take(connection, "hosts")


def _rows(connection: Connection, condition: object) -> None:
    # Others may still refer to the articles meanwhile: their ids do not change.
    query = select(articles.c.id).where(condition).order_by(articles.c.id)  # type: ignore[arg-type]
    connection.execute(query.with_for_update(key_share=True)).all()


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
            others = holders(connection, RUN)
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
        if not hold(connection, RUN, shared=shared):
            others = holders(connection, RUN)
            who = f"process {', '.join(others)}" if others else "another process"
            raise ArchiveInUse(f"{database.where}: in use by {who}; stop it first, or let it work")
        try:
            yield
        finally:
            # The server sees a connection's end a moment later: too late for what runs next.
            with suppress(DBAPIError):
                release(connection)


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
