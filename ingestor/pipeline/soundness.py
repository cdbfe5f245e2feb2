"""Whether the database file is sound: a part is looked at, at each start and in quiet minutes.

What is found is noted in ``damages``, where ``ingest status`` and the daemon's health see it until
``ingest verify`` finds it no more. The work goes on: damage in one row is no reason to stop.
"""

from __future__ import annotations

from sqlalchemy import Connection

from ingestor import log
from ingestor.clock import Clock
from ingestor.store import audit, overview
from ingestor.store.audit import DamagedCell
from ingestor.store.db.database import Database
from ingestor.store.schema import articles, entries, feeds, revisions

ROWS_A_LOOK = 200
"""Rows of each large table that are looked at: some milliseconds."""

PAGES_A_START = 64 * 1024**2
PAGES_A_QUIET_MINUTE = 512 * 1024**2
"""Bytes: a file up to this size is gone through page by page too, which takes up to a second for
so many. Larger ones are for ``ingest verify``."""

MOST_NOTED = 20
"""Places that are noted in one look: they are enough to say that there is damage."""


def inspect(database: Database, clock: Clock, *, pages: int) -> None:
    """Look at a part of the database, chosen by chance, and note what is damaged in it.

    ``pages`` is how large a file may be to be gone through page by page. Raises
    :class:`~ingestor.errors.StorageFailed` when the file cannot be read at all.
    """
    if database.path is None or not database.path.exists():
        return
    with database.reading() as connection:
        known = {place for place, _ in overview.new_damage(connection)}
        found = {cell.place: cell.problem for cell in _cells(connection, clock)}
        if database.path.stat().st_size <= pages:
            found |= {line: line for line in audit.quick_damages(connection, MOST_NOTED)}
    new = {place: what for place, what in found.items() if place not in known}
    if not new:
        return
    for place, what in new.items():
        log.error("database_damaged", place=place, what=what, see="ingest verify")
    with database.transaction() as connection:
        for place, what in list(new.items())[:MOST_NOTED]:
            audit.note_damage(connection, place, what, clock.now(), lasting=False)


def _cells(connection: Connection, clock: Clock) -> list[DamagedCell]:
    found = list(audit.damaged_cells(connection, feeds))
    for table in (articles, revisions, entries):
        last = audit.last_row(connection, table)
        first = int(clock.chance() * max(0, last - ROWS_A_LOOK)) + 1
        rows = range(first, first + ROWS_A_LOOK + 1)
        found += audit.damaged_cells(connection, table, rows)
    return found
