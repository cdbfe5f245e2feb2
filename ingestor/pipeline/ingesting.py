"""Entries: ask for the page, extract the article, save it; or say why not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import structlog
from sqlalchemy import Connection

from ingestor import poll
from ingestor.archive.layout import article_path
from ingestor.archive.warc import body_sha256
from ingestor.errors import ArchiveError, FetchError, Forbidden, IngestorError
from ingestor.extract import extract_article
from ingestor.fetch.client import require_page
from ingestor.identity import canonical_url, document_id, file_id, publication_day
from ingestor.model import Article, Feed, FeedState, Origin, Page, Request, Response, WarcPlace
from ingestor.pipeline.feed_text import TITLE_CHARACTERS, article_from_entry
from ingestor.pipeline.services import Services, Summary
from ingestor.store import articles, captures, entries
from ingestor.store.entries import EntryOutcome, QueuedEntry

log = structlog.get_logger(__name__)

ENTRIES_A_ROUND = 200
"""Entries taken from the queue at a time: what is in memory stays small, hosts mix well."""

ARTICLES_A_TRANSACTION = 16
"""Articles saved together: one wait for the disk serves them all."""


@dataclass(frozen=True, slots=True)
class _Work:
    """An entry on its way, with the answer that its page gave."""

    queued: QueuedEntry
    feed: Feed
    outcome: Response | FetchError | None = None
    """``None``: no page is asked for, the feed's text is the article."""
    address: str = ""
    """Canonical form of the announced address; ``""`` when no page is asked for."""
    shared_address: bool = False


@dataclass(frozen=True, slots=True)
class _Result:
    """What came out for an entry: an article, or an error (one of the two)."""

    work: _Work
    article: Article | None = None
    error: Exception | None = None
    fallback: Article | None = None
    """What the feed carries, where the page failed."""

    @property
    def origin(self) -> Origin:
        """Where the text of the article came from."""
        return "page" if self.article and isinstance(self.work.outcome, Response) else "feed"


def ingest_entries(services: Services, states: Sequence[FeedState], summary: Summary) -> None:
    """Work off everything that is pending and due for these feeds."""
    feeds = {state.id: state.feed for state in states}
    now = services.clock.now()
    while not services.clock.stop.is_set():
        with services.database.reading() as connection:
            due = entries.due(connection, now, feed_ids=list(feeds), limit=ENTRIES_A_ROUND)
        if not due:
            return
        waiting = _sort_out(services, feeds, due, summary)
        for batch in _batches(_extract(services, _ask(services, waiting))):
            _save(services, batch, summary)


def extract_page(response: Response) -> Article:
    """Extract the article from a page; runs in a worker process. Raises IngestorError."""
    require_page(response)
    page = Page(response.final_url, response.body, response.header("content-type"))
    return extract_article(page)


def _sort_out(
    services: Services, feeds: dict[int, Feed], due: Sequence[QueuedEntry], summary: Summary
) -> list[_Work]:
    """Settle the entries whose article is known; return the others, one an article.

    A second entry of the same article stays pending until the first one is through.
    """
    waiting: dict[str, _Work] = {}
    with services.database.transaction() as connection:
        for queued in due:
            work = _begin(connection, queued, feeds[queued.feed_id])
            known = _known(connection, work)
            if known is None:
                name = document_id(work.address) or work.address or f"entry {queued.id}"
                waiting.setdefault(name, work)
                continue
            guid, seen_at = queued.entry.guid, queued.seen_at
            articles.sight(connection, known, queued.feed_id, guid=guid, seen_at=seen_at)
            entries.record(connection, EntryOutcome(queued.id, "done", article_id=known))
            summary.articles_unchanged += 1
    return list(waiting.values())


def _begin(connection: Connection, queued: QueuedEntry, feed: Feed) -> _Work:
    entry = queued.entry
    if feed.content == "feed" or not entry.url:
        return _Work(queued, feed, shared_address=entries.shares_address(connection, queued))
    try:
        return _Work(queued, feed, address=canonical_url(entry.url))
    except Forbidden as error:
        return _Work(queued, feed, outcome=error)


def _known(connection: Connection, work: _Work) -> int | None:
    """Return the article that an entry only announces once more: its page need not be asked."""
    announced = work.queued.entry.published_at
    if not work.address or work.queued.article_id is not None:
        return None
    day = publication_day(announced) if announced else ""
    return articles.known_under(connection, work.address, document_id(work.address), day)


def _ask(services: Services, waiting: Sequence[_Work]) -> Iterator[_Work]:
    pages = []
    for work in waiting:
        if work.address:
            pages.append((work, Request(work.queued.entry.url)))
        else:
            yield work
    for work, outcome in services.fetcher.get_all(pages, robots=True):
        yield replace(work, outcome=outcome)


def _extract(services: Services, asked: Iterable[_Work]) -> Iterator[_Result]:
    for work, outcome in services.workers.through(asked, _extraction):
        if isinstance(outcome, Article):
            yield _Result(work, article=_completed(outcome, work))
            continue
        error = outcome or work.outcome
        if not isinstance(error, Exception):
            raise TypeError("an entry without an article and without an error")
        yield _Result(work, error=error, fallback=_fallback(services, work, error))


