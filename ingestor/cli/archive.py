"""Opening what the configuration names: the archive's database, and the feeds."""

from __future__ import annotations

from collections.abc import Sequence

from ingestor.config import Settings
from ingestor.errors import NoArchiveYet, StorageFailed, UsageError
from ingestor.model import Feed
from ingestor.store.db.database import Database
from ingestor.store.db.migrations import is_current, revision


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
