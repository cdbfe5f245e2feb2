"""SQLite: one file, one writer, any number of readers.

It runs in WAL mode, so readers (the ``sqlite3`` shell among them) never wait for the
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

from sqlalchemy import (
    URL,
    Connection,
    Dialect,
    Engine,
    Integer,
    PoolProxiedConnection,
    Text,
    create_engine,
    event,
    inspect,
)
from sqlalchemy.exc import DatabaseError, DBAPIError

from ingestor.errors import ArchiveError, ArchiveInUse, StorageFailed

APPLICATION_ID = 0x53494E41
"""``PRAGMA application_id`` of our files ("SINA"): another program's file is refused."""

BUSY_MILLISECONDS = 60_000
"""How long a writing transaction waits for another one; foreign writers may take 30 s."""


def open_engine(url: URL, *, for_reading: bool, only_reads: bool = False) -> Engine:
    """Return an engine; for reading, a file that may not be written is opened read-only."""
    path = file_of(url)
    if path and for_reading and path.exists() and (only_reads or not _writable(path)):
        engine = create_engine(url, creator=partial(_open_read_only, path))
    else:
        if path and not for_reading:
            _make_folder(path.parent)
        engine = create_engine(url)
        event.listen(engine, "connect", _prepare)
        if not for_reading:
            event.listen(engine, "connect", _write_ahead)
    event.listen(engine, "connect", _read_all_texts)
    engine.dialect.colspecs = {**engine.dialect.colspecs, **_READABLE}
    if for_reading:
        event.listen(engine, "connect", _remember_more)
    event.listen(engine, "begin", _begin)
    return engine


def writing(engine: Engine) -> Engine:
    """Return the engine for writing transactions."""
    return engine.execution_options(ingestor_writes=True)


def reading(engine: Engine) -> Engine:
    """Return the engine for reading transactions."""
    return engine


@contextmanager
def upgrading(engine: Engine) -> Iterator[Connection]:
    """Open a writing transaction that changes the schema; what refers to what is checked after it.

    SQLite changes a table by making another one and dropping the first, which others refer to
    (sqlite.org/lang_altertable.html, section 7).
    """
    with writing(engine).connect() as connection:
        # No transaction may be open yet, and the engine begins one for every statement.
        raw = connection.connection.cursor()
        raw.execute("PRAGMA foreign_keys = OFF").close()
        try:
            with connection.begin():
                dangling = _dangling(connection)
                yield connection
                if _dangling(connection) > dangling:
                    raise StorageFailed(f"{engine.url.database}: rows would refer to nothing")
        finally:
            # The connection's settings were changed: it does not go back to the pool.
            connection.invalidate()


def _dangling(connection: Connection) -> int:
    return len(connection.exec_driver_sql("PRAGMA foreign_key_check").all())


def file_of(url: URL) -> Path | None:
    """Return the file that an address names, ``None`` for a database in memory."""
    return Path(url.database) if url.database not in {None, "", ":memory:"} else None


def changes(connection: PoolProxiedConnection) -> int | None:
    """Return a number that is another one after each commit of any other connection.

    It is read from memory that all who use the file share, not from the file. ``None`` where
    there is none: what is wrong then is said by whatever is asked next.
    """
    with closing(connection.cursor()) as cursor:
        try:
            cursor.execute("PRAGMA data_version")
        except sqlite3.Error:
            return None
        row = cursor.fetchone()
    return int(row[0]) if row else None


def is_foreign(connection: Connection) -> bool:
    """Return whether a database without a schema of ours is another program's."""
    application = connection.exec_driver_sql("PRAGMA application_id").scalar_one()
    return application not in {0, APPLICATION_ID} or bool(inspect(connection).get_table_names())


def sign(connection: Connection) -> None:
    """Mark the database as ours."""
    connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")


_DAMAGED = "is damaged; restore it from a backup"