def _extraction(work: _Work) -> partial[Article] | None:
    if isinstance(work.outcome, Response):
        return partial(extract_page, work.outcome)
    if work.outcome is None:
        return partial(
            article_from_entry,
            work.feed,
            work.queued.entry,
            shared_address=work.shared_address,
        )
    return None


def _completed(article: Article, work: _Work) -> Article:
    """Fill what the page does not say with what the feed announced."""
    entry = work.queued.entry
    return replace(
        article,
        title=article.title or entry.title or article.body.text[:TITLE_CHARACTERS],
        media=article.media or entry.author,
        keywords=article.keywords or entry.keywords,
    )


def _fallback(services: Services, work: _Work, error: Exception) -> Article | None:
    """Return what the feed carries, when the page is gone or has been given up."""
    entry = work.queued.entry
    if work.outcome is None or not entry.content or not isinstance(error, IngestorError):
        return None
    kind = poll.trouble(error)
    last = poll.after_failure(kind, work.queued.attempts + 1, services.clock.now(), chance=0)
    if kind not in {"gone", "hopeless"} and last.state == "pending":
        return None
    try:
        return services.workers.call(partial(article_from_entry, work.feed, entry))
    except IngestorError as reason:
        log.info("feed_text_unusable", url=entry.url, error=str(reason))
        return None


def _batches(results: Iterable[_Result]) -> Iterator[list[_Result]]:
    batch: list[_Result] = []
    for result in results:
        batch.append(result)
        if len(batch) >= ARTICLES_A_TRANSACTION:
            yield batch
            batch = []
    if batch:
        yield batch


def _save(services: Services, batch: Sequence[_Result], summary: Summary) -> None:
    """Save a batch in one transaction, after what was received is on the disk."""
    kept = [_keep(services, result) for result in batch]
    services.sync()
    with services.database.transaction() as connection:
        for result, place in zip(batch, kept, strict=True):
            capture_id = _capture(connection, result, place)
            outcome = _settle(connection, services, result, capture_id)
            _count(summary, result, outcome)


def _keep(services: Services, result: _Result) -> WarcPlace | None:
    """Keep a page as received: also one that our rules failed on, to look into it later."""
    response = result.work.outcome
    usable = isinstance(response, Response) and response.status == 200
    return services.keep(response) if usable and isinstance(response, Response) else None


def _capture(connection: Connection, result: _Result, place: WarcPlace | None) -> int | None:
    response = result.work.outcome
    if place is None or not isinstance(response, Response):
        return None
    return captures.record(connection, response, body_sha256(response), place)


def _settle(
    connection: Connection, services: Services, result: _Result, capture_id: int | None
) -> articles.Outcome | None:
    """Write down what became of an entry; return what became of its article, if any."""
    queued = result.work.queued
    article = result.article or result.fallback
    saved = None
    if article:
        arrival = _arrival(services, result, article, capture_id)
        saved = articles.save(connection, arrival, _path)
    article_id = saved.article_id if saved else None
    if result.error is None:
        outcome = EntryOutcome(queued.id, "done", article_id=article_id)
    else:
        outcome = _after_error(services, result, article_id)
    entries.record(connection, outcome)
    return saved.outcome if saved else None


def _arrival(
    services: Services, result: _Result, article: Article, capture_id: int | None
) -> articles.Arrival:
    queued, response = result.work.queued, result.work.outcome
    fetched = response.fetched_at if isinstance(response, Response) and result.article else None
    return articles.Arrival(
        article=article,
        author=result.work.feed.author,
        categories=(*result.work.feed.categories, result.work.feed.name),
        origin=result.origin,
        seen_at=fetched or services.clock.now(),
        feed_id=queued.feed_id,
        guid=queued.entry.guid,
        announced_at=queued.entry.published_at,
        announced_as=result.work.address,
        capture_id=capture_id,
    )


def _path(arrival: articles.Arrival, day: str) -> str:
    article = arrival.article
    identifier = file_id(article.url, article.document_id)
    return article_path(arrival.categories, day, article.title, identifier)


def _after_error(services: Services, result: _Result, article_id: int | None) -> EntryOutcome:
    queued, error = result.work.queued, result.error
    now = services.clock.now()
    if isinstance(error, ArchiveError):
        raise error
    if isinstance(error, IngestorError):
        line, kind = str(error), poll.trouble(error)
        retry = poll.after_failure(kind, queued.attempts + 1, now, chance=services.clock.chance())
    else:
        # A bug of ours: the same page would only fail again, and somebody has to look.
        log.error("extraction_failed", url=queued.entry.url, exc_info=error)
        line, retry = f"{queued.entry.url}: a bug: {error!r}", poll.Retry("parked", None)
    archived = article_id or queued.article_id
    state = "done" if retry.state == "parked" and archived else retry.state
    log.warning("entry_failed", feed=queued.feed_name, error=line, state=state)
    return EntryOutcome(queued.id, state, line, retry.next_attempt_at, article_id)


def _count(summary: Summary, result: _Result, outcome: articles.Outcome | None) -> None:
    if outcome == "new":
        summary.articles_new += 1
    elif outcome == "revised":
        summary.articles_revised += 1
    elif outcome == "unchanged":
        summary.articles_unchanged += 1
    else:
        queued = result.work.queued
        summary.entries_failed += 1
        summary.problems.append(f"entry of {queued.feed_name}: {result.error}")
