"""A folder of the archive, wherever it is: on a file system, or on an object store.

:func:`storage` chooses by what the configuration says. Whatever it gives back keeps one promise:
who reads sees a whole file or none. Paths within a folder are relative, with ``/``.

Reading raises :class:`FileNotFoundError` for what is not there; a store that cannot be asked is
:class:`~ingestor.errors.StorageFailed`, so that nothing is taken for lost that is only away.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from pathlib import Path
from typing import Protocol

from ingestor.config.values import Location
from ingestor.errors import StorageFailed

TEMPORARY_SUFFIX = ".ingestor-tmp"
"""Ends the name of a file that is being written; one left by a crash is nobody's."""


class LocalFolder:
    """A folder on a file system of this machine, or mounted on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, relative: str, data: bytes) -> str:
        """Put a file there, as :func:`write_all` does."""
        return write_all(self.folder, [(relative, data)])[0]

    def write_all(self, contents: Sequence[tuple[str, bytes]]) -> list[str]:
        """Put many files there, as :func:`write_all` does."""
        return write_all(self.folder, contents)

    def read(self, relative: str, start: int = 0, length: int | None = None) -> bytes:
        """Return a part of a file."""
        with (self.folder / relative).open("rb") as file:
            file.seek(start)
            return file.read(-1 if length is None else length)

    def hashes(self, relatives: Iterable[str]) -> Iterator[str | OSError]:
        """Yield the hash of each file."""
        for relative in relatives:
            try:
                yield sha256_of(self.folder / relative)
            except OSError as error:
                yield error

    def copy(self, relative: str, target: Path) -> None:
        """Copy a file with its times."""
        shutil.copy2(self.folder / relative, target)

    @contextmanager
    def local(self, relative: str) -> Iterator[Path]:
        """Give the file itself."""
        yield self.folder / relative

    def is_there(self) -> bool:
        """Whether the folder is there."""
        return self.folder.is_dir()

    def names(self) -> Iterator[str]:
        """Yield every file but those that are being written."""
        for path in self.folder.rglob("*"):
            if path.is_file() and not path.name.endswith(TEMPORARY_SUFFIX):
                yield path.relative_to(self.folder).as_posix()

    def size(self) -> tuple[int, int]:
        """Return files and bytes."""
        sizes = [(self.folder / name).stat().st_size for name in self.names()]
        return len(sizes), sum(sizes)

    def age(self, relative: str) -> float:
        """Return the age by the modification time."""
        return time.time() - (self.folder / relative).stat().st_mtime

    def left_over(self, seconds: float, within: Collection[str] | None = None) -> list[str]:
        """Return the temporary files that nobody renamed."""
        pattern = f".*{TEMPORARY_SUFFIX}"
        if within is None:
            paths = sorted(self.folder.rglob(pattern))
        else:
            paths = [path for name in sorted(within) for path in (self.folder / name).glob(pattern)]
        names = [path.relative_to(self.folder).as_posix() for path in paths]
        return [name for name in names if seconds <= 0 or self.age(name) >= seconds]

    def remove(self, relative: str) -> None:
        """Remove a file."""
        (self.folder / relative).unlink(missing_ok=True)


class Storage(Protocol):
    """What the archive does with a folder."""

    def write(self, relative: str, data: bytes) -> str:
        """Put a file there, durably, and return its SHA-256 in hex."""

    def write_all(self, contents: Sequence[tuple[str, bytes]]) -> list[str]:
        """Put many files there as :meth:`write` does; return their hashes in this order."""

    def read(self, relative: str, start: int = 0, length: int | None = None) -> bytes:
        """Return a file, or ``length`` bytes of it (``None``: the rest) from ``start``."""

    def hashes(self, relatives: Iterable[str]) -> Iterator[str | OSError]:
        """Yield the SHA-256 of each file in hex, or why it cannot be read, in this order."""

    def copy(self, relative: str, target: Path) -> None:
        """Copy a file to a path on this machine."""

    def local(self, relative: str) -> AbstractContextManager[Path]:
        """Give a path of the same name on this machine under which the file can be read."""

    def is_there(self) -> bool:
        """Whether the folder can be seen at all: it may only not be mounted."""

    def names(self) -> Iterator[str]:
        """Yield every whole file below, as its relative path."""

    def size(self) -> tuple[int, int]:
        """Return how many files lie below, and their bytes."""

    def age(self, relative: str) -> float:
        """Return how many seconds ago a file was last written."""

    def left_over(self, seconds: float, within: Collection[str] | None = None) -> list[str]:
        """Return what writers that died left half written, untouched for so long.

        ``within`` are the folders to look at; ``None``: all of them.
        """

    def remove(self, relative: str) -> None:
        """Remove a file, if it is there."""


class SpooledFolder:
    """What is in a spool on this machine and what is on an object store, as one folder to read.

    Files move one way, from the spool to the store, and leave the spool only when the store has
    all of them: so the spool is looked at first.
    """

    def __init__(self, spool: LocalFolder, store: Storage) -> None:
        self.spool = spool
        self.store = store

    def write(self, relative: str, data: bytes) -> str:
        """Put a whole file on the store."""
        return self.store.write(relative, data)

    def write_all(self, contents: Sequence[tuple[str, bytes]]) -> list[str]:
        """Put whole files on the store."""
        return self.store.write_all(contents)

    def read(self, relative: str, start: int = 0, length: int | None = None) -> bytes:
        """Return a part of a file, from the spool if it is there."""
        try:
            return self.spool.read(relative, start, length)
        except FileNotFoundError:
            return self.store.read(relative, start, length)

    def hashes(self, relatives: Iterable[str]) -> Iterator[str | OSError]:
        """Yield the hash of each file."""
        for relative in relatives:
            folder = self.spool if (self.spool.folder / relative).is_file() else self.store
            yield from folder.hashes([relative])

    def copy(self, relative: str, target: Path) -> None:
        """Copy a file, from the spool if it is there."""
        try:
            self.spool.copy(relative, target)
        except FileNotFoundError:
            self.store.copy(relative, target)

    @contextmanager
    def local(self, relative: str) -> Iterator[Path]:
        """Give a copy: what is in the spool may leave it at any moment."""
        with tempfile.TemporaryDirectory(prefix="ingestor-") as folder:
            target = Path(folder) / relative
            self.copy(relative, target)
            yield target

    def is_there(self) -> bool:
        """Whether the store can be used."""
        return self.store.is_there()

    def names(self) -> Iterator[str]:
        """Yield every file once. The spool is looked at first: files move one way."""
        spooled = set(self.spool.names())
        yield from spooled | set(self.store.names())

    def size(self) -> tuple[int, int]:
        """Return files and bytes of the store."""
        return self.store.size()

    def age(self, relative: str) -> float:
        """Return when a file was last written, wherever it is."""
        try:
            return self.spool.age(relative)
        except FileNotFoundError:
            return self.store.age(relative)

    def left_over(self, seconds: float, within: Collection[str] | None = None) -> list[str]:
        """Return what is left over in the spool."""
        return self.spool.left_over(seconds, within)

    def remove(self, relative: str) -> None:
        """Remove a file from the spool."""
        self.spool.remove(relative)


@cache
def storage(location: Location) -> Storage:
    """Return what reads and writes the folder at a location. Safe to use from several threads.

    Raises :class:`~ingestor.errors.ConfigError` when the package for it is not installed.
    """
    if isinstance(location, Path):
        return LocalFolder(location)
    from ingestor.archive.object_storage import ObjectFolder  # noqa: PLC0415 - half a second, an extra

    store = ObjectFolder(location)
    return SpooledFolder(LocalFolder(location.spool), store) if location.spool else store


def write(folder: Path, relative: str, text: str) -> str:
    """Put ``text`` at ``folder/relative`` and return its SHA-256 in hex, as :func:`write_all`."""
    return write_all(folder, [(relative, text.encode("utf-8", "replace"))])[0]


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
