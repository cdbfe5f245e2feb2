"""A page of a feed's past: asked for politely, read, and written down with what it announced.

The past of a feed that lists what it still has, the newest first, and knows no days.

The list grows at its beginning while it is walked, so that the number of a page means nothing
later: each walk begins anew, and what it finds again costs a page and nothing else. A day is
through when a page has only older items.

The past: days of a source that has history, newest first, page by page, resumable.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import partial
from typing import TypeAlias

import structlog

from ingestor.errors import ArchiveError, FeedUnreadable, IngestorError
from ingestor.fetch.headers import require_page
from ingestor.identity import entry_key, publication_day
from ingestor.model import Entry, FeedDocument, FeedState, Request, Response
from ingestor.pipeline import captures
from ingestor.pipeline.ingest import ingest_entries
from ingestor.pipeline.services import Services, Summary
from ingestor.sources import has_past, history, older
from ingestor.store import backfills, entries
from ingestor.store.backfills import Progress
from ingestor.workers.tasks import read_feed

log = structlog.get_logger(__name__)


TakeIn: TypeAlias = Callable[[Services, Sequence[FeedState], Summary], object]
"""What is done with the entries of these feeds that are written down, such as to ingest them."""


@dataclass(frozen=True, slots=True)
class Day:
    """A day of a feed that was walked, or had been before."""

    feed: str
    day: date
    pages: int
    entries_new: int


@dataclass(frozen=True, slots=True)
class PastPage:
    """An answer, read."""

    response: Response
    document: FeedDocument


def newest_first(span: tuple[date, date]) -> list[date]:
    """Return the days of a span, both ends included."""
    first, last = span
    return [last - timedelta(days=back) for back in range((last - first).days + 1)]


def give_up(
    state: FeedState, error: IngestorError, summary: Summary, *, day: date | None = None
) -> None:
    """Note that a feed's walk ends here; raise what says that the archive itself is unusable."""
    if isinstance(error, ArchiveError):
        raise error
    summary.feeds_failed += 1
    where = f"{day}: " if day else ""
    summary.problems.append(f"feed {state.feed.name}: {where}{error}")
    log.warning(
        "backfill_failed",
        feed=state.feed.name,
        day=day.isoformat() if day else "",
        error=str(error),
    )


def ask(services: Services, state: FeedState, request: Request) -> PastPage:
    """Ask for a page and read it; raises IngestorError when it brings none."""
    response = services.fetcher.get(request)
    require_page(response)
    document = services.workers.call(partial(read_feed, state.feed, response))
    return PastPage(response, document)


def write_down(
    services: Services, state: FeedState, page: PastPage, walked: Mapping[date, Progress]
) -> int:
    """Write down a page's entries together with how far the walk is; return how many are new.

    A day that is not over in China is not noted: it goes on growing at its beginning.
    """
    kept = services.keep(page.response)
    services.sync()
    now = services.clock.now()
    with services.database.transaction() as connection:
        captures.record(connection, kept)
        new = entries.announce(connection, state.id, state.feed, page.document.entries, now=now)
        if new:
            services.tell_announced(connection, state.id)
        for day, one in walked.items():
            if day.isoformat() < publication_day(now):
                finished_at = now if one.finished else None
                backfills.record(
                    connection, state.id, day.isoformat(), pages=one.pages, finished_at=finished_at
                )
    return new


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
        for pages, reached in enumerate(_list_pages(services, state, span, summary), start=1):
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


def _list_pages(
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
        on_page = set(filter(None, map(_entry_day, found)))
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


def _entry_day(entry: Entry) -> str:
    return publication_day(entry.published_at) if entry.published_at else ""


def _within(entry: Entry, span: tuple[date, date]) -> bool:
    """Whether an entry is one of the span's; one without a date may be."""
    day = _entry_day(entry)
    return not day or span[0].isoformat() <= day <= span[1].isoformat()


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
