"""WARC files that others wrote: read once, from the beginning to the end, within bounds.

Packed record by record (Common Crawl, wget, ArchiveBox), packed as a whole, or not packed at all;
and WACZ, a zip with such files in it. Of a record whose address is not wanted only the head is
kept. What is damaged costs the record, or the gzip member, in which it lies.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from zlib_ng import zlib_ng

from ingestor.archive.warc.reader import MAGIC, possible_members
from ingestor.errors import PostUnreadable
from ingestor.model import WarcPlace

MOST_HEAD_BYTES = 64 * 1024
"""Of a record's own header."""

_CHUNK = 32 * 1024
"""Bytes that are unpacked at a time: into a thousand times as many at most."""

_BUFFER = 1024**2

_GZIP = 16 + zlib_ng.MAX_WBITS
_UNPACKED: Any = zlib_ng.error
"""What is raised on bytes that cannot be unpacked."""

_BEGINS = b"WARC/"
_END = re.compile(rb"\r?\n\r?\n")
_FIELD = re.compile(rb"^([\w-]{1,80}):[ \t]*(.*?)\r?$", re.MULTILINE)
_INSIDE = re.compile(r"(?:.*/)?archive/[^/]+\.warc(?:\.gz)?")
"""Where a WACZ has its WARC files (WACZ 1.1.1, 5.2.1)."""


@dataclass(frozen=True, slots=True)
class ForeignRecord:
    """A record of somebody else's file."""

    kind: str
    """``response``, ``revisit``, ``request`` …, as it says itself."""
    fields: Mapping[str, str]
    """Its named fields, in lower case."""
    block: bytes | None
    """What it holds; ``None``: not wanted, or larger than the bound."""
    place: WarcPlace | None
    """Where it can be read again, in a file named by its whole path; ``None``: only here."""

    @property
    def url(self) -> str:
        """Return its address, without the angle brackets that some write."""
        return self.fields.get("warc-target-uri", "").strip("<>")


@dataclass(frozen=True, slots=True)
class DamagedPart:
    """A stretch in which no record can be read."""

    reason: str
    at: int
    """Byte at which it begins."""
    is_end: bool
    """The file breaks off in it."""


Wanted = Callable[[str, str], bool]
"""Told the kind and the address of a record: whether what it holds is wanted."""


class ForeignWarc:
    """A file of records; iterate it once. ``position`` says meanwhile how far it is read."""

    def __init__(self, path: Path, wanted: Wanted, most_bytes: int) -> None:
        """Read ``path``; of each record that is wanted no more than ``most_bytes``."""
        self.path = path
        self.position = 0
        self._wanted = wanted
        self._most = most_bytes

    def __iter__(self) -> Iterator[ForeignRecord | DamagedPart]:
        """Yield its records in their order, and what is damaged between them.

        Raises :class:`PostUnreadable` for what is no WARC file, before anything of it is unpacked.
        """
        with ExitStack() as opened:
            if zipfile.is_zipfile(self.path):
                archive = opened.enter_context(zipfile.ZipFile(self.path))
                names = [name for name in archive.namelist() if _INSIDE.fullmatch(name)]
                if not names:
                    raise PostUnreadable(
                        "a zip file, but no WACZ: there is no archive/*.warc.gz in it"
                    )
                for name in names:
                    with archive.open(name) as file:
                        yield from self._file(file, is_whole=False)
            else:
                file = opened.enter_context(self.path.open("rb", buffering=_BUFFER))
                yield from self._file(file, is_whole=True)

    def _file(self, file: IO[bytes], *, is_whole: bool) -> Iterator[ForeignRecord | DamagedPart]:
        beginning = file.read(len(MAGIC))
        file.seek(0)
        if beginning == MAGIC:
            yield from self._members(file, is_whole=is_whole)
        elif _BEGINS.startswith(beginning) and beginning:
            yield from self._plain(file)
        else:
            what = f"begins with {beginning!r}" if beginning else "is empty"
            raise PostUnreadable(f"not a WARC file: it {what}")

    def _plain(self, file: IO[bytes]) -> Iterator[ForeignRecord | DamagedPart]:
        part = _Member(file, 0, packed=False)
        try:
            yield from self._records(part, is_whole=False)
        except _Broken as error:
            # Nothing says where the next record begins.
            if not part.has_record:
                raise PostUnreadable("not a WARC file: it only begins like one") from error
            yield DamagedPart(str(error), part.read_bytes, is_end=True)

    def _members(self, file: IO[bytes], *, is_whole: bool) -> Iterator[ForeignRecord | DamagedPart]:
        at, size = 0, file.seek(0, io.SEEK_END)
        while at < size:
            part = _Member(file, at, packed=True)
            try:
                yield from self._records(part, is_whole=is_whole)
                part.skip_all()
                at = part.end
            except (_Broken, _UNPACKED) as error:
                if not at and not part.has_record:
                    raise PostUnreadable("not a WARC file: what it unpacks to is none") from error
                broken, at = at, _next_member(file, at + 1, size)
                torn = isinstance(error, _Torn) and at >= size
                yield DamagedPart(str(error), broken, is_end=torn)
            self.position = at

    def _records(self, part: _Member, *, is_whole: bool) -> Iterator[ForeignRecord | DamagedPart]:
        """Yield the records of a gzip member, or of a file that is not packed."""
        first = True
        while part.at_record():
            fields = fields_of(part.head())
            length = fields.get("content-length", "")
            if not length.isdecimal():
                raise _Broken("a record that does not say how long it is")
            kind, url = fields.get("warc-type", ""), fields.get("warc-target-uri", "").strip("<>")
            part.has_record = True
            if self._wanted(kind, url) and int(length) <= self._most:
                block: bytes | None = part.read(int(length))
            else:
                block = None
                part.skip(int(length))
            alone = first and not part.at_record()
            place = part.place(self.path.resolve()) if alone and is_whole and part.packed else None
            yield ForeignRecord(kind, fields, block, place)
            first = False
            self.position = part.read_bytes


