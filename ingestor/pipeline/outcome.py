"""What follows from looks: how each entry went, and when each article is looked at again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from sqlalchemy import Connection

from ingestor import log, policy
from ingestor.errors import ArchiveError, IngestorError, NotBelieved, Postponed
from ingestor.model import Feed, Validators
from ingestor.pipeline.captures import NewCapture
from ingestor.pipeline.judge import PageSeen
from ingestor.pipeline.look import Failed, Look, PageRead, PageUnchanged, TextInstead, TextRead
from ingestor.pipeline.services import Services, Summary
from ingestor.store import ArticleUpsert, UpsertResult, articles, entries, rechecks
from ingestor.store.entries import EntryOutcome, QueuedEntry
from ingestor.store.rechecks import DueCheck, FirstCheck
from ingestor.text.dates import iso_utc
from ingestor.witness import looks
from ingestor.witness.looks import Verdict


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

    @property
    def feed_id(self) -> int:
        """Return whose entry it is."""
        return self.queued.feed_id

    @property
    def due_at(self) -> datetime:
        """Return since when it waits for its page to be looked at."""
        return self.queued.due_at


EntryLook: TypeAlias = Look | TextRead | TextInstead
"""What came of an entry: of its page, of its own text, or of its text in place of its page."""

Subject: TypeAlias = EntryTask | DueCheck
Settled: TypeAlias = tuple[Subject, EntryLook]
"""What was looked at, and what came of it."""

GivenUp: TypeAlias = tuple[EntryTask, Failed]
"""An entry whose page is given up while its feed carries a text, and how the page failed."""


@dataclass(frozen=True, slots=True)
class Case:
    """A look that is being settled."""

    subject: Subject
    look: EntryLook
    """As it came, or, once its page was judged and not believed, a failure."""
    page: PageSeen | None
    """What is judged; ``None``: no page came that shows anything."""
    received: Sequence[NewCapture] = ()
    """What came, and where it is in the WARC: the page itself first."""
    upsert: ArticleUpsert | None = None
    """Its article; ``None``: there is none that is believed."""
    verdict: Verdict | None = None
    """``None``: no page came, and no text that could be placed."""
    result: UpsertResult | None = None
    """What became of its article in the store."""


def record(connection: Connection, services: Services, cases: Sequence[Case]) -> None:
    """Record how each entry went, and when each article is looked at again."""
    outcomes: list[EntryOutcome] = []
    planned: list[FirstCheck] = []
    for case in cases:
        if isinstance(case.subject, EntryTask):
            outcomes.append(_entry_outcome(services, case.subject, case))
        else:
            _record_recheck(connection, services, case.subject, case)
        if case.result and (case.result.outcome == "new" or case.result.first_page):
            planned += _first_check(services, case.result.article_id, case.look)
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
    connection: Connection, services: Services, check: DueCheck, case: Case
) -> None:
    """Record a look: a page that is gone or not believed is no edit of the article."""
    if isinstance(case.look, Failed) and isinstance(case.look.error, Postponed):
        rechecks.postpone(connection, check, case.look.error.until)
        return
    match case:
        case Case(verdict=looks.PageGone()):
            articles.record_gone(connection, check.article_id, services.clock.now())
        case Case(look=PageUnchanged()) | Case(result=UpsertResult()):
            articles.record_gone(connection, check.article_id, None)
    mine = case.result is not None and case.result.article_id == check.article_id
    validators = case.look.response.validators if mine and isinstance(case.look, PageRead) else None
    delays, now = services.settings.schedule.recheck, services.clock.now()
    again = policy.next_check(check.first_seen_at, delays, now)
    rechecks.done(connection, check, validators, next_check_at=again)


def _entry_outcome(services: Services, task: EntryTask, case: Case) -> EntryOutcome:
    article_id = case.result.article_id if case.result else None
    match case.look:
        case Failed(error=error) | TextInstead(failure=Failed(error=error)):
            return _after_failure(services, task.queued, error, article_id)
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


def count(summary: Summary, case: Case) -> None:
    """Count what became of a look."""
    if case.result:
        summary.count(case.result.outcome)
    elif isinstance(case.look, Failed) and not isinstance(case.look.error, Postponed):
        if isinstance(case.subject, EntryTask):
            summary.entries_failed += 1
            feed = case.subject.queued.feed_name
            summary.problems.append(f"entry of {feed}: {case.look.error}")
        elif isinstance(case.look.error, NotBelieved):
            summary.pages_doubted += 1
            summary.problems.append(f"second look: {case.look.error}")


def observe(services: Services, case: Case) -> None:
    """Tell whoever watches what became of a look."""
    if isinstance(case.verdict, looks.NotAnArticle | looks.Doubtful):
        kind = case.verdict.reason if isinstance(case.verdict, looks.NotAnArticle) else "doubtful"
        services.observer.doubted(kind)
    if isinstance(case.subject, DueCheck):
        _observe_recheck(case.subject, case)
    outcome = case.result.outcome if case.result else ""
    if outcome == "revised":
        services.observer.revised("edit")
    if case.upsert and outcome == "new":
        services.observer.revised("new")
        services.observer.archived(
            origin=case.upsert.origin,
            template=case.upsert.article.template,
            published_at=case.upsert.article.published_at,
        )


def _observe_recheck(check: DueCheck, case: Case) -> None:
    error = case.look.error if isinstance(case.look, Failed) else None
    if error and not isinstance(error, Postponed):
        bug = None if isinstance(error, IngestorError) else error
        log.warning("recheck_failed", url=check.url, error=str(error), exc_info=bug)
    elif case.result and case.result.outcome == "revised":
        log.info("article_revised", url=check.url)
