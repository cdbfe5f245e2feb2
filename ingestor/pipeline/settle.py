"""Writing down what came of looks: captures, articles, entries and rechecks in one transaction.

First looks (entries) and second ones (rechecks) are settled alike, a batch at a time, once what
was received is on the disk.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

import structlog
from sqlalchemy import Connection

from ingestor import policy
from ingestor.archive.warc.records import Packed
from ingestor.errors import ArchiveError, IngestorError, Postponed
from ingestor.model import Article, Feed, Origin, Response, Validators
from ingestor.pipeline import captures
from ingestor.pipeline.look import Failed, Look, PageRead, TextInstead, TextRead
from ingestor.pipeline.save import save_articles
from ingestor.pipeline.services import Services, Summary
from ingestor.store import entries, rechecks
from ingestor.store.entries import EntryOutcome, QueuedEntry
from ingestor.store.rechecks import DueCheck, FirstCheck
from ingestor.store.revisions import revise
from ingestor.store.upsert import ArticleUpsert, UpsertResult
from ingestor.text.dates import iso_utc

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class EntryTask:
    """An entry that is worked on."""

    queued: QueuedEntry
    feed: Feed
    address: str = ""
    """Canonical form of the announced address; ``""`` when no page is asked for."""
    shared_address: bool = False
    """Another entry of the feed has its address, and came first."""
    points: bool = False
    """The entry only points to the article: its day is not the article's."""


EntryLook: TypeAlias = Look | TextRead | TextInstead
"""What came of an entry: of its page, of its own text, or of its text in place of its page."""

Settled: TypeAlias = tuple[EntryTask, EntryLook] | tuple[DueCheck, Look]


def settle(services: Services, batch: Sequence[Settled], summary: Summary) -> None:
    """Write a batch down in one transaction, after what was received is on the disk."""
    received = [list(_received(look)) for _, look in batch]
    flat = [page for pages in received for page in pages]
    written = services.write_warc(
        [response for response, _ in flat], [packed for _, packed in flat]
    )
    services.sync()
    with services.database.transaction() as connection:
        ids = iter(captures.record_all(connection, written))
        capture_ids = [next(iter([next(ids) for _ in pages]), None) for pages in received]
        saved = _save(connection, services, batch, capture_ids)
        _record(connection, services, batch, saved)
    for (subject, look), result in zip(batch, saved, strict=True):
        _count(summary, subject, look, result)
        _observe(services, subject, look, result)


def _received(look: EntryLook) -> Iterator[tuple[Response, Packed | None]]:
    """Yield what is kept as received: also a page that our rules failed on, to look into."""
    match look:
        case PageRead():
            yield look.response, look.packed
            yield from ((response, None) for response in look.further)
        case Failed(response=Response(status=200) as response, packed=packed):
            yield response, packed
        case TextInstead(failure=failure):
            yield from _received(failure)


def _save(
    connection: Connection,
    services: Services,
    batch: Sequence[Settled],
    capture_ids: Sequence[int | None],
) -> list[UpsertResult | None]:
    """Save the articles of a batch; return what became of each, ``None`` where there is none."""
    results: list[UpsertResult | None] = [None] * len(batch)
    first_looks: dict[int, ArticleUpsert] = {}
    for position, ((subject, look), capture_id) in enumerate(zip(batch, capture_ids, strict=True)):
        match subject, look:
            case EntryTask(), PageRead() | TextRead() | TextInstead():
                first_looks[position] = _first_look(services, subject, look, capture_id)
            case DueCheck(), PageRead():
                upsert = _second_look(subject, look, capture_id)
                results[position] = revise(connection, subject.article_id, upsert)
    saved = save_articles(connection, list(first_looks.values()))
    for position, result in zip(first_looks, saved, strict=True):
        results[position] = result
    return results


def _first_look(
    services: Services,
    task: EntryTask,
    look: PageRead | TextRead | TextInstead,
    capture_id: int | None,
) -> ArticleUpsert:
    page = isinstance(look, PageRead)
    return ArticleUpsert(
        article=look.article,
        author=task.feed.author,
        categories=(*task.feed.categories, task.feed.name),
        origin=_origin(look),
        seen_at=look.response.fetched_at if isinstance(look, PageRead) else services.clock.now(),
        feed_id=task.queued.feed_id,
        guid=task.queued.entry.guid,
        announced_at=None if task.points else task.queued.entry.published_at,
        announced_as=task.address,
        capture_id=capture_id if page else None,
    )


def _second_look(check: DueCheck, look: PageRead, capture_id: int | None) -> ArticleUpsert:
    return ArticleUpsert(
        article=look.article,
        author=check.author,
        categories=(),
        origin="page",
        seen_at=look.response.fetched_at,
        feed_id=check.feed_id,
        capture_id=capture_id,
    )


def _origin(look: EntryLook) -> Origin:
    return "page" if isinstance(look, PageRead) else "feed"


