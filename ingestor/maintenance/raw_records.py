"""The records of the WARC files, each compared with the captures that point to it.

::

    file | read record by record | its captures? the same? | damaged: marked, known from then on
                                 | none: it gets one       | whole again: the mark goes

A capture never loses its place: a file that is put back, whole, heals everything.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path

from sqlalchemy import Connection

from ingestor.archive.storage import storage
from ingestor.archive.warc import reader, writer
from ingestor.archive.warc.reader import DamagedBytes, Record
from ingestor.archive.warc.records import as_sent
from ingestor.config.values import Location, ObjectAddress
from ingestor.errors import CaptureLost
from ingestor.maintenance import Difference, by
from ingestor.model import WarcPlace
from ingestor.pipeline.captures import answers_of, original_sha256, warc_original
from ingestor.store import audit, captures
from ingestor.store.captures import KeptCapture, RecordedAnswer
from ingestor.store.db.database import Database
from ingestor.text.counts import counted

_BEGUN = re.compile(r"ingestor-(\d{14})-")
_WARC_FILE = re.compile(r"[^/]+\.warc\.gz")


@dataclass(frozen=True, slots=True)
class RawComparison:
    """A comparison of the captures with the WARC files."""

    database: Database
    location: Location
    now: datetime
    alone: bool
    """No other run is in the middle of anything."""
    quiet_seconds: float
    """Where that cannot be known: for so long nobody may have written to a file."""
    _unlisted: list[Record] = field(default_factory=list)
    """Records to which no capture points, as they are found."""
    _noted: set[str] = field(default_factory=set)
    """Places without a capture whose damage was noted before, and was not found yet."""
    _unfinished: dict[str, int] = field(default_factory=dict)
    """Files that an interrupted run left open, and from which byte on the next one takes up what
    is in them."""

    def differences(self) -> Iterator[Difference]:
        """Yield what does not agree."""
        with self.database.reading() as connection:
            ends = audit.warc_files(connection)
            self._noted.update(audit.lasting_damage(connection))
        folder = storage(self.location)
        if ends and not folder.is_there():
            lost = counted(len(ends), "file")
            yield Difference(f"WARC folder {self.location}: is not there, with {lost} in it")
            return
        present = {name for name in folder.names() if _WARC_FILE.fullmatch(name)}
        for name in sorted(ends.keys() | present):
            with self.database.reading() as connection:
                listed = captures.in_file(connection, name)
            if Path(name).is_absolute():
                yield from self._foreign(name, listed)
            elif name in present:
                yield from self._file(name, listed)
            elif not self._is_elsewhere(name):
                yield from self._missing(name, listed)
        # Once all that is lost was found: a capture may be of a record that lies elsewhere.
        with self.database.reading() as connection:
            answers = list(answers_of(connection, self._unlisted))
        yield from map(self._unlisted_record, answers)
        for place in sorted(self._noted) if self.alone else ():
            if place.rpartition(":")[0] not in present:
                continue
            forget = by(audit.forget_damage, [place])
            yield Difference(f"WARC {place}: is damaged no more", forget, is_known=True)

    def _foreign(self, name: str, listed: Sequence[KeptCapture]) -> Iterator[Difference]:
        """Compare captures with a file that others wrote: it has more in it than is ours."""
        if not Path(name).exists():
            yield from self._missing(name, listed)
            return
        for capture in listed:
            try:
                whole = reader.read(Path("/"), capture.place).record.sha256 == capture.sha256
                why = f"the record at byte {capture.place.offset} of {name} is another one"
            except CaptureLost as error:
                whole, why = False, str(error)
            if not whole:
                yield self._damaged(capture, why)
            elif capture.is_damaged:
                line = f"capture {capture.id}: its record is whole again: {capture.final_url}"
                yield Difference(line, by(captures.mark_whole, [capture.id]), is_known=True)

    def _file(self, name: str, listed: Sequence[KeptCapture]) -> Iterator[Difference]:
        """Compare one WARC file with the captures that point into it."""
        alone = self.alone and self._lies_still(name)
        try:
            with storage(self.location).local(name) as path:
                yield from self._records(path, listed, alone=alone)
        except FileNotFoundError:
            yield from self._missing(name, listed)

    def _records(
        self, path: Path, listed: Sequence[KeptCapture], *, alone: bool
    ) -> Iterator[Difference]:
        pointing = defaultdict(list)
        for capture in listed:
            pointing[capture.place.offset].append(capture)
        size = path.stat().st_size
        if alone and self._is_unfinished(path.name):
            self._unfinished[path.name] = max((capture.place.end for capture in listed), default=0)
        for found in reader.scan(path, list(pointing)):
            there = pointing.pop(found.place.offset, [])
            if isinstance(found, Record):
                yield from self._record(found, there, alone=alone)
            elif there:
                where = f"the record at byte {found.place.offset} of {path.name}"
                why = f"{where} cannot be read ({found.reason})"
                yield from (self._damaged(capture, why) for capture in there)
            elif alone:
                yield self._stretch(found, size)
        for capture in chain.from_iterable(pointing.values()):
            where = f"byte {capture.place.offset} of {path.name}"
            yield self._damaged(capture, f"there is no record at {where}")

    def _record(
        self, record: Record, pointing: Sequence[KeptCapture], *, alone: bool
    ) -> Iterator[Difference]:
        """Compare a record with the captures that point to it."""
        place = f"the record at byte {record.place.offset} of {record.place.file}"
        is_listed = False
        for capture in pointing:
            if _is_same(record, capture):
                is_listed = True
                yield from self._revisit(record, capture, place)
            elif _is_of(record, capture):
                is_listed = True
                line = f"capture {capture.id}: {place} differs: {capture.final_url}"
                fix = self._corrected(record, capture)
                yield Difference(line, fix, done="set right after the record")
            else:
                yield self._damaged(capture, f"{place} differs, and is another one")
        if alone and not is_listed:
            self._unlisted.append(record)

    def _corrected(self, record: Record, capture: KeptCapture) -> Callable[[Connection], object]:
        def correct(connection: Connection) -> None:
            """Let the capture say what its record says, if that has a body that is known."""
            for answer in answers_of(connection, [record]):
                captures.correct(connection, capture.id, answer)

        return correct

    def _revisit(self, record: Record, capture: KeptCapture, place: str) -> Iterator[Difference]:
        """Look whether a record's body is there; that of a revisit lies elsewhere."""
        if record.is_revisit:
            with self.database.reading() as connection:
                earlier = captures.earlier(
                    connection, capture.url, capture.sha256, before=capture.id
                )
            original = warc_original(self.location, earlier, capture.sha256)
            if original is None or original.payload_digest != record.original.payload_digest:
                if any(self._is_elsewhere(place.file) for place in earlier):
                    return
                if not earlier and self._has_row(record):
                    # That row is what is wrong, and is said.
                    return
                why = f"{place} refers to a body that is not kept any more"
                # Where its record is known, that is what is damaged, and is said.
                lost = self._damaged(capture, why)
                whole = Difference(f"{lost.line}; its own record is whole", is_known=True)
                yield whole if earlier else lost
                return
        if capture.is_damaged:
            line = f"capture {capture.id}: its record is whole again: {capture.final_url}"
            yield Difference(line, by(captures.mark_whole, [capture.id]), is_known=True)

    def _has_row(self, revisit: Record) -> bool:
        """Whether a capture stands for the record that a revisit refers to, whatever it says."""
        with self.database.reading() as connection:
            return bool(original_sha256(connection, revisit))

    def _damaged(self, capture: KeptCapture, why: str) -> Difference:
        line = f"capture {capture.id}: {why}: {capture.final_url}"
        if capture.is_damaged:
            return Difference(f"{line}; known", is_known=True)
        mark = by(captures.mark_damaged, [capture.id], self.now)
        return Difference(line, mark, done="marked as lost; only a backup has it")

    def _missing(self, name: str, listed: Sequence[KeptCapture]) -> Iterator[Difference]:
        known = [capture for capture in listed if capture.is_damaged]
        if known:
            records = counted(len(known), "record")
            line = f"WARC {name}: is missing, with {records} of pages; known"
            yield Difference(line, is_known=True)
        for capture in listed:
            if not capture.is_damaged:
                yield self._damaged(capture, f"{name} is missing")

    def _stretch(self, found: DamagedBytes, size: int) -> Difference:
        """Say which bytes cannot be read that no capture points to: a request, a warcinfo."""
        where = found.place
        place = f"{where.file}:{where.offset}"
        size_of = counted(where.length, "byte")
        line = f"WARC {where.file}: {size_of} at byte {where.offset} cannot be read"
        if where.end == size and found.is_torn:
            line = f"WARC {where.file}: ends in the middle of a record, at byte {where.offset}"
        if place in self._noted:
            self._noted.discard(place)
            return Difference(f"{line}; known", is_known=True)
        left = "torn record" if where.end == size and self._is_left(where) else ""
        note = by(audit.note_damage, place, found.reason, self.now, lasting=True)
        return Difference(line, note, left=left, done="noted; what it held is lost")

    def _unlisted_record(self, answer: RecordedAnswer) -> Difference:
        place = f"record at byte {answer.place.offset} of {answer.place.file}"
        line = f"{place}: no capture points to it: {answer.url}"
        left = "record" if self._is_left(answer.place) else ""
        record = by(captures.record_unlisted, answer)
        return Difference(line, record, left=left, done="recorded in the database")

    def _is_left(self, place: WarcPlace) -> bool:
        """Whether the next start takes up what lies at a place."""
        return place.offset >= self._unfinished.get(place.file, place.end)

    def _is_unfinished(self, name: str) -> bool:
        path = _grows_at(self.location, name)
        return path is not None and writer.mark_open(path).exists()

    def _lies_still(self, name: str) -> bool:
        """Whether nobody can be in the middle of a file."""
        if not self.quiet_seconds:
            return True
        path = _grows_at(self.location, name)
        if path and writer.being_written(path):
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
        return (datetime.now(UTC) - since).total_seconds() < writer.ABANDONED


def _is_same(record: Record, capture: KeptCapture) -> bool:
    """Whether a capture says of its record what it is; a revisit has no body of its own."""
    return record.place == capture.place and record.sha256 in {"", capture.sha256}


def _is_of(record: Record, capture: KeptCapture) -> bool:
    """Whether a record is the capture's all the same, and it is the row that is wrong."""
    return record.fetched_at == capture.fetched_at and record.url == as_sent(capture.final_url)


def _grows_at(location: Location, name: str) -> Path | None:
    """Return where a WARC file lies while it is written on this machine."""
    folder = location if isinstance(location, Path) else location.spool
    return folder / name if folder else None
