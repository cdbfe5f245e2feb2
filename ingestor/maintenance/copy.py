"""Moving an archive's database: from SQLite to PostgreSQL, back, or to another of the same kind.

::

    source | rows behind the last that is there | write a part, with its index   table by table
           | hash of every table                | the same in the target         at the end

Killed at any moment it goes on where it was: progress is what is in the target, for each table
there is the beginning of the source's, in the order of its keys. An empty table beside them says
meanwhile that it is not whole; no command but the copy takes such a database
(:func:`ingestor.store.db.migrations.is_current`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from typing import Any

from sqlalchemy import Connection, Row, Select, Table, func, select, text, tuple_

from ingestor.clock import Clock
from ingestor.errors import NoArchiveYet, StorageFailed, UsageError
from ingestor.store.audit import reindex
from ingestor.store.db.database import Database
from ingestor.store.db.locks import only_run
from ingestor.store.db.migrations import COPY_UNFINISHED, is_current, is_unfinished, upgrade
from ingestor.store.schema import articles
from ingestor.store.search import index

ROWS_A_PART = 1_000
CHARACTERS_A_PART = 4_000_000
"""Rows and characters that are written in one transaction, and are in memory at a time."""

TABLES: tuple[Table, ...] = tuple(articles.metadata.sorted_tables)
"""Each one behind those that its rows refer to."""

Rows = Sequence[dict[str, Any]]


def copy_archive(
    source: Database, target: Database, clock: Clock, advance: Callable[[int], object]
) -> int | None:
    """Copy all rows, and compare what arrived with what was sent; return how many there are.

    ``advance`` is told of the rows that are through. ``None``: the clock's ``stop`` was set, and
    the same call goes on. Raises :class:`UsageError` when the target is the source or has
    another archive in it, and :class:`~ingestor.errors.ArchiveError` when either cannot be used.
    """
    if source.engine.url == target.engine.url:
        raise UsageError(f"{source.where}: is what is copied from; name another database")
    with ExitStack() as stack:
        stack.enter_context(only_run(source))
        stack.enter_context(only_run(target))
        # One transaction: a copy of one moment, whoever writes to the source all the same.
        reads = stack.enter_context(source.reading())
        _prepare(reads, source, target)
        for table in TABLES:
            with target.reading() as connection:
                if not _is_beginning(reads, connection, table):
                    raise UsageError(f"{target.where}: has another archive in it: {table.name}")
                last = _last_row(connection, table)
            for part in _parts(reads, table, last):
                if clock.stop.is_set():
                    return None
                with target.transaction() as connection:
                    _write(connection, table, part)
                advance(len(part))
        return _finish(reads, target)


def _prepare(reads: Connection, source: Database, target: Database) -> None:
    """Make the target's schema, and note that the copy is not through."""
    if not is_current(reads, source):
        raise NoArchiveYet(f"{source.where}: no archive of this version; `ingest --once` makes it")
    with target.reading() as connection:
        begun = is_unfinished(connection)
    upgrade(target, unfinished=True)
    if begun:
        return
    with target.transaction() as connection:
        if any(connection.execute(select(table).limit(1)).first() for table in TABLES):
            raise UsageError(f"{target.where}: has an archive in it; name an empty database")
        connection.execute(text(f"CREATE TABLE {COPY_UNFINISHED} (unused INTEGER)"))


def _finish(reads: Connection, target: Database) -> int:
    """Compare every table; let the target be used if they are the same."""
    total = 0
    with target.reading() as connection:
        for table in TABLES:
            sent, arrived = _digest(reads, table), _digest(connection, table)
            if sent != arrived:
                raise StorageFailed(
                    f"{target.where}: {table.name} is not what was copied: {arrived[0]} rows of "
                    f"{sent[0]}, or others; remove the database and copy it again"
                )
            total += sent[0]
    with target.transaction() as connection:
        if index.of(connection).unindexed():
            reindex(connection)
        _end(connection)
    return total


