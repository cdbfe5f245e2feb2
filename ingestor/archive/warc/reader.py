"""Reading WARC files back: what is in them, and where they are not whole.

Each record is read at its own offset, as the gzip member that it is: a byte that flipped costs the
record in which it lies, and none behind it.
"""

from __future__ import annotations

import hashlib
import io
import zlib
from bisect import bisect_right
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any, BinaryIO

from ingestor.archive.storage import storage
from ingestor.config.values import Location
from ingestor.errors import CaptureLost
from ingestor.model import Headers, WarcPlace, header
from ingestor.text.dates import from_iso_utc

ASKED = "Ingestor-Asked-URI"
"""Field of a record whose address was redirected to: the one that was asked. Readers pass over
fields that they do not know (WARC/1.1, 4)."""

_CHUNK = 256 * 1024

_STEP = 32 * 1024
"""Bytes of a member that are read at a time: most records take one to three steps."""

MOST_UNPACKED_BYTES = 1024**3
"""Of a record; damage may unpack to anything."""

MAGIC = b"\x1f\x8b\x08"
"""How a gzip member begins that is packed by deflate (RFC 1952)."""


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
    """Address that answered."""
    asked: str
    """Address that was asked: another one, where it redirected."""
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
    headers: Headers
    body: bytes

    @property
    def content_type(self) -> str:
        """Return the ``Content-Type``, ``""`` for none."""
        return header(self.headers, "content-type")


@dataclass(frozen=True, slots=True)
class DamagedBytes:
    """A stretch of a file in which no record can be read."""

    place: WarcPlace
    reason: str
    is_torn: bool
    """What begins there breaks off at the file's end."""


def scan(
    path: Path, pointed: Collection[int] = (), start: int = 0
) -> Iterator[Record | DamagedBytes]:
    """Yield the response and revisit records of a file, in order, and the stretches between them.

    Where nothing can be read, reading goes on at the next of the offsets ``pointed`` to, or at the
    next gzip member that holds a record, whichever comes first. ``start`` is where to begin.
    """
    stops, at = sorted(pointed), start
    with path.open("rb") as file:
        size = file.seek(0, io.SEEK_END)
        while at < size:
            stop = next(iter(stops[bisect_right(stops, at) :]), size)
            try:
                record, end = _record_at(file, at, path.name)
            except _unreadable() as error:
                end = _next_record(file, at + 1, min(stop, size))
                torn = isinstance(error, EOFError)
                yield DamagedBytes(WarcPlace(path.name, at, end - at), str(error), torn)
            else:
                if record:
                    yield record
            at = end


def _next_record(file: BinaryIO, start: int, stop: int) -> int:
    """Return where the next readable record begins, at most ``stop``."""
    for at in possible_members(file, start, stop):
        try:
            _record_at(file, at, "")
        except _unreadable():
            continue
        return at
    return stop


def possible_members(file: IO[bytes], start: int, stop: int) -> Iterator[int]:
    """Yield the bytes from ``start`` to before ``stop`` at which a gzip member may begin."""
    for at in range(start, stop, _CHUNK):
        file.seek(at)
        chunk = file.read(min(_CHUNK, stop - at) + len(MAGIC) - 1)
        found = chunk.find(MAGIC)
        while found >= 0:
            yield at + found
            found = chunk.find(MAGIC, found + 1)


def _record_at(file: BinaryIO, offset: int, name: str) -> tuple[Record | None, int]:
    """Return the record that begins at a byte, and where it ends; ``None``: of another kind."""
    data, end = _member(file, offset)
    record = _first_record(data)
    if record is None:
        raise ValueError("there is no record")
    if record.rec_type not in _KEPT:
        return None, end
    sha256 = hashlib.sha256(record.content_stream().read()).hexdigest()
    return _record(record, WarcPlace(name, offset, end - offset), sha256), end


_KEPT = {"response", "revisit"}
"""Kinds of records that captures point to."""


def _first_record(data: bytes) -> Any:
    # Here and below: most passes read no record, and warcio brings fsspec where that is installed.
    from warcio.archiveiterator import ArchiveIterator  # noqa: PLC0415

    return next(iter(ArchiveIterator(io.BytesIO(data))), None)


def _unreadable() -> Any:
    """Return what is raised on bytes that are no (whole) record."""
    from warcio.exceptions import ArchiveLoadFailed  # noqa: PLC0415

    return ArchiveLoadFailed, zlib.error, EOFError, ValueError, AttributeError


def _member(file: BinaryIO, offset: int) -> tuple[bytes, int]:
    """Return what the gzip member that begins at a byte holds, and where it ends.

    Its checksum is right. Raises ``zlib.error`` where it is damaged, ``EOFError`` where it breaks
    off.
    """
    file.seek(offset)
    member, unpacked, end = zlib.decompressobj(31), bytearray(), offset
    while not member.eof:
        chunk = file.read(_STEP)
        if not chunk:
            raise EOFError("it breaks off")
        unpacked += member.decompress(chunk)
        if len(unpacked) > MOST_UNPACKED_BYTES:
            raise ValueError("it is larger than any record")
        end += len(chunk)
    return bytes(unpacked), end - len(member.unused_data)


def read(folder: Location, place: WarcPlace) -> CapturedBody:
    """Return the response or revisit record that lies at a place; a revisit's body is empty.

    Raises :class:`CaptureLost` when there is none.
    """
    where = f"{folder / place.file}: byte {place.offset}"
    try:
        data = storage(folder).read(place.file, place.offset, place.length)
        unpacked, _ = _member(io.BytesIO(data), 0)
        record = _first_record(unpacked)
        if record is None or record.rec_type not in _KEPT:
            raise CaptureLost(f"{where}: there is no response record")
        body = record.content_stream().read()
        headers = tuple((str(name), str(value)) for name, value in record.http_headers.headers)
        response = _record(record, place, hashlib.sha256(body).hexdigest())
    except (OSError, *_unreadable()) as error:
        raise CaptureLost(f"{where}: cannot be read: {error}") from error
    return CapturedBody(response, headers, body)


def kept_body(folder: Location, places: Sequence[WarcPlace], sha256: str) -> CapturedBody:
    """Return the first record at these places whose body is the one that is looked for.

    Raises :class:`CaptureLost` when there is none.
    """
    why = "the kept page is another one"
    for place in places:
        try:
            kept = read(folder, place)
        except CaptureLost as error:
            why = str(error)
            continue
        if kept.record.sha256 == sha256:
            return kept
    raise CaptureLost(why)


def whole_length(path: Path, start: int = 0, *, most_records: int | None = None) -> int:
    """Return where the last whole gzip member ends, counted from the file's beginning.

    ``start`` is the beginning of a member, ``most_records`` how many are looked at from there
    (``None``: all). What comes behind the last whole one is a record that is being written,
    or was when its writer died.
    """
    end, seen = start, 0
    with path.open("rb") as file, suppress(zlib.error, EOFError, ValueError):
        while seen != most_records:
            _, end = _member(file, end)
            seen += 1
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
        asked=headers.get_header(ASKED) or headers.get_header("WARC-Target-URI"),
        status=int(record.http_headers.get_statuscode()),
        fetched_at=from_iso_utc(headers.get_header("WARC-Date")),
        sha256="" if revisit else sha256,
        original=Original(*(headers.get_header(name) or "" for name in names)),
    )
