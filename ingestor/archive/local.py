"""A folder of the archive on a file system."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ingestor.archive import files


class LocalFolder:
    """A folder on a file system of this machine, or mounted on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, relative: str, data: bytes) -> str:
        """Put a file there, as :func:`files.write_bytes` does."""
        return files.write_bytes(self.folder, relative, data)

    def write_all(self, contents: Sequence[tuple[str, bytes]]) -> list[str]:
        """Put many files there, as :func:`files.write_all` does."""
        return files.write_all(self.folder, contents)

    def read(self, relative: str, start: int = 0, length: int | None = None) -> bytes:
        """Return a part of a file."""
        with (self.folder / relative).open("rb") as file:
            file.seek(start)
            return file.read(-1 if length is None else length)

    def hashes(self, relatives: Iterable[str]) -> Iterator[str | OSError]:
        """Yield the hash of each file."""
        for relative in relatives:
            try:
                yield files.sha256_of(self.folder / relative)
            except OSError as error:
                yield error

    def copy(self, relative: str, target: Path) -> None:
        """Copy a file with its times."""
        shutil.copy2(self.folder / relative, target)

    @contextmanager
    def local(self, relative: str) -> Iterator[Path]:
        """Give the file itself."""
        yield self.folder / relative

    def there(self) -> bool:
        """Whether the folder is there."""
        return self.folder.is_dir()

    def names(self) -> Iterator[str]:
        """Yield every file but those that are being written."""
        for path in self.folder.rglob("*"):
            if path.is_file() and not path.name.endswith(files.TEMPORARY_SUFFIX):
                yield path.relative_to(self.folder).as_posix()

    def size(self) -> tuple[int, int]:
        """Return files and bytes."""
        sizes = [(self.folder / name).stat().st_size for name in self.names()]
        return len(sizes), sum(sizes)

    def age(self, relative: str) -> float:
        """Return the age by the modification time."""
        return time.time() - (self.folder / relative).stat().st_mtime

    def left_over(self, seconds: float) -> list[str]:
        """Return the temporary files that nobody renamed."""
        found = sorted(self.folder.rglob(f".*{files.TEMPORARY_SUFFIX}"))
        names = [path.relative_to(self.folder).as_posix() for path in found]
        return [name for name in names if seconds <= 0 or self.age(name) >= seconds]

    def remove(self, relative: str) -> None:
        """Remove a file."""
        (self.folder / relative).unlink(missing_ok=True)
