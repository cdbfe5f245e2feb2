"""Feeds: ask, read what changed, write down what was announced.

::

    feeds that are due | ask (304? same hash?) | read (workers) | FeedRead …  | write, together
                                                                            | older pages

Of a feed that stops in the middle the whole entries are written down, and its poll is a failure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import TypeAlias

from ingestor import log, policy
from ingestor.archive.warc.records import body_sha256
from ingestor.errors import CutOff, FetchError, IngestorError, Postponed
from ingestor.fetch.headers import is_unchanged, max_age, require_page, retry_after
from ingestor.model import FeedDocument, FeedState, Request, Response, Validators
from ingestor.pipeline import captures
from ingestor.pipeline.announce import FeedPage, announce_ahead, announcing, read_older, unseen
from ingestor.pipeline.rounds import LONGEST_SECONDS, Round, Turns
from ingestor.pipeline.services import Services, Summary, remember_pauses
from ingestor.sources import source
from ingestor.store import feeds
from ingestor.text.dates import iso_utc
from ingestor.workers.tasks import read_feed


@dataclass(frozen=True, slots=True)
class _Fetched:
    """A feed that answered with a body that has to be read."""

    response: Response
    sha256: str
    cut: CutOff | None = None
    """Why this is only the beginning of its body."""


@dataclass(frozen=True, slots=True)
class FeedRead:
    """A feed that answered, and what it announces."""

    state: FeedState
    page: FeedPage
    sha256: str
    """Of its body."""


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

POLLS_A_TRANSACTION: dict[type[Polled], int] = {
    # Their bodies are in memory until then.
    FeedRead: 20,
    FeedUnchanged: 100,
    FeedFailed: 100,
    FeedPostponed: 1_000,
}
"""Polls that are written down together."""


def poll_feeds(services: Services, states: Sequence[FeedState], summary: Summary) -> Round:
    """Ask each feed, write down its new entries together with its validators.

    Yields the ids of the feeds that are through. Their older pages come after that.
    """
    batches = _Batches(services.clock.monotonic)
    large: Turns[Sequence[int]] = Turns()
    older: Turns[Sequence[int]] = Turns()

    def go_on(*, at_once: bool = False) -> Round:
        """Write down what has waited for long enough, and go on with what follows from it."""
        for batch in batches.due(at_once=at_once):
            older.add(_read_on(services, _write(services, batch, summary), summary))
            yield [polled.state.id for polled in batch]
        yield from large.go_on()
        yield from older.go_on()

    for polled in _poll(services, states):
        if isinstance(polled, FeedRead):
            large.add(_announced_ahead(services, batches, polled, summary))
        elif polled:
            batches.add(polled)
        yield from go_on()
        if not polled:
            yield ()
    while batches.waiting or large or older:
        yield from go_on(at_once=not large)
        yield ()
    remember_pauses(services)


def _read_on(services: Services, pages: Sequence[FeedPage], summary: Summary) -> Round:
    """Read the older pages and the parts of feeds; what parts bring is news of the feed."""
    new = yield from read_older(services, pages, summary)
    indexes = [page for page in pages if page.document.parts and new[page.state.id]]
    if not indexes:
        return
    with services.database.transaction() as connection:
        for page in indexes:
            count = new[page.state.id]
            feeds.record_poll(
                connection, _outcome(services, FeedRead(page.state, page, ""), new_entries=count)
            )


def _announced_ahead(
    services: Services, batches: _Batches, polled: FeedRead, summary: Summary
) -> Round:
    """Write down what a feed announces but for its end, which goes with the others' together."""
    page = yield from announce_ahead(services, polled.page, summary)
    batches.add(replace(polled, page=page))


def _poll(services: Services, states: Sequence[FeedState]) -> Iterator[Polled | None]:
    asked = _ask(services, states)
    for came in services.workers.as_done(asked, _task, lambda asked: asked[0].id):
        if came is None:
            yield None
            continue
        (state, answer), document = came
        if not isinstance(answer, _Fetched):
            yield answer
        elif isinstance(document, FeedDocument):
            told = replace(document, fault=document.fault or str(answer.cut or ""))
            yield FeedRead(state, FeedPage(state, answer.response, told), answer.sha256)
        else:
            error = answer.cut or document or TypeError("a reader of feeds returned nothing")
            yield FeedFailed(state, error, answer.response)


def _task(asked: tuple[FeedState, _Fetched | Polled]) -> partial[FeedDocument] | None:
    state, answer = asked
    return partial(read_feed, state.feed, answer.response) if isinstance(answer, _Fetched) else None


def _ask(
    services: Services, states: Sequence[FeedState]
) -> Iterator[tuple[FeedState, _Fetched | Polled] | None]:
    requests = []
    now = services.clock.now()
    for state in states:
        if state.stopped:
            log.warning("feed_stopped", feed=state.feed.name, reason=state.stopped)
        elif state.retry_at and state.retry_at > now:
            line = f"it asked not to be asked before {iso_utc(state.retry_at)}"
            yield state, FeedPostponed(state, Postponed(line, state.retry_at))
        else:
            requests.append((state, _request(state)))
    for came in services.fetcher.asked(requests):
        yield (came[0], _answer(*came)) if came else None


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
    return _Fetched(answer, sha256, cut)


