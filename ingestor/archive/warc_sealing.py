"""WARC files that nobody closed: found by the mark beside them, and sealed off.

While a file is written, an empty ``<name>.open`` lies beside it, and its writer holds a lock
on it that the system gives back when the writer dies. So a start looks only at files that a
crash left, not at all of them.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from ingestor.archive.warc_reading import whole_length
from ingestor.errors import StorageFailed

_MARK = ".open"


def mark_open(path: Path) -> Path:
    """Return the mark of a WARC file that is being written."""
    return path.with_name(path.name + _MARK)


def take(file: BinaryIO) -> bool:
    """Lock a WARC file for its only writer; return whether nobody else has it."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def unfinished(folder: Path) -> Iterator[Path]:
    """Yield the WARC files that no writer closed and none is writing."""
    for mark in sorted(folder.glob(f"*.warc.gz{_MARK}")):
        path = mark.with_name(mark.name.removesuffix(_MARK))
        if not path.exists():
            mark.unlink(missing_ok=True)
            continue
        with _refused(path), path.open("rb") as file:
            free = take(file)
        if free:
            yield path


def seal(path: Path, pointed: int) -> int | None:
    """Cut off the record that was never finished; return how many bytes that were.

    ``pointed`` is where the last record ends that a capture points to. A file that breaks off
    before that was damaged otherwise: ``None``, and it is left as it is. A file in which
    nothing is whole is removed.
    """
    with _refused(path):
        size = path.stat().st_size
        if size < pointed:
            return None
        whole = whole_length(path, pointed)
        if whole:
            with path.open("r+b") as file:
                file.truncate(whole)
                os.fsync(file.fileno())
        else:
            path.unlink()
        mark_open(path).unlink(missing_ok=True)
    return size - whole


@contextmanager
def _refused(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageFailed(f"{path}: cannot be sealed: {error.strerror}") from error