def begun_at(path: Path) -> str:
    """Return the first moment that a file of records states, ``""`` where none can be read."""
    try:
        for record in ForeignWarc(path, lambda _kind, _url: False, 0):
            if isinstance(record, ForeignRecord) and record.fields.get("warc-date"):
                return record.fields["warc-date"]
    except (PostUnreadable, OSError):
        # Said when its turn comes.
        return ""
    return ""


def record_at(place: WarcPlace, most_bytes: int) -> ForeignRecord:
    """Return the record at a place that :class:`ForeignWarc` gave for it."""
    with Path(place.file).open("rb") as opened:
        part = _Member(opened, place.offset, packed=True)
        part.at_record()
        head = fields_of(part.head())
        length = min(int(head["content-length"]), most_bytes)
        return ForeignRecord(head.get("warc-type", ""), head, part.read(length), place)


def fields_of(head: bytes) -> dict[str, str]:
    """Return the named fields of a record's header, by their names in lower case."""
    return {
        name.decode("ascii").lower(): value.decode("utf-8", "replace").strip()
        for name, value in _FIELD.findall(head)
    }


class _Broken(Exception):
    """Bytes that are no record."""


class _Torn(_Broken):
    """A record that breaks off."""


class _Member:
    """A gzip member, or a whole file that is not packed, as a stream of bytes."""

    def __init__(self, file: IO[bytes], start: int, *, packed: bool) -> None:
        self.packed = packed
        self.read_bytes = start
        self.has_record = False
        self._file, self._start = file, start
        self._member = zlib_ng.decompressobj(_GZIP) if packed else None
        self._buffer = bytearray()
        file.seek(start)

    @property
    def end(self) -> int:
        """Return the byte behind the member; it has been read to its end."""
        unused = len(self._member.unused_data) if self._member else 0
        return self.read_bytes - unused

    def place(self, path: Path) -> WarcPlace:
        """Return where the member lies in a file; it has been read to its end."""
        return WarcPlace(str(path), self._start, self.end - self._start)

    def at_record(self) -> bool:
        """Pass over blank lines; whether anything comes behind them."""
        while True:
            stripped = self._buffer.lstrip(b"\r\n")
            if stripped:
                self._buffer[:] = stripped
                return True
            self._buffer.clear()
            if not self._fill():
                return False

    def head(self) -> bytes:
        """Return a record's header; what it holds comes next."""
        while True:
            if not _BEGINS.startswith(bytes(self._buffer[: len(_BEGINS)])):
                raise _Broken("bytes that are no record")
            end = _END.search(self._buffer)
            if end and end.start() <= MOST_HEAD_BYTES:
                head = bytes(self._buffer[: end.start()])
                del self._buffer[: end.end()]
                return head
            if len(self._buffer) > MOST_HEAD_BYTES:
                raise _Broken("a record whose header has no end")
            self._more()

    def read(self, length: int) -> bytes:
        """Return the next bytes."""
        while len(self._buffer) < length:
            self._more()
        data = bytes(self._buffer[:length])
        del self._buffer[:length]
        return data

    def skip(self, length: int) -> None:
        """Pass over the next bytes."""
        while len(self._buffer) < length:
            length -= len(self._buffer)
            self._buffer.clear()
            if not self.packed:
                size = self._file.seek(0, io.SEEK_END)
                # What is not packed need not be read to be passed over.
                step = min(length, size - self.read_bytes)
                self.read_bytes += step
                self._file.seek(self.read_bytes)
                length -= step
                if length:
                    raise _Torn("it breaks off in the middle of a record")
                return
            self._more()
        del self._buffer[:length]

    def skip_all(self) -> None:
        """Read a member to its end: its checksum is right then."""
        while self._fill():
            self._buffer.clear()

    def _more(self) -> None:
        if not self._fill():
            raise _Torn("it breaks off in the middle of a record")

    def _fill(self) -> bool:
        """Read on; whether there was anything."""
        if self._member is None:
            chunk = self._file.read(_CHUNK)
            self.read_bytes += len(chunk)
            self._buffer += chunk
            return bool(chunk)
        before = len(self._buffer)
        while not self._member.eof and len(self._buffer) == before:
            chunk = self._file.read(_CHUNK)
            if not chunk:
                raise _Torn("it breaks off in the middle of a record")
            self.read_bytes += len(chunk)
            self._buffer += self._member.decompress(chunk)
        return len(self._buffer) > before


def _next_member(file: IO[bytes], start: int, size: int) -> int:
    """Return where the next gzip member begins that holds a record, ``size`` where none does."""
    for at in possible_members(file, start, size):
        try:
            part = _Member(file, at, packed=True)
            if part.at_record() and part.head():
                return at
        except (_Broken, _UNPACKED):
            continue
    return size
