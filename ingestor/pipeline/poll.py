"""Feeds: ask, read what changed, write down what was announced."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial

import structlog
from sqlalchemy import Connection

from ingestor import policy
from ingestor.archive.warc.records import body_sha256
from ingestor.errors import FetchError, IngestorError, Postponed
from ingestor.fetch.headers import max_age, require_page, retry_after
from ingestor.model import FeedDocument, FeedState, Request, Response, Validators
from ingestor.pipeline import captures
from ingestor.pipeline.batches import LONGEST_SECONDS
from ingestor.pipeline.captures import WarcCapture
from ingestor.pipeline.services import Services, Summary, remember_pauses
from ingestor.sources import source
from ingestor.store import entries, feeds
from ingestor.text.dates import iso_utc
from ingestor.workers.tasks import read_feed

log = structlog.get_logger(__name__)

CHANGED_A_TRANSACTION = 20
"""Feeds with news that are written down together: their bodies are in memory until then."""

UNCHANGED_A_TRANSACTION = 100
"""Polls without news are written down together: an idle feed costs no transaction."""


@dataclass(frozen=True, slots=True)
class _Answer:
    """What asking a feed brought: a body that has to be read, no news, or an error."""

    state: FeedState
    response: Response | None = None
    """What the server said, also where it stands for an error; ``None``: it said nothing."""
    same: bool = False
    """Its body is the one that was read last."""
    sha256: str = ""
    """Of a whole feed's body; ``""``: it sent none."""
    error: IngestorError | None = None


def poll_feeds(services: Services, states: Sequence[FeedState], summary: Summary) -> None:
    """Ask each feed, write down its new entries together with its validators."""
    changed = _Changed(services, summary)
    unchanged: list[tuple[_Answer, WarcCapture | None]] = []
    postponed: list[tuple[FeedState, Postponed]] = []
    answers = services.workers.through(_ask(services, states), _reading)
    for answer, document in answers:
        changed.write_in_time()
        summary.feeds += 1
        error = answer.error or (document if isinstance(document, Exception) else None)
        if isinstance(error, Postponed):
            postponed.append((answer.state, error))
        elif error:
            services.observer.polled("failed")
            _failed(services, answer, error, summary)
        elif isinstance(document, FeedDocument):
            services.observer.polled("changed")
            changed.add(answer, document)
        else:
            services.observer.polled("unchanged")
            summary.feeds_unchanged += 1
            kept = services.keep(answer.response) if answer.response and answer.sha256 else None
            unchanged.append((answer, kept))
            if len(unchanged) >= UNCHANGED_A_TRANSACTION:
                _unchanged(services, unchanged)
    changed.write()
    _unchanged(services, unchanged)
    _postponed(services, postponed, summary)
    remember_pauses(services)


def _ask(services: Services, states: Sequence[FeedState]) -> Iterator[_Answer]:
    requests = []
    now = services.clock.now()
    for state in states:
        if state.stopped:
            log.warning("feed_stopped", feed=state.feed.name, reason=state.stopped)
        elif state.retry_at and state.retry_at > now:
            line = f"it asked not to be asked before {iso_utc(state.retry_at)}"
            yield _Answer(state, error=Postponed(line, state.retry_at))
        else:
            requests.append((state, _request(state)))
    for state, outcome in services.fetcher.get_all(requests):
        if isinstance(outcome, FetchError):
            yield _Answer(state, error=outcome)
        elif outcome.status == 304:
            yield _Answer(state, outcome)
        else:
            yield _answered(state, outcome)


def _request(state: FeedState) -> Request:
    request = source(state.feed.kind).request(state.feed, state.validators)
    if request.url != state.feed.url:
        # A kind that builds its own addresses: a redirect of one is none of the feed.
        return request
    return replace(request, url=policy.asked_at(state))


def _answered(state: FeedState, response: Response) -> _Answer:
    try:
        require_page(response)
    except FetchError as error:
        return _Answer(state, response, error=error)
    sha256 = body_sha256(response)
    same = sha256 == state.validators.body_sha256
    return _Answer(state, response, same, sha256)


def _reading(answer: _Answer) -> partial[FeedDocument] | None:
    if answer.response is None or answer.same or not answer.sha256:
        return None
    return partial(read_feed, answer.state.feed, answer.response)


@dataclass(slots=True)
class _Changed:
    """Feeds with something to read in them, on their way into the database together."""

    services: Services
    summary: Summary
    waiting: list[tuple[_Answer, FeedDocument]] = field(default_factory=list)
    since: float = 0.0

    def add(self, answer: _Answer, document: FeedDocument) -> None:
        """Take one in."""
        self.since = self.since if self.waiting else self.services.clock.monotonic()
        self.waiting.append((answer, document))

    def write_in_time(self) -> None:
        """Write when many wait, or one has waited for long."""
        waited = self.services.clock.monotonic() - self.since
        if len(self.waiting) >= CHANGED_A_TRANSACTION or waited >= LONGEST_SECONDS:
            self.write()

    def write(self) -> None:
        """Write down what the feeds announce, with their validators, in one transaction."""
        # Whoever else writes them takes them in the same order, and none waits for the other.
        self.waiting.sort(key=lambda one: one[0].state.id)
        answers = [answer for answer, _ in self.waiting]
        if not answers:
            return
        kept = self.services.keep_all([_response(answer) for answer in answers])
        self.services.sync()
        with self.services.database.transaction() as connection:
            captures.record_all(connection, kept)
            new = [_announced(self.services, connection, *one) for one in self.waiting]
        for (answer, document), count in zip(self.waiting, new, strict=True):
            self.summary.entries_new += count
            name = answer.state.feed.name
            log.info("feed_polled", feed=name, entries=len(document.entries), new=count)
        self.waiting.clear()


