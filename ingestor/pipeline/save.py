"""What came out for an entry, and writing it down: article, capture and entry in one go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import structlog
from sqlalchemy import Connection

from ingestor import policy
from ingestor.archive.front_matter import article_path
from ingestor.archive.warc.records import Packed
from ingestor.errors import ArchiveError, FetchError, IngestorError, Postponed
from ingestor.identity import file_id
from ingestor.model import Article, Feed, Origin, Response, Validators
from ingestor.pipeline import captures
from ingestor.pipeline.services import Services, Summary
from ingestor.store import articles, entries, rechecks
from ingestor.store.entries import EntryOutcome, QueuedEntry
from ingestor.store.rechecks import FirstCheck
from ingestor.store.upsert import ArticleUpsert, UpsertOutcome, UpsertResult
from ingestor.text.dates import iso_utc

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Work:
    """An entry on its way, with the answer that its page gave."""

    queued: QueuedEntry
    feed: Feed
    outcome: Response | FetchError | None = None
    """``None``: no page is asked for, the feed's text is the article."""
    address: str = ""
    """Canonical form of the announced address; ``""`` when no page is asked for."""
    shared_address: bool = False
    further: tuple[Response, ...] = ()
    """The answers of an article's further pages."""
    points: bool = False
    """The entry only points to the article: its day is not the article's."""
    packed: Packed | None = None
    """The WARC records of the answer, where they were packed when it was read."""


@dataclass(frozen=True, slots=True)
class Result:
    """What came out for an entry: an article, or an error (one of the two)."""

    work: Work
    article: Article | None = None
    error: Exception | None = None
    fallback: Article | None = None
    """What the feed carries, where the page failed."""

    @property
    def origin(self) -> Origin:
        """Where the text of the article came from."""
        return "page" if self.article and isinstance(self.work.outcome, Response) else "feed"


def save(services: Services, batch: Sequence[Result], summary: Summary) -> None:
    """Save a batch in one transaction, after what was received is on the disk."""
    received = [(page, result.work.packed) for result in batch if (page := _page(result))]
    received += [(one, None) for result in batch for one in result.work.further]
    pages = [page for page, _ in received]
    kept = services.keep_all(pages, [packed for _, packed in received])
    services.sync()
    with services.database.transaction() as connection:
        ids = captures.record_all(connection, kept)
        capture_of = dict(zip(map(id, pages), ids, strict=True))
        saved = _save_articles(connection, services, batch, capture_of)
        outcomes = [
            _entry_outcome(services, result, one) for result, one in zip(batch, saved, strict=True)
        ]
        entries.record(connection, outcomes)
    for result, one in zip(batch, saved, strict=True):
        outcome = one.outcome if one else None
        _count(summary, result, outcome)
        _tell(services, result, outcome)


def _page(result: Result) -> Response | None:
    """Return the page to be kept as received: also one that our rules failed on, to look into."""
    response = result.work.outcome
    return response if isinstance(response, Response) and response.status == 200 else None


def _save_articles(
    connection: Connection,
    services: Services,
    batch: Sequence[Result],
    capture_of: Mapping[int, int | None],
) -> list[UpsertResult | None]:
    """Save the articles of a batch; return what became of each, ``None`` where there is none."""
    there = [result for result in batch if result.article or result.fallback]
    arrivals = [_arrival(services, result, capture_of) for result in there]
    saved = articles.save_all(connection, arrivals, path_of)
    checks = [
        _first_check(services, one.article_id, result.work.outcome)
        for result, one in zip(there, saved, strict=True)
        if result.work.outcome is not None and (one.outcome == "new" or one.first_page)
    ]
    rechecks.begin(connection, checks)
    of = dict(zip(map(id, there), saved, strict=True))
    return [of.get(id(result)) for result in batch]


def _entry_outcome(services: Services, result: Result, saved: UpsertResult | None) -> EntryOutcome:
    article_id = saved.article_id if saved else None
    if result.error is None:
        return EntryOutcome(result.work.queued.id, "done", article_id=article_id)
    return _after_error(services, result, article_id)


def _first_check(
    services: Services, article_id: int, outcome: Response | FetchError | None
) -> FirstCheck:
    delays = services.settings.schedule.recheck
    if isinstance(outcome, Response) and outcome.status == 200:
        validators = outcome.validators
        seen_at = outcome.fetched_at
    else:
        # The feed's text was archived; should the page come back, it is the better witness.
        validators, seen_at = Validators(), services.clock.now()
    # Counted from the answer, also as "now": the first look is never skipped because saving
    # took long.
    return FirstCheck(article_id, validators, policy.next_check(seen_at, delays, seen_at))


def _arrival(
    services: Services, result: Result, capture_of: Mapping[int, int | None]
) -> ArticleUpsert:
    queued, response = result.work.queued, result.work.outcome
    article = result.article or result.fallback
    if article is None:
        raise TypeError("an arrival without an article")
    fetched = response.fetched_at if isinstance(response, Response) and result.article else None
    return ArticleUpsert(
        article=article,
        author=result.work.feed.author,
        categories=(*result.work.feed.categories, result.work.feed.name),
        origin=result.origin,
        seen_at=fetched or services.clock.now(),
        feed_id=queued.feed_id,
        guid=queued.entry.guid,
        announced_at=None if result.work.points else queued.entry.published_at,
        announced_as=result.work.address,
        capture_id=capture_of.get(id(response)),
    )


def path_of(arrival: ArticleUpsert, day: str) -> str:
    """Return the file of a new article of ``day``, relative to the archive folder."""
    article = arrival.article
    identifier = file_id(article.url, article.document_id)
    return article_path(arrival.categories, day, article.title, identifier)


def _after_error(services: Services, result: Result, article_id: int | None) -> EntryOutcome:
    queued, error = result.work.queued, result.error
    now = services.clock.now()
    if isinstance(error, ArchiveError):
        raise error
    if isinstance(error, Postponed):
        log.info("entry_postponed", url=queued.entry.url, until=iso_utc(error.until))
        return EntryOutcome(queued.id, "pending", str(error), error.until, tried=False)
    if isinstance(error, IngestorError):
        line, kind = str(error), policy.failure_kind(error)
        retry = policy.after_failure(kind, queued.attempts + 1, now, chance=services.clock.chance())
    else:
        # A bug of ours: the same page would only fail again, and somebody has to look.
        log.error("extraction_failed", url=queued.entry.url, exc_info=error)
        line, retry = f"{queued.entry.url}: a bug: {error!r}", policy.Retry("parked", None)
    archived = article_id or queued.article_id
    state = "done" if retry.state == "parked" and archived else retry.state
    log.warning("entry_failed", feed=queued.feed_name, error=line, state=state)
    return EntryOutcome(queued.id, state, line, retry.next_attempt_at, article_id)


def _tell(services: Services, result: Result, outcome: UpsertOutcome | None) -> None:
    article = result.article or result.fallback
    if outcome == "revised":
        services.observer.revised("edit")
    if article and outcome == "new":
        services.observer.revised("new")
        services.observer.archived(
            origin=result.origin, template=article.template, published_at=article.published_at
        )


def _count(summary: Summary, result: Result, outcome: UpsertOutcome | None) -> None:
    if outcome == "new":
        summary.articles_new += 1
    elif outcome == "revised":
        summary.articles_revised += 1
    elif outcome == "unchanged":
        summary.articles_unchanged += 1
    elif not isinstance(result.error, Postponed):
        queued = result.work.queued
        summary.entries_failed += 1
        summary.problems.append(f"entry of {queued.feed_name}: {result.error}")
