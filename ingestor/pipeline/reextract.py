"""Kept pages again: today's rules over them, without asking anybody.

::

    articles | read the kept pages | judge each | withdraw what is none | write or remove the file
                                                | a revision of ours, if today's rules differ

Nothing remembers how far this is: an article that says what today's rules read is left alone,
so that running it again does nothing more for what is done.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice
from typing import Literal

from sqlalchemy import Connection

from ingestor import log
from ingestor.clock import Clock
from ingestor.config.sections import ArchiveSettings
from ingestor.errors import IngestorError
from ingestor.extract.headline import titled
from ingestor.model import Article
from ingestor.pipeline.files import write_files
from ingestor.pipeline.rejudge import (
    Rejudged,
    found_furniture,
    pages_of,
    rejudge,
    save_rejudged,
)
from ingestor.store import ArticleUpsert, reextraction, revisions
from ingestor.store.db import locks
from ingestor.store.db.database import Database
from ingestor.store.filters import Filters
from ingestor.store.reextraction import CapturedArticle, CapturedRevision, Value, differences
from ingestor.store.stored_articles import DayOrder
from ingestor.workers import Workers
from ingestor.workers.tasks import Received

ARTICLES_A_ROUND = 200
"""Articles looked up at a time: what is in memory does not grow with the archive."""

ARTICLES_A_TRANSACTION = 50
"""Pages whose revisions are written together; what a stop or a kill loses at most."""


@dataclass(frozen=True, slots=True)
class ReextractionResult:
    """What became of an article."""

    rejudged: Rejudged
    """The article, and what its revisions are taken for today."""
    outcome: Literal["changed", "unchanged", "left", "unreadable", "doubted"]
    """``left``: it goes over several pages, and only one of them is read here. ``unreadable``:
    its kept page is lost, or no rule of today reads it. Either way it stays as it is.
    ``doubted``: none of its pages is the article."""
    article: Article | None = None
    """What today's rules read; ``None`` when they read nothing."""
    changes: Mapping[str, tuple[Value, Value]] = field(default_factory=dict)
    """What it changes: old and new value, by their name."""
    reason: str = ""
    """Why it cannot be read, or is doubted."""
    again: bool = False
    """It was read before: only now it was found out that others show the same text."""

    @property
    def before(self) -> CapturedArticle:
        """Return the article as it was before."""
        return self.rejudged.before

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
    pages = pages_of(archive.raw_dir, workers, waiting)
    while batch := list(islice(pages, ARTICLES_A_TRANSACTION)):
        with database.reading() as connection:
            judged = rejudge(connection, workers, batch)
        results = [_result(each, read) for each, (_, read) in zip(judged, batch, strict=True)]
        if not dry_run:
            _save(database, archive, results, clock.now())
        yield from results
    late = found_furniture(archive.raw_dir, database, workers, filters)
    for each, line in late if not clock.stop.is_set() else ():
        result = replace(_result(each, {}), reason=line, again=True)
        if not dry_run:
            _save(database, archive, [result], clock.now())
        yield result
    if not dry_run:
        write_files(database, archive)


def _captured(database: Database, clock: Clock, filters: Filters) -> Iterator[CapturedArticle]:
    order = DayOrder()
    while not clock.stop.is_set():
        with database.reading() as connection:
            captured = reextraction.captured_articles(connection, filters, order, ARTICLES_A_ROUND)
        if not captured:
            return
        order.advance([(each.article.date, each.article.id) for each in captured])
        for article in sorted(captured, key=_place):
            if clock.stop.is_set():
                return
            yield article


def _place(captured: CapturedArticle) -> tuple[str, str, int]:
    """Order by day, and within it by place: a disk reads forwards faster."""
    place = captured.captures[-1].places[0]
    return captured.article.date, place.file, place.offset


def _result(judged: Rejudged, pages: Mapping[int, Received]) -> ReextractionResult:
    """Compare an article with what today's rules read in the page of its good revision."""
    before, good = judged.before, judged.good
    if good is None:
        log.debug("article_doubted", url=before.article.url, why=judged.reason)
        return ReextractionResult(judged, "doubted", reason=judged.reason)
    read = pages.get(good.capture.id) if good.capture else None
    compared = _compared(judged, read.article) if read else ReextractionResult(judged, "unchanged")
    if not judged.withdrawn:
        return compared
    changes = compared.changes or _restored(before, good)
    return replace(compared, outcome="changed", changes=changes)


def _restored(before: CapturedArticle, good: CapturedRevision) -> dict[str, tuple[Value, Value]]:
    """Return what changes when an earlier revision is current again."""
    stored = before.article
    pairs: dict[str, tuple[Value, Value]] = {
        "title": (stored.title, good.title),
        "text": (stored.content_text, good.text),
    }
    return {name: (old, new) for name, (old, new) in pairs.items() if old != new}


def _compared(judged: Rejudged, result: Article | Exception) -> ReextractionResult:
    before = judged.before
    if isinstance(result, Article):
        if result.parts:
            return ReextractionResult(judged, "left")
        article = _completed(result, before)
        changes = differences(before.article, article)
        return ReextractionResult(judged, "changed" if changes else "unchanged", article, changes)
    if not isinstance(result, IngestorError):
        log.error("extraction_failed", url=before.article.url, exc_info=result)
    elif before.article.origin != "page":
        # Its page could not be read then either: that is why it has the feed's text.
        return ReextractionResult(judged, "unchanged")
    return ReextractionResult(judged, "unreadable", reason=str(result) or repr(result))


def _completed(article: Article, before: CapturedArticle) -> Article:
    """Leave what the feed had filled in for a page that does not say it."""
    stored = before.article
    authors = {queued.entry.author for _, queued in before.announced}
    announced = (queued.entry.keywords for _, queued in before.announced)
    for _, queued in before.announced:
        article = titled(article, queued.entry.title)
    return replace(
        article,
        title=article.title or stored.title,
        media=article.media or (stored.media if stored.media in authors else ""),
        keywords=article.keywords
        or next((words for words in announced if set(words) == set(stored.keywords)), ()),
    )


def _save(
    database: Database,
    archive: ArchiveSettings,
    batch: Sequence[ReextractionResult],
    now: datetime,
) -> None:
    every = [result.rejudged for result in batch]
    judged = [each for each in every if each.withdrawn or each.readings]
    changed = [result for result in batch if result.outcome == "changed"]
    if not judged and not changed:
        return
    with database.transaction() as connection:
        locks.lock_articles(connection, [result.before.article.id for result in batch])
        save_rejudged(connection, judged, now)
        for result in changed:
            _revise(connection, result, now)
    write_files(database, archive)


def _revise(connection: Connection, result: ReextractionResult, now: datetime) -> None:
    """Let an article say what today's rules read in the page of its good revision."""
    before, article, good = result.before, result.article, result.rejudged.good
    if article is None or good is None or good.capture is None:
        # An earlier revision is current again, as it was.
        return
    if not differences(reextraction.stored(connection, before.article.id), article):
        return
    upsert = ArticleUpsert(
        article=article,
        author=before.article.author,
        categories=before.article.categories,
        origin="page",
        seen_at=now,
        feed_id=None,
        capture_id=good.capture.id,
        final_url=good.capture.final_url,
    )
    revisions.reextract(connection, before.article.id, upsert)
