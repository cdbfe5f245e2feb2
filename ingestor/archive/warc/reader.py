"""Reading WARC files back: what is in them, and where they stop being whole."""

from __future__ import annotations

import hashlib
import io
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from warcio.archiveiterator import ArchiveIterator
from warcio.exceptions import ArchiveLoadFailed

from ingestor.archive.storage import storage
from ingestor.config.values import Location
from ingestor.errors import CaptureLost, StorageFailed
from ingestor.model import WarcPlace
from ingestor.text.dates import from_iso_utc

_CHUNK = 256 * 1024

_UNREADABLE = (ArchiveLoadFailed, zlib.error, EOFError, ValueError, AttributeError)
"""What warcio raises on bytes that are no (whole) record."""


@dataclass(frozen=True, slots=True)
class Original:
    """What a revisit record says of the response record whose body it does not repeat."""

    record_id: str
    """``WARC-Record-ID``, with its angle brackets."""
    url: str
    date: str
    """``WARC-Date``, as it stands in the record."""
    payload_digest: str
    """``WARC-Payload-Digest``."""


@dataclass(frozen=True, slots=True)
class Record:
    """A response record of a WARC file, or a revisit record that stands for one."""

    place: WarcPlace
    url: str
    status: int
    fetched_at: datetime
    sha256: str
    """Of the body, in hex, as it was read back; ``''`` for a revisit, which has none."""
    original: Original
    """What a revisit refers to; of a response, what a revisit of it would refer to."""

    @property
    def is_revisit(self) -> bool:
        """Whether the body is that of another record."""
        return not self.sha256


@dataclass(frozen=True, slots=True)
class CapturedBody:
    """A response record that was read back whole."""

    record: Record
    content_type: str
    body: bytes


def records(path: Path) -> Iterator[Record]:
    """Yield the response and revisit records of a file, in order.

    Raises :class:`StorageFailed`, which names the byte, where the file is damaged or ends in
    the middle of a record, after all records before that place were yielded.
    """
    with path.open("rb") as file:
        place = 0
        try:
            iterator = ArchiveIterator(file)
            for record in iterator:
                digest = hashlib.sha256()
                while chunk := record.content_stream().read(_CHUNK):
                    digest.update(chunk)
                # warcio reads a record to its end to say where it lay: so after its body.
                place = iterator.get_record_offset()
                length = iterator.get_record_length()
                if record.rec_type in {"response", "revisit"}:
                    yield _record(record, WarcPlace(path.name, place, length), digest.hexdigest())
        except _UNREADABLE as error:
            raise StorageFailed(f"{path}: damaged at or after byte {place}: {error}") from error


def read(folder: Location, place: WarcPlace) -> CapturedBody:
    """Return the response or revisit record that lies at a place; a revisit's body is empty.

    Raises :class:`CaptureLost` when there is none.
    """
    where = f"{folder / place.file}: byte {place.offset}"
    try:
        data = storage(folder).read(place.file, place.offset, place.length)
        record = next(iter(ArchiveIterator(io.BytesIO(data))), None)
        if record is None or record.rec_type not in {"response", "revisit"}:
            raise CaptureLost(f"{where}: there is no response record")
        body = record.content_stream().read()
        content_type = record.http_headers.get_header("Content-Type") or ""
        response = _record(record, place, hashlib.sha256(body).hexdigest())
    except (OSError, *_UNREADABLE) as error:
        raise CaptureLost(f"{where}: cannot be read: {error}") from error
    return CapturedBody(response, content_type, body)


def whole_length(path: Path, start: int = 0, *, most_records: int | None = None) -> int:
    """Return where the last whole gzip member ends, counted from the file's beginning.

    ``start`` is the beginning of a member, ``most_records`` how many are looked at from there
    (``None``: all). What comes behind the last whole one is a record that is being written,
    or was when its writer died.
    """
    end, seen = start, 0
    with path.open("rb") as file:
        file.seek(start)
        member, inside, rest = zlib.decompressobj(31), 0, b""
        while seen != most_records and (chunk := rest or file.read(_CHUNK)):
            try:
                member.decompress(chunk)
            except zlib.error:
                return end
            if not member.eof:
                inside, rest = inside + len(chunk), b""
                continue
            rest = member.unused_data
            end += inside + len(chunk) - len(rest)
            member, inside, seen = zlib.decompressobj(31), 0, seen + 1
    return end


def _record(record: Any, place: WarcPlace, sha256: str) -> Record:
    headers = record.rec_headers
    revisit = record.rec_type == "revisit"
    own = ("WARC-Record-ID", "WARC-Target-URI", "WARC-Date")
    other = ("WARC-Refers-To", "WARC-Refers-To-Target-URI", "WARC-Refers-To-Date")
    names = (*(other if revisit else own), "WARC-Payload-Digest")
    return Record(
        place=place,
        url=headers.get_header("WARC-Target-URI"),
        status=int(record.http_headers.get_statuscode()),
        fetched_at=from_iso_utc(headers.get_header("WARC-Date")),
        sha256="" if revisit else sha256,
        original=Original(*(headers.get_header(name) or "" for name in names)),
    )
