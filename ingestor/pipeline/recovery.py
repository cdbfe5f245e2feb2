"""What a run that was killed left, or one whose disk was full: taken up when the next one begins.

::

    WARC files with a mark | close | a capture for each record that has none
    files that are due     | remove what is half written beside them

What was received and never read is read by the look that would ask for it again
(:func:`ingestor.pipeline.captures.unread_answers`).
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from sqlalchemy import Connection

from ingestor import log
from ingestor.archive.storage import storage
from ingestor.archive.warc import writer
from ingestor.archive.warc.reader import Record, scan
from ingestor.config.sections import ArchiveSettings
from ingestor.config.values import Location
from ingestor.pipeline.captures import answers_of
from ingestor.store import captures
from ingestor.store.db.database import Database
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
