"""Kept pages again: today's rules over them, without asking anybody.

::

    articles | read the kept page | extract | a revision of ours, if it differs | write the file

Nothing remembers how far this is: an article that says what today's rules read is left alone,
so that running it again does nothing more for what is done.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
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
from ingestor.store.reextraction import Content, StoredArticle, Wanted
from ingestor.workers import Workers

log = structlog.get_logger(__name__)

ARTICLES_A_ROUND = 200
"""Articles looked up at a time: what is in memory does not grow with the archive."""

ARTICLES_A_TRANSACTION = 50
"""Pages whose revisions are written together; what a stop or a kill loses at most."""


@dataclass(frozen=True, slots=True)
class ReextractionResult:
    """What became of an article."""

    before: StoredArticle
    outcome: Literal["changed", "unchanged", "left", "unreadable"]
    """``left``: it goes over several pages, and only one of them is read here. ``unreadable``:
    its kept page is lost, or no rule of today reads it. Either way it stays as it is."""
    article: Article | None = None
    """What today's rules read; ``None`` when they read nothing."""
    differs_in: tuple[str, ...] = ()
    """Names of the fields of :class:`~ingestor.store.reextraction.Content`."""
    reason: str = ""
    """Why it cannot be read."""

    @property
    def template(self) -> str:
        """Return which template reads it now, or did when none does."""
        return self.article.template if self.article else self.before.template


def reextract(
    archive: ArchiveSettings,
    database: Database,
    workers: Workers,
    clock: Clock,
    *,
    wanted: Wanted,
    dry_run: bool,
) -> Iterator[ReextractionResult]:
    """Read the kept page of each wanted article again; yield what became of it, by day.

    What differs becomes a revision with the cause ``reextract``, and its file is written
    again; with ``dry_run`` nothing is stored. Once the clock's ``stop`` is set nothing new is
    begun. Raises :class:`~ingestor.errors.ArchiveError` when the archive itself fails.
    """
    waiting = _standing(database, clock, wanted)
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


def _standing(database: Database, clock: Clock, wanted: Wanted) -> Iterator[StoredArticle]:
    after = ("", 0)
    while not clock.stop.is_set():
        with database.reading() as connection:
            found = reextraction.stored_articles(connection, wanted, after, ARTICLES_A_ROUND)
        if not found:
            return
        after = (found[-1].date, found[-1].article_id)
        for one in sorted(found, key=_place):
            if clock.stop.is_set():
                return
            yield one


def _place(one: StoredArticle) -> tuple[str, str, int]:
    """Order by day, and within it by place: a disk reads forwards faster."""
    return one.date, one.places[0].file, one.places[0].offset


def _work(folder: Location, one: StoredArticle) -> partial[Article]:
    return partial(read_again, folder, one.places, one.sha256, one.page_url)


def _compared(before: StoredArticle, result: Article | Exception | None) -> ReextractionResult:
    if isinstance(result, Article) and result.parts:
        return ReextractionResult(before, "left")
    if isinstance(result, Article):
        article = _completed(result, before)
        differs_in = before.content.differs_in(Content.of(article))
        return ReextractionResult(
            before, "changed" if differs_in else "unchanged", article, differs_in
        )
    if isinstance(result, ArchiveError):
        raise result
    if not isinstance(result, IngestorError):
        log.error("extraction_failed", url=before.url, exc_info=result)
    if before.content.origin != "page" and isinstance(result, IngestorError):
        # Its page could not be read then either: that is why it has the feed's text.
        return ReextractionResult(before, "unchanged")
    return ReextractionResult(before, "unreadable", reason=str(result) or repr(result))


def _completed(article: Article, before: StoredArticle) -> Article:
    """Leave what the feed had filled in for a page that does not say it."""
    content = before.content
    authors = {one.author for one in before.announced}
    words = (one.keywords for one in before.announced)
    return replace(
        article,
        title=article.title or content.title,
        media=article.media or (content.media if content.media in authors else ""),
        keywords=article.keywords
        or next((one for one in words if frozenset(one) == content.keywords), ()),
    )


def _save(
    database: Database, archive: ArchiveSettings, batch: Sequence[ReextractionResult], now: datetime
) -> None:
    changed = [one for one in batch if one.outcome == "changed"]
    if not changed:
        return
    with database.transaction() as connection:
        lock_order.lock_articles(connection, [one.before.article_id for one in changed])
        for one in changed:
            if one.article:
                capture_id = one.before.capture_id
                revisions.reextract(
                    connection,
                    one.before.article_id,
                    one.article,
                    capture_id=capture_id,
                    seen_at=now,
                )
    write_files(database, archive)
