"""How large the folders of files and of WARC are, without walking them whenever it is asked."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from ingestor import log
from ingestor.archive.storage import storage
from ingestor.clock import Clock
from ingestor.config.values import Location
from ingestor.errors import ArchiveError

MEASURED_EVERY = timedelta(hours=1)
"""A walk over millions of files takes minutes of a disk; the sizes change slowly."""

ENTRIES_A_BREATH = 1000
"""Directory entries between two short pauses, which leave the disk to the work."""

BREATH_SECONDS = 0.01


@dataclass(frozen=True, slots=True)
class FolderSize:
    """What a folder held when it was measured, all below it included."""

    files: int
    bytes: int


class FolderSizes:
    """The sizes of some folders, measured beside the work. Safe to use from several threads."""

    def __init__(self, folders: Callable[[], Mapping[str, Location]], clock: Clock) -> None:
        self._folders = folders
        self._clock = clock
        self._lock = threading.Lock()
        self._due = float("-inf")
        self._sizes: dict[str, FolderSize] = {}

    def latest(self) -> dict[str, FolderSize]:
        """Return the sizes by their names, an hour old at most; nothing until the first is known.

        Returns at once: when they are due, they are measured in a thread of their own.
        """
        with self._lock:
            if self._clock.monotonic() >= self._due:
                self._due = self._clock.monotonic() + MEASURED_EVERY.total_seconds()
                threading.Thread(target=self._measure, name="sizes", daemon=True).start()
            return dict(self._sizes)

    def _measure(self) -> None:
        for name, folder in self._folders().items():
            try:
                size = measured(folder, self._clock)
            except (OSError, ArchiveError) as error:
                log.warning("folder_not_measured", folder=str(folder), error=str(error))
                continue
            with self._lock:
                # A walk that was cut short by a stop measured nothing.
                if not self._clock.stop.is_set():
                    self._sizes[name] = size


def measured(folder: Location, clock: Clock) -> FolderSize:
    """Return a folder's size; one that is not there holds nothing. Raises ``OSError``."""
    if not isinstance(folder, Path):
        return FolderSize(*storage(folder).size())
    files = size = seen = 0
    left = [folder] if folder.is_dir() else []
    while left and not clock.stop.is_set():
        with os.scandir(left.pop()) as entries:
            for entry in entries:
                seen += 1
                if seen % ENTRIES_A_BREATH == 0:
                    clock.sleep(BREATH_SECONDS)
                try:
                    if entry.is_dir(follow_symlinks=False):
                        left.append(Path(entry.path))
                    else:
                        size += entry.stat(follow_symlinks=False).st_size
                        files += 1
                except FileNotFoundError:
                    # It got its final name meanwhile.
                    continue
    return FolderSize(files, size)
