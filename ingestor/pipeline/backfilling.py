"""The past: days of a source that has history, newest first, page by page, resumable."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial

import structlog

from ingestor.errors import IngestorError
from ingestor.fetch.client import require_page
from ingestor.identity import entry_key, publication_day
from ingestor.model import FeedDocument, FeedState, Response
from ingestor.pipeline import keeping
from ingestor.pipeline.ingesting import ingest_entries
from ingestor.pipeline.polling import read_feed
from ingestor.pipeline.services import Services, Summary
from ingestor.sources import history
from ingestor.store import backfills, entries

log = structlog.get_logger(__name__)

MOST_PAGES_A_DAY = 1_000
"""A busy day of Sina's busiest channel has about 35 pages; a list without end has no end."""


@dataclass(frozen=True, slots=True)
class Day:
    """A day of a feed that was walked, or had been before."""

    feed: str
    day: date
    pages: int
    entries_new: int


def backfill(
    services: Services,
    states: Sequence[FeedState],
    span: tuple[date, date],
    summary: Summary,
    *,
    force: bool = False,
) -> Iterator[Day]:
    """Walk the days of ``span`` (both ends included) for each feed that has history.

    Yields each day when its articles are in. What a page announced is written down together
    with how far the walk is. A feed that fails is left at that day, and its failure stands in
    the summary. With ``force`` days that are through are walked again.
    """
    for state in states:
        if history(state.feed.kind) is None:
            continue
        summary.feeds += 1
        for day in _newest_first(span):
            if services.clock.stop.is_set():
                return
            try:
                yield from _day(services, state, day, summary, force=force)
            except IngestorError as error:
                summary.feeds_failed += 1
                summary.problems.append(f"feed {state.feed.name}: {day}: {error}")
                log.warning(
                    "backfill_failed", feed=state.feed.name, day=day.isoformat(), error=str(error)
                )
                break


def _newest_first(span: tuple[date, date]) -> Iterator[date]:
    first, last = span
    for back in range((last - first).days + 1):
        yield last - timedelta(days=back)


def _day(
    services: Services, state: FeedState, day: date, summary: Summary, *, force: bool
) -> Iterator[Day]:
    with services.database.transaction() as connection:
        if force:
            backfills.forget(connection, state.id, day.isoformat())
        known = backfills.progress(connection, state.id, day.isoformat())
    before = summary.entries_new
    page = known.pages
    if not known.finished:
        for page in _pages(services, state, day, known.pages, summary=summary):
            log.debug("backfill_page", feed=state.feed.name, day=day.isoformat(), page=page)
        ingest_entries(services, [state], summary)
    if not services.clock.stop.is_set():
        yield Day(state.feed.name, day, page, summary.entries_new - before)


def _pages(
    services: Services, state: FeedState, day: date, done: int, *, summary: Summary
) -> Iterator[int]:
    """Write down page after page, until one brings nothing that this walk has not seen."""
    seen: set[str] = set()
    for page in range(done + 1, MOST_PAGES_A_DAY + 1):
        if services.clock.stop.is_set():
            return
        response, document = _ask(services, state, day, page)
        keys = {entry_key(state.feed, entry) for entry in document.entries}
        over = keys <= seen
        seen |= keys
        answer = (response, document)
        summary.entries_new += _write_down(services, state, day, page, answer=answer, over=over)
        yield page
        if over:
            return
    summary.problems.append(
        f"feed {state.feed.name}: {day}: more than {MOST_PAGES_A_DAY} pages; it is not through"
    )
    log.warning("backfill_cut_short", feed=state.feed.name, day=day.isoformat())


def _ask(
    services: Services, state: FeedState, day: date, page: int
) -> tuple[Response, FeedDocument]:
    ask = history(state.feed.kind)
    if ask is None:
        raise TypeError(f"a feed without history is walked: {state.feed.name}")
    response = services.fetcher.get(ask(state.feed, day, page))
    require_page(response)
    return response, services.workers.call(partial(read_feed, state.feed, response))


def _write_down(
    services: Services,
    state: FeedState,
    day: date,
    page: int,
    *,
    answer: tuple[Response, FeedDocument],
    over: bool,
) -> int:
    """Write down a page's entries together with how far the walk is; return how many are new."""
    response, document = answer
    kept = services.keep(response)
    services.sync()
    now = services.clock.now()
    # A day that is not over in China goes on growing at its beginning.
    past = day.isoformat() < publication_day(now)
    with services.database.transaction() as connection:
        keeping.record(connection, kept)
        new = entries.announce(connection, state.id, state.feed, document.entries, now=now)
        if past:
            finished_at = now if over else None
            backfills.record(
                connection, state.id, day.isoformat(), pages=page, finished_at=finished_at
            )
    return new
