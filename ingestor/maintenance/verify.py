"""Whether database, files and WARC agree: compares both ways, and repairs when asked.

The database is the truth: a file that is missing or differs is written anew from it. Each record
of the WARC is read and compared with its capture; one that no capture points to (its run was
killed before it could say so) gets one. No article, no revision and no file of somebody else's is
ever deleted.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from pathlib import Path

from sqlalchemy import Connection

from ingestor.archive.storage import Storage, storage
from ingestor.archive.warc import reader, recovery
from ingestor.archive.warc.reader import Record
from ingestor.clock import Clock
from ingestor.config import Settings
from ingestor.config.values import Location, ObjectAddress
from ingestor.errors import StorageFailed
from ingestor.pipeline.captures import warc_original
from ingestor.pipeline.files import write_files
from ingestor.pipeline.rejudge import Rejudged, all_furniture, save_rejudged
from ingestor.store import audit, captures, images, stories
from ingestor.store.audit import CaptureRecord, FileRecord
from ingestor.store.coordination.cluster_state import cluster_state, forget_running
from ingestor.store.db.database import Database
from ingestor.store.search import index
from ingestor.text.dates import from_iso_utc

QUIET_SECONDS = 3600
"""For so long nobody may have written to a file, where others may be writing."""

FILES_A_LOOK = 200
"""Files that are compared at a time."""

Repair = Callable[[Connection], object]


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing on which two of database, files and WARC do not agree."""

    line: str
    """What is wrong, for a person."""
    repair: Repair | None = None
    """Makes them agree, within a transaction; ``None`` where only a backup helps."""


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
    quiet_seconds = QUIET_SECONDS if database.path is None else 0
    with database.reading() as connection:
        differences = list(_in_database(connection, settings))
    # Before the database is asked: a file that is written meanwhile belongs to an article too.
    foreign = set(folder.names())
    for record, problem in _file_problems(database, folder, alone=alone and not quiet_seconds):
        foreign.discard(record.path)
        if problem:
            repair = partial(_make_due, record.article_id)
            differences.append(Difference(f"file {record.path}: {problem}", repair))
    if alone:
        differences += _left_over(folder, quiet_seconds)
    differences += RawComparison(
        database, settings.archive.raw_dir, alone=alone, quiet_seconds=quiet_seconds
    ).differences()
    differences += _furniture(database, settings)
    differences += _pictures(database, storage(settings.archive.images_dir))
    return Comparison(differences, sorted(foreign))


def _in_database(connection: Connection, settings: Settings) -> Iterator[Difference]:
    """Find what the database itself contradicts or lacks."""
    yield from map(Difference, audit.damages(connection))
    yield from map(Difference, audit.contradictions(connection))
    if count := index.unindexed(connection):
        line = f"full-text index: {count} articles are not as indexed"
        yield Difference(line, audit.reindex)
    if count := stories.missing(connection):
        line = f"stories: {count} articles were never compared with others"
        yield Difference(line, stories.group_missing)
    # Of workers that are gone; the archive's tables know what their jobs were for.
    state = cluster_state(connection, settings.cluster.stalled_after)
    for job in state.stalled if state else ():
        line = f"job {job}: its worker is gone, and nobody does it"
        yield Difference(line, forget_running)


def repair(
    database: Database, settings: Settings, differences: list[Difference]
) -> list[Difference]:
    """Repair what can be repaired; return what is left. The caller holds the archive."""
    with database.transaction() as connection:
        for difference in differences:
            if difference.repair:
                difference.repair(connection)
    write_files(database, settings.archive)
    return [difference for difference in differences if difference.repair is None]


def _furniture(database: Database, settings: Settings) -> Iterator[Difference]:
    """Find articles whose text turned out to be furniture of their site."""
    now = Clock().now()
    for judged, line in all_furniture(settings.archive.raw_dir, database):
        yield Difference(line, partial(_withdraw, judged, now))


def _withdraw(judged: Rejudged, now: datetime, connection: Connection) -> None:
    save_rejudged(connection, [judged], now)


