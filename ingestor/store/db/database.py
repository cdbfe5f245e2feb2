"""The archive's database, its transactions, and what keeps it small and quick over years.

Nothing else opens a database or a transaction. What is particular to a kind of database stands in
:mod:`ingestor.store.db.sqlite` and :mod:`ingestor.store.db.postgresql`; :class:`Backend` is what
both know.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

from sqlalchemy import URL, Connection, Engine, PoolProxiedConnection
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from ingestor.errors import ArchiveError, ConfigError, StorageFailed
from ingestor.store.db import postgresql, sqlite
from ingestor.text.sanitize import redact


class Backend(Protocol):
    """A kind of database; a module each."""

    def open_engine(self, url: URL, *, for_reading: bool, only_reads: bool = False) -> Engine:
        """Return an engine; raise :class:`ConfigError` when there cannot be one."""

    def writing(self, engine: Engine) -> Engine:
        """Return the engine for writing transactions."""

    def reading(self, engine: Engine) -> Engine:
        """Return the engine for reading transactions."""

    def upgrading(self, engine: Engine) -> AbstractContextManager[Connection]:
        """Open a writing transaction that changes the schema."""

    def expected(
        self, error: DBAPIError | UnicodeDecodeError, where: object
    ) -> ArchiveError | None:
        """Name what an operator can mend; ``None`` is a bug of ours, to be raised as it is."""

    def is_foreign(self, connection: Connection) -> bool:
        """Return whether a database without a schema of ours is another program's."""

    def sign(self, connection: Connection) -> None:
        """Write down, after an upgrade, what the schema cannot say."""


_BACKENDS: dict[str, Backend] = {"sqlite": sqlite, "postgresql": postgresql}


class Database:
    """An archive's database, opened but not yet looked at.

    ``for_reading`` makes do with a file or a folder that this user may not write: then it is
    opened read-only, and a writing transaction raises :class:`StorageFailed`; its journal mode
    stays what it is. With ``only_reads`` that is so whatever this user may do: not a byte of the
    file is changed.
    """

    def __init__(
        self, url: str | URL, *, for_reading: bool = False, only_reads: bool = False
    ) -> None:
        parsed = _parsed(url)
        self.url = str(url)
        self.backend = _BACKENDS[parsed.get_backend_name()]
        self.engine = self.backend.open_engine(
            parsed, for_reading=for_reading, only_reads=only_reads
        )
        self._file: tuple[int, int] | None = None
        self._onlooker: PoolProxiedConnection | None = None
        self._looking = threading.Lock()

    @property
    def path(self) -> Path | None:
        """The SQLite file, or ``None`` for a server or a database in memory."""
        return sqlite.file_of(self.engine.url) if self.backend is sqlite else None

    @property
    def where(self) -> str:
        """What people are told: the file, or the server's address without the password."""
        return str(self.path or redact(self.engine.url.render_as_string()))

    def hold(self) -> None:
        """Go on with the file that is there now, and with no other.

        From now on a transaction raises :class:`StorageFailed` where it was moved or removed:
        SQLite would begin an empty database in its place, and a run would archive into it.
        """
        if self.path is not None:
            self._file = _identity(self.path)

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Open a writing transaction: committed when the block ends, else rolled back.

        Raises :class:`ArchiveInUse` or :class:`StorageFailed` instead of the driver's errors.
        """
        self._require_file()
        with _translated(self), self.backend.writing(self.engine).begin() as connection:
            # Again: a connection that was only opened now may have made another file.
            self._require_file()
            yield connection

    @contextmanager
    def upgrading(self) -> Iterator[Connection]:
        """Open a writing transaction that changes the schema."""
        with _translated(self), self.backend.upgrading(self.engine) as connection:
            yield connection

    @contextmanager
    def rehearsal(self) -> Iterator[Connection]:
        """Open a writing transaction that is rolled back whatever happens: a dry run.

        Others who write the same wait until it ends.
        """
        with _translated(self), self.backend.writing(self.engine).connect() as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a reading transaction: one consistent view, which blocks nobody."""
        self._require_file()
        engine = self.backend.reading(self.engine)
        with _translated(self), engine.connect() as connection, connection.begin():
            self._require_file()
            yield connection

    @contextmanager
    def session(self) -> Iterator[Connection]:
        """Open a connection of its own, on which each statement is committed at once.

        For what belongs to a session and ends with it; only a server has such things.
        """
        engine = self.engine.execution_options(isolation_level="AUTOCOMMIT")
        with _translated(self), engine.connect() as connection:
            # It is closed afterwards, not used again, and frees no other's place meanwhile.
            connection.detach()
            yield connection

    def changes(self) -> int | None:
        """Return a number that is another one after whatever anybody commits, next to for nothing.

        ``None`` where there is no such number, as on a server.
        """
        if self.path is None:
            return None
        self._require_file()
        with self._looking, _translated(self):
            if self._onlooker is None:
                self._onlooker = self.engine.raw_connection()
                # It sees what all others commit, those of this program among them.
                self._onlooker.detach()
            return sqlite.changes(self._onlooker)

    def close(self) -> None:
        """Give back every connection."""
        if self._onlooker is not None:
            self._onlooker.close()
            self._onlooker = None
        self.engine.dispose()

    def _require_file(self) -> None:
        if self._file and self.path and _identity(self.path) != self._file:
            raise StorageFailed(
                f"{self.path}: was moved, removed or replaced while it was in use; "
                "nothing more is written"
            )


def _identity(path: Path) -> tuple[int, int] | None:
    """Return the device and inode of a file; ``None``: it is not there."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _parsed(url: str | URL) -> URL:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:
        raise ConfigError(f'store.url: not a database address: "{redact(str(url))}"') from error
    if parsed.get_backend_name() not in _BACKENDS:
        raise ConfigError(
            f'store.url: "{parsed.get_backend_name()}" is not supported; '
            'use "sqlite:///archive.db" or "postgresql+psycopg://…"'
        )
    return parsed


@contextmanager
def _translated(database: Database) -> Iterator[None]:
    """Turn the driver's errors that an operator can mend into ours."""
    try:
        yield
    except (DBAPIError, UnicodeDecodeError) as error:
        if (expected := database.backend.expected(error, database.where)) is None:
            raise
        raise expected from error


def maintain(database: Database) -> None:
    """Bring the write-ahead log back to nothing, and let SQLite renew its statistics.

    A reader or writer that is in the middle only puts it off to the next time.
    """
    if database.path is None:
        return
    with _translated(database), database.engine.connect() as connection:
        # Neither may stand in a transaction, and the engine begins one for every statement.
        raw = connection.connection.cursor()
        try:
            raw.execute("PRAGMA busy_timeout = 0")
            raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            raw.execute("PRAGMA analysis_limit = 1000")
            raw.execute("PRAGMA optimize").fetchall()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                raise DBAPIError("PRAGMA", None, error) from error
        finally:
            raw.close()
        # The connection's settings were changed: it does not go back to the pool.
        connection.invalidate()
