"""Opening what the configuration names: the archive's database, and the feeds."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from functools import partial

from sqlalchemy import Connection

from ingestor.cli.common import say_error
from ingestor.config import Settings
from ingestor.errors import UsageError
from ingestor.identity import canonical_url
from ingestor.model import Feed
from ingestor.store.db import migrations
from ingestor.store.db.database import Database
from ingestor.store.db.locks import only_run


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


def asked_place(feed: Feed) -> tuple[str, object]:
    """Return what makes two feeds one: where they are asked, and for which mark."""
    return canonical_url(feed.url), feed.options.get("tag", 0)


def say_same_places(feeds: Sequence[Feed]) -> None:
    """Say on standard error which feeds are asked at the same address as another."""
    names: dict[tuple[str, object], str] = {}
    for feed in feeds:
        first = names.setdefault(asked_place(feed), feed.name)
        if first != feed.name:
            say_error(
                f'feeds "{first}" and "{feed.name}" have the same address, which is asked twice: '
                f"{feed.url}; remove one of them"
            )


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
        migrations.upgrade(database)
        recover(database, settings.archive)
        yield database.transaction, partial(write_files, database, settings.archive)


@contextmanager
def rehearsal(settings: Settings) -> Iterator[Opened]:
    """Open an archive that is there for a transaction that is rolled back, else an empty one."""
    with tempfile.TemporaryDirectory() as place:
        wanted = Database(settings.store.url)
        if wanted.path and not wanted.path.exists():
            database = Database(f"sqlite:///{place}/archive.db")
            migrations.upgrade(database)
        else:
            database = existing(settings)
        with closing(database), only_run(database), database.rehearsal() as connection:
            yield lambda: nullcontext(connection), lambda: None