def expected(error: DBAPIError | UnicodeDecodeError, where: object) -> ArchiveError | None:
    """Name what an operator can mend; ``None`` is a bug of ours, to be raised as it is."""
    if isinstance(error, UnicodeDecodeError):
        # The driver cannot read its own message, where that names something in a damaged schema.
        damaged = error.object.startswith(b"malformed database schema")
        return StorageFailed(f"{where}: {_DAMAGED}") if damaged else None
    text = str(error.orig).lower()
    if "locked" in text or "busy" in text:
        return ArchiveInUse(f"{where}: another program is writing to it and does not finish")
    if isinstance(error, DatabaseError):
        for mark, sentence in (
            ("file is not a database", "is not an SQLite database; name another file in store.url"),
            (
                "unable to open",
                "cannot be opened; is the folder there, and may it and more files be opened?",
            ),
            ("readonly", "is read-only; give this user the right to write it and its folder"),
            ("disk is full", "cannot be written: the disk is full"),
            ("disk i/o error", "cannot be written: the disk is full or failing"),
            ("malformed", _DAMAGED),
        ):
            if mark in text:
                return StorageFailed(f"{where}: {sentence}")
    return None


def copy_file(source: Path, target: Path) -> None:
    """Copy an SQLite file as one transaction saw it, also while others write to it.

    ``target`` becomes one whole file, which can be moved: no write-ahead log belongs to it.
    Raises ``sqlite3.Error`` when either cannot be read or written.
    """
    with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(target)) as new:
        # All pages at once: a copy in steps begins anew whenever somebody has written.
        old.backup(new, pages=-1)
        new.execute("PRAGMA journal_mode = DELETE").close()


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
    log, shared = (path.with_name(f"{path.name}{ending}") for ending in ("-wal", "-shm"))
    # Without a log, SQLite would want to make one, unless it is told that nobody writes. With
    # one it must not be told so: what stands in the log, or comes into it, would be missing.
    is_used = shared.exists() or (log.exists() and log.stat().st_size)
    mode = "mode=ro" if is_used or os.access(path.parent, os.W_OK) else "immutable=1"
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
        # A commit promises that nothing is lost, also when the power fails after it.
        "synchronous = FULL",
        "foreign_keys = ON",
        "temp_store = MEMORY",
    ):
        connection.execute(f"PRAGMA {pragma}").close()


def _write_ahead(connection: sqlite3.Connection, record: Any) -> None:  # noqa: ARG001 - SQLAlchemy's signature
    # It is written in the file: who looks at a backup would change it.
    connection.execute("PRAGMA journal_mode = WAL").close()


def _read_all_texts(connection: sqlite3.Connection, record: Any) -> None:  # noqa: ARG001 - SQLAlchemy's signature
    # A damaged byte costs a character, not the command: `ingest verify` finds and names it.
    connection.text_factory = _text


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


class _ReadableText(Text):
    """Text, also where damage made something else of it: a column's type binds nobody here."""

    def result_processor(self, dialect: Dialect, coltype: object) -> Any:  # noqa: ARG002 - SQLAlchemy's
        """Return what reads a value of the driver."""

        def as_text(value: Any) -> Any:
            """Return a value as text, if it is not NULL."""
            if value is None or isinstance(value, str):
                return value
            return _text(value) if isinstance(value, bytes) else str(value)

        return as_text


class _ReadableInteger(Integer):
    """A whole number, 0 where damage made something else of it."""

    def result_processor(self, dialect: Dialect, coltype: object) -> Any:  # noqa: ARG002 - SQLAlchemy's
        """Return what reads a value of the driver."""

        def as_number(value: Any) -> Any:
            """Return a value as a number, if it is not NULL."""
            return value if value is None or isinstance(value, int) else 0

        return as_number


_READABLE = {Text: _ReadableText, Integer: _ReadableInteger}


def _remember_more(connection: sqlite3.Connection, record: Any) -> None:  # noqa: ARG001 - SQLAlchemy's signature
    # A search meets the same pages of the index again and again. The daemon does without: what
    # it asks for is always something else, and it is to stay small.
    connection.execute("PRAGMA cache_size = -32000").close()


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("ingestor_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
