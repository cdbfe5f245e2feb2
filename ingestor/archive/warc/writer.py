"""What was received, in WARC/1.1 files (ISO 28500:2017), written through warcio.

Every run begins a file of its own, so that a record torn by a crash is never appended to;
files roll by size and by day. A record is on the disk before the database points to it. A
body that is in a file already is not written twice: a revisit record refers to it.

While a file is written, ``<name>.open`` lies beside it and says on which machine, and its writer
holds a lock on it that the system gives back when the writer dies. So a start looks only at files
that a crash left, not at all of them.

A lock is trusted on its own machine alone: over NFS it may hold, or may not. A file that another
machine marked is left to that machine, until nothing has moved for :data:`ABANDONED`: files end
with their day, so a writer that lives has long begun another.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import socket
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, TypeAlias

from ingestor.archive.storage import sync_folder
from ingestor.archive.warc.reader import DamagedBytes, Original, scan
from ingestor.archive.warc.records import Packed, pack, pack_warcinfo
from ingestor.config.values import Location
from ingestor.errors import StorageFailed
from ingestor.model import Response, WarcPlace
from ingestor.version import __version__

MOST_BYTES = 1024**3
"""A file is closed when it has grown past this: the size that the WARC guidelines advise."""

ABANDONED = 2 * 86400
"""Seconds after which a file that a machine left unfinished may be closed by any other."""

_MARK = ".open"
_STANDARD = "https://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/"

_PACKERS = 2
"""Threads that pack records: it takes longer than all else here, and runs beside Python."""

ToPack: TypeAlias = tuple[Response, Original | None, str]
"""What :func:`pack` is called with."""


class WarcArchive:
    """The WARC files of one run. Used by one thread."""

    def __init__(
        self,
        folder: Path,
        clock: Callable[[], datetime],
        about: Mapping[str, str] | None = None,
        *,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        """Write into ``folder``; ``about`` are further fields of each file's warcinfo."""
        self.folder = folder
        self.location: Location = folder
        self._clock = clock
        self._about = about or {}
        self._most_bytes = most_bytes
        self._packers = ThreadPoolExecutor(_PACKERS, "pack")
        self._file: BinaryIO | None = None
        self._day = ""
        self._whole = True
        self._is_recorded = True
        self._ended: list[BinaryIO] = []

    def append(self, response: Response, original: Original | None = None) -> WarcPlace:
        """Write a response record and its request record; return where the response is.

        ``original`` is as :func:`pack` has it. Raises :class:`StorageFailed` when the disk
        refuses.
        """
        return self.write(pack(response, original))

    def append_all(self, records: Iterable[Packed | ToPack]) -> list[WarcPlace]:
        """Write many, in this order; return where each is.

        Some may be packed already; the others are packed as :func:`pack` does.
        """
        return [self.write(packed) for packed in self._packers.map(_packed, records)]

    def write(self, packed: Packed) -> WarcPlace:
        """Write records that are packed already, as :meth:`append` does."""
        try:
            file = self._open(packed.fetched_at)
            offset = file.tell()
            self._whole = self._is_recorded = False
            file.write(packed.answer)
            place = WarcPlace(Path(file.name).name, offset, len(packed.answer))
            file.write(packed.request)
            # What is read back, for a revisit, is read from the file.
            file.flush()
            self._whole = True
        except OSError as error:
            raise StorageFailed(f"{self.folder}: cannot be written: {error.strerror}") from error
        return place

    def sync(self) -> None:
        """Bring everything that was appended to the disk.

        Raises :class:`StorageFailed` when the disk refuses, or the file is not there any more: what
        the database points to would be nowhere.
        """
        if self._file:
            with _translated(self._file.name):
                _to_disk(self._file)
                if not Path(self._file.name).exists():
                    raise StorageFailed(f"{self._file.name}: was moved or removed while it grew")

    def recorded(self) -> None:
        """Hear that captures point to everything that was appended."""
        self._is_recorded = True
        for file in self._ended:
            mark_open(Path(file.name)).unlink(missing_ok=True)
            file.close()
        self._ended.clear()

    def roll(self) -> None:
        """Between two batches: end a file whose day is over, though nothing new came for it."""
        if self._clock().strftime("%Y%m%d") > self._day:
            self.close_file()

    def close(self) -> None:
        """Bring everything to the disk and close the file.

        One that ends in half a record (the disk was full), or in records to which no capture points
        (the database's was), keeps its mark: the next start sees to it.
        """
        self._packers.shutdown()
        self.close_file()
        for file in self._ended:
            file.close()
        self._ended.clear()

    def close_file(self) -> bool:
        """Close the file, so that the next record begins another; return whether there was one."""
        if not self._file:
            return False
        file, self._file = self._file, None
        # Locked and marked until captures point to what is in it.
        self._ended.append(file)
        with _translated(file.name):
            _to_disk(file)
        if not self._whole:
            self._ended.remove(file)
            file.close()
        if self._is_recorded:
            self.recorded()
        return True

    def _open(self, moment: datetime) -> BinaryIO:
        day = moment.strftime("%Y%m%d")
        # Answers come in no strict order: one of yesterday's begins no file after midnight.
        if self._file and (day > self._day or self._file.tell() >= self._most_bytes):
            self.close_file()
        if self._file is None:
            self._day = day
            self._file = self._begin()
        return self._file

    def _begin(self) -> BinaryIO:
        self.folder.mkdir(parents=True, exist_ok=True)
        now = self._clock()
        stamp = now.strftime("%Y%m%d%H%M%S")
        path = self.folder / f"ingestor-{stamp}-{secrets.token_hex(4)}.warc.gz"
        file = _marked(path)
        sync_folder(self.folder)
        about = {
            "software": f"ingestor/{__version__}",
            "hostname": socket.gethostname(),
            "format": "WARC File Format 1.1",
            "conformsTo": _STANDARD,
            **self._about,
        }
        file.write(pack_warcinfo(path.name, about, now))
        return file


