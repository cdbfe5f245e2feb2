"""The past of a feed that lists what it still has, the newest first, and knows no days.

The list grows at its beginning while it is walked, so that the number of a page means nothing
later: each walk begins anew, and what it finds again costs a page and nothing else. A day is
through when a page has only older items.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

from ingestor.errors import FeedUnreadable, IngestorError
from ingestor.identity import entry_key, publication_day
from ingestor.model import Entry, FeedState
from ingestor.pipeline.ingest import ingest_entries
from ingestor.pipeline.past_pages import Day, TakeIn, ask, give_up, newest_first, write_down
from ingestor.pipeline.services import Services, Summary
from ingestor.sources import older
from ingestor.store import backfills
from ingestor.store.backfills import Progress

MOST_PAGES = 1_000
"""Sina's 7×24 list has some tens of pages; a list without end has no end."""


def walk_list(
    services: Services,
    state: FeedState,
    span: tuple[date, date],
    summary: Summary,
    *,
    force: bool = False,
    take_in: TakeIn = ingest_entries,
) -> Iterator[Day]:
    """Walk a list down to the first day of ``span``; yield each day as it is through.

    What Sina no longer lists cannot be had: a list that ends before that day is a failure in
    the summary, and what was found till then is archived all the same.
    """
    waiting = newest_first(span)
    if _all_through(services, state, waiting, force=force):
        yield from (Day(state.feed.name, day, 0, 0) for day in waiting)
        return
    pages, before, reached = 0, summary.entries_new, ""
    try:
        for pages, reached in enumerate(_pages(services, state, span, summary), start=1):
            while waiting and waiting[0].isoformat() > reached:
                take_in(services, [state], summary)
                yield Day(state.feed.name, waiting.pop(0), pages, summary.entries_new - before)
                before = summary.entries_new
            if not waiting:
                return
        take_in(services, [state], summary)
        if not services.clock.stop.is_set():
            raise FeedUnreadable(
                f"its list ends on {reached}; older items cannot be had"
                if reached
                else "its list is empty"
            )
    except IngestorError as error:
        give_up(state, error, summary)


def _all_through(services: Services, state: FeedState, days: list[date], *, force: bool) -> bool:
    """Whether every one of these days was walked before; with ``force`` none counts as walked."""
    with services.database.transaction() as connection:
        if force:
            for day in days:
                backfills.forget(connection, state.id, day.isoformat())
        return all(
            backfills.progress(connection, state.id, day.isoformat()).finished for day in days
        )


def _pages(
    services: Services, state: FeedState, span: tuple[date, date], summary: Summary
) -> Iterator[str]:
    """Write down page after page, and yield each one's newest day: later ones are through.

    Behind the last page it is the oldest day of all.
    """
    request = older(state.feed.kind)
    if request is None:
        raise TypeError(f"a feed without a list of its past is walked: {state.feed.name}")
    seen: set[str] = set()
    days: set[str] = set()
    for number in range(1, MOST_PAGES + 1):
        if services.clock.stop.is_set():
            return
        page = ask(services, state, request(state.feed, number))
        found = page.document.entries
        keys = {entry_key(state.feed, entry) for entry in found}
        ended = keys <= seen
        seen |= keys
        on_page = set(filter(None, map(_day, found)))
        days |= on_page
        reached = min(days, default="") if ended else max(on_page or days, default="")
        kept = tuple(entry for entry in found if _within(entry, span))
        page = replace(page, document=replace(page.document, entries=kept))
        over = [day for day in newest_first(span) if reached and day.isoformat() > reached]
        done = Progress(number, finished=True)
        summary.entries_new += write_down(services, state, page, dict.fromkeys(over, done))
        yield reached
        if ended:
            return


def _day(entry: Entry) -> str:
    return publication_day(entry.published_at) if entry.published_at else ""


def _within(entry: Entry, span: tuple[date, date]) -> bool:
    """Whether an entry is one of the span's; one without a date may be."""
    day = _day(entry)
    return not day or span[0].isoformat() <= day <= span[1].isoformat()
