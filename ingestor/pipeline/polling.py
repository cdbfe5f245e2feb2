"""Feeds: ask, read what changed, write down what was announced."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import structlog

from ingestor import poll
from ingestor.archive.warc import body_sha256
from ingestor.errors import FetchError, IngestorError
from ingestor.fetch.client import require_page
from ingestor.model import Feed, FeedDocument, FeedState, Response, Validators
from ingestor.pipeline import keeping
from ingestor.pipeline.keeping import Kept
from ingestor.pipeline.services import Services, Summary
from ingestor.sources import source
from ingestor.store import entries, feeds

log = structlog.get_logger(__name__)

UNCHANGED_A_TRANSACTION = 100
"""Polls without news are written down together: an idle feed costs no transaction."""


@dataclass(frozen=True, slots=True)
class _Answer:
    """What asking a feed brought: exactly one of a changed body, no news, or an error."""

    state: FeedState
    response: Response | None = None
    """A body: one that has to be read, or one that is as it was."""
    same: bool = False
    """It is the body that was read last."""
    sha256: str = ""
    error: IngestorError | None = None


def read_feed(feed: Feed, response: Response) -> FeedDocument:
    """Read a feed's body; runs in a worker process."""
    return source(feed.kind).read(feed, response)


def poll_feeds(services: Services, states: Sequence[FeedState], summary: Summary) -> None:
    """Ask each feed, write down its new entries together with its validators."""
    unchanged: list[tuple[FeedState, Kept | None]] = []
    answers = services.workers.through(_ask(services, states), _reading)
    for answer, document in answers:
        summary.feeds += 1
        error = answer.error or (document if isinstance(document, Exception) else None)
        if error:
            services.observer.polled("failed")
            _failed(services, answer.state, error, summary)
        elif isinstance(document, FeedDocument):
            services.observer.polled("changed")
            _changed(services, answer, document, summary)
        else:
            services.observer.polled("unchanged")
            summary.feeds_unchanged += 1
            kept = services.keep(answer.response) if answer.response else None
            unchanged.append((answer.state, kept))
            if len(unchanged) >= UNCHANGED_A_TRANSACTION:
                _unchanged(services, unchanged)
    _unchanged(services, unchanged)


def _ask(services: Services, states: Sequence[FeedState]) -> Iterator[_Answer]:
    requests = [(one, source(one.feed.kind).request(one.feed, one.validators)) for one in states]
    for state, outcome in services.fetcher.get_all(requests):
        if isinstance(outcome, FetchError):
            yield _Answer(state, error=outcome)
        elif outcome.status == 304:
            yield _Answer(state)
        else:
            yield _answered(state, outcome)


def _answered(state: FeedState, response: Response) -> _Answer:
    try:
        require_page(response)
    except FetchError as error:
        return _Answer(state, error=error)
    sha256 = body_sha256(response)
    same = sha256 == state.validators.body_sha256
    return _Answer(state, response, same, sha256)


def _reading(answer: _Answer) -> partial[FeedDocument] | None:
    if answer.response is None or answer.same:
        return None
    return partial(read_feed, answer.state.feed, answer.response)


def _changed(services: Services, answer: _Answer, document: FeedDocument, summary: Summary) -> None:
    state, response = answer.state, answer.response
    if response is None:
        raise TypeError("a document without the response that it was read from")
    validators = Validators(
        etag=response.header("etag"),
        last_modified=response.header("last-modified"),
        body_sha256=answer.sha256,
    )
    kept = services.keep(response)
    services.sync()
    with services.database.transaction() as connection:
        keeping.record(connection, kept)
        now = services.clock.now()
        new = entries.announce(connection, state.id, state.feed, document.entries, now=now)
        outcome = _outcome(
            services, state, validators=validators, title=document.title, new_entries=new
        )
        feeds.record_poll(connection, outcome)
    summary.entries_new += new
    log.info("feed_polled", feed=state.feed.name, entries=len(document.entries), new=new)


def _unchanged(services: Services, states: list[tuple[FeedState, Kept | None]]) -> None:
    """Write down polls without news, and empty the list."""
    if not states:
        return
    services.sync()
    with services.database.transaction() as connection:
        for state, kept in states:
            keeping.record(connection, kept)
            feeds.record_poll(connection, _outcome(services, state))
    states.clear()


def _failed(services: Services, state: FeedState, error: Exception, summary: Summary) -> None:
    if not isinstance(error, IngestorError):
        log.error("feed_reader_failed", feed=state.feed.name, exc_info=error)
    line = f"{state.feed.name}: {error}"
    with services.database.transaction() as connection:
        feeds.record_poll(connection, _outcome(services, state, error=str(error)))
    summary.feeds_failed += 1
    summary.problems.append(f"feed {line}")
    log.warning("feed_failed", feed=state.feed.name, error=str(error), failures=state.failures + 1)


def _outcome(
    services: Services,
    state: FeedState,
    *,
    error: str = "",
    validators: Validators | None = None,
    title: str = "",
    new_entries: int = 0,
) -> feeds.PollOutcome:
    now = services.clock.now()
    schedule = services.settings.schedule
    due = poll.next_poll(
        now,
        state.interval,
        failures=state.failures + 1 if error else 0,
        jitter=schedule.jitter,
        chance=services.clock.chance(),
    )
    return feeds.PollOutcome(
        feed_id=state.id,
        polled_at=now,
        next_poll_at=due,
        interval=state.interval,
        error=error,
        validators=validators,
        title=title,
        new_entries=new_entries,
    )
