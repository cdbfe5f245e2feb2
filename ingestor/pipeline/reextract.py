"""Kept pages again: today's rules over them, without asking anybody.

::

    articles | read the kept page | extract | a revision of ours, if it differs | write the file

Nothing remembers how far this is: an article that says what today's rules read is left alone,
so that running it again does nothing more for what is done.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Literal

import structlog

from ingestor.archive.warc import reader
from ingestor.clock import Clock
from ingestor.config.sections import ArchiveSettings
from ingestor.config.values import Location
from ingestor.errors import ArchiveError, CaptureLost, IngestorError
from ingestor.extract import extract_article
from ingestor.model import Article, Page, WarcPlace
from ingestor.pipeline.files import write_files
from ingestor.store import reextraction, revisions
from ingestor.store.db import lock_order
from ingestor.store.db.database import Database
from ingestor.store.filters import Filters
from ingestor.store.reextraction import CapturedArticle, Value, differences
from ingestor.workers import Workers

log = structlog.get_logger(__name__)

ARTICLES_A_ROUND = 200
"""Articles looked up at a time: what is in memory does not grow with the archive."""

ARTICLES_A_TRANSACTION = 50
"""Pages whose revisions are written together; what a stop or a kill loses at most."""


@dataclass(frozen=True, slots=True)
class ReextractionResult:
    """What became of an article."""

    before: CapturedArticle
    outcome: Literal["changed", "unchanged", "left", "unreadable"]
    """``left``: it goes over several pages, and only one of them is read here. ``unreadable``:
    its kept page is lost, or no rule of today reads it. Either way it stays as it is."""
    article: Article | None = None
    """What today's rules read; ``None`` when they read nothing."""
    changes: Mapping[str, tuple[Value, Value]] = field(default_factory=dict)
    """What it changes: old and new value, by their name."""
    reason: str = ""
    """Why it cannot be read."""

    @property
    def template(self) -> str:
        """Return which template reads it now, or did when none does."""
        return self.article.template if self.article else self.before.article.template


def reextract(
    archive: ArchiveSettings,
    database: Database,
    workers: Workers,
    clock: Clock,
    *,
    filters: Filters,
    dry_run: bool,
) -> Iterator[ReextractionResult]:
    """Read the kept page of each article that is meant again; yield what became of it, by day.

    What differs becomes a revision with the cause ``reextract``, and its file is written
    again; with ``dry_run`` nothing is stored. Once the clock's ``stop`` is set nothing new is
    begun. Raises :class:`~ingestor.errors.ArchiveError` when the archive itself fails.
    """
    waiting = _captured(database, clock, filters)
    work = partial(_work, archive.raw_dir)
    results = (_compared(one, result) for one, result in workers.through(waiting, work))
    while batch := list(islice(results, ARTICLES_A_TRANSACTION)):
        if not dry_run:
            _save(database, archive, batch, clock.now())
        yield from batch
    if not dry_run:
        write_files(database, archive)


def read_again(folder: Location, places: Sequence[WarcPlace], sha256: str, url: str) -> Article:
    """Extract the article from a kept page; runs in a worker process.

    The page is the first response record at these places whose body has this hash. Raises
    :class:`CaptureLost` when there is none, and what :func:`extract_article` raises.
    """
    why = ""
    for place in places:
        try:
            kept = reader.read(folder, place)
        except CaptureLost as error:
            why = str(error)
            continue
        if kept.record.sha256 == sha256:
            return extract_article(Page(url, kept.body, kept.content_type))
    raise CaptureLost(f"{url}: {why or 'the kept page is another one'}; see `ingest verify`")


def _captured(database: Database, clock: Clock, filters: Filters) -> Iterator[CapturedArticle]:
    after = ("", 0)
    while not clock.stop.is_set():
        with database.reading() as connection:
            captured = reextraction.captured_articles(connection, filters, after, ARTICLES_A_ROUND)
        if not captured:
            return
        after = (captured[-1].article.date, captured[-1].article.id)
        for article in sorted(captured, key=_place):
            if clock.stop.is_set():
                return
            yield article


def _place(captured: CapturedArticle) -> tuple[str, str, int]:
    """Order by day, and within it by place: a disk reads forwards faster."""
    return captured.article.date, captured.places[0].file, captured.places[0].offset


def _work(folder: Location, captured: CapturedArticle) -> partial[Article]:
    return partial(read_again, folder, captured.places, captured.sha256, captured.page_url)


def _compared(before: CapturedArticle, result: Article | Exception | None) -> ReextractionResult:
    if isinstance(result, Article) and result.parts:
        return ReextractionResult(before, "left")
    if isinstance(result, Article):
        article = _completed(result, before)
        changes = differences(before.article, article)
        return ReextractionResult(before, "changed" if changes else "unchanged", article, changes)
    if isinstance(result, ArchiveError):
        raise result
    if not isinstance(result, IngestorError):
        log.error("extraction_failed", url=before.article.url, exc_info=result)
    if before.article.origin != "page" and isinstance(result, IngestorError):
        # Its page could not be read then either: that is why it has the feed's text.
        return ReextractionResult(before, "unchanged")
    return ReextractionResult(before, "unreadable", reason=str(result) or repr(result))


def _completed(article: Article, before: CapturedArticle) -> Article:
    """Leave what the feed had filled in for a page that does not say it."""
    stored = before.article
    authors = {entry.author for entry in before.announced}
    announced = (entry.keywords for entry in before.announced)
    return replace(
        article,
        title=article.title or stored.title,
        media=article.media or (stored.media if stored.media in authors else ""),
        keywords=article.keywords
        or next((words for words in announced if set(words) == set(stored.keywords)), ()),
    )


def _save(
    database: Database, archive: ArchiveSettings, batch: Sequence[ReextractionResult], now: datetime
) -> None:
    changed = [one for one in batch if one.outcome == "changed"]
    if not changed:
        return
    with database.transaction() as connection:
        lock_order.lock_articles(connection, [one.before.article.id for one in changed])
        for one in changed:
            if one.article:
                capture_id = one.before.capture_id
                revisions.reextract(
                    connection,
                    one.before.article.id,
                    one.article,
                    capture_id=capture_id,
                    seen_at=now,
                )
    write_files(database, archive)
