"""Kept pages judged again: what was believed and never was the article is withdrawn.

::

    articles with kept pages | read them (workers) | judge each revision | withdraw, in one
                             |                     | by those before it  | transaction

``reextract`` does this for every page, the running program and ``verify --repair`` for those whose
text turned out to be furniture: the same under other addresses of their host.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import TypeAlias

from sqlalchemy import Connection

from ingestor import log
from ingestor.archive.warc.reader import kept_body
from ingestor.config.values import Location
from ingestor.errors import ArchiveError, CaptureLost, IngestorError
from ingestor.identity import fingerprint
from ingestor.model import Article, Response, Validators
from ingestor.pipeline.judge import Court, PageSeen, announcement, canonical_or_same, host, reading
from ingestor.pipeline.services import Services, Summary
from ingestor.sources import points_to_page
from ingestor.store import ArticleUpsert, captures, entries, rechecks, reextraction, revisions
from ingestor.store.captures import KeptCapture, Reading
from ingestor.store.db import locks
from ingestor.store.db.database import Database
from ingestor.store.filters import Filters
from ingestor.store.rechecks import FirstCheck
from ingestor.store.reextraction import CapturedArticle, CapturedRevision
from ingestor.text.counts import counted
from ingestor.witness.looks import (
    Announcement,
    AnotherArticle,
    Believed,
    Doubtful,
    Edited,
    KnownArticle,
    NotAnArticle,
    PageGone,
    Redirected,
    Unchanged,
    Verdict,
)
from ingestor.workers import Workers
from ingestor.workers.tasks import Received, read_entry, receive_page

FURNITURE = NotAnArticle("boilerplate")
"""The verdict on a text that a site gives everywhere."""

SUSPECTS_A_ROUND = 50
"""Articles whose pages are read together."""

TRIED_AGAIN_AFTER = timedelta(hours=1)
"""The page of an article that turned out to be none is asked for again then."""

Read: TypeAlias = tuple[CapturedArticle, Mapping[int, Received]]
"""An article with what today's rules read in its kept pages, by the captures' ids."""


@dataclass(frozen=True, slots=True)
class Rejudged:
    """An article whose kept pages were judged again."""

    before: CapturedArticle
    withdrawn: tuple[int, ...] = ()
    """Its revisions that are not the article."""
    reason: str = ""
    """Why the last of them is none."""
    readings: tuple[tuple[int, int, Reading], ...] = ()
    """What its captures are said to be from now on, with the article."""
    instead: Article | None = None
    """What the feed carries, where no good revision is left."""

    @property
    def good(self) -> CapturedRevision | None:
        """Return the revision that is current once those are withdrawn; ``None``: none is left."""
        left = [kept for kept in self.before.revisions if kept.revision not in self.withdrawn]
        shown = [kept for kept in left if kept.revision == self.before.article.revision]
        return next(iter(shown or left[-1:]), None)


def read_kept(folder: Location, kept: Sequence[KeptCapture]) -> list[Received]:
    """Read kept pages by today's rules, in this order; runs in a worker process."""
    return [_read(folder, capture) for capture in kept]


def _read(folder: Location, capture: KeptCapture) -> Received:
    """Read the body that a capture had by today's rules."""
    url = capture.final_url
    try:
        kept = kept_body(folder, capture.places, capture.sha256)
    except CaptureLost as error:
        return Received(CaptureLost(f"{url}: {error}; see `ingest verify`"))
    response = Response(url, url, capture.status, kept.headers, kept.body, capture.fetched_at)
    return receive_page(response, kept=False)


def pages_of(
    folder: Location, workers: Workers, articles: Iterator[CapturedArticle]
) -> Iterator[Read]:
    """Yield articles with their kept pages.

    Raises :class:`~ingestor.errors.ArchiveError` when the archive itself fails.
    """
    for before, read in workers.through(articles, partial(_work, folder)):
        if isinstance(read, ArchiveError):
            raise read
        if isinstance(read, list):
            pages = dict(zip((kept.id for kept in before.captures), read, strict=True))
        else:
            error = read or CaptureLost(f"{before.article.url}: nothing was read")
            pages = {kept.id: Received(error) for kept in before.captures}
        yield before, pages


def _work(folder: Location, article: CapturedArticle) -> partial[list[Received]]:
    return partial(read_kept, folder, article.captures)


def rejudge(connection: Connection, workers: Workers, batch: Sequence[Read]) -> list[Rejudged]:
    """Judge the revisions of articles by their kept pages; nothing is stored."""
    court = Court([page for before, pages in batch for page in _seen(before, pages).values()])
    return [_with_feed_text(workers, _rejudged(connection, court, *read)) for read in batch]


