"""Whether database and WARC agree: each record is read, and compared with the capture of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from sqlalchemy import Connection

from ingestor.archive.storage import storage
from ingestor.archive.warc import reader, recovery
from ingestor.archive.warc.reader import Record
from ingestor.config.values import Location, ObjectAddress
from ingestor.errors import StorageFailed
from ingestor.pipeline.captures import warc_original
from ingestor.store import audit, captures
from ingestor.store.audit import CaptureRecord
from ingestor.store.db.database import Database
from ingestor.text.dates import from_iso_utc

_BEGUN = re.compile(r"ingestor-(\d{14})-")

Repair = Callable[[Connection], object]


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing on which two of database, files and WARC do not agree."""

    line: str
    """What is wrong, for a person."""
    repair: Repair | None = None
    """Makes them agree, within a transaction; ``None`` where only a backup helps."""


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
