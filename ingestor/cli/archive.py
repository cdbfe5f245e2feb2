"""Opening what the configuration names: the archive's database, and the feeds."""

from __future__ import annotations

from collections.abc import Sequence

from ingestor.config import Settings
from ingestor.errors import UsageError
from ingestor.model import Feed
from ingestor.store.db import migrations
from ingestor.store.db.database import Database


def existing(settings: Settings, *, current: bool = True) -> Database:
    """Open the configured archive, as :func:`ingestor.store.db.migrations.existing` does."""
    return migrations.existing(settings.store.url, current=current)


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