def _record(
    connection: Connection,
    services: Services,
    batch: Sequence[Settled],
    saved: Sequence[UpsertResult | None],
) -> None:
    """Record how each entry went, and when each article is looked at again."""
    outcomes: list[EntryOutcome] = []
    planned: list[FirstCheck] = []
    for (subject, look), result in zip(batch, saved, strict=True):
        if isinstance(subject, EntryTask):
            outcomes.append(_entry_outcome(services, subject, look, result))
            if result and (result.outcome == "new" or result.first_page):
                planned += _first_check(services, result.article_id, look)
        else:
            _record_recheck(connection, services, subject, look)
    rechecks.begin(connection, planned)
    entries.record(connection, outcomes)


def _first_check(services: Services, article_id: int, look: EntryLook) -> Iterator[FirstCheck]:
    match look:
        case PageRead(response=response):
            validators, seen_at = response.validators, response.fetched_at
        case TextInstead():
            # Should the page come back, it is the better witness.
            validators, seen_at = Validators(), services.clock.now()
        case _:
            return
    # Counted from the answer, also as "now": the first look is never skipped because saving
    # took long.
    delays = services.settings.schedule.recheck
    yield FirstCheck(article_id, validators, policy.next_check(seen_at, delays, seen_at))


def _record_recheck(
    connection: Connection, services: Services, check: DueCheck, look: EntryLook
) -> None:
    match look:
        case Failed(error=Postponed() as error):
            rechecks.postpone(connection, check, error.until)
        case _:
            # A page that is gone or cannot be read is no edit: the article stays as it was.
            validators = look.response.validators if isinstance(look, PageRead) else None
            due = _next_check(services, check)
            rechecks.done(connection, check, validators, next_check_at=due)


def _next_check(services: Services, check: DueCheck) -> datetime | None:
    now = services.clock.now()
    return policy.next_check(check.first_seen_at, services.settings.schedule.recheck, now)


def _entry_outcome(
    services: Services, task: EntryTask, look: EntryLook, result: UpsertResult | None
) -> EntryOutcome:
    article_id = result.article_id if result else None
    match look:
        case Failed() as failure:
            return _after_failure(services, task.queued, failure.error, article_id)
        case TextInstead(failure=failure):
            return _after_failure(services, task.queued, failure.error, article_id)
        case _:
            return EntryOutcome(task.queued.id, "done", article_id=article_id)


def _after_failure(
    services: Services, queued: QueuedEntry, error: Exception, article_id: int | None
) -> EntryOutcome:
    now = services.clock.now()
    if isinstance(error, ArchiveError):
        raise error
    if isinstance(error, Postponed):
        log.info("entry_postponed", url=queued.entry.url, until=iso_utc(error.until))
        return EntryOutcome(queued.id, "pending", str(error), error.until, tried=False)
    if isinstance(error, IngestorError):
        line, kind = str(error), policy.failure_kind(error)
        chance = services.clock.chance()
        retry = policy.after_failure(kind, queued.attempts + 1, now, chance=chance)
    else:
        # A bug of ours: the same page would only fail again, and somebody has to look.
        log.error("extraction_failed", url=queued.entry.url, exc_info=error)
        line, retry = f"{queued.entry.url}: a bug: {error!r}", policy.Retry("parked", None)
    archived = article_id or queued.article_id
    state = "done" if retry.state == "parked" and archived else retry.state
    log.warning("entry_failed", feed=queued.feed_name, error=line, state=state)
    return EntryOutcome(queued.id, state, line, retry.next_attempt_at, article_id)


def _count(
    summary: Summary, subject: EntryTask | DueCheck, look: EntryLook, result: UpsertResult | None
) -> None:
    match result, look, subject:
        case UpsertResult(outcome=outcome), _, _:
            summary.count(outcome)
        case _, Failed(error=Postponed()), _:
            return
        case _, Failed(error=error), EntryTask(queued=queued):
            summary.entries_failed += 1
            summary.problems.append(f"entry of {queued.feed_name}: {error}")


def _observe(
    services: Services,
    subject: EntryTask | DueCheck,
    look: EntryLook,
    result: UpsertResult | None,
) -> None:
    match look, result:
        case Failed(error=error), _ if isinstance(subject, DueCheck):
            if not isinstance(error, Postponed):
                bug = None if isinstance(error, IngestorError) else error
                log.warning("recheck_failed", url=subject.url, error=str(error), exc_info=bug)
        case PageRead() | TextRead() | TextInstead(), UpsertResult(outcome="revised"):
            services.observer.revised("edit")
            if isinstance(subject, DueCheck):
                log.info("article_revised", url=subject.url)
        case PageRead() | TextRead() | TextInstead(), UpsertResult(outcome="new"):
            services.observer.revised("new")
            _observe_new(services, look.article, _origin(look))


def _observe_new(services: Services, article: Article, origin: Origin) -> None:
    services.observer.archived(
        origin=origin, template=article.template, published_at=article.published_at
    )