def _left_over(folder: Storage, quiet_seconds: float) -> Iterator[Difference]:
    for name in folder.left_over(quiet_seconds):
        line = f"file {name}: left over from a run that was killed"
        yield Difference(line, partial(_remove, folder, name))


def _file_problems(
    database: Database, folder: Storage, *, alone: bool
) -> Iterator[tuple[FileRecord, str]]:
    """Yield every article's file with what is wrong with it, ``''`` for nothing."""
    left = audit.file_records(database)
    while batch := list(islice(left, FILES_A_LOOK)):
        written = [record.path for record in batch if record.sha256 is not None]
        hashes = dict(zip(written, folder.hashes(written), strict=True))
        for record in batch:
            if record.sha256 is None:
                due = "is not removed yet" if record.is_doubted else "is not written yet"
                yield record, due if alone else ""
            elif record.is_doubted:
                # Whatever lies there is somebody else's.
                continue
            else:
                yield record, _file_problem(hashes[record.path], record.sha256)


def _file_problem(sha256: str | OSError, wanted: str) -> str:
    if isinstance(sha256, FileNotFoundError):
        return "is missing"
    if isinstance(sha256, OSError):
        return f"cannot be read: {sha256.strerror}"
    return "" if sha256 == wanted else "is not what the database says"


def _make_due(article_id: int, connection: Connection) -> None:
    audit.make_due(connection, [article_id])


def _remove(folder: Storage, name: str, connection: Connection) -> None:  # noqa: ARG001 - a Repair's signature
    folder.remove(name)


def _pictures(database: Database, folder: Storage) -> Iterator[Difference]:
    """Compare the local copies of pictures with their names; one that is wrong is due again."""
    with database.reading() as connection:
        paths = images.paths(connection)
    for path, sha256 in zip(paths, folder.hashes(paths), strict=True):
        if isinstance(sha256, OSError):
            problem = f"cannot be read: {sha256.strerror}"
        elif sha256 != Path(path).stem:
            problem = "is another picture"
        else:
            continue
        yield Difference(f"picture {path}: {problem}", partial(_forget_picture, path))


def _forget_picture(path: str, connection: Connection) -> None:
    images.forget(connection, path)


_BEGUN = re.compile(r"ingestor-(\d{14})-")


