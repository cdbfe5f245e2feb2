"""A consistent copy of the archive, made while the daemon writes.

The database is copied in one piece (SQLite's online backup), and what it then says decides
about the rest: files are copied if they hold what it says, else written from it; WARC files,
which only grow, are copied up to the last record that it points to.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ingestor.archive.storage import sha256_of, storage
from ingestor.archive.warc.reader import whole_length
from ingestor.config import Settings
from ingestor.config.values import Location
from ingestor.errors import StorageFailed, UsageError
from ingestor.pipeline.files import write_files
from ingestor.store import audit, images
from ingestor.store.db.database import Database
from ingestor.store.db.sqlite import copy_file

_CHUNK = 1024 * 1024


@dataclass(frozen=True, slots=True)
class BackupReport:
    """What a backup holds."""

    files: int
    warc_files: int
    missing_warc_files: tuple[str, ...]
    """Files that the database points into and that are not there."""
    pictures: int


def back_up(
    database: Database, settings: Settings, configuration: Path, destination: Path
) -> BackupReport:
    """Copy the archive into ``destination``: the database, ``archive/``, ``warc/`` and ``images/``.

    The file of the ``configuration`` goes with it as ``config.toml``, with its rights: it may
    have a password in it.
    The folder appears under its name only when all is in it and on the disk. Raises
    :class:`UsageError` when it is there already with something in it, or the archive is not
    an SQLite file, and :class:`StorageFailed` when the disk refuses.
    """
    source = database.path
    if source is None:
        raise UsageError(
            "store.url: PostgreSQL has its own tools for that: pg_dump, pg_basebackup; copy "
            "archive.dir and archive.raw_dir after it"
        )
    if destination.exists() and (not destination.is_dir() or any(destination.iterdir())):
        raise UsageError(f"{destination}: is there already; name a new or an empty folder")
    try:
        with made_whole(destination) as folder:
            shutil.copy2(configuration, folder / "config.toml")
            copy_file(source, folder / source.name)
            copy = Database(f"sqlite:///{folder / source.name}")
            files = _copy_files(copy, settings, folder / "archive")
            warc_files, missing = _copy_warc(copy, settings.archive.raw_dir, folder / "warc")
            pictures = _copy_pictures(copy, settings.archive.images_dir, folder / "images")
            copy.close()
    except (OSError, sqlite3.Error) as error:
        reason = getattr(error, "strerror", None) or error
        raise StorageFailed(f"{destination}: cannot be written: {reason}") from error
    return BackupReport(files, warc_files, missing, pictures)


@contextmanager
def made_whole(destination: Path) -> Iterator[Path]:
    """Give a folder to fill; it gets its name when the block ends well, else it goes."""
    absolute = destination.absolute()
    folder = absolute.with_name(f".{absolute.name}.partial")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield folder
        os.sync()
        folder.rename(absolute)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _copy_files(copy: Database, settings: Settings, folder: Path) -> int:
    """Copy the files that hold what the copied database says; write the others from it."""
    source, due, count = storage(settings.archive.dir), [], 0
    for record in audit.file_records(copy):
        count += 1
        target = folder / record.path
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            source.copy(record.path, target)
            same = record.sha256 is not None and sha256_of(target) == record.sha256
        except FileNotFoundError:
            same = False
        if not same:
            due.append(record.article_id)
    with copy.transaction() as connection:
        audit.make_due(connection, due)
    write_files(copy, settings.archive.model_copy(update={"dir": folder}))
    return count


def _copy_pictures(copy: Database, source: Location, folder: Path) -> int:
    """Copy the local copies of pictures; one that is missing is due again in the backup."""
    with copy.reading() as connection:
        paths = images.paths(connection)
    gone = []
    for path in sorted(set(paths)):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        try:
            storage(source).copy(path, folder / path)
        except FileNotFoundError:
            gone.append(path)
    with copy.transaction() as connection:
        for path in gone:
            images.forget(connection, path)
    return len(paths) - len(gone)


def _copy_warc(copy: Database, source: Location, folder: Path) -> tuple[int, tuple[str, ...]]:
    with copy.reading() as connection:
        ends = audit.warc_files(connection)
    # Files that others wrote, whose pages were imported, are theirs to keep.
    ends = {name: end for name, end in ends.items() if not Path(name).is_absolute()}
    missing = []
    for name, end in sorted(ends.items()):
        folder.mkdir(exist_ok=True)
        try:
            with storage(source).local(name) as path:
                # Behind the last response pointed to comes the request that belongs to it.
                length = whole_length(path, end, most_records=1)
                _copy_beginning(path, folder / name, length)
        except FileNotFoundError:
            missing.append(name)
    return len(ends) - len(missing), tuple(missing)


def _copy_beginning(source: Path, target: Path, length: int) -> None:
    with source.open("rb") as read, target.open("xb") as written:
        left = length
        while left and (chunk := read.read(min(_CHUNK, left))):
            written.write(chunk)
            left -= len(chunk)
    shutil.copystat(source, target)
