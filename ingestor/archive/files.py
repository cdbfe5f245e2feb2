"""Writing a file so that a reader, or a power cut, never sees half of it."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Iterable
from pathlib import Path

from ingestor.errors import StorageFailed

TEMPORARY_SUFFIX = ".ingestor-tmp"
"""Ends the name of a file that is being written; one left by a crash is nobody's."""


def write(folder: Path, relative: str, text: str) -> str:
    """Put ``text`` at ``folder/relative`` and return its SHA-256 in hex, as :func:`write_bytes`."""
    return write_bytes(folder, relative, text.encode("utf-8", "replace"))


def write_bytes(folder: Path, relative: str, data: bytes) -> str:
    """Put ``data`` at ``folder/relative`` and return its SHA-256 in hex, as :func:`write_all`."""
    return write_all(folder, [(relative, data)])[0]


def write_all(folder: Path, contents: Iterable[tuple[str, bytes]]) -> list[str]:
    """Put many files below ``folder``; return the SHA-256 of each in hex, in this order.

    Each goes to a temporary name, to the disk, and then under its own name. A file that already
    holds what it should is left alone (its modification time does not move). When this returns,
    their names are on the disk too. Raises :class:`StorageFailed` when the disk refuses.
    """
    changed: set[Path] = set()
    hashes = []
    target = folder
    try:
        for relative, data in contents:
            target = folder / relative
            if not _holds(target, data):
                if target.parent not in changed:
                    target.parent.mkdir(parents=True, exist_ok=True)
                _replace(target, data)
                changed.add(target.parent)
            hashes.append(hashlib.sha256(data).hexdigest())
        for target in sorted(changed):
            sync_folder(target)
    except OSError as error:
        raise StorageFailed(f"{target}: cannot be written: {error.strerror}") from error
    return hashes


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file in hex; raise ``OSError`` when it cannot be read."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _holds(target: Path, data: bytes) -> bool:
    try:
        return target.stat().st_size == len(data) and target.read_bytes() == data
    except FileNotFoundError:
        return False


def _replace(target: Path, data: bytes) -> None:
    # The name is short whatever the target's is: both have to fit the file system.
    temporary = target.with_name(f".{secrets.token_hex(8)}{TEMPORARY_SUFFIX}")
    try:
        with temporary.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise


def sync_folder(folder: Path) -> None:
    """Bring a folder to the disk: the names in it, not what they hold."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
