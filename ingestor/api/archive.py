"""An archive to be read from Python: what it has now, and what it knew at a moment."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy import URL, Connection

from ingestor.api import Records, at_once
from ingestor.api import moment as past
from ingestor.api.changes import POLL_SECONDS, is_meant, landed, position
from ingestor.archive.warc.reader import CapturedBody, kept_body
from ingestor.config import load
from ingestor.config.values import Location
from ingestor.errors import CaptureLost, NoArchiveYet, StorageFailed, UsageError
from ingestor.model import WarcPlace
from ingestor.store import captures, doubts
from ingestor.store import schema as tables
from ingestor.store.db.database import Database
from ingestor.store.db.migrations import existing
from ingestor.store.filters import Filters, symbol_called, unknown_feeds
from ingestor.store.search import Order, Query, hits, parse
from ingestor.store.search.hits import Hit
from ingestor.store.stored_articles import (
    ArticleRevision,
    count,
    current,
    exported,
    ids_named,
    revisions_of,
)
from ingestor.text.dates import is_day

Named = ArticleRevision | Hit | int | str
"""An article: a record of it, its id, or an address of it."""

Day = str | date
"""A publication day in China, ``2024-01-31``."""

NOT_MODIFIED = 304
"""Status of an answer without a body: it is what it was at the look before."""


@dataclass(frozen=True, slots=True)
class Capture:
    """A look at an article's page, as it was received."""

    looked_at: datetime
    url: str
    """Address that was asked."""
    final_url: str
    """Address that answered."""
    status: int
    reading: str
    """What the look was taken for: article, edit, unchanged, gone, none … (docs/schema.md)."""
    outcome: str
    """The same in words."""
    sha256: str
    """Of the body, in hex."""
    is_kept: bool
    """Whether a WARC file has the bytes."""
    id: int
    """Names the look for ever."""
    _places: tuple[WarcPlace, ...] = field(repr=False)
    _folder: Location | None = field(repr=False)

    @property
    def body(self) -> bytes:
        """Return the bytes of the answer, unpacked; :class:`CaptureLost` where there are none."""
        return self.kept.body

    @property
    def kept(self) -> CapturedBody:
        """Return the answer with its headers; :class:`CaptureLost` where there is none."""
        if not self.is_kept:
            raise CaptureLost(f"{self.url}: the bytes of this look were not kept")
        if self._folder is None:
            raise CaptureLost("where are the WARC files? ingestor.open(…, raw=FOLDER) says it")
        return kept_body(self._folder, self._places, self.sha256)


def opened(where: str | Path, raw: str | Path | None) -> Archive:
    """Open an archive; see :func:`ingestor.open`."""
    folder: Location | None = Path(raw).expanduser() if raw is not None else None
    if "://" in str(where):
        return Archive(existing(str(where), only_reads=True), folder)
    path = Path(where).expanduser()
    if path.suffix == ".toml":
        settings = load(path, os.environ)
        database = existing(settings.store.url, only_reads=True)
        return Archive(database, folder or settings.archive.raw_dir)
    if path.is_dir():
        raise StorageFailed(f"{path}: is a folder; name the archive's database, or its config.toml")
    if not path.exists():
        raise NoArchiveYet(f"{path}: there is no archive here")
    database = existing(URL.create("sqlite", database=str(path.absolute())), only_reads=True)
    return Archive(database, folder or path.absolute().parent / "warc")


