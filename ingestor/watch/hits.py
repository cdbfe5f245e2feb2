"""Hits: the revisions that a watch waits for, and what is said of one."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from itertools import product
from urllib.parse import quote

from sqlalchemy import Connection

from ingestor.api.changes import document, is_meant, landed
from ingestor.config import Settings
from ingestor.config.sections import WatchSettings
from ingestor.errors import ConfigError, UsageError
from ingestor.store import overview
from ingestor.store.db.database import Database
from ingestor.store.filters import Filters, symbol_called, symbol_of
from ingestor.store.search import Query, parse
from ingestor.store.stored_articles import ArticleRevision
from ingestor.text.sanitize import escaped

TESTED_REVISIONS = 1_000
"""So many of the latest are looked through for one that a test can deliver."""


@dataclass(frozen=True, slots=True)
class WatchHit:
    """A revision that a watch waits for."""

    watch: str
    revision: ArticleRevision
    is_test: bool = False
    """Somebody tries the watch (`ingest watch test`)."""

    @property
    def key(self) -> str:
        """Return what a receiver knows it by when it comes again, as a header can hold it."""
        test = "test-" if self.is_test else ""
        return f"{quote(self.watch, safe='')}-{test}{self.revision.sequence}"

    def body(self) -> bytes:
        """Return what a receiver is told, as JSON in UTF-8."""
        own = {"watch": self.watch, "idempotency_key": self.key, "test": self.is_test}
        text = json.dumps(own | document(self.revision), ensure_ascii=False)
        return escaped(text).encode("utf-8")


def require_sound(settings: Settings) -> None:
    """Raise :class:`ConfigError` for a watch whose query or codes make no sense."""
    for watch in settings.watch:
        try:
            _query(watch)
            for named in watch.symbols:
                if _is_code(named):
                    symbol_of(named)
        except UsageError as error:
            raise ConfigError(f'watch "{watch.name}": {error}') from error


def meant_by(watch: WatchSettings, connection: Connection) -> Callable[[ArticleRevision], bool]:
    """Return what says whether a watch waits for a revision.

    Raises :class:`UsageError` for a security by a name that the archive does not know yet.
    """
    query = _query(watch)
    symbols = [symbol_called(connection, named) for named in watch.symbols]
    filters = [
        Filters(symbol=symbol, media=medium, feeds=watch.feeds)
        for symbol, medium in product(symbols or [""], watch.media or [""])
    ]
    return lambda revision: any(is_meant(revision, query, each) for each in filters)


def _query(watch: WatchSettings) -> Query | None:
    return parse(watch.query) if watch.query.strip() else None


def _is_code(named: str) -> bool:
    return named.isascii() and any(map(str.isdigit, named))


def newest_hit(database: Database, watch: WatchSettings) -> WatchHit | None:
    """Return the latest of the last :data:`TESTED_REVISIONS` that a watch waits for, as a test."""
    with database.reading() as connection:
        last = overview.last_sequence(connection)
        is_wanted = meant_by(watch, connection)
    newest = None
    for revision in landed(database, max(0, last - TESTED_REVISIONS)):
        if is_wanted(revision):
            newest = revision
    return WatchHit(watch.name, newest, is_test=True) if newest else None


def made_up_hit(watch: WatchSettings, now: datetime) -> WatchHit:
    """Return a hit that no archive has, for a test."""
    revision = ArticleRevision(
        id=0,
        url="https://example.com/ingestor-watch-test",
        date=now.date().isoformat(),
        document_id=None,
        title=f"A test of the watch {watch.name}",
        author="",
        media=next(iter(watch.media), ""),
        editor="",
        summary="",
        headimg="",
        content_html="<p>Made up by <code>ingest watch test</code>.</p>",
        content_text="Made up by ingest watch test.",
        content_sha256="",
        published_at=now,
        first_seen_at=now,
        updated_at=None,
        gone_at=None,
        doubted_at=None,
        revision=1,
        origin="page",
        template="",
        path="",
        categories=(),
        feeds=watch.feeds[:1],
        securities=(),
        keywords=(),
        pictures=(),
        sequence=0,
        cause="new",
        final_url="",
        note="",
        known_from=now,
        known_until=None,
        symbol_names=(),
    )
    return WatchHit(watch.name, revision, is_test=True)
