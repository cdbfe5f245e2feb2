"""Do database and WARC agree? Each record is read, and compared with the capture of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
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
from ingestor.maintenance.difference import Difference
from ingestor.pipeline.captures import warc_original
from ingestor.store import audit, captures
from ingestor.store.audit import CaptureRecord
from ingestor.store.db.database import Database
from ingestor.text.dates import from_iso_utc

_BEGUN = re.compile(r"ingestor-(\d{14})-")


@dataclass(frozen=True, slots=True)
class RawComparison:
    """A comparison of the captures with the WARC files."""

    database: Database
    location: Location
    alone: bool
    """No other run is in the middle of anything."""
    settled: float
    """Where that cannot be known: the seconds for which a file has to have lain still."""

    def differences(self) -> Iterator[Difference]:
        """Yield what does not agree."""
        with self.database.reading() as connection:
            pointed = audit.warc_files(connection)
        folder = storage(self.location)
        if pointed and not folder.is_there():
            line = f"WARC folder {self.location}: is not there, with {len(pointed)} files in it"
            yield Difference(line)
            return
        there = {name for name in folder.names() if re.fullmatch(r"[^/]+\.warc\.gz", name)}
        for name in sorted(pointed.keys() | there):
            with self.database.reading() as connection:
                kept = audit.capture_records(connection, name)
            if name in there:
                yield from self._file(name, kept)
            elif not self._is_elsewhere(name):
                yield from (_lost(one, f"{name} is missing") for one in kept.values())

    def _file(self, name: str, kept: dict[int, CaptureRecord]) -> Iterator[Difference]:
        """Compare one WARC file with the captures that point into it."""
        alone = self.alone and self._lies_still(name)
        try:
            with storage(self.location).local(name) as path:
                yield from self._records(path, kept, alone=alone)
        except FileNotFoundError:
            yield from (_lost(one, f"{name} is missing") for one in kept.values())

    def _records(
        self, path: Path, kept: dict[int, CaptureRecord], *, alone: bool
    ) -> Iterator[Difference]:
        unseen = dict(kept)
        damage = ""
        try:
            for record in reader.records(path):
                capture = unseen.pop(record.place.offset, None)
                if capture:
                    yield from self._record(record, capture)
                elif alone:
                    yield from _unclaimed(self.database, record)
        except StorageFailed as error:
            damage = str(error)
        whole = reader.whole_length(path)
        if alone and whole < path.stat().st_size:
            yield self._torn(path.name, kept, whole)
        elif damage and alone:
            yield Difference(f"WARC {damage}")
        for capture in unseen.values():
            where = f"byte {capture.place.offset} of {path.name}"
            yield _lost(capture, f"there is no record at {where}")

    def _torn(self, name: str, kept: dict[int, CaptureRecord], whole: int) -> Difference:
        line = f"WARC {name}: ends in the middle of a record, at byte {whole}"
        last = max((one.place.offset + one.place.length for one in kept.values()), default=0)
        path = _grows_at(self.location, name)
        mendable = whole >= last and path is not None and path.is_file()
        return Difference(line, partial(_seal, path, last) if path and mendable else None)

    def _record(self, record: Record, capture: CaptureRecord) -> Iterator[Difference]:
        """Compare a record with the capture that points to it; a revisit's body lies elsewhere."""
        place = f"the record at byte {record.place.offset} of {record.place.file}"
        if record.place != capture.place or (record.sha256 or capture.sha256) != capture.sha256:
            mend = partial(_forget_and_adopt, capture.id, record)
            yield Difference(f"capture {capture.id}: {place} differs: {capture.url}", mend)
        elif record.is_revisit:
            with self.database.reading() as connection:
                earlier = captures.earlier(
                    connection, capture.asked, capture.sha256, before=capture.id
                )
            found = warc_original(self.location, earlier, capture.sha256)
            if found is None and any(self._is_elsewhere(one.file) for one in earlier):
                return
            if found is None or found.payload_digest != record.original.payload_digest:
                yield _lost(capture, f"{place} refers to a body that is not kept any more")

    def _lies_still(self, name: str) -> bool:
        """Whether nobody can be in the middle of a file."""
        if not self.settled:
            return True
        path = _grows_at(self.location, name)
        if path and recovery.being_written(path):
            return False
        with suppress(FileNotFoundError):
            return storage(self.location).age(name) >= self.settled
        return False

    def _is_elsewhere(self, name: str) -> bool:
        """Whether a file may still be in the spool of another machine."""
        if not self.settled or not isinstance(self.location, ObjectAddress):
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


def _unclaimed(database: Database, record: Record) -> Iterator[Difference]:
    """Find a record to which no capture points; a revisit of nothing that is known is nothing."""
    sha256 = record.sha256
    if record.is_revisit and (date := record.original.date):
        with database.reading() as connection:
            moment = from_iso_utc(date)
            sha256 = captures.sha256_of(connection, record.original.url, moment) or ""
    if sha256:
        line = f"record at byte {record.place.offset} of {record.place.file}"
        mend = partial(_adopt, record, sha256)
        yield Difference(f"{line}: no capture points to it: {record.url}", mend)


def _lost(capture: CaptureRecord, why: str) -> Difference:
    line = f"capture {capture.id}: {why}: {capture.url}"
    return Difference(line, partial(_forget, capture.id))


def _forget(capture_id: int, connection: Connection) -> None:
    captures.unlink(connection, capture_id)


def _forget_and_adopt(capture_id: int, record: Record, connection: Connection) -> None:
    _forget(capture_id, connection)
    if record.sha256:
        _adopt(record, record.sha256, connection)


def _adopt(record: Record, sha256: str, connection: Connection) -> None:
    captures.record_unlisted(
        connection,
        record.url,
        status=record.status,
        fetched_at=record.fetched_at,
        sha256=sha256,
        place=record.place,
    )


def _seal(path: Path, pointed: int, connection: Connection) -> None:  # noqa: ARG001 - a Mend's signature
    recovery.close(path, pointed)
