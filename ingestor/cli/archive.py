"""Opening what the configuration names: the archive's database, and the feeds."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from functools import partial

from sqlalchemy import Connection

from ingestor.config import Settings
from ingestor.errors import NoArchiveYet, StorageFailed, UsageError
from ingestor.model import Feed
from ingestor.store.db.database import Database
from ingestor.store.db.migrations import is_current, revision, upgrade
from ingestor.store.db.run_lock import only_run


def existing(settings: Settings, *, current: bool = True) -> Database:
    """Open an archive that is there already, for looking at it.

    Raises :class:`NoArchiveYet` when there is none, for a command that only reads makes
    none, and :class:`StorageFailed` for one that has to be upgraded first; unless ``current``
    is false, for a command that upgrades it.
    """
    database = Database(settings.store.url, for_reading=True)
    none = f"{database.where}: there is no archive yet; `ingest --once` makes it"
    # A database of no bytes is what a run that was stopped at once leaves.
    if database.path and not (database.path.exists() and database.path.stat().st_size):
        raise NoArchiveYet(none)
    with database.reading() as connection:
        if not is_current(connection, database):
            if revision(connection) is None:
                raise NoArchiveYet(none)
            if not current:
                return database
            raise StorageFailed(
                f"{database.where}: made by an older version; `ingest --once` upgrades it"
            )
    return database


def chosen_feeds(settings: Settings, names: Sequence[str]) -> list[Feed]:
    """Return the configured feeds, or those of these names.

    Raises :class:`UsageError` for a name that is not configured, or when there is no feed.
    """
    known = {section.name: section.feed() for section in settings.feeds}
    for name in names:
        if name not in known:
            raise UsageError(f'--feed: there is no feed "{name}"; there are: {", ".join(known)}')
    if not known:
        raise UsageError("the configuration names no feeds; add a [[feeds]] section")
    return [known[name] for name in dict.fromkeys(names or known)]


Opened = tuple[Callable[[], AbstractContextManager[Connection]], Callable[[], object]]
"""How a batch's transaction is opened, and what is done when it is through."""


@contextmanager
def archive(settings: Settings) -> Iterator[Opened]:
    """Open the archive to add to it, made or upgraded where that is needed."""
    # What an import needs; most commands only look.
    from ingestor.pipeline.files import write_files  # noqa: PLC0415
    from ingestor.pipeline.recovery import recover  # noqa: PLC0415

    database = Database(settings.store.url)
    with closing(database), only_run(database):
        upgrade(database)
        recover(database, settings.archive)
        yield database.transaction, partial(write_files, database, settings.archive)


@contextmanager
def rehearsal(settings: Settings) -> Iterator[Opened]:
    """Open an archive that is there for a transaction that is rolled back, else an empty one."""
    with tempfile.TemporaryDirectory() as place:
        wanted = Database(settings.store.url)
        if wanted.path and not wanted.path.exists():
            database = Database(f"sqlite:///{place}/archive.db")
            upgrade(database)
        else:
            database = existing(settings)
        with closing(database), only_run(database), database.rehearsal() as connection:
            yield lambda: nullcontext(connection), lambda: None