class Archive:
    """An archive, opened for reading by :func:`ingestor.open`; close it, or use ``with``.

    Each question is answered out of one consistent view, also while a daemon writes. Who asks for
    what makes no sense (a day that is none, a feed that never was) gets a
    :class:`~ingestor.errors.UsageError`; a database that fails is an
    :class:`~ingestor.errors.ArchiveError`.
    """

    def __init__(
        self, database: Database, raw: Location | None, moment: datetime | None = None
    ) -> None:
        self._database, self._raw, self._moment = database, raw, moment

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        known = f" as of {self._moment.isoformat()}" if self._moment else ""
        return f"<archive {self._database.where}{known}>"

    def close(self) -> None:
        """Give back the connections; :meth:`as_of` shares those of its archive."""
        self._database.close()

    def as_of(self, moment: datetime | str) -> Archive:
        """Return the archive as it was knowable at a moment, with the same methods.

        Articles that were first seen later are not in it; the others say what the revision that
        held then says. A moment needs its zone: ``2024-03-11T14:05+08:00``.
        """
        at = _moment(moment)
        earliest = min(at, self._moment) if self._moment else at
        return Archive(self._database, self._raw, earliest)

    def search(
        self,
        query: str = "",
        *,
        since: Day = "",
        until: Day = "",
        symbol: str = "",
        media: str = "",
        feeds: str | Iterable[str] = (),
        order: str = "relevance",
        limit: int = 20,
    ) -> Records[Hit]:
        """Find articles by their words, as ``ingest search`` does (docs/querying.md).

        Without a query: those that the filters mean, the newest first, with their summaries.
        ``order`` is relevance, newest or oldest; ``symbol`` a code, or what a security is called.
        """
        if order not in list(Order):
            raise UsageError(f'order: "{order}" is none of {", ".join(Order)}')
        if limit < 1:
            raise UsageError("limit: at least 1")
        words = parse(query) if query.strip() else None
        filters = self._filters(since, until, symbol=symbol, media=media, feeds=feeds)
        return at_once(Hit, self._found(words, filters, Order(order), limit))

    def _found(self, words: Query | None, filters: Filters, order: Order, limit: int) -> list[Hit]:
        if self._moment:
            return past.search(
                self._database, words, filters, self._moment, order=order, limit=limit
            )
        with self._database.reading() as connection:
            if words:
                return hits.search(connection, words, filters, order=order, limit=limit)
            oldest_first = order is Order.OLDEST
            return hits.newest(connection, filters, limit, oldest_first=oldest_first)

    def articles(
        self,
        *,
        since: Day = "",
        until: Day = "",
        symbol: str = "",
        media: str = "",
        feeds: str | Iterable[str] = (),
        limit: int | None = None,
    ) -> Records[ArticleRevision]:
        """Return the articles that are meant, by publication day and id; read as they are used."""
        filters = self._filters(since, until, symbol=symbol, media=media, feeds=feeds, limit=limit)
        if self._moment is None:
            read = partial(exported, self._database, filters)
            return Records(ArticleRevision, read, partial(count, self._database, filters))
        with self._database.reading() as connection:
            ids = past.ids_known(connection, filters, self._moment)
        then = partial(past.in_parts, self._database, ids, self._moment)
        return Records(ArticleRevision, then, lambda: len(ids))

    def article(self, named: Named) -> ArticleRevision | None:
        """Return an article by its id or an address; ``None``: there is none, or was none then.

        Of an address that was used again the article of the latest day.
        """
        with self._database.reading() as connection:
            ids = ids_named(connection, _name(named))
            if self._moment is None:
                return current(connection, ids[0]) if ids else None
            known = past.as_known(connection, ids, self._moment)
            by_id = {article.id: article for article in known}
            return next((by_id[each] for each in ids if each in by_id), None)

    def revisions(self, named: Named) -> Records[ArticleRevision]:
        """Return every revision of an article, the oldest first; none of what there is not.

        Now those too that turned out not to be the article (cause ``doubt``).
        """
        with self._database.reading() as connection:
            ids = ids_named(connection, _name(named))[:1]
            if self._moment:
                then = past.as_known(connection, ids, self._moment, earlier=True)
                return at_once(ArticleRevision, then)
            return at_once(ArticleRevision, revisions_of(connection, ids))

    def captures(self, named: Named) -> Records[Capture]:
        """Return each look at an article's page, the oldest first: when, for what, ``.body``."""
        with self._database.reading() as connection:
            ids = ids_named(connection, _name(named))[:1]
            return at_once(Capture, (look for at in ids for look in self._looks(connection, at)))

    def _looks(self, connection: Connection, article_id: int) -> Iterator[Capture]:
        columns = tables.captures.c[_CAPTURED]
        before: dict[str, tuple[tuple[WarcPlace, ...], str]] = {}
        for row in connection.execute(doubts.of_article(article_id, *columns)).all():
            if self._moment and row.fetched_at > self._moment:
                continue
            look = doubts.seen_page(row.fetched_at, row.url, row.reading, row.reason)
            body = captures.places_of(connection, row), row.sha256
            if row.status == NOT_MODIFIED:
                body = before.get(row.url, body)
            before[row.url] = body
            places, sha256 = body
            said = (row.final_url, row.status, row.reading, look.outcome, sha256)
            yield Capture(row.fetched_at, row.url, *said, bool(places), row.id, places, self._raw)

    def follow(
        self,
        query: str = "",
        *,
        symbol: str = "",
        media: str = "",
        feeds: str | Iterable[str] = (),
        after: int | None = None,
        quiet: float | None = None,
    ) -> Iterator[ArticleRevision]:
        """Yield every new article and edit as it lands, in the order of its ``sequence``.

        ``after`` is the sequence behind which to begin, ``None``: with what comes from now on. It
        goes on for ever, or ends when nothing has landed for ``quiet`` seconds.
        """
        if self._moment:
            raise UsageError("nothing lands in the past: follow the archive itself")
        words = parse(query) if query.strip() else None
        filters = self._filters(symbol=symbol, media=media, feeds=feeds)
        with self._database.reading() as connection:
            at = position(connection, after).sequence
        return self._landing(words, filters, at, quiet)

    def _landing(
        self, words: Query | None, filters: Filters, at: int, quiet: float | None
    ) -> Iterator[ArticleRevision]:
        last = time.monotonic()
        while True:
            for revision in landed(self._database, at):
                at, last = revision.sequence, time.monotonic()
                if is_meant(revision, words, filters):
                    yield revision
            if quiet is not None and time.monotonic() - last >= quiet:
                return
            time.sleep(POLL_SECONDS)

    def _filters(
        self,
        since: Day = "",
        until: Day = "",
        *,
        symbol: str,
        media: str,
        feeds: str | Iterable[str],
        limit: int | None = None,
    ) -> Filters:
        first, last = _day("since", since), _day("until", until)
        names = (feeds,) if isinstance(feeds, str) else tuple(feeds)
        if limit is not None and limit < 0:
            raise UsageError("limit: at least 0")
        if unknown := unknown_feeds(self._database, names):
            raise UsageError(f'feeds: the archive has nothing of a feed "{unknown[0]}"')
        with self._database.reading() as connection:
            code = symbol_called(connection, symbol)
        return Filters(first, last, code, media, names, limit)


_CAPTURED = (
    "id", "fetched_at", "url", "final_url", "status", "reading", "reason", "sha256",
    "warc_file", "warc_offset", "warc_length",
)  # fmt: skip


def _name(named: Named) -> str:
    return str(named.id if isinstance(named, ArticleRevision | Hit) else named)


def _day(name: str, day: Day) -> str:
    text = day.isoformat()[:10] if isinstance(day, date) else day
    if text and not is_day(text):
        raise UsageError(f'{name}: "{text}" is not a day; write it as 2024-01-31')
    return text


def _moment(moment: datetime | str) -> datetime:
    try:
        at = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    except ValueError as error:
        raise UsageError(f'"{moment}" is no moment; write 2024-03-11T14:05+08:00') from error
    if not isinstance(at, datetime) or at.tzinfo is None:
        raise UsageError(f"{moment!r} has no zone; write 2024-03-11T14:05+08:00")
    return at.astimezone(UTC).replace(microsecond=0)
