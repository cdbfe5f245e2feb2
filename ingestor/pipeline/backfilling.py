"""The past: days of a source that has history, newest first, page by page, resumable."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

import structlog

from ingestor.errors import IngestorError
from ingestor.identity import entry_key
from ingestor.model import FeedState
from ingestor.pipeline.backfill import walk_list
from ingestor.pipeline.ingest import ingest_entries
from ingestor.pipeline.past_pages import Day, TakeIn, ask, give_up, newest_first, write_down
from ingestor.pipeline.services import Services, Summary
from ingestor.sources import has_past, history, older
from ingestor.store import backfills
from ingestor.store.backfills import Progress

log = structlog.get_logger(__name__)

MOST_PAGES_A_DAY = 1_000
"""A busy day of Sina's busiest channel has about 35 pages; a list without end has no end."""


def backfill(
    services: Services,
    states: Sequence[FeedState],
    span: tuple[date, date],
    summary: Summary,
    *,
    force: bool = False,
    take_in: TakeIn = ingest_entries,
) -> Iterator[Day]:
    """Walk the days of ``span`` (both ends included) for each feed that has history.

    Yields each day when its articles are in. What a page announced is written down together
    with how far the walk is. A feed that fails is left at that day, and its failure stands in
    the summary. With ``force`` days that are through are walked again. ``take_in`` is what is done
    with what was announced, where others ingest it.
    """
    for state in states:
        if not has_past(state.feed.kind):
            continue
        summary.feeds += 1
        walk = walk_list if older(state.feed.kind) else _walk_days
        yield from walk(services, state, span, summary, force=force, take_in=take_in)


def _walk_days(
    services: Services,
    state: FeedState,
    span: tuple[date, date],
    summary: Summary,
    *,
    force: bool,
    take_in: TakeIn,
) -> Iterator[Day]:
    for day in newest_first(span):
        if services.clock.stop.is_set():
            return
        try:
            yield from _day(services, state, day, summary, force=force, take_in=take_in)
        except IngestorError as error:
            give_up(state, error, summary, day=day)
            return


def _day(
    services: Services,
    state: FeedState,
    day: date,
    summary: Summary,
    *,
    force: bool,
    take_in: TakeIn,
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
        take_in(services, [state], summary)
    if not services.clock.stop.is_set():
        yield Day(state.feed.name, day, page, summary.entries_new - before)


def _pages(
    services: Services, state: FeedState, day: date, done: int, *, summary: Summary
) -> Iterator[int]:
    """Write down page after page, until one brings nothing that this walk has not seen."""
    seen: set[str] = set()
    request = history(state.feed.kind)
    if request is None:
        raise TypeError(f"a feed without history is walked: {state.feed.name}")
    for page in range(done + 1, MOST_PAGES_A_DAY + 1):
        if services.clock.stop.is_set():
            return
        answer = ask(services, state, request(state.feed, day, page))
        keys = {entry_key(state.feed, entry) for entry in answer.document.entries}
        over = keys <= seen
        seen |= keys
        walked = {day: Progress(page, finished=over)}
        summary.entries_new += write_down(services, state, answer, walked)
        yield page
        if over:
            return
    summary.problems.append(
        f"feed {state.feed.name}: {day}: more than {MOST_PAGES_A_DAY} pages; it is not through"
    )
    log.warning("backfill_cut_short", feed=state.feed.name, day=day.isoformat())
