"""Adopting a folder of front-matter files that others wrote.

::

    files | read | front matter, clean (workers) | here already? | save | write our own file

Each batch is one transaction. A run that was interrupted is run again: what it adopted is
found to be here already. The folder's files are only read.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Literal

import structlog
from sqlalchemy import Connection

from ingestor.archive.front_matter_reader import MOST_BYTES, begins_as_post
from ingestor.clock import Clock
from ingestor.errors import IngestorError
from ingestor.pipeline.adopting import Adoptable, adoptable
from ingestor.pipeline.save import path_of
from ingestor.store.imports import Adopter
from ingestor.store.upsert import Arrival
from ingestor.workers import Workers

log = structlog.get_logger(__name__)

FILES_A_TRANSACTION = 50
"""Files that are adopted together: one wait for the disk serves them all."""

POST_SUFFIXES = frozenset({".md", ".markdown"})
"""Files of these names are posts; of the others, those that begin with front matter."""

FileOutcome = Literal["adopted", "known", "ambiguous", "failed", "other"]


@dataclass(frozen=True, slots=True)
class ImportedFile:
    """What became of a file."""

    path: Path
    outcome: FileOutcome
    article_id: int | None = None
    """The new article, the one that it is, or the one that it may be."""
    reason: str = ""
    """Why it failed."""


@dataclass(frozen=True, slots=True)
class _Read:
    """A file with its bytes, or with why there are none."""

    path: Path
    name: str
    data: bytes = b""
    problem: str = ""
    other: bool = False


def import_folder(
    folder: Path,
    transaction: Callable[[], AbstractContextManager[Connection]],
    workers: Workers,
    clock: Clock,
) -> Iterator[list[ImportedFile]]:
    """Adopt every post below ``folder``; yield what became of the files, a batch at a time.

    Hidden files and folders are passed over, links to folders are not followed. Each batch is
    saved in one ``transaction()`` when it is yielded. Nothing new is begun once ``clock.stop``
    is set. Raises :class:`~ingestor.errors.ArchiveError` when the archive fails.
    """
    now = clock.now()
    adopter = Adopter(path_of)

    def work_for(one: _Read) -> Callable[[], Adoptable] | None:
        settled = one.problem or one.other
        return None if settled else partial(adoptable, one.name, one.data, now)

    read = workers.through(_files(folder), work_for)
    while not clock.stop.is_set() and (batch := list(islice(read, FILES_A_TRANSACTION))):
        with transaction() as connection:
            done = [
                _adopt(connection, adopter, one, outcome, seen_at=clock.now())
                for one, outcome in batch
            ]
        yield done


def count_files(folder: Path) -> int:
    """Return how many files :func:`import_folder` will look at."""
    return sum(1 for _ in _paths(folder))


def _adopt(
    connection: Connection,
    adopter: Adopter,
    one: _Read,
    outcome: Adoptable | Exception | None,
    *,
    seen_at: datetime,
) -> ImportedFile:
    if one.other:
        return ImportedFile(one.path, "other")
    if not isinstance(outcome, Adoptable):
        return ImportedFile(one.path, "failed", reason=one.problem or _reason(one.path, outcome))
    arrival = Arrival(
        article=outcome.article,
        author=outcome.author,
        categories=outcome.categories,
        origin="import",
        seen_at=seen_at,
        feed_id=None,
    )
    adoption = adopter.adopt(connection, arrival)
    return ImportedFile(one.path, adoption.outcome, adoption.article_id)


def _reason(path: Path, error: Exception | None) -> str:
    if isinstance(error, IngestorError):
        return str(error)
    log.error("import_failed", file=str(path), exc_info=error)
    return f"a bug: {error!r}"


def _files(folder: Path) -> Iterator[_Read]:
    for path in _paths(folder):
        name = path.relative_to(folder).as_posix()
        try:
            yield _read(path, name)
        except OSError as error:
            yield _Read(path, name, problem=f"cannot be read: {error.strerror}")


def _read(path: Path, name: str) -> _Read:
    if path.is_dir():
        # It could not be listed when its turn came; that says why.
        next(path.iterdir(), None)
    if not stat.S_ISREG(path.stat().st_mode):
        # Reading a pipe would wait for ever.
        return _Read(path, name, other=True)
    named = path.suffix.lower() in POST_SUFFIXES
    with path.open("rb") as file:
        beginning = file.read(512)
        if not named and not begins_as_post(beginning):
            return _Read(path, name, other=True)
        return _Read(path, name, data=beginning + file.read(MOST_BYTES + 1 - len(beginning)))


def _paths(folder: Path) -> Iterator[Path]:
    """Yield what is below a folder, in the order of the names, without what is hidden."""
    unlisted: list[Path] = []
    for root, folders, names in os.walk(
        folder, onerror=lambda error: unlisted.append(Path(error.filename))
    ):
        folders[:] = sorted(one for one in folders if not one.startswith("."))
        for name in sorted(names):
            if not name.startswith("."):
                yield Path(root, name)
    yield from unlisted
