"""Reading WARC files back: what is in them, and where they stop being whole."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from warcio.archiveiterator import ArchiveIterator
from warcio.exceptions import ArchiveLoadFailed

from ingestor.dates import from_iso_utc
from ingestor.errors import StorageFailed

_CHUNK = 256 * 1024


@dataclass(frozen=True, slots=True)
class ResponseRecord:
    """A response record of a WARC file."""

    file: str
    """Name of the file, relative to the raw folder."""
    offset: int
    length: int
    """Bytes of the compressed record."""
    url: str
    status: int
    fetched_at: datetime
    sha256: str
    """Of the body, in hex, as it was read back."""


def responses(path: Path) -> Iterator[ResponseRecord]:
    """Yield the response records of a file, in order.

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
                if record.rec_type == "response":
                    yield _response(path, record, (place, length), digest.hexdigest())
        except (ArchiveLoadFailed, zlib.error, EOFError, ValueError, AttributeError) as error:
            raise StorageFailed(f"{path}: damaged at or after byte {place}: {error}") from error


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


def _response(path: Path, record: object, place: tuple[int, int], sha256: str) -> ResponseRecord:
    headers = record.rec_headers  # type: ignore[attr-defined]
    status = record.http_headers.get_statuscode()  # type: ignore[attr-defined]
    return ResponseRecord(
        file=path.name,
        offset=place[0],
        length=place[1],
        url=headers.get_header("WARC-Target-URI"),
        status=int(status),
        fetched_at=from_iso_utc(headers.get_header("WARC-Date")),
        sha256=sha256,
    )
