"""Do database, files and WARC agree? Compares both ways, and makes them agree when asked.

The database is the truth: a file that is missing or differs is written anew from it, and a
record that no capture points to (its run was killed before it could say so) gets one. No
article, no revision and no file of somebody else's is ever deleted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import islice
from pathlib import Path

from sqlalchemy import Connection

from ingestor.archive.storage import Storage, storage
from ingestor.clock import Clock
from ingestor.config import Settings
from ingestor.maintenance.difference import Difference
from ingestor.maintenance.verify_raw import RawComparison
from ingestor.pipeline.files import write_files
from ingestor.pipeline.rejudge import Rejudged, all_furniture, save_rejudged
from ingestor.store import audit, images, stories
from ingestor.store.audit import FileRecord
from ingestor.store.coordination.cluster_state import cluster_state, forget_running
from ingestor.store.db.database import Database
from ingestor.store.search import index

SETTLED = 3600
"""Seconds for which a file has to lie still, where others may be writing."""

FILES_A_LOOK = 200
"""Files that are compared at a time."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a look at everything found."""

    differences: list[Difference]
    foreign: list[str]
    """Relative paths of files in the archive folder that belong to no article: somebody else's."""


def compare(database: Database, settings: Settings, *, alone: bool) -> Comparison:
    """Compare database, files and WARC.

    ``alone`` says that no other run holds the archive; while one does, what it may be in the
    middle of (files that are due, the end of its WARC file) is no difference.
    """
    folder = storage(settings.archive.dir)
    # Nobody holds a database on a server: others may be at work, here or on other machines.
    settled = SETTLED if database.path is None else 0
    with database.reading() as connection:
        found = [*map(Difference, audit.damages(connection))]
        found += map(Difference, audit.contradictions(connection))
        if count := index.unindexed(connection):
            line = f"full-text index: {count} articles are not as indexed"
            found.append(Difference(line, audit.reindex))
        if count := stories.missing(connection):
            line = f"stories: {count} articles were never compared with others"
            found.append(Difference(line, stories.group_missing))
        found += _lost_jobs(connection, settings)
    # Before the database is asked: a file that is written meanwhile belongs to an article too.
    unclaimed = set(folder.names())
    for kept, problem in _file_problems(database, folder, alone=alone and not settled):
        unclaimed.discard(kept.path)
        if problem:
            mend = partial(_make_due, kept.article_id)
            found.append(Difference(f"file {kept.path}: {problem}", mend))
    if alone:
        found += _left_over(folder, settled)
    raw = RawComparison(database, settings.archive.raw_dir, alone=alone, settled=settled)
    found += raw.differences()
    found += _furniture(database, settings)
    found += _pictures(database, storage(settings.archive.images_dir))
    return Comparison(found, sorted(unclaimed))


def _lost_jobs(connection: Connection, settings: Settings) -> Iterator[Difference]:
    """Find jobs of workers that are gone; the archive's tables know what they were for."""
    state = cluster_state(connection, settings.cluster.stalled_after)
    for job in state.stalled if state else ():
        yield Difference(f"job {job}: its worker is gone, and nobody does it", _forget_lost)


def _forget_lost(connection: Connection) -> None:
    forget_running(connection)


def repair(database: Database, settings: Settings, found: list[Difference]) -> list[Difference]:
    """Mend what can be mended; return what is left. The caller holds the archive."""
    with database.transaction() as connection:
        for one in found:
            if one.mend:
                one.mend(connection)
    write_files(database, settings.archive)
    return [one for one in found if one.mend is None]


def _furniture(database: Database, settings: Settings) -> Iterator[Difference]:
    """Find articles whose text turned out to be furniture of their site."""
    now = Clock().now()
    for judged, line in all_furniture(settings.archive.raw_dir, database):
        yield Difference(line, partial(_withdraw, judged, now))


def _withdraw(judged: Rejudged, now: datetime, connection: Connection) -> None:
    save_rejudged(connection, [judged], now)


def _left_over(folder: Storage, settled: float) -> Iterator[Difference]:
    for name in folder.left_over(settled):
        line = f"file {name}: left over from a run that was killed"
        yield Difference(line, partial(_remove, folder, name))


def _file_problems(
    database: Database, folder: Storage, *, alone: bool
) -> Iterator[tuple[FileRecord, str]]:
    """Yield every article's file with what is wrong with it, ``''`` for nothing."""
    left = audit.file_records(database)
    while batch := list(islice(left, FILES_A_LOOK)):
        written = [kept.path for kept in batch if kept.sha256]
        hashes = dict(zip(written, folder.hashes(written), strict=True))
        for kept in batch:
            if kept.sha256 is None:
                due = "is not removed yet" if kept.is_doubted else "is not written yet"
                yield kept, due if alone else ""
            elif kept.is_doubted:
                # Whatever lies there is somebody else's.
                continue
            else:
                yield kept, _file_problem(hashes[kept.path], kept.sha256)


def _file_problem(there: str | OSError, wanted: str) -> str:
    if isinstance(there, FileNotFoundError):
        return "is missing"
    if isinstance(there, OSError):
        return f"cannot be read: {there.strerror}"
    return "" if there == wanted else "is not what the database says"


def _make_due(article_id: int, connection: Connection) -> None:
    audit.make_due(connection, [article_id])


def _remove(folder: Storage, name: str, connection: Connection) -> None:  # noqa: ARG001 - a Mend's signature
    folder.remove(name)


def _pictures(database: Database, folder: Storage) -> Iterator[Difference]:
    """Compare the local copies of pictures with their names; one that is mended is due again."""
    with database.reading() as connection:
        paths = images.paths(connection)
    for path, there in zip(paths, folder.hashes(paths), strict=True):
        if isinstance(there, OSError):
            problem = f"cannot be read: {there.strerror}"
        else:
            problem = "" if there == Path(path).stem else "is another picture"
        if problem:
            yield Difference(f"picture {path}: {problem}", partial(_forget_picture, path))


def _forget_picture(path: str, connection: Connection) -> None:
    images.forget(connection, path)
