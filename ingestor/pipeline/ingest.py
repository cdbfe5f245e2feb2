"""Entries: ask for the page, extract the article, save it; or say why not."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial

import structlog
from sqlalchemy import Connection

from ingestor import policy
from ingestor.errors import Forbidden, IngestorError, Postponed
from ingestor.extract.feed_text import untitled, with_announced
from ingestor.identity import canonical_url, document_id, publication_day
from ingestor.model import (
    Article,
    Feed,
    FeedState,
    Request,
    Response,
)
from ingestor.pipeline.batches import batches
from ingestor.pipeline.multipage import Begun, Whole, complete
from ingestor.pipeline.save import Result, Work, save
from ingestor.pipeline.services import Services, Summary, remember_pauses
from ingestor.sources import points_to_page
from ingestor.store import articles, entries
from ingestor.store.entries import EntryOutcome, QueuedEntry
from ingestor.text.sanitize import MOST_TITLE_CHARACTERS
from ingestor.workers.tasks import Received, article_from_entry, extract_page, receive_page

log = structlog.get_logger(__name__)

ENTRIES_A_ROUND = 200
"""Entries taken from the queue at a time: what is in memory stays small, hosts mix well."""

ARTICLES_A_TRANSACTION = 50
"""Articles saved together: one wait for the disk serves them all."""


def ingest_entries(
    services: Services,
    states: Sequence[FeedState],
    summary: Summary,
    *,
    rounds: int | None = None,
    ids: range | None = None,
) -> None:
    """Work off everything that is pending and due for these feeds, or a few rounds of it.

    With ``ids`` only the entries of these ids.
    """
    feeds = {state.id: state.feed for state in states}
    now = services.clock.now()
    left = rounds
    while not services.clock.stop.is_set() and left != 0:
        left = None if left is None else left - 1
        with services.database.reading() as connection:
            due = entries.due(connection, now, feed_ids=list(feeds), limit=ENTRIES_A_ROUND, ids=ids)
        if not due:
            return
        waiting = _sort_out(services, feeds, due, summary)
        results = _extract(services, _ask(services, waiting))
        monotonic = services.clock.monotonic
        for batch in batches(results, ARTICLES_A_TRANSACTION, monotonic):
            save(services, batch, summary)
        remember_pauses(services)


def _sort_out(
    services: Services, feeds: dict[int, Feed], due: Sequence[QueuedEntry], summary: Summary
) -> list[Work]:
    """Settle the entries whose article is known; return the others, one an article.

    A second entry of the same article stays pending until the first one is through.
    """
    waiting: dict[str, Work] = {}
    seen: list[EntryOutcome] = []
    with services.database.transaction() as connection:
        begun = [_begin(connection, queued, feeds[queued.feed_id]) for queued in due]
        names = {work.address for work in begun}
        taken = articles.taken(connection, names, {document_id(one) for one in names} - {""})
        for work in begun:
            known = _known(connection, work, taken)
            queued = work.queued
            if known is None:
                name = document_id(work.address) or work.address or f"entry {queued.id}"
                waiting.setdefault(name, work)
                continue
            guid, seen_at = queued.entry.guid, queued.seen_at
            articles.record_sighting(connection, known, queued.feed_id, guid=guid, seen_at=seen_at)
            seen.append(EntryOutcome(queued.id, "done", article_id=known))
            summary.articles_unchanged += 1
        entries.record(connection, seen)
    return list(waiting.values())


def _begin(connection: Connection, queued: QueuedEntry, feed: Feed) -> Work:
    entry, points = queued.entry, points_to_page(feed, queued.entry)
    if not entry.url or (feed.content == "feed" and not points):
        return Work(queued, feed, shared_address=entries.shares_address(connection, queued))
    try:
        return Work(queued, feed, address=canonical_url(entry.url), points=points)
    except Forbidden as error:
        return Work(queued, feed, outcome=error)


def _known(connection: Connection, work: Work, taken: Collection[str]) -> int | None:
    """Return the article that an entry only announces once more: its page need not be asked.

    ``taken`` are those of the announced addresses and document ids that are known.
    """
    entry, announced = work.queued.entry, work.queued.entry.published_at
    if work.queued.article_id is not None or work.shared_address:
        return None
    if not work.address:
        # A text of its own, whose page may be archived already: that is the better witness.
        return articles.from_page(connection, document_id(entry.url))
    identifier = document_id(work.address)
    if work.address not in taken and identifier not in taken:
        return None
    day = publication_day(announced) if announced and not work.points else ""
    return articles.known_under(connection, work.address, identifier, day)


def _ask(services: Services, waiting: Sequence[Work]) -> Iterator[Work]:
    pages = []
    for work in waiting:
        if work.address:
            pages.append((work, Request(work.queued.entry.url)))
        else:
            yield work
    for work, outcome in services.fetcher.get_all(pages, robots=True):
        yield replace(work, outcome=outcome)


def _extract(services: Services, asked: Iterable[Work]) -> Iterator[Result]:
    begun = []
    extraction = partial(_extraction, kept=services.warc is not None)
    for asked_for, came in services.workers.through(asked, extraction):
        work, outcome = _received(asked_for, came)
        if isinstance(outcome, Article) and outcome.parts and isinstance(work.outcome, Response):
            begun.append(Begun(work, outcome, work.outcome))
        elif isinstance(outcome, Article):
            yield Result(work, article=_completed(outcome, work))
        else:
            error = outcome or work.outcome
            if not isinstance(error, Exception):
                raise TypeError("an entry without an article and without an error")
            yield Result(work, error=error, fallback=_fallback(services, work, error))
    yield from _join(services, begun)


def _join(services: Services, begun: Sequence[Begun[Work]]) -> Iterator[Result]:
    """Join the articles of several pages.

    Where one is missing there is no fallback: the feed's text is that of the first page.
    """
    for work, whole in complete(services.fetcher, services.workers, extract_page, begun):
        if isinstance(whole, Whole):
            complete_work = replace(work, further=whole.further)
            yield Result(complete_work, article=_completed(whole.article, work))
        else:
            yield Result(work, error=whole)


def _received(
    work: Work, came: Received | Article | Exception | None
) -> tuple[Work, Article | Exception | None]:
    """Take what a worker made of a page apart: its records belong to the work."""
    if isinstance(came, Received):
        return replace(work, packed=came.packed), came.article
    return work, came


def _extraction(work: Work, *, kept: bool) -> Callable[[], Received | Article] | None:
    if isinstance(work.outcome, Response):
        return partial(receive_page, work.outcome, kept=kept)
    if work.outcome is None:
        return partial(
            article_from_entry,
            work.feed,
            work.queued.entry,
            shared_address=work.shared_address,
        )
    return None


def _completed(article: Article, work: Work) -> Article:
    """Fill what the page does not say with what the feed announced."""
    entry = work.queued.entry
    return replace(
        article,
        title=article.title or _usable(entry.title) or untitled(article.body.text),
        media=article.media or entry.author,
        keywords=article.keywords or entry.keywords,
        body=with_announced(article.body, entry),
    )


def _usable(title: str) -> str:
    return title if len(title) <= MOST_TITLE_CHARACTERS else ""


def _fallback(services: Services, work: Work, error: Exception) -> Article | None:
    """Return what the feed carries, when the page is gone or has been given up."""
    entry = work.queued.entry
    if work.outcome is None or not entry.content or not isinstance(error, IngestorError):
        return None
    if isinstance(error, Postponed):
        return None
    kind = policy.failure_kind(error)
    last = policy.after_failure(kind, work.queued.attempts + 1, services.clock.now(), chance=0)
    if kind not in {"gone", "permanent"} and last.state == "pending":
        return None
    try:
        return services.workers.call(partial(article_from_entry, work.feed, entry))
    except IngestorError as reason:
        log.info("feed_text_unusable", url=entry.url, error=str(reason))
        return None
