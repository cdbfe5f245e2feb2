"""Moving an archive's database: from SQLite to PostgreSQL, back, or to another of the same kind.

::

    source | rows behind the last that is there | write a part, with its index   table by table
           | hash of every table                | the same in the target         at the end

Killed at any moment it goes on where it was: progress is what is in the target.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack

from sqlalchemy import Connection

from ingestor.clock import Clock
from ingestor.errors import NoArchiveYet, StorageFailed, UsageError
from ingestor.store.audit import reindex
from ingestor.store.db import rows
from ingestor.store.db.database import Database
from ingestor.store.db.migrations import is_current, upgrade
from ingestor.store.db.run_lock import only_run
from ingestor.store.search import index


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
        for table in rows.TABLES:
            with target.reading() as connection:
                if not rows.is_beginning(reads, connection, table):
                    raise UsageError(f"{target.where}: has another archive in it: {table.name}")
                last = rows.last_row(connection, table)
            for part in rows.parts(reads, table, last):
                if clock.stop.is_set():
                    return None
                with target.transaction() as connection:
                    rows.write(connection, table, part)
                advance(len(part))
        return _finish(reads, target)


def _prepare(reads: Connection, source: Database, target: Database) -> None:
    """Make the target's schema, and note that the copy is not through."""
    if not is_current(reads, source):
        raise NoArchiveYet(f"{source.where}: no archive of this version; `ingest --once` makes it")
    with target.reading() as connection:
        begun = rows.is_unfinished(connection)
    upgrade(target, unfinished=True)
    if begun:
        return
    with target.transaction() as connection:
        if rows.holds_rows(connection):
            raise UsageError(f"{target.where}: has an archive in it; name an empty database")
        rows.begin(connection)


def _finish(reads: Connection, target: Database) -> int:
    """Compare every table; let the target be used if they are the same."""
    total = 0
    with target.reading() as connection:
        for table in rows.TABLES:
            sent, arrived = rows.digest(reads, table), rows.digest(connection, table)
            if sent != arrived:
                raise StorageFailed(
                    f"{target.where}: {table.name} is not what was copied: {arrived[0]} rows of "
                    f"{sent[0]}, or others; remove the database and copy it again"
                )
            total += sent[0]
    with target.transaction() as connection:
        if index.unindexed(connection):
            reindex(connection)
        rows.finish(connection)
    return total
