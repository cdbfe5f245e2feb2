"""First looks at what entries announce, and second ones at articles, a batch at a time.

::

    entries that are due  | known already? a sighting | look at the page, or read the text | settle
    articles that are due | look at the page again, conditionally | settle: an edit, if it changed

Publishers edit after publication, and a revision keeps what was there.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain
from typing import TypeVar

import structlog
from sqlalchemy import Connection

from ingestor.errors import Forbidden
from ingestor.extract.feed_text import untitled, with_announced
from ingestor.identity import canonical_url, document_id, publication_day
from ingestor.model import Article, Entry, Feed, FeedState, Request
from ingestor.pipeline.captures import unread_answers
from ingestor.pipeline.look import Failed, Look, PageRead, TextRead, look_at_pages
from ingestor.pipeline.outcome import EntryLook, EntryTask
from ingestor.pipeline.rejudge import withdraw_found
from ingestor.pipeline.services import Services, Summary, remember_pauses
from ingestor.pipeline.settle import settle
from ingestor.sources import points_to_page
from ingestor.store import articles, entries, rechecks
from ingestor.store.due import ALL, Shard
from ingestor.store.entries import EntryOutcome, QueuedEntry
from ingestor.store.rechecks import DueCheck
from ingestor.text.sanitize import MOST_TITLE_CHARACTERS
from ingestor.workers.tasks import article_from_entry

log = structlog.get_logger(__name__)

T = TypeVar("T")
Waiting = TypeVar("Waiting", EntryTask, DueCheck)

ENTRIES_A_ROUND = 200
"""Entries taken from the queue at a time: what is in memory stays small, hosts mix well."""

ARTICLES_A_TRANSACTION = 50
"""Articles saved together: one wait for the disk serves them all."""

CHECKS_A_ROUND = 200
"""Articles looked at again at a time."""

CHECKS_A_TRANSACTION = 50
"""Looks written down together: one wait for the disk serves them all."""

LONGEST_SECONDS = 1.0
"""A batch does not wait longer than this for more: what is known is soon written down."""


def batches(items: Iterable[T], size: int, monotonic: Callable[[], float]) -> Iterator[list[T]]:
    """Yield the items as they come, at most ``size`` at a time, without waiting long for more.

    ``monotonic`` are seconds that only grow. Time is looked at when an item comes.
    """
    batch: list[T] = []
    began = 0.0
    for item in items:
        began = began if batch else monotonic()
        batch.append(item)
        if len(batch) >= size or monotonic() - began >= LONGEST_SECONDS:
            yield batch
            batch = []
    if batch:
        yield batch


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
        refused, tasks = _sort_out(services, feeds, due, summary)
        looks = chain(refused, _look(services, tasks))
        for batch in batches(looks, ARTICLES_A_TRANSACTION, services.clock.monotonic):
            settle(services, batch, summary)
        withdraw_found(services, summary)
        remember_pauses(services)


def _sort_out(
    services: Services, feeds: dict[int, Feed], due: Sequence[QueuedEntry], summary: Summary
) -> tuple[list[tuple[EntryTask, Failed]], list[EntryTask]]:
    """Settle the entries whose article is known; return the others, one an article.

    The first of the lists are those whose address is refused. A second entry of the same article
    stays pending until the first one is through.
    """
    refused: list[tuple[EntryTask, Failed]] = []
    waiting: dict[str, EntryTask] = {}
    with services.database.transaction() as connection:
        tasks = []
        for queued in due:
            try:
                tasks.append(_task(connection, queued, feeds[queued.feed_id]))
            except Forbidden as error:
                refused.append((EntryTask(queued, feeds[queued.feed_id]), Failed(error)))
        names = {task.address for task in tasks}
        taken = articles.taken(connection, names, set(map(document_id, names)) - {""})
        seen: list[EntryOutcome] = []
        for task in tasks:
            known = _known(connection, task, taken)
            if known is not None:
                seen.append(_seen_again(connection, task.queued, known))
                continue
            name = document_id(task.address) or task.address or f"entry {task.queued.id}"
            waiting.setdefault(name, task)
        entries.record(connection, seen)
    summary.articles_unchanged += len(seen)
    return refused, list(waiting.values())


def _task(connection: Connection, queued: QueuedEntry, feed: Feed) -> EntryTask:
    entry, points = queued.entry, points_to_page(feed, queued.entry)
    if not entry.url or (feed.content == "feed" and not points):
        shared = entries.shares_address(connection, queued)
        return EntryTask(queued, feed, shared_address=shared)
    return EntryTask(queued, feed, canonical_url(entry.url), points=points)


def _seen_again(connection: Connection, queued: QueuedEntry, article_id: int) -> EntryOutcome:
    articles.record_sighting(
        connection,
        article_id,
        queued.feed_id,
        guid=queued.entry.guid,
        seen_at=queued.seen_at,
    )
    return EntryOutcome(queued.id, "done", article_id=article_id)


def _known(connection: Connection, task: EntryTask, taken: Collection[str]) -> int | None:
    """Return the article that an entry only announces once more: its page need not be asked.

    ``taken`` are those of the announced addresses and document ids that are known.
    """
    entry, announced = task.queued.entry, task.queued.entry.published_at
    if task.queued.article_id is not None or task.shared_address:
        return None
    if not task.address:
        # A text of its own, whose page may be archived already: that is the better witness.
        return articles.from_page(connection, document_id(entry.url))
    identifier = document_id(task.address)
    if task.address not in taken and identifier not in taken:
        return None
    day = publication_day(announced) if announced and not task.points else ""
    return articles.known_under(connection, task.address, identifier, day)


def _look(services: Services, tasks: Sequence[EntryTask]) -> Iterator[tuple[EntryTask, EntryLook]]:
    texts = [task for task in tasks if not task.address]
    for task, article in services.workers.through(texts, _text_task):
        match article:
            case Article():
                yield task, TextRead(article)
            case Exception() as error:
                yield task, Failed(error)
    pages = [(task, Request(task.queued.entry.url)) for task in tasks if task.address]
    for task, look in _look_at(services, pages, pack=services.warc is not None):
        match look:
            case PageRead():
                entry = task.queued.entry
                dated = look.titled(entry.title).dated(None if task.points else entry.published_at)
                yield task, replace(dated, article=_completed(dated.article, entry))
            case _:
                yield task, look


def _look_at(
    services: Services, pages: Sequence[tuple[Waiting, Request]], *, pack: bool
) -> Iterator[tuple[Waiting, Look]]:
    """Look at pages; one that was received since it is due, and never read, is not asked again."""
    due = {request.url: waiting.due_at for waiting, request in pages}
    unread = {
        answer.response.url: answer
        for answer in unread_answers(services.database, services.settings.archive.raw_dir, due)
    }
    received = [
        (waiting, unread[request.url]) for waiting, request in pages if request.url in unread
    ]
    asked = [(waiting, request) for waiting, request in pages if request.url not in unread]
    return look_at_pages(services.fetcher, services.workers, asked, pack=pack, unread=received)


def _text_task(task: EntryTask) -> partial[Article]:
    entry, shared = task.queued.entry, task.shared_address
    return partial(article_from_entry, task.feed, entry, shared_address=shared)


def _completed(article: Article, entry: Entry) -> Article:
    """Fill what the page does not say with what the feed announced."""
    title = entry.title if len(entry.title) <= MOST_TITLE_CHARACTERS else ""
    return replace(
        article,
        title=article.title or title or untitled(article.body.text),
        media=article.media or entry.author,
        keywords=article.keywords or entry.keywords,
        body=with_announced(article.body, entry),
    )


def check_again(services: Services, summary: Summary, shard: Shard = ALL) -> None:
    """Look again at every article of this shard whose time has come, with conditional requests.

    A page that is gone or cannot be read is no edit: the article stays as it was, and is
    looked at again at its next time, if it has one.
    """
    now = services.clock.now()
    while not services.clock.stop.is_set():
        with services.database.reading() as connection:
            due = rechecks.due(connection, now, CHECKS_A_ROUND, shard)
        if not due:
            return
        pages = [(check, Request(check.url, check.validators.headers)) for check in due]
        # Not packed beforehand: most bodies are in the WARC already, and become revisits.
        looks = _look_at(services, pages, pack=False)
        dated = (
            (check, look.titled(check.title).dated(None) if isinstance(look, PageRead) else look)
            for check, look in looks
        )
        for batch in batches(dated, CHECKS_A_TRANSACTION, services.clock.monotonic):
            settle(services, batch, summary)
        withdraw_found(services, summary)
        remember_pauses(services)