@dataclass(frozen=True, slots=True)
class RawComparison:
    """A comparison of the captures with the WARC files."""

    database: Database
    location: Location
    alone: bool
    """No other run is in the middle of anything."""
    quiet_seconds: float
    """Where that cannot be known: for so long nobody may have written to a file."""

    def differences(self) -> Iterator[Difference]:
        """Yield what does not agree."""
        with self.database.reading() as connection:
            ends = audit.warc_files(connection)
        folder = storage(self.location)
        if ends and not folder.is_there():
            line = f"WARC folder {self.location}: is not there, with {len(ends)} files in it"
            yield Difference(line)
            return
        present = {name for name in folder.names() if re.fullmatch(r"[^/]+\.warc\.gz", name)}
        for name in sorted(ends.keys() | present):
            with self.database.reading() as connection:
                listed = audit.capture_records(connection, name)
            if name in present:
                yield from self._file(name, listed)
            elif not self._is_elsewhere(name):
                yield from _all_lost(listed, name)

    def _file(self, name: str, listed: dict[int, CaptureRecord]) -> Iterator[Difference]:
        """Compare one WARC file with the captures that point into it."""
        alone = self.alone and self._lies_still(name)
        try:
            with storage(self.location).local(name) as path:
                yield from self._records(path, listed, alone=alone)
        except FileNotFoundError:
            yield from _all_lost(listed, name)

    def _records(
        self, path: Path, listed: dict[int, CaptureRecord], *, alone: bool
    ) -> Iterator[Difference]:
        unseen = dict(listed)
        damage = ""
        try:
            for record in reader.records(path):
                capture = unseen.pop(record.place.offset, None)
                if capture:
                    yield from self._record(record, capture)
                elif alone:
                    yield from _unlisted(self.database, record)
        except StorageFailed as error:
            damage = str(error)
        whole = reader.whole_length(path)
        if alone and whole < path.stat().st_size:
            yield self._torn(path.name, listed, whole)
        elif damage and alone:
            yield Difference(f"WARC {damage}")
        for capture in unseen.values():
            where = f"byte {capture.place.offset} of {path.name}"
            yield _lost(capture, f"there is no record at {where}")

    def _torn(self, name: str, listed: dict[int, CaptureRecord], whole: int) -> Difference:
        line = f"WARC {name}: ends in the middle of a record, at byte {whole}"
        ends = (capture.place.offset + capture.place.length for capture in listed.values())
        last = max(ends, default=0)
        path = _grows_at(self.location, name)
        if path is None or not path.is_file() or whole < last:
            return Difference(line)
        return Difference(line, lambda _: recovery.close(path, last))

    def _record(self, record: Record, capture: CaptureRecord) -> Iterator[Difference]:
        """Compare a record with the capture that points to it; a revisit's body lies elsewhere."""
        place = f"the record at byte {record.place.offset} of {record.place.file}"
        if record.place != capture.place or (record.sha256 or capture.sha256) != capture.sha256:
            repair = partial(_replace, capture.id, record)
            yield Difference(f"capture {capture.id}: {place} differs: {capture.url}", repair)
        elif record.is_revisit:
            with self.database.reading() as connection:
                earlier = captures.earlier(
                    connection, capture.asked, capture.sha256, before=capture.id
                )
            original = warc_original(self.location, earlier, capture.sha256)
            if original is None and any(self._is_elsewhere(place.file) for place in earlier):
                return
            if original is None or original.payload_digest != record.original.payload_digest:
                yield _lost(capture, f"{place} refers to a body that is not kept any more")

    def _lies_still(self, name: str) -> bool:
        """Whether nobody can be in the middle of a file."""
        if not self.quiet_seconds:
            return True
        path = _grows_at(self.location, name)
        if path and recovery.being_written(path):
            return False
        with suppress(FileNotFoundError):
            return storage(self.location).age(name) >= self.quiet_seconds
        return False

    def _is_elsewhere(self, name: str) -> bool:
        """Whether a file may still be in the spool of another machine."""
        if not self.quiet_seconds or not isinstance(self.location, ObjectAddress):
            return False
        begun = _BEGUN.match(name)
        if begun is None:
            return False
        since = datetime.strptime(begun[1], "%Y%m%d%H%M%S").replace(tzinfo=UTC)
        return (datetime.now(UTC) - since).total_seconds() < recovery.ABANDONED


def _grows_at(location: Location, name: str) -> Path | None:
    """Return where a WARC file lies while it is written on this machine."""
    folder = location if isinstance(location, Path) else location.spool
    return folder / name if folder else None


def _unlisted(database: Database, record: Record) -> Iterator[Difference]:
    """Find a record to which no capture points; a revisit of nothing that is known is nothing."""
    sha256 = record.sha256
    if record.is_revisit and (date := record.original.date):
        with database.reading() as connection:
            moment = from_iso_utc(date)
            sha256 = captures.sha256_of(connection, record.original.url, moment) or ""
    if sha256:
        line = f"record at byte {record.place.offset} of {record.place.file}"
        repair = partial(_record_capture, record, sha256)
        yield Difference(f"{line}: no capture points to it: {record.url}", repair)


def _lost(capture: CaptureRecord, why: str) -> Difference:
    line = f"capture {capture.id}: {why}: {capture.url}"
    return Difference(line, partial(_unlink, capture.id))


def _all_lost(listed: dict[int, CaptureRecord], name: str) -> Iterator[Difference]:
    yield from (_lost(capture, f"{name} is missing") for capture in listed.values())


def _unlink(capture_id: int, connection: Connection) -> None:
    captures.unlink(connection, capture_id)


def _replace(capture_id: int, record: Record, connection: Connection) -> None:
    """Let a record have a capture of its own instead of one that says something else of it."""
    captures.unlink(connection, capture_id)
    if record.sha256:
        _record_capture(record, record.sha256, connection)


def _record_capture(record: Record, sha256: str, connection: Connection) -> None:
    captures.record_unlisted(
        connection,
        record.url,
        status=record.status,
        fetched_at=record.fetched_at,
        sha256=sha256,
        place=record.place,
    )
