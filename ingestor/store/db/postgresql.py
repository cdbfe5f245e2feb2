"""PostgreSQL 15 to 18: many writers at a time, on many machines.

A reading transaction is ``REPEATABLE READ READ ONLY``: one consistent view, which blocks nobody.
A writing one is ``READ COMMITTED``: behind a lock that it waited for, it sees what the others
have written (:mod:`ingestor.store.db.locks`). DDL is transactional, as in SQLite.
"""

from __future__ import annotations

import os
import socket
from contextlib import AbstractContextManager
from functools import cache
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.schema import SetColumnComment, SetTableComment

from ingestor.errors import ArchiveError, ArchiveInUse, ConfigError, StorageFailed
from ingestor.store.schema import articles
from ingestor.version import install_line

DRIVERS = ("postgresql", "postgresql+psycopg")

LOCK_MILLISECONDS = 60_000
"""How long a statement waits for a lock that another transaction holds."""

CONNECTIONS = 16
"""At most so many at a time from one process; its threads take turns beyond that."""

_SETTINGS = f"""
SET timezone = 'UTC';
SET lock_timeout = {LOCK_MILLISECONDS};
SET tcp_keepalives_idle = 60;
SET tcp_keepalives_interval = 10;
SET tcp_keepalives_count = 3;
SET jit = off"""
"""Of each session. A machine that lost its power holds its locks no longer than the keepalives
take. Statements are short: compiling one takes longer than running it."""


def open_engine(
    url: URL,
    *,
    for_reading: bool,  # noqa: ARG001 - a server says itself who may write
    only_reads: bool = False,  # noqa: ARG001
) -> Engine:
    """Return an engine; raise :class:`ConfigError` when the driver is not there."""
    if url.drivername not in DRIVERS:
        raise ConfigError(
            f'store.url: the driver "{url.drivername}" is not supported; '
            'write "postgresql+psycopg://…"'
        )
    try:
        engine = create_engine(
            url.set(drivername="postgresql+psycopg"),
            pool_size=CONNECTIONS // 4,
            max_overflow=CONNECTIONS - CONNECTIONS // 4,
            # A server that was restarted costs nobody a failure.
            pool_pre_ping=True,
            connect_args={
                "connect_timeout": 10,
                "application_name": f"ingestor {os.getpid()} on {socket.gethostname()}"[:63],
            },
        )
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"store.url: PostgreSQL needs its driver: {install_line('cluster')}"
        ) from error
    event.listen(engine, "connect", _prepare)
    return engine


def writing(engine: Engine) -> Engine:
    """Return the engine for writing transactions."""
    return engine.execution_options(isolation_level="READ COMMITTED")


def reading(engine: Engine) -> Engine:
    """Return the engine for reading transactions."""
    return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


def upgrading(engine: Engine) -> AbstractContextManager[Connection]:
    """Open a writing transaction that changes the schema."""
    return writing(engine).begin()


def is_foreign(connection: Connection) -> bool:
    """Return whether a database without a schema of ours has tables of these names."""
    return not set(inspect(connection).get_table_names()).isdisjoint(articles.metadata.tables)


def sign(connection: Connection) -> None:
    """Write what each table and column means into the database, where psql shows it."""
    known = inspect(connection)
    for table in articles.metadata.sorted_tables:
        if not known.has_table(table.name):
            continue
        connection.execute(SetTableComment(table))
        for column in table.columns:
            connection.execute(SetColumnComment(column))


def expected(error: DBAPIError | UnicodeDecodeError, where: object) -> ArchiveError | None:
    """Name what an operator can mend; ``None`` is a bug of ours, to be raised as it is."""
    if isinstance(error, UnicodeDecodeError):
        return None
    state = getattr(error.orig, "sqlstate", None) or ""
    for code, sentence in _SENTENCES:
        if state.startswith(code):
            kind = ArchiveInUse if code in {"55P03", "40"} else StorageFailed
            return kind(f"{where}: {sentence}")
    if error.connection_invalidated or not state:
        message = " ".join(str(error.orig).split())
        for mark, sentence in _CONNECTING:
            if mark in message:
                return StorageFailed(f"{where}: {sentence}")
        if type(error.orig).__name__ == "OperationalError":
            return StorageFailed(f"{where}: cannot be reached: {message}")
    return None


_SENTENCES = (
    ("55P03", "another program is writing to it and does not finish"),
    ("25006", "is read-only: a standby, or default_transaction_read_only; name the primary"),
    ("42501", "this user may not do that; make it the owner of the database and its tables"),
    ("53100", "cannot be written: the server's disk is full"),
    ("53200", "the server is out of memory; raise max_locks_per_transaction or its memory"),
    ("53300", "the server has too many connections; raise max_connections"),
    ("53", "the server is short of something; its log says of what"),
    ("57P03", "the server is starting or stopping; try again"),
    ("57P", "the server ended the connection; it was stopped or restarted"),
    ("08", "the connection to the server is lost"),
    ("40", "transactions stood in each other's way; try again"),
    ("58", "the server's disk or system fails; its log says how"),
    ("XX001", "is damaged; restore it from a backup"),
    ("XX002", "has a damaged index; REINDEX it, or restore a backup"),
)
"""By SQLSTATE, or its class: https://www.postgresql.org/docs/current/errcodes-appendix.html"""

_CONNECTING = (
    ("password authentication failed", "the server refuses this user or password"),
    ("no password supplied", "the server wants a password; put it into store.url or ~/.pgpass"),
    ("no pg_hba.conf entry", "the server refuses this user from here (pg_hba.conf)"),
    ("too many clients", "the server has too many connections; raise max_connections"),
    ("remaining connection slots", "the server has too many connections; raise max_connections"),
    ("Connection refused", "no server answers there; is it running?"),
    ("No such file or directory", "no server answers there; is it running?"),
    ("timeout expired", "the server does not answer"),
    ("failed to resolve host", "there is no host of this name"),
    ("could not translate host name", "there is no host of this name"),
    ("the database system is", "the server is starting or stopping; try again"),
    ("invalid connection option", "store.url has an option that PostgreSQL does not know"),
    ("does not exist", "there is no such database or user on the server; make it with createdb"),
)
"""By what libpq says: while it connects, it tells no SQLSTATE."""


def _prepare(connection: Any, record: Any) -> None:  # noqa: ARG001 - SQLAlchemy's signature
    encoding = connection.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        raise StorageFailed(
            f"the database has the encoding {encoding}; make it with: createdb --encoding=UTF8 "
            "--template=template0"
        )
    # Not by the connection's options: poolers refuse those, and a user may have some in the URL.
    connection.autocommit = True
    connection.execute(_SETTINGS).close()
    connection.autocommit = False
    connection.adapters.register_dumper(str, _text_dumper())


@cache
def _text_dumper() -> type[Any]:
    """Return what hands texts to the server: without NUL, which PostgreSQL's texts cannot hold."""
    from psycopg.types.string import StrDumperUnknown  # noqa: PLC0415 - an extra

    class Dumper(StrDumperUnknown):
        """Turns a ``str`` into what is sent."""

        def dump(self, obj: str) -> Any:
            """Return the text as bytes."""
            return super().dump(obj.replace("\x00", ""))

    return Dumper
