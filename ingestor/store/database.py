"""The engine, its settings and its transactions: the only place where either is opened.

SQLite runs in WAL mode, so readers (the ``sqlite3`` shell among them) never wait for the
writer. Writing transactions begin with ``BEGIN IMMEDIATE``: a second writer waits at the
start of its transaction, never fails in the middle. DDL is transactional too, so that a
migration and its record are one.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, DBAPIError

from ingestor.errors import ArchiveError, ArchiveInUse, ConfigError, StorageFailed

APPLICATION_ID = 0x53494E41
"""``PRAGMA application_id`` of our files ("SINA"): another program's file is refused."""

BUSY_MILLISECONDS = 60_000
"""How long a writing transaction waits for another one; foreign writers may take 30 s."""


class Database:
    """An archive's database, opened but not yet looked at.

    ``for_reading`` makes do with a file or a folder that this user may not write: then it is
    opened read-only, and a writing transaction raises :class:`StorageFailed`.
    """

    def __init__(self, url: str, *, for_reading: bool = False) -> None:
        self.url = url
        self.engine = _engine(url, for_reading=for_reading)

    @property
    def path(self) -> Path | None:
        """The SQLite file, or ``None`` for a server or a database in memory."""
        name = self.engine.url.database
        if self.engine.dialect.name != "sqlite" or not name or name == ":memory:":
            return None
        return Path(name)

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Open a writing transaction: committed when the block ends, else rolled back.

        Raises :class:`ArchiveInUse` or :class:`StorageFailed` instead of the driver's errors.
        """
        engine = self.engine.execution_options(ingestor_writes=True)
        with _translated(self), engine.begin() as connection:
            yield connection

    @contextmanager
    def rehearsal(self) -> Iterator[Connection]:
        """Open a writing transaction that is rolled back whatever happens: a dry run.

        Others wait until it ends.
        """
        engine = self.engine.execution_options(ingestor_writes=True)
        with _translated(self), engine.connect() as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a reading transaction: one consistent view, which blocks nobody."""
        with _translated(self), self.engine.connect() as connection, connection.begin():
            yield connection

    def close(self) -> None:
        """Give back every connection."""
        self.engine.dispose()


def copy_file(source: Path, target: Path) -> None:
    """Copy an SQLite file as one transaction saw it, also while others write to it.

    ``target`` becomes one whole file, which can be moved: no write-ahead log belongs to it.
    Raises ``sqlite3.Error`` when either cannot be read or written.
    """
    with closing(sqlite3.connect(source)) as one, closing(sqlite3.connect(target)) as other:
        # All pages at once: a copy in steps begins anew whenever somebody has written.
        one.backup(other, pages=-1)
        other.execute("PRAGMA journal_mode = DELETE").close()


def _engine(url: str, *, for_reading: bool) -> Engine:
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise ConfigError(f'store.url: not a database address: "{url}"') from error
    if parsed.get_backend_name() != "sqlite":
        raise ConfigError(
            f'store.url: "{parsed.get_backend_name()}" is not supported by this version; '
            'use "sqlite:///archive.db"'
        )
    path = Path(parsed.database) if parsed.database not in {None, "", ":memory:"} else None
    if path and for_reading and path.exists() and not _writable(path):
        engine = create_engine(parsed, creator=partial(_open_read_only, path))
    else:
        if path and not for_reading:
            _make_folder(path.parent)
        engine = create_engine(parsed)
        event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageFailed(f"{folder}: cannot be made: {error.strerror}") from error


def _writable(path: Path) -> bool:
    """Return whether SQLite may write the file, and its write-ahead log beside it."""
    return os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)


def _open_read_only(path: Path) -> sqlite3.Connection:
    """Open a file that may not be written; a write-ahead log that is there is read too."""
    log = path.with_name(f"{path.name}-wal")
    # Without a log, SQLite would want to make one, unless it is told that nobody writes. With
    # one it must not be told so: what stands in the log would be missing.
    mode = "mode=ro" if log.exists() and log.stat().st_size else "immutable=1"
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?{mode}",
        uri=True,
        check_same_thread=False,
        isolation_level=None,
    )


def _prepare(connection: sqlite3.Connection, record: Any) -> None:  # noqa: ARG001 - SQLAlchemy's signature
    # SQLAlchemy opens the transactions (see _begin); the driver must not do it as well.
    connection.isolation_level = None
    for pragma in (
        f"busy_timeout = {BUSY_MILLISECONDS}",
        "journal_mode = WAL",
        # A commit promises that nothing is lost, also when the power fails after it.
        "synchronous = FULL",
        "foreign_keys = ON",
        "temp_store = MEMORY",
    ):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("ingestor_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def _translated(database: Database) -> Iterator[None]:
    """Turn the driver's errors that an operator can mend into ours."""
    try:
        yield
    except DBAPIError as error:
        if (expected := _expected(error, database.path or database.url)) is None:
            raise
        raise expected from error


def _expected(error: DBAPIError, where: object) -> ArchiveError | None:
    """Name what an operator can mend; ``None`` is a bug of ours, to be raised as it is."""
    text = str(error.orig).lower()
    if "locked" in text or "busy" in text:
        return ArchiveInUse(f"{where}: another program is writing to it and does not finish")
    if isinstance(error, DatabaseError):
        for sign, sentence in (
            ("file is not a database", "is not an SQLite database; name another file in store.url"),
            ("unable to open", "cannot be opened; is the folder there, and may it be written?"),
            ("readonly", "is read-only; give this user the right to write it and its folder"),
            ("disk is full", "cannot be written: the disk is full"),
            ("disk i/o error", "cannot be written: the disk is full or failing"),
            ("malformed", "is damaged; restore it from a backup"),
        ):
            if sign in text:
                return StorageFailed(f"{where}: {sentence}")
    return None
