"""A folder of the archive, wherever it is: on a file system, or on an object store.

:func:`storage` chooses by what the configuration says. Whatever it gives back keeps one promise:
who reads sees a whole file or none. Paths within a folder are relative, with ``/``.

Reading raises :class:`FileNotFoundError` for what is not there; a store that cannot be asked is
:class:`~ingestor.errors.StorageFailed`, so that nothing is taken for lost that is only away.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from functools import cache
from pathlib import Path
from typing import Protocol

from ingestor.archive.local import LocalFolder
from ingestor.config.values import Location


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

    def there(self) -> bool:
        """Whether the folder can be seen at all: it may only not be mounted."""

    def names(self) -> Iterator[str]:
        """Yield every whole file below, as its relative path."""

    def size(self) -> tuple[int, int]:
        """Return how many files lie below, and their bytes."""

    def age(self, relative: str) -> float:
        """Return how many seconds ago a file was last written."""

    def left_over(self, seconds: float) -> list[str]:
        """Return what writers that died left half written, untouched for so long."""

    def remove(self, relative: str) -> None:
        """Remove a file, if it is there."""


@cache
def storage(location: Location) -> Storage:
    """Return what reads and writes the folder at a location. Safe to use from several threads.

    Raises :class:`~ingestor.errors.ConfigError` when the package for it is not installed.
    """
    if isinstance(location, Path):
        return LocalFolder(location)
    from ingestor.archive.object_storage import ObjectFolder  # noqa: PLC0415 - half a second, an extra
    from ingestor.archive.spooled import SpooledFolder  # noqa: PLC0415

    there = ObjectFolder(location)
    return SpooledFolder(LocalFolder(location.spool), there) if location.spool else there
