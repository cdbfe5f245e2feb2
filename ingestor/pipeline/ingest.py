"""First looks at what entries announce, and second ones at articles, a batch at a time.

::

    entries that are due  | known already? a sighting | look at the page, or read the text | settle
    articles that are due | look at the page again, conditionally | settle: an edit, if it changed

Publishers edit after publication, and a revision keeps what was there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain
from typing import TypeVar

from sqlalchemy import Connection

from ingestor import log
from ingestor.errors import Forbidden, IngestorError
from ingestor.extract import untitled, with_announced
from ingestor.identity import canonical_url, document_id, publication_day
from ingestor.model import Article, Entry, Feed, FeedState, Request
from ingestor.pipeline.captures import unread_answers
from ingestor.pipeline.look import (
    Failed,
    Look,
    PageRead,
    TextInstead,
    TextRead,
    look_at_pages,
)
from ingestor.pipeline.outcome import EntryLook, EntryTask, GivenUp, Settled, Subject
from ingestor.pipeline.rejudge import withdraw_found
from ingestor.pipeline.rounds import Round, Turns, batches
from ingestor.pipeline.services import Services, Summary, remember_pauses
from ingestor.pipeline.settle import settle
from ingestor.sources import points_to_page
from ingestor.store import articles, entries, rechecks
from ingestor.store.due import ALL, Shard
from ingestor.store.entries import EntryOutcome, QueuedEntry
from ingestor.store.rechecks import DueCheck
from ingestor.text.sanitize import MOST_TITLE_CHARACTERS
from ingestor.workers.tasks import read_entry

Waiting = TypeVar("Waiting", EntryTask, DueCheck)

ENTRIES_A_ROUND = 200
"""Entries taken from the queue at a time: what is in memory stays small, hosts mix well."""

CHECKS_A_ROUND = 200
"""Articles looked at again at a time."""

LOOKS_A_TRANSACTION = 50
"""Looks written down together: one wait for the disk serves them all."""


def ingest_entries(
    services: Services,
    states: Sequence[FeedState],
    summary: Summary,
    *,
    ids: range | None = None,
) -> Round:
    """Work off everything that is pending and due for these feeds.

    With ``ids`` only the entries of these ids. Yields the ids of the entries that are through.
    """
    feeds = {state.id: state.feed for state in states}
    now = services.clock.now()
    while not services.clock.stop.is_set():
        with services.database.reading() as connection:
            due = entries.due(connection, now, feed_ids=list(feeds), limit=ENTRIES_A_ROUND, ids=ids)
        if not due:
            return
        yield from ingest_round(services, feeds, due, summary)


def ingest_round(
    services: Services, feeds: Mapping[int, Feed], due: Sequence[QueuedEntry], summary: Summary
) -> Round:
    """Work off these entries, whose feeds are given by their ids; yield as ingest_entries."""
    refused, tasks = _sort_out(services, feeds, due, summary)
    looks = chain(refused, _look(services, tasks))
    yield from _settle_all(services, looks, summary)


def _sort_out(
    services: Services, feeds: Mapping[int, Feed], due: Sequence[QueuedEntry], summary: Summary
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


def _look(
    services: Services, tasks: Sequence[EntryTask]
) -> Iterator[tuple[EntryTask, EntryLook] | None]:
    """Yield what came of each, and ``None`` while nothing does: texts and pages in turns."""
    looks: Turns[tuple[EntryTask, EntryLook]] = Turns()
    looks.add(_read_texts(services, [task for task in tasks if not task.address]))
    looks.add(_look_at_pages(services, [task for task in tasks if task.address]))
    while looks:
        yield from looks.go_on()
        yield None


def _read_texts(
    services: Services, tasks: Sequence[EntryTask]
) -> Iterator[tuple[EntryTask, EntryLook] | None]:
    for came in services.workers.as_done(tasks, _text_task, lambda task: task.feed_id):
        match came:
            case task, Article() as article:
                yield task, TextRead(article)
            case task, Exception() as error:
                yield task, Failed(error)
            case _:
                yield None


def _look_at_pages(
    services: Services, tasks: Sequence[EntryTask]
) -> Iterator[tuple[EntryTask, EntryLook] | None]:
    pages = [(task, Request(task.queued.entry.url)) for task in tasks]
    for seen in _look_at(services, pages, pack=services.warc is not None):
        match seen:
            case task, PageRead() as look:
                entry = task.queued.entry
                dated = look.titled(entry.title).dated(None if task.points else entry.published_at)
                yield task, replace(dated, article=_completed(dated.article, entry))
            case _:
                yield seen


def _look_at(
    services: Services,
    pages: Sequence[tuple[Waiting, Request]],
    *,
    pack: bool,
) -> Iterator[tuple[Waiting, Look] | None]:
    """Look at pages; one that was received since it is due, and never read, is not asked again."""
    due = {request.url: waiting.due_at for waiting, request in pages}
    since = partial(unread_answers, services.database, services.settings.archive.raw_dir)
    unread = {answer.response.url: answer for answer in since(due)}
    received = [
        (waiting, unread[request.url]) for waiting, request in pages if request.url in unread
    ]
    asked = [(waiting, request) for waiting, request in pages if request.url not in unread]
    return look_at_pages(
        services.fetcher,
        services.workers,
        asked,
        lambda waiting: waiting.feed_id,
        pack=pack,
        unread=received,
        unread_since=since,
    )


def _text_task(task: EntryTask) -> partial[Article]:
    entry, shared = task.queued.entry, task.shared_address
    return partial(read_entry, task.feed, entry, shared_address=shared)


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


def check_again(services: Services, summary: Summary, shard: Shard = ALL) -> Round:
    """Look again at every article of this shard whose time has come, with conditional requests.

    A page that is gone or cannot be read is no edit: the article stays as it was, and is
    looked at again at its next time, if it has one. Yields the ids of articles that are through.
    """
    now = services.clock.now()
    while not services.clock.stop.is_set():
        with services.database.reading() as connection:
            due = rechecks.due(connection, now, CHECKS_A_ROUND, shard)
        if not due:
            return
        yield from check_round(services, due, summary)


def check_round(services: Services, due: Sequence[DueCheck], summary: Summary) -> Round:
    """Look again at these articles; yield the ids of those through."""
    pages = [(check, Request(check.url, check.validators.headers)) for check in due]
    # Not packed beforehand: most bodies are in the WARC already, and become revisits.
    looks = _look_at(services, pages, pack=False)
    dated = (_dated(*came) if came else None for came in looks)
    yield from _settle_all(services, dated, summary)


def _dated(check: DueCheck, look: Look) -> tuple[DueCheck, Look]:
    return check, look.titled(check.title).dated(None) if isinstance(look, PageRead) else look


def _settle_all(services: Services, looks: Iterable[Settled | None], summary: Summary) -> Round:
    """Settle looks as they come, some together; yield the ids of those through.

    They are those of entries or articles, whichever was looked at.
    """
    texts: Turns[Settled] = Turns()
    for batch in batches(looks, LOOKS_A_TRANSACTION, services.clock.monotonic):
        if batch:
            given_up = settle(services, batch, summary)
            texts.add(_texts_instead(services, given_up))
            left = [task for task, _ in given_up]
            yield [_id(subject) for subject, _ in batch if subject not in left]
        yield from _settle_texts(services, texts, summary)
        yield ()
    while texts:
        yield from _settle_texts(services, texts, summary)
        yield ()
    withdraw_found(services, summary)
    remember_pauses(services)


def _settle_texts(services: Services, texts: Turns[Settled], summary: Summary) -> Round:
    if instead := list(texts.go_on()):
        settle(services, instead, summary, last=True)
        yield [_id(subject) for subject, _ in instead]


def _id(subject: Subject) -> int:
    return subject.queued.id if isinstance(subject, EntryTask) else subject.article_id


def _texts_instead(services: Services, given_up: Sequence[GivenUp]) -> Iterator[Settled | None]:
    """Yield what the feed carries in place of each page, or its failure where that is no article.

    ``None`` comes while none is read, so that others have their turn.
    """
    # What came for the page is in the WARC already.
    failures = {
        task.queued.id: replace(failed, response=None, packed=None, evidence=None)
        for task, failed in given_up
    }
    for read in _read_texts(services, [task for task, _ in given_up]):
        match read:
            case task, TextRead(article):
                yield task, TextInstead(article, failures[task.queued.id])
            case task, Failed(error=IngestorError() as error):
                log.info("feed_text_unusable", url=task.queued.entry.url, error=str(error))
                yield task, failures[task.queued.id]
            case _, Failed(error=error):
                raise error
            case _:
                yield None