@contextmanager
def _translated(path: Path | str, done: str = "written") -> Iterator[None]:
    """Say of a disk that refuses where it did, and what could not be ``done``."""
    try:
        yield
    except OSError as error:
        raise StorageFailed(f"{path}: cannot be {done}: {error.strerror}") from error


def _packed(record: Packed | ToPack) -> Packed:
    return record if isinstance(record, Packed) else pack(*record)


def _to_disk(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def mark_open(path: Path) -> Path:
    """Return the mark of a WARC file that is being written."""
    return path.with_name(path.name + _MARK)


def _marked(path: Path) -> BinaryIO:
    """Return a new WARC file, locked and marked.

    The mark comes last: whoever finds it finds the lock too. A crash before it leaves an empty
    file, which harms nobody.
    """
    file = path.open("xb")
    _lock(file)
    mark_open(path).write_text(f"{socket.gethostname()}\n", encoding="utf-8")
    return file


def _lock(file: BinaryIO) -> bool:
    """Lock a WARC file for its only writer; return whether nobody else has it."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def unfinished(folder: Path) -> Iterator[Path]:
    """Yield the WARC files that no writer closed and none is writing.

    Each is locked while the caller has it.
    """
    for mark in sorted(folder.glob(f"*.warc.gz{_MARK}")):
        path = mark.with_name(mark.name.removesuffix(_MARK))
        if not path.exists():
            if not _is_elsewhere(mark):
                mark.unlink(missing_ok=True)
            continue
        with _translated(path, "sealed"):
            try:
                file = path.open("rb")
            except FileNotFoundError:
                continue
        with file:
            if not _is_elsewhere(mark) and _lock(file) and mark.exists():
                yield path


def being_written(path: Path) -> bool:
    """Whether a WARC file has a writer, or may have one on another machine."""
    mark = mark_open(path)
    if not mark.exists():
        return False
    try:
        with path.open("rb") as file:
            return _is_elsewhere(mark) or not _lock(file)
    except FileNotFoundError:
        return False


def close_unfinished(path: Path, pointed: int) -> int | None:
    """Cut off the record that was never finished; return how many bytes that were.

    ``pointed`` is where the last record ends that a capture points to. A file that breaks off
    before that was damaged otherwise: ``None``, and it is left as it is. What is damaged before
    a record that can be read stays too. A file in which nothing is whole is removed.
    """
    with _translated(path, "sealed"):
        size = path.stat().st_size
        if size < pointed:
            return None
        whole = size
        for found in scan(path, start=pointed):
            if isinstance(found, DamagedBytes) and found.place.end == size:
                whole = found.place.offset
        if whole:
            with path.open("r+b") as file:
                file.truncate(whole)
                os.fsync(file.fileno())
        else:
            path.unlink()
        mark_open(path).unlink(missing_ok=True)
    return size - whole


def _is_elsewhere(mark: Path) -> bool:
    """Whether another machine marked a file and may still write it."""
    try:
        owner = mark.read_text(encoding="utf-8").strip()
        path = mark.with_name(mark.name.removesuffix(_MARK))
        moved = max(file.stat().st_mtime for file in (mark, path) if file.exists())
    except (FileNotFoundError, ValueError):
        return False
    return bool(owner) and owner != socket.gethostname() and time.time() - moved < ABANDONED