def _announced(before: CapturedArticle) -> Announcement | None:
    for feed, queued in before.announced:
        return announcement(queued.entry, points=points_to_page(feed, queued.entry))
    return None


def _seen(before: CapturedArticle, pages: Mapping[int, Received]) -> dict[int, PageSeen]:
    """Return the pages that can be judged, by their captures' ids; one of several cannot."""
    announced = _announced(before)
    seen = {}
    for capture in before.captures:
        article, evidence = pages[capture.id].article, pages[capture.id].evidence
        in_parts = isinstance(article, Article) and bool(article.parts)
        if evidence and not in_parts:
            seen[capture.id] = PageSeen(
                kind="reextract",
                url=canonical_or_same(capture.url),
                final_url=canonical_or_same(capture.final_url),
                status=capture.status,
                fetched_at=capture.fetched_at,
                evidence=evidence,
                announced=announced,
            )
    return seen


def _rejudged(
    connection: Connection,
    court: Court,
    before: CapturedArticle,
    pages: Mapping[int, Received],
) -> Rejudged:
    seen = _seen(before, pages)
    known: list[KnownArticle] = []
    verdicts: dict[int, Verdict] = {}
    withdrawn: list[int] = []
    for revision in before.revisions:
        capture = revision.capture
        if capture is None or capture.id not in seen:
            known = [_known(before, revision)]
            continue
        if capture.id not in verdicts:
            judged = partial(court.judge_once, connection)
            verdicts[capture.id] = _verdict(judged, seen[capture.id], before, known)
        verdict = verdicts[capture.id]
        if _is_false(verdict, before):
            withdrawn.append(revision.revision)
        elif isinstance(verdict, Believed | Edited | Unchanged):
            known = [_known(before, _as_read(revision, pages[capture.id].article))]
    taken_for = {at: reading(verdict) for at, verdict in verdicts.items()}
    false = [at for at, verdict in verdicts.items() if _is_false(verdict, before)]
    readings = tuple(
        (
            kept.id,
            before.article.id,
            Reading(*taken_for[kept.id], kept.reading.text_hash or seen[kept.id].text_hash),
        )
        for kept in before.captures
        if kept.id in taken_for and (kept.id in false or not kept.reading.reading)
    )
    reason = " ".join(filter(None, taken_for[false[-1]])) if false else ""
    return Rejudged(before, tuple(withdrawn), reason, readings)


def _verdict(
    judged: Callable[[PageSeen, Sequence[KnownArticle]], Verdict],
    page: PageSeen,
    before: CapturedArticle,
    known: Sequence[KnownArticle],
) -> Verdict:
    """Judge a page by the revisions before; where it redirects to its article, as a look there."""
    verdict = judged(page, known)
    if verdict == NotAnArticle("empty") and page.evidence and not page.evidence.text:
        # Rules of ours once read a text in it: it may be today's that are wrong.
        return Doubtful("nothing can be read in it any more")
    if isinstance(verdict, Redirected) and not _is_elsewhere(verdict, before):
        return judged(replace(page, url=verdict.url), known)
    return verdict


def _is_elsewhere(verdict: Redirected, before: CapturedArticle) -> bool:
    mine = before.article.document_id
    same = verdict.url == before.article.url or (mine and verdict.document_id == mine)
    return not same


def _is_false(verdict: Verdict, before: CapturedArticle) -> bool:
    """Whether a page is surely not the article; a doubtful one changes nothing."""
    match verdict:
        case Redirected(document_id=other):
            mine = before.article.document_id
            return bool(other and mine) and _is_elsewhere(verdict, before)
        case _:
            return isinstance(verdict, NotAnArticle | AnotherArticle | PageGone)


def _as_read(revision: CapturedRevision, article: Article | Exception) -> CapturedRevision:
    """Return a revision as today's rules read it."""
    if not isinstance(article, Article):
        return revision
    title, text = article.title or revision.title, article.body.text
    return replace(revision, title=title, text=text, template=article.template)


def _known(before: CapturedArticle, revision: CapturedRevision) -> KnownArticle:
    article = before.article
    announced = _announced(before)
    days = {article.date, announced.day if announced else ""} - {""}
    return KnownArticle(
        article_id=article.id,
        url=article.url,
        document_id=article.document_id or "",
        day=article.date,
        days=frozenset(days),
        title=revision.title,
        text=revision.text,
        template=revision.template,
        fingerprint=fingerprint(revision.title, revision.text),
    )


