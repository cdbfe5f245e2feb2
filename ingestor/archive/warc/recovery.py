"""WARC files that nobody closed: found by the mark beside them, and closed.

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
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from ingestor.archive.warc.reader import DamagedBytes, scan
from ingestor.errors import StorageFailed

ABANDONED = 2 * 86400
"""Seconds after which a file that a machine left unfinished may be closed by any other."""

_MARK = ".open"


def mark_open(path: Path) -> Path:
    """Return the mark of a WARC file that is being written."""
    return path.with_name(path.name + _MARK)


def begin(path: Path) -> BinaryIO:
    """Begin a new WARC file, locked and marked.

    The mark comes last: whoever finds it finds the lock too. A crash before it leaves an empty
    file, which harms nobody.
    """
    file = path.open("xb")
    lock(file)
    mark_open(path).write_text(f"{socket.gethostname()}\n", encoding="utf-8")
    return file


def lock(file: BinaryIO) -> bool:
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
        with _translated(path):
            try:
                file = path.open("rb")
            except FileNotFoundError:
                continue
        with file:
            if not _is_elsewhere(mark) and lock(file) and mark.exists():
                yield path


def being_written(path: Path) -> bool:
    """Whether a WARC file has a writer, or may have one on another machine."""
    mark = mark_open(path)
    if not mark.exists():
        return False
    try:
        with path.open("rb") as file:
            return _is_elsewhere(mark) or not lock(file)
    except FileNotFoundError:
        return False


def close(path: Path, pointed: int) -> int | None:
    """Cut off the record that was never finished; return how many bytes that were.

    ``pointed`` is where the last record ends that a capture points to. A file that breaks off
    before that was damaged otherwise: ``None``, and it is left as it is. What is damaged before
    a record that can be read stays too. A file in which nothing is whole is removed.
    """
    with _translated(path):
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


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageFailed(f"{path}: cannot be sealed: {error.strerror}") from error
