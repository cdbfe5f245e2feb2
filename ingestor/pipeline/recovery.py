"""What a run that was killed left, or one whose disk was full: taken up when the next one begins.

And whether the database file is sound: a part is looked at, at each start and in quiet minutes.

::

    WARC files with a mark | close | a capture for each record that has none
    files that are due     | remove what is half written beside them

What was received and never read is read by the look that would ask for it again
(:func:`ingestor.pipeline.captures.unread_answers`). Damage is noted in ``damages``, where ``ingest
status`` and the daemon's health see it until ``ingest verify`` finds it no more. The work goes on:
damage in one row is no reason to stop.
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from sqlalchemy import Connection

from ingestor import log
from ingestor.archive.storage import storage
from ingestor.archive.warc import writer
from ingestor.archive.warc.reader import Record, scan
from ingestor.clock import Clock
from ingestor.config.sections import ArchiveSettings
from ingestor.config.values import Location
from ingestor.pipeline.captures import answers_of
from ingestor.store import audit, captures, overview
from ingestor.store.audit import DamagedCell
from ingestor.store.db.database import Database
from ingestor.store.schema import articles, entries, feeds, revisions
from ingestor.store.stored_articles import due_paths

QUIET_SECONDS = 3600
"""For so long nobody may have written to a file, where others may be writing."""


def recover(database: Database, archive: ArchiveSettings) -> None:
    """Take up what is left of runs that did not end well. The caller holds the archive.

    Raises :class:`~ingestor.errors.StorageFailed` when the disk refuses.
    """
    crashed = _recover_warc(database, archive.raw_dir)
    # Nobody holds a database on a server: others may be at work, here or on other machines.
    seconds = QUIET_SECONDS if database.path is None else 0
    with database.reading() as connection:
        within = due_folders(connection)
    _remove_left_over(archive.dir, seconds, within)
    if crashed and archive.images:
        _remove_left_over(archive.images_dir, seconds, None)


def due_folders(connection: Connection) -> set[str]:
    """Return the folders in which a run was about to write, relative to the archive's."""
    return {str(PurePosixPath(path).parent) for path in due_paths(connection)}


def _recover_warc(database: Database, location: Location) -> bool:
    """Close the WARC files that a crash left; return whether there was one.

    Records that no capture points to (their run was killed before it could say so) get one, and
    what is torn at the end of a file is cut away.
    """
    folder, crashed = location if isinstance(location, Path) else location.spool, False
    for path in writer.unfinished(folder) if folder else ():
        crashed = True
        with database.reading() as connection:
            pointed = captures.end_in(connection, path.name)
        unlisted = [found for found in scan(path, start=pointed) if isinstance(found, Record)]
        with database.transaction() as connection:
            for answer in answers_of(connection, unlisted):
                captures.record_unlisted(connection, answer)
        cut = writer.close_unfinished(path, pointed)
        if cut is None:
            log.warning("warc_damaged", file=str(path), see="ingest verify")
        else:
            log.info("warc_sealed", file=str(path), cut_bytes=cut, records=len(unlisted))
    return crashed


def _remove_left_over(location: Location, seconds: float, within: set[str] | None) -> None:
    folder = storage(location)
    for name in folder.left_over(seconds, within):
        folder.remove(name)
        log.info("left_over_removed", file=name)


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