def _with_feed_text(workers: Workers, judged: Rejudged) -> Rejudged:
    """Add what the feed carries, where an article has no good revision left."""
    if judged.good:
        return judged
    for feed, queued in judged.before.announced:
        if queued.entry.content:
            try:
                instead = workers.call(partial(read_entry, feed, queued.entry))
            except IngestorError as error:
                log.info("feed_text_unusable", url=queued.entry.url, error=str(error))
            else:
                return replace(judged, instead=instead)
    return judged


def save_rejudged(connection: Connection, judged: Sequence[Rejudged], now: datetime) -> None:
    """Withdraw what is not believed any more, and say of each capture what it was taken for."""
    locks.lock_articles(connection, [each.before.article.id for each in judged])
    captures.record_readings(connection, [row for each in judged for row in each.readings])
    for each in judged:
        article = each.before.article
        good = True
        for revision in each.withdrawn:
            good = revisions.withdraw(connection, article.id, revision, now)
        if each.withdrawn:
            log.warning("article_withdrawn", url=article.url, why=each.reason, doubted=not good)
        if not good:
            _replace_doubted(connection, each, now)


def _replace_doubted(connection: Connection, judged: Rejudged, now: datetime) -> None:
    """Let the feed's text take the place of what was no article, else try its page again."""
    article = judged.before.article
    again = now + TRIED_AGAIN_AFTER
    if judged.instead is None:
        reason = f"{article.url}: turned out to be no article: {judged.reason}"
        entries.announce_again(connection, article.id, again, reason)
        return
    upsert = ArticleUpsert(
        article=judged.instead,
        author=article.author,
        categories=article.categories,
        origin="feed",
        seen_at=now,
        feed_id=None,
        note="the feed's text, for its page was no article",
    )
    revisions.replace_doubted(connection, article.id, upsert, "reextract")
    # Should the page come back, it is the better witness.
    rechecks.begin(connection, [FirstCheck(article.id, Validators(), again)])


def withdraw_found(services: Services, summary: Summary) -> None:
    """Withdraw the articles that were believed with a text that turned out to be furniture."""
    if not summary.furniture:
        return
    database, workers, found = services.database, services.workers, summary.furniture
    folder, now = services.settings.archive.raw_dir, services.clock.now()
    with database.reading() as connection:
        believed = reextraction.with_text(connection, {text for _, text in found})
    suspects = [
        article
        for article in believed
        if (kept := current(article)) and (host(kept.url), kept.reading.text_hash) in found
    ]
    for first in range(0, len(suspects), SUSPECTS_A_ROUND):
        batch = list(pages_of(folder, workers, iter(suspects[first : first + SUSPECTS_A_ROUND])))
        with database.reading() as connection:
            judged = rejudge(connection, workers, batch)
        if false := [each for each in judged if each.withdrawn]:
            with database.transaction() as connection:
                save_rejudged(connection, false, now)
    found.clear()


def all_furniture(folder: Location, database: Database) -> Iterator[tuple[Rejudged, str]]:
    """Yield what :func:`found_furniture` finds in the whole archive, read by one worker."""
    with Workers(1) as workers:
        yield from found_furniture(folder, database, workers, Filters())


def found_furniture(
    folder: Location, database: Database, workers: Workers, filters: Filters
) -> Iterator[tuple[Rejudged, str]]:
    """Yield the articles of the whole archive whose text is furniture, each with a line of it."""
    after = 0
    while True:
        with database.reading() as connection:
            suspects = reextraction.with_shared_text(connection, filters, after, SUSPECTS_A_ROUND)
        if not suspects:
            return
        after = suspects[-1].article.id
        batch = list(pages_of(folder, workers, iter(suspects)))
        with database.reading() as connection:
            judged = rejudge(connection, workers, batch)
            lines = [_furniture_line(connection, each) if each.withdrawn else "" for each in judged]
        yield from ((each, line) for each, line in zip(judged, lines, strict=True) if line)


def _furniture_line(connection: Connection, judged: Rejudged) -> str:
    """Return what is wrong with an article whose current page is furniture, else ``''``."""
    kept, article = current(judged.before), judged.before.article
    taken_for = {at: said for at, _, said in judged.readings}
    if kept is None or article.revision not in judged.withdrawn:
        return ""
    if taken_for[kept.id].reason != FURNITURE.reason:
        return ""
    place = host(kept.url)
    looks = captures.same_text(connection, kept.reading.text_hash, kept.fetched_at)
    others = {url for url in looks.addresses if host(url) == place}
    others -= {canonical_or_same(kept.url)}
    return (
        f"article {article.id}: the same text as {counted(len(others), 'other address')} of {place}"
    )


def current(article: CapturedArticle) -> KeptCapture | None:
    """Return the capture that an article's current revision was read from."""
    revision = article.revision(article.article.revision)
    return revision.capture if revision else None
