"""One archive's rows into another database, table by table, in the order of their keys.

What is in the target says how far it is: each table there is the beginning of the source's. An
empty table beside them says meanwhile that it is not whole; no command but the copy takes such a
database (:func:`ingestor.store.db.migrations.is_current`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Row, Select, Table, func, inspect, select, text, tuple_

from ingestor.store.schema import articles

UNFINISHED = "copy_unfinished"
"""Name of that table."""

ROWS_A_PART = 1_000
CHARACTERS_A_PART = 4_000_000
"""Rows and characters that are written in one transaction, and are in memory at a time."""

TABLES: tuple[Table, ...] = tuple(articles.metadata.sorted_tables)
"""Each one behind those that its rows refer to."""

Rows = Sequence[dict[str, Any]]


def is_unfinished(connection: Connection) -> bool:
    """Return whether a copy into this database was begun and is not through."""
    return inspect(connection).has_table(UNFINISHED)


def begin(connection: Connection) -> None:
    """Note that a copy into this database is not through."""
    connection.execute(text(f"CREATE TABLE {UNFINISHED} (unused INTEGER)"))


def finish(connection: Connection) -> None:
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
    connection.execute(text(f"DROP TABLE {UNFINISHED}"))
    connection.execute(text("ANALYZE"))


def holds_rows(connection: Connection) -> bool:
    """Return whether there is any row in any table."""
    return any(connection.execute(select(table).limit(1)).first() for table in TABLES)


def count(connection: Connection) -> int:
    """Return how many rows there are in all tables."""
    queries = (select(func.count()).select_from(table) for table in TABLES)
    return sum(int(connection.execute(query).scalar_one()) for query in queries)


def last_row(connection: Connection, table: Table) -> Row[Any] | None:
    """Return the row of a table that is the last one by its key."""
    keys = (column.desc() for column in table.primary_key)
    return connection.execute(select(table).order_by(*keys).limit(1)).first()


def is_beginning(source: Connection, target: Connection, table: Table) -> bool:
    """Return whether what a table has in the target is how it begins in the source."""
    last = last_row(target, table)
    if last is None:
        return True
    query = _ordered(table).where(_key(table) == _key_of(table, last))
    same = source.execute(query).first()
    if same is None or _digested(same) != _digested(last):
        return False
    before = select(func.count()).select_from(table).where(_key(table) <= _key_of(table, last))
    copied = select(func.count()).select_from(table)
    return bool(source.execute(before).scalar_one() == target.execute(copied).scalar_one())


def parts(connection: Connection, table: Table, after: Row[Any] | None) -> Iterator[Rows]:
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


def write(connection: Connection, table: Table, part: Rows) -> None:
    """Write rows, and index the articles among them."""
    if connection.dialect.name == "postgresql":
        _copy(connection, table, part)
    else:
        connection.execute(table.insert(), part)
    if table is articles:
        # Who asks whether a copy is through writes none.
        from ingestor.store.search import index  # noqa: PLC0415

        texts = [(row["id"], row["title"], row["content_text"]) for row in part]
        index.add(connection, texts)


def _copy(connection: Connection, table: Table, part: Rows) -> None:
    """Write rows by PostgreSQL's COPY: an article has thirty rows in other tables."""
    names = ", ".join(f'"{column.name}"' for column in table.columns)
    cursor: Any = connection.connection.cursor()
    with cursor, cursor.copy(f"COPY {table.name} ({names}) FROM STDIN") as out:
        for row in part:
            out.write_row([row[column.name] for column in table.columns])


def digest(connection: Connection, table: Table) -> tuple[int, str]:
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