class _Batches:
    """Polls on their way into the database, each kind together: an idle feed has no transaction."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self.waiting: dict[type[Polled], list[Polled]] = {}
        self._since: dict[type[Polled], float] = {}

    def add(self, polled: Polled) -> None:
        """Add a poll to those of its kind that are written next."""
        self._since.setdefault(type(polled), self._monotonic())
        self.waiting.setdefault(type(polled), []).append(polled)

    def due(self, *, at_once: bool) -> Iterator[list[Polled]]:
        """Take out those kinds of which many wait, or one has waited for long; else all of them."""
        now = self._monotonic()
        for kind, batch in list(self.waiting.items()):
            late = now - self._since[kind] >= LONGEST_SECONDS
            if at_once or late or len(batch) >= POLLS_A_TRANSACTION[kind]:
                del self.waiting[kind], self._since[kind]
                yield batch


def _write(services: Services, batch: Sequence[Polled], summary: Summary) -> list[FeedPage]:
    """Write down polls of one kind; return pages on which nothing was known, with older behind."""
    summary.feeds += len(batch)
    # Whoever else writes them takes them in the same order, and none waits for the other.
    batch = sorted(batch, key=lambda polled: polled.state.id)
    read = [polled for polled in batch if isinstance(polled, FeedRead)]
    unchanged = [polled for polled in batch if isinstance(polled, FeedUnchanged)]
    failed = [polled for polled in batch if isinstance(polled, FeedFailed)]
    postponed = [polled for polled in batch if isinstance(polled, FeedPostponed)]
    if unchanged:
        _write_unchanged(services, unchanged, summary)
    if failed:
        _write_failed(services, failed, summary)
    if postponed:
        _write_postponed(services, postponed, summary)
    return _write_read(services, read, summary) if read else []


def _write_read(services: Services, batch: Sequence[FeedRead], summary: Summary) -> list[FeedPage]:
    """Write down what feeds announce, with their validators, in one transaction."""
    pages = [polled.page for polled in batch]
    with announcing(services, pages, summary) as (connection, new):
        for polled, count in zip(batch, new, strict=True):
            feeds.record_poll(connection, _outcome(services, polled, new_entries=count))
    for page, count in zip(pages, new, strict=True):
        name, announced = page.state.feed.name, len(page.document.entries)
        services.observer.polled("failed" if page.document.fault else "changed")
        log.info("feed_polled", feed=name, entries=announced, new=count)
        if page.document.fault:
            _say_failed(page.state, page.document.fault, summary)
    return list(unseen(pages, new))


def _write_unchanged(services: Services, batch: Sequence[FeedUnchanged], summary: Summary) -> None:
    """Write down polls without news, and the bodies that came all the same."""
    bodies = [(polled.response, None) for polled in batch if polled.response.status != 304]
    written = services.write_warc(bodies)
    with services.recording() as connection:
        captures.record_all(connection, written)
        feeds.record_no_news(connection, [_outcome(services, polled) for polled in batch])
    for _ in batch:
        services.observer.polled("unchanged")
    summary.feeds_unchanged += len(batch)


def _write_postponed(
    services: Services, postponed: Sequence[FeedPostponed], summary: Summary
) -> None:
    """Leave feeds alone, as they or their hosts want: said, but no failure of the feeds.

    All in one transaction: a host that wants to be left alone may have a thousand of them.
    """
    with services.database.transaction() as connection:
        for polled in postponed:
            feeds.postpone(connection, polled.state.id, polled.error.until)
    for polled in postponed:
        name, reason = polled.state.feed.name, str(polled.error)
        summary.feeds_failed += 1
        summary.problems.append(f"feed {name}: {reason}")
        log.warning("feed_postponed", feed=name, reason=reason, until=iso_utc(polled.error.until))


def _write_failed(services: Services, failed: Sequence[FeedFailed], summary: Summary) -> None:
    with services.database.transaction() as connection:
        for polled in failed:
            feeds.record_poll(connection, _failure(services, polled))
    for polled in failed:
        services.observer.polled("failed")
        if not isinstance(polled.error, IngestorError):
            log.error("feed_reader_failed", feed=polled.state.feed.name, exc_info=polled.error)
        _say_failed(polled.state, str(polled.error), summary)


def _say_failed(state: FeedState, error: str, summary: Summary) -> None:
    summary.feeds_failed += 1
    summary.problems.append(f"feed {state.feed.name}: {error}")
    log.warning("feed_failed", feed=state.feed.name, error=error, failures=state.failures + 1)


def _outcome(
    services: Services, polled: FeedRead | FeedUnchanged, *, new_entries: int = 0
) -> feeds.PollOutcome:
    """Return what a poll that was answered changes in the feed's row."""
    state, now, schedule = polled.state, services.clock.now(), services.settings.schedule
    document = polled.page.document if isinstance(polled, FeedRead) else None
    response = polled.page.response if isinstance(polled, FeedRead) else polled.response
    asked = [max_age(response), document.ttl if document else None]
    interval = policy.next_interval(
        state.interval,
        news=new_entries > 0,
        asked=max((least for least in asked if least is not None), default=timedelta(0)),
        every=state.feed.every or schedule.every,
        slowest=schedule.slowest,
    )
    fault = document.fault if document else ""
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
        validators=_validators(polled) if isinstance(polled, FeedRead) else None,
        title=document.title if document else "",
        new_entries=new_entries,
        moved=policy.after_redirect(state, response.moved_to),
        zone_shift=document.zone_shift if document else None,
    )


def _validators(read: FeedRead) -> Validators:
    """Return what the next request names; of less than the whole feed nothing, so that it comes."""
    # Of an index the parts may have news where it has none itself.
    if read.page.document.fault or read.page.document.parts:
        return Validators()
    return replace(read.page.response.validators, body_sha256=read.sha256)


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
