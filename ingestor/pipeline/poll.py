"""Feeds: ask, read what changed, write down what was announced.

::

    feeds that are due | ask (304? same hash?) | read (workers) | FeedRead …  | write, together
                                                                            | older pages

Of a feed that stops in the middle the whole entries are written down, and its poll is a failure.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from typing import TypeAlias

import structlog

from ingestor import policy
from ingestor.archive.warc.records import body_sha256
from ingestor.errors import CutOff, FetchError, IngestorError, Postponed
from ingestor.fetch.headers import is_unchanged, max_age, require_page, retry_after
from ingestor.model import FeedDocument, FeedState, Request, Response, Validators
from ingestor.pipeline import captures
from ingestor.pipeline.announce import FeedPage, announcing, read_older, unseen
from ingestor.pipeline.ingest import LONGEST_SECONDS
from ingestor.pipeline.services import Services, Summary, remember_pauses
from ingestor.sources import source
from ingestor.store import feeds
from ingestor.text.dates import iso_utc
from ingestor.workers.tasks import read_feed

log = structlog.get_logger(__name__)

CHANGED_A_TRANSACTION = 20
"""Feeds with news that are written down together: their bodies are in memory until then."""

UNCHANGED_A_TRANSACTION = 100
"""Polls without news are written down together: an idle feed costs no transaction."""


@dataclass(frozen=True, slots=True)
class _Fetched:
    """A feed that answered with a body that has to be read."""

    state: FeedState
    response: Response
    sha256: str
    cut: CutOff | None = None
    """Why this is only the beginning of its body."""


@dataclass(frozen=True, slots=True)
class FeedRead:
    """A feed that answered, and what it announces."""

    state: FeedState
    response: Response
    sha256: str
    """Of its body."""
    document: FeedDocument


@dataclass(frozen=True, slots=True)
class FeedUnchanged:
    """A feed without news: 304, or the same body once more."""

    state: FeedState
    response: Response


@dataclass(frozen=True, slots=True)
class FeedFailed:
    """A feed that did not answer, or whose body cannot be read."""

    state: FeedState
    error: Exception
    response: Response | None = None
    """What the server said all the same."""


@dataclass(frozen=True, slots=True)
class FeedPostponed:
    """A feed that was not asked: it, or its host, wants to be left alone for now."""

    state: FeedState
    error: Postponed


Polled: TypeAlias = FeedRead | FeedUnchanged | FeedFailed | FeedPostponed
"""What came of polling a feed."""


def poll_feeds(services: Services, states: Sequence[FeedState], summary: Summary) -> None:
    """Ask each feed, write down its new entries together with its validators."""
    changed, unchanged = _Changed(services, summary), _Unchanged(services)
    postponed: list[FeedPostponed] = []
    for polled in _poll(services, states):
        changed.write_in_time()
        summary.feeds += 1
        match polled:
            case FeedRead():
                services.observer.polled("failed" if polled.document.fault else "changed")
                changed.add(polled)
            case FeedUnchanged():
                services.observer.polled("unchanged")
                summary.feeds_unchanged += 1
                unchanged.add(polled)
            case FeedFailed():
                services.observer.polled("failed")
                _write_failed(services, polled, summary)
            case FeedPostponed():
                postponed.append(polled)
    changed.write()
    read_older(services, changed.all_new, summary)
    unchanged.write()
    _write_postponed(services, postponed, summary)
    remember_pauses(services)


def _poll(services: Services, states: Sequence[FeedState]) -> Iterator[Polled]:
    for answer, document in services.workers.through(_ask(services, states), _task):
        if not isinstance(answer, _Fetched):
            yield answer
        elif isinstance(document, FeedDocument):
            told = replace(document, fault=document.fault or str(answer.cut or ""))
            yield FeedRead(answer.state, answer.response, answer.sha256, told)
        else:
            error = answer.cut or document or TypeError("a reader of feeds returned nothing")
            yield FeedFailed(answer.state, error, answer.response)


def _task(answer: _Fetched | Polled) -> partial[FeedDocument] | None:
    if isinstance(answer, _Fetched):
        return partial(read_feed, answer.state.feed, answer.response)
    return None


def _ask(services: Services, states: Sequence[FeedState]) -> Iterator[_Fetched | Polled]:
    requests = []
    now = services.clock.now()
    for state in states:
        if state.stopped:
            log.warning("feed_stopped", feed=state.feed.name, reason=state.stopped)
        elif state.retry_at and state.retry_at > now:
            line = f"it asked not to be asked before {iso_utc(state.retry_at)}"
            yield FeedPostponed(state, Postponed(line, state.retry_at))
        else:
            requests.append((state, _request(state)))
    for state, answer in services.fetcher.get_all(requests):
        yield _answer(state, answer)


def _request(state: FeedState) -> Request:
    request = source(state.feed.kind).request(state.feed, state.validators)
    if request.url != state.feed.url:
        # A kind that builds its own addresses: a redirect of one is none of the feed.
        return request
    return replace(request, url=policy.asked_at(state))


def _answer(state: FeedState, answer: Response | FetchError) -> _Fetched | Polled:
    if isinstance(answer, Postponed):
        return FeedPostponed(state, answer)
    cut = answer if isinstance(answer, CutOff) else None
    if cut and cut.response:
        answer = cut.response
    if isinstance(answer, FetchError):
        return FeedFailed(state, answer)
    if is_unchanged(answer):
        return FeedUnchanged(state, answer)
    try:
        require_page(answer)
    except FetchError as error:
        return FeedFailed(state, error, answer)
    sha256 = body_sha256(answer)
    if sha256 == state.validators.body_sha256 and not cut:
        return FeedUnchanged(state, answer)
    return _Fetched(state, answer, sha256, cut)


@dataclass(slots=True)
class _Changed:
    """Feeds with something to read in them, on their way into the database together."""

    services: Services
    summary: Summary
    waiting: list[FeedRead] = field(default_factory=list)
    since: float = 0.0
    all_new: list[FeedPage] = field(default_factory=list)
    """Pages on which nothing was known, and behind which there are older ones."""

    def add(self, polled: FeedRead) -> None:
        """Add a feed to those that are written next."""
        self.since = self.since if self.waiting else self.services.clock.monotonic()
        self.waiting.append(polled)

    def write_in_time(self) -> None:
        """Write when many wait, or one has waited for long."""
        waited = self.services.clock.monotonic() - self.since
        if len(self.waiting) >= CHANGED_A_TRANSACTION or waited >= LONGEST_SECONDS:
            self.write()

    def write(self) -> None:
        """Write down what the feeds announce, with their validators, in one transaction."""
        if not self.waiting:
            return
        # Whoever else writes them takes them in the same order, and none waits for the other.
        self.waiting.sort(key=lambda polled: polled.state.id)
        pages = [FeedPage(read.state, read.response, read.document) for read in self.waiting]
        with announcing(self.services, pages, self.summary) as (connection, new):
            for polled, count in zip(self.waiting, new, strict=True):
                feeds.record_poll(connection, _outcome(self.services, polled, new_entries=count))
        for page, count in zip(pages, new, strict=True):
            name, announced = page.state.feed.name, len(page.document.entries)
            log.info("feed_polled", feed=name, entries=announced, new=count)
            if page.document.fault:
                _say_failed(page.state, page.document.fault, self.summary)
        self.all_new += unseen(pages, new)
        self.waiting.clear()


@dataclass(slots=True)
class _Unchanged:
    """Feeds without news: an idle feed costs no transaction of its own."""

    services: Services
    waiting: list[FeedUnchanged] = field(default_factory=list)

    def add(self, polled: FeedUnchanged) -> None:
        """Add a feed, and write when many wait."""
        self.waiting.append(polled)
        if len(self.waiting) >= UNCHANGED_A_TRANSACTION:
            self.write()

    def write(self) -> None:
        """Write down polls without news, and the bodies that came all the same."""
        if not self.waiting:
            return
        bodies = [polled.response for polled in self.waiting if polled.response.status != 304]
        written = self.services.write_warc(bodies)
        with self.services.recording() as connection:
            captures.record_all(connection, written)
            outcomes = [_outcome(self.services, polled) for polled in self.waiting]
            feeds.record_no_news(connection, outcomes)
        self.waiting.clear()


def _write_postponed(
    services: Services, postponed: Sequence[FeedPostponed], summary: Summary
) -> None:
    """Leave feeds alone, as they or their hosts want: said, but no failure of the feeds.

    All in one transaction: a host that wants to be left alone may have a thousand of them.
    """
    if not postponed:
        return
    with services.database.transaction() as connection:
        for polled in postponed:
            feeds.postpone(connection, polled.state.id, polled.error.until)
    for polled in postponed:
        name, reason = polled.state.feed.name, str(polled.error)
        summary.feeds_failed += 1
        summary.problems.append(f"feed {name}: {reason}")
        log.warning("feed_postponed", feed=name, reason=reason, until=iso_utc(polled.error.until))


def _write_failed(services: Services, polled: FeedFailed, summary: Summary) -> None:
    state, error = polled.state, polled.error
    if not isinstance(error, IngestorError):
        log.error("feed_reader_failed", feed=state.feed.name, exc_info=error)
    with services.database.transaction() as connection:
        feeds.record_poll(connection, _failure(services, polled))
    _say_failed(state, str(error), summary)


def _say_failed(state: FeedState, error: str, summary: Summary) -> None:
    summary.feeds_failed += 1
    summary.problems.append(f"feed {state.feed.name}: {error}")
    log.warning("feed_failed", feed=state.feed.name, error=error, failures=state.failures + 1)


def _outcome(
    services: Services, polled: FeedRead | FeedUnchanged, *, new_entries: int = 0
) -> feeds.PollOutcome:
    """Return what a poll that was answered changes in the feed's row."""
    state, now, schedule = polled.state, services.clock.now(), services.settings.schedule
    read = polled if isinstance(polled, FeedRead) else None
    asked = [max_age(polled.response), read.document.ttl if read else None]
    interval = policy.next_interval(
        state.interval,
        news=new_entries > 0,
        asked=max((least for least in asked if least is not None), default=timedelta(0)),
        every=state.feed.every or schedule.every,
        slowest=schedule.slowest,
    )
    fault = read.document.fault if read else ""
    due = policy.next_poll(
        now,
        interval,
        failures=state.failures + 1 if fault else 0,
        jitter=schedule.jitter,
        chance=services.clock.chance(),
    )
    return feeds.PollOutcome(
        feed_id=state.id,
        polled_at=now,
        next_poll_at=due,
        interval=interval,
        error=fault,
        validators=_validators(read) if read else None,
        title=read.document.title if read else "",
        new_entries=new_entries,
        moved=policy.after_redirect(state, polled.response.moved_to),
        zone_shift=read.document.zone_shift if read else None,
    )


def _validators(read: FeedRead) -> Validators:
    """Return what the next request names; of less than the whole feed nothing, so that it comes."""
    if read.document.fault:
        return Validators()
    return replace(read.response.validators, body_sha256=read.sha256)


def _failure(services: Services, polled: FeedFailed) -> feeds.PollOutcome:
    """Return what a poll that failed changes in the feed's row."""
    state, now = polled.state, services.clock.now()
    due = policy.next_poll(
        now,
        state.interval,
        failures=state.failures + 1,
        jitter=services.settings.schedule.jitter,
        chance=services.clock.chance(),
    )
    wait = retry_after(polled.response) if polled.response else None
    retry_at = now + wait if wait else None
    return feeds.PollOutcome(
        feed_id=state.id,
        polled_at=now,
        next_poll_at=max(due, retry_at or due),
        interval=state.interval,
        error=str(polled.error),
        retry_at=retry_at,
        stopped=_stopped(polled),
    )


def _stopped(polled: FeedFailed) -> str:
    """Return why a feed is not to be asked any more: its own address is gone for good."""
    gone = polled.response is not None and polled.response.status == 410
    own = policy.asked_at(polled.state) == polled.state.feed.url
    return "HTTP 410: its publisher says that it is gone for good" if gone and own else ""
