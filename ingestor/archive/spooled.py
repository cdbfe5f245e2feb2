"""What is in a spool on this machine and what is on an object store, as one folder to read.

Files move one way, from the spool to the store, and leave the spool only when the store has all
of them: so the spool is looked at first.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ingestor.archive.local import LocalFolder
from ingestor.archive.object_storage import ObjectFolder


class SpooledFolder:
    """What is in the spool and what is on the store, as one folder."""

    def __init__(self, spool: LocalFolder, there: ObjectFolder) -> None:
        self.spool = spool
        self.store = there

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

    def there(self) -> bool:
        """Whether the store can be used."""
        return self.store.there()

    def names(self) -> Iterator[str]:
        """Yield every file once. The spool is looked at first: files move one way."""
        here = set(self.spool.names())
        yield from here | set(self.store.names())

    def size(self) -> tuple[int, int]:
        """Return files and bytes of the store."""
        return self.store.size()

    def age(self, relative: str) -> float:
        """Return when a file was last written, wherever it is."""
        try:
            return self.spool.age(relative)
        except FileNotFoundError:
            return self.store.age(relative)

    def left_over(self, seconds: float) -> list[str]:
        """Return what is left over in the spool."""
        return self.spool.left_over(seconds)

    def remove(self, relative: str) -> None:
        """Remove a file from the spool."""
        self.spool.remove(relative)