def _announced(
    services: Services, connection: Connection, answer: _Answer, document: FeedDocument
) -> int:
    """Write down what one feed announces; return how many entries are new."""
    state = answer.state
    validators = replace(_response(answer).validators, body_sha256=answer.sha256)
    now = services.clock.now()
    new = entries.announce(connection, state.id, state.feed, document.entries, now=now)
    outcome = _outcome(services, answer, validators=validators, document=document, new_entries=new)
    feeds.record_poll(connection, outcome)
    if new:
        services.tell_announced(connection, state.id)
    return new


def _response(answer: _Answer) -> Response:
    if answer.response is None:
        raise TypeError("a document without the response that it was read from")
    return answer.response


def _unchanged(services: Services, answers: list[tuple[_Answer, WarcCapture | None]]) -> None:
    """Write down polls without news, and empty the list."""
    if not answers:
        return
    services.sync()
    with services.database.transaction() as connection:
        captures.record_all(connection, [kept for _, kept in answers])
        feeds.record_no_news(connection, [_outcome(services, answer) for answer, _ in answers])
    answers.clear()


def _postponed(
    services: Services, postponed: Sequence[tuple[FeedState, Postponed]], summary: Summary
) -> None:
    """Leave feeds alone, as they or their hosts want: said, but no failure of the feeds.

    All in one transaction: a host that wants to be left alone may have a thousand of them.
    """
    if not postponed:
        return
    with services.database.transaction() as connection:
        for state, error in postponed:
            feeds.postpone(connection, state.id, error.until)
    for state, error in postponed:
        summary.feeds_failed += 1
        summary.problems.append(f"feed {state.feed.name}: {error}")
        log.warning(
            "feed_postponed", feed=state.feed.name, reason=str(error), until=iso_utc(error.until)
        )


def _failed(services: Services, answer: _Answer, error: Exception, summary: Summary) -> None:
    state = answer.state
    if not isinstance(error, IngestorError):
        log.error("feed_reader_failed", feed=state.feed.name, exc_info=error)
    line = f"{state.feed.name}: {error}"
    with services.database.transaction() as connection:
        feeds.record_poll(connection, _failure(services, answer, str(error)))
    summary.feeds_failed += 1
    summary.problems.append(f"feed {line}")
    log.warning("feed_failed", feed=state.feed.name, error=str(error), failures=state.failures + 1)


def _outcome(
    services: Services,
    answer: _Answer,
    *,
    validators: Validators | None = None,
    document: FeedDocument | None = None,
    new_entries: int = 0,
) -> feeds.PollOutcome:
    """Return what a poll that was answered changes in the feed's row."""
    state, now, schedule = answer.state, services.clock.now(), services.settings.schedule
    asked = [timedelta(0), document.ttl if document else None]
    asked += [max_age(answer.response)] if answer.response else []
    interval = policy.next_interval(
        state.interval,
        news=new_entries > 0,
        asked=max(one for one in asked if one is not None),
        every=state.feed.every or schedule.every,
        slowest=schedule.slowest,
    )
    due = policy.next_poll(
        now, interval, failures=0, jitter=schedule.jitter, chance=services.clock.chance()
    )
    moved_to = answer.response.moved_to if answer.response else ""
    return feeds.PollOutcome(
        feed_id=state.id,
        polled_at=now,
        next_poll_at=due,
        interval=interval,
        validators=validators,
        title=document.title if document else "",
        new_entries=new_entries,
        moved=policy.after_redirect(state, moved_to),
    )


def _failure(services: Services, answer: _Answer, error: str) -> feeds.PollOutcome:
    """Return what a poll that failed changes in the feed's row."""
    state, now = answer.state, services.clock.now()
    due = policy.next_poll(
        now,
        state.interval,
        failures=state.failures + 1,
        jitter=services.settings.schedule.jitter,
        chance=services.clock.chance(),
    )
    wait = retry_after(answer.response) if answer.response else None
    retry_at = now + wait if wait else None
    return feeds.PollOutcome(
        feed_id=state.id,
        polled_at=now,
        next_poll_at=max(due, retry_at or due),
        interval=state.interval,
        error=error,
        retry_at=retry_at,
        stopped=_stopped(answer),
    )


def _stopped(answer: _Answer) -> str:
    """Return why a feed is not to be asked any more: its own address is gone for good."""
    gone = answer.response is not None and answer.response.status == 410
    own = policy.asked_at(answer.state) == answer.state.feed.url
    return "HTTP 410: its publisher says that it is gone for good" if gone and own else ""