def _end(connection: Connection) -> None:
    """Note that the copy is through; new rows get new numbers from here on."""
    if connection.dialect.name == "postgresql":
        for table in TABLES:
            if (column := table.autoincrement_column) is not None:
                connection.execute(
                    text(
                        f"SELECT setval(pg_get_serial_sequence('{table.name}', '{column.name}'),"  # noqa: S608 - our own names
                        f" coalesce(max({column.name}), 1), max({column.name}) IS NOT NULL)"
                        f" FROM {table.name}"
                    )
                )
    connection.execute(text(f"DROP TABLE {COPY_UNFINISHED}"))
    connection.execute(text("ANALYZE"))


def count_rows(connection: Connection) -> int:
    """Return how many rows there are in all tables."""
    queries = (select(func.count()).select_from(table) for table in TABLES)
    return sum(int(connection.execute(query).scalar_one()) for query in queries)


def _last_row(connection: Connection, table: Table) -> Row[Any] | None:
    """Return the row of a table that is the last one by its key."""
    keys = (column.desc() for column in table.primary_key)
    return connection.execute(select(table).order_by(*keys).limit(1)).first()


def _is_beginning(source: Connection, target: Connection, table: Table) -> bool:
    """Return whether what a table has in the target is how it begins in the source."""
    last = _last_row(target, table)
    if last is None:
        return True
    query = _ordered(table).where(_key(table) == _key_of(table, last))
    same = source.execute(query).first()
    if same is None or _digested(same) != _digested(last):
        return False
    before = select(func.count()).select_from(table).where(_key(table) <= _key_of(table, last))
    copied = select(func.count()).select_from(table)
    return bool(source.execute(before).scalar_one() == target.execute(copied).scalar_one())


def _parts(connection: Connection, table: Table, after: Row[Any] | None) -> Iterator[Rows]:
    """Yield the rows of a table behind ``after``, by their key, some at a time."""
    query = _ordered(table)
    if after is not None:
        query = query.where(_key(table) > _key_of(table, after))
    part: list[dict[str, Any]] = []
    size = 0
    for row in connection.execute(query.execution_options(yield_per=200)):
        part.append({name: _clean(value) for name, value in row._mapping.items()})  # noqa: SLF001 - SQLAlchemy's documented name
        size += sum(len(value) for value in row if isinstance(value, str))
        if len(part) >= ROWS_A_PART or size >= CHARACTERS_A_PART:
            yield part
            part, size = [], 0
    if part:
        yield part


def _write(connection: Connection, table: Table, part: Rows) -> None:
    """Write rows, and index the articles among them."""
    if connection.dialect.name == "postgresql":
        _write_by_copy(connection, table, part)
    else:
        connection.execute(table.insert(), part)
    if table is articles:
        texts = [(row["id"], row["title"], row["content_text"]) for row in part]
        index.of(connection).add(texts)


def _write_by_copy(connection: Connection, table: Table, part: Rows) -> None:
    """Write rows by PostgreSQL's COPY: an article has thirty rows in other tables."""
    names = ", ".join(f'"{column.name}"' for column in table.columns)
    cursor: Any = connection.connection.cursor()
    with cursor, cursor.copy(f"COPY {table.name} ({names}) FROM STDIN") as out:
        for row in part:
            out.write_row([row[column.name] for column in table.columns])


def _digest(connection: Connection, table: Table) -> tuple[int, str]:
    """Return how many rows a table has, and a hash over all that they hold."""
    number, all_of_them = 0, hashlib.sha256()
    for row in connection.execute(_ordered(table).execution_options(yield_per=200)):
        all_of_them.update(_digested(row))
        number += 1
    return number, all_of_them.hexdigest()


def _ordered(table: Table) -> Select[Any]:
    return select(table).order_by(*table.primary_key)


def _key(table: Table) -> Any:
    return tuple_(*table.primary_key)


def _key_of(table: Table, row: Row[Any]) -> Any:
    return tuple_(*(row._mapping[column] for column in table.primary_key))  # noqa: SLF001 - SQLAlchemy's documented name


def _digested(row: Row[Any]) -> bytes:
    return repr(tuple(map(_clean, row))).encode("utf-8", "backslashreplace")


def _clean(value: Any) -> Any:
    """Return a value as every database can hold it: PostgreSQL has no NUL in texts."""
    return value.replace("\x00", "") if isinstance(value, str) else value
