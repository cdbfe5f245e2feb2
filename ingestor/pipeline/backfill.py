"""The past of feeds: days of a source that has history, newest first, page by page, resumable.

::

    feeds | day by day | ask page after page, read | announce + how far it is | ingest | Day

A feed whose kind lists what it still has, the newest first, and knows no days, is walked down
that list instead. The list grows at its beginning meanwhile, so that the number of a page means
nothing later: each walk of it begins anew, and what it finds again costs a page and nothing else.
A day of it is through when a page has only older items.

An index of sitemaps names the days, or the months, in the addresses of its parts: those of a day
are asked for, and what they list of other days is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import partial
from typing import TypeAlias

from ingestor import log
from ingestor.errors import ArchiveError, FeedUnreadable, IngestorError
from ingestor.fetch.headers import require_page
from ingestor.identity import entry_key, publication_day
from ingestor.model import Entry, Feed, FeedDocument, FeedState, Request, Validators
from ingestor.pipeline.announce import FeedPage, announcing
from ingestor.pipeline.ingest import ingest_entries
from ingestor.pipeline.services import Services, Summary
from ingestor.sources import day_of, has_past, history, older, parts_of_day, source
from ingestor.store import feeds
from ingestor.store.feeds import Progress
from ingestor.workers.tasks import read_feed

DayRequest: TypeAlias = Callable[[Feed, date, int], Request]
"""How a kind asks for a page of a past day."""

ListRequest: TypeAlias = Callable[[Feed, int], Request]
"""How a kind asks for a page of all that it still lists."""

DayParts: TypeAlias = Callable[[FeedDocument, date], tuple[str, ...]]
"""How a kind tells which parts of an index hold a day."""

MOST_PAGES = 1_000
"""Of a day, or of a list. A busy day of Sina's busiest channel has about 35, its 7×24 list some
tens; a list without end has no end."""


@dataclass(frozen=True, slots=True)
class Day:
    """A day of a feed that was walked, or had been before."""

    feed: str
    day: date
    pages: int
    entries_new: int


@dataclass(frozen=True, slots=True)
class Backfill:
    """A walk through days of the past: iterate its days, then read its summary.

    What a page announced is written down together with how far the walk is. A feed that fails is
    left at that day, and its failure stands in the summary.
    """

    services: Services
    states: Sequence[FeedState]
    span: tuple[date, date]
    """First and last publication day, both included."""
    force: bool = False
    """Days that are through are walked again."""
    ingest: bool = True
    """Each day's articles are in when it comes; else others ingest what is written down."""
    summary: Summary = field(default_factory=Summary)

    def __iter__(self) -> Iterator[Day]:
        """Yield each day of each feed that has a past, when it is through."""
        for state in self.states:
            kind = state.feed.kind
            self.summary.feeds += has_past(kind)
            if list_request := older(kind):
                yield from self._walk_list(state, list_request)
            elif day_request := history(kind):
                yield from self._walk_days(state, day_request)
            elif day_parts := parts_of_day(kind):
                yield from self._walk_index(state, day_parts)

    def _walk_days(self, state: FeedState, request: DayRequest) -> Iterator[Day]:
        for day in newest_first(self.span):
            if self.services.clock.stop.is_set():
                return
            try:
                yield from self._walk_day(state, request, day)
            except IngestorError as error:
                self._fail(state, error, day=day)
                return

    def _walk_day(self, state: FeedState, request: DayRequest, day: date) -> Iterator[Day]:
        with self.services.database.transaction() as connection:
            if self.force:
                feeds.forget_progress(connection, state.id, day.isoformat())
            known = feeds.progress_of(connection, state.id, day.isoformat())
        before, number = self.summary.entries_new, known.pages
        if not known.finished:
            over = False
            pages = self._pages(state, partial(request, state.feed, day), known.pages + 1)
            for number, page, over in pages:
                self._write(state, [page], {day: Progress(number, finished=over)})
                log.debug("backfill_page", feed=state.feed.name, day=day.isoformat(), page=number)
            if number == MOST_PAGES and not over:
                self.summary.problems.append(
                    f"feed {state.feed.name}: {day}: more than {number} pages; it is not through"
                )
                log.warning("backfill_cut_short", feed=state.feed.name, day=day.isoformat())
            self._ingest(state)
        if not self.services.clock.stop.is_set():
            yield Day(state.feed.name, day, number, self.summary.entries_new - before)

    def _pages(
        self, state: FeedState, request: Callable[[int], Request], first: int
    ) -> Iterator[tuple[int, FeedPage, bool]]:
        """Ask for page after page; yield each with its number, and whether it is the last one.

        That brings nothing that this walk has not seen.
        """
        seen: set[str] = set()
        for number in range(first, MOST_PAGES + 1):
            if self.services.clock.stop.is_set():
                return
            page = self._ask(state, request(number))
            keys = {entry_key(state.feed, entry) for entry in page.document.entries}
            over = keys <= seen
            yield number, page, over
            if over:
                return
            seen |= keys

    def _walk_list(self, state: FeedState, request: ListRequest) -> Iterator[Day]:
        """Walk a list down to the first day of the span.

        What Sina no longer lists cannot be had: a list that ends before that day is a failure in
        the summary, and what was found till then is archived all the same.
        """
        waiting = newest_first(self.span)
        if self._is_walked(state, waiting):
            yield from (Day(state.feed.name, day, 0, 0) for day in waiting)
            return
        pages, before, reached = 0, self.summary.entries_new, ""
        try:
            for pages, reached in enumerate(self._pages_of_list(state, request), start=1):
                while waiting and waiting[0].isoformat() > reached:
                    self._ingest(state)
                    new = self.summary.entries_new - before
                    yield Day(state.feed.name, waiting.pop(0), pages, new)
                    before = self.summary.entries_new
                if not waiting:
                    return
            self._ingest(state)
            if not self.services.clock.stop.is_set():
                raise FeedUnreadable(
                    f"its list ends on {reached}; older items cannot be had"
                    if reached
                    else "its list is empty"
                )
        except IngestorError as error:
            self._fail(state, error)

    def _walk_index(self, state: FeedState, parts_of: DayParts) -> Iterator[Day]:
        """Walk the days that an index goes by; one without parts lists its items itself."""
        index: FeedDocument | None = None
        asked: set[str] = set()
        for day in newest_first(self.span):
            before, pages = self.summary.entries_new, []
            try:
                if not self._is_walked(state, [day]):
                    index = index or self._asked_index(state, parts_of)
                    wanted = [url for url in parts_of(index, day) if url not in asked]
                    asked.update(wanted)
                    pages = [self._of_span(self._ask(state, Request(url))) for url in wanted]
                    self._write(state, pages, {day: Progress(len(pages), finished=True)})
                    self._ingest(state)
            except IngestorError as error:
                self._fail(state, error, day=day)
                return
            if self.services.clock.stop.is_set():
                return
            yield Day(state.feed.name, day, len(pages), self.summary.entries_new - before)

    def _asked_index(self, state: FeedState, parts_of: DayParts) -> FeedDocument:
        """Return what an index says; what a sitemap lists itself is written down at once."""
        page = self._ask(state, source(state.feed.kind).request(state.feed, Validators()))
        document = page.document
        days = newest_first(self.span)
        if document.parts and not any(parts_of(document, day) for day in days):
            raise FeedUnreadable("its index names none of these days: they cannot be asked for")
        self._write(state, [self._of_span(page, undated=False)], {})
        return document

    def _of_span(self, page: FeedPage, *, undated: bool = True) -> FeedPage:
        """Return a page with what is of the span alone, by its date or its address."""
        first, last = (day.isoformat() for day in self.span)
        within = []
        for entry in page.document.entries:
            day = _day(entry) or day_of(page.state.feed.kind, entry.url)
            if first <= day <= last or (undated and not day):
                within.append(entry)
        return replace(page, document=replace(page.document, entries=tuple(within)))

    def _is_walked(self, state: FeedState, days: list[date]) -> bool:
        """Whether every one of these days was walked before; by force none counts as walked."""
        with self.services.database.transaction() as connection:
            if self.force:
                for day in days:
                    feeds.forget_progress(connection, state.id, day.isoformat())
            return all(
                feeds.progress_of(connection, state.id, day.isoformat()).finished for day in days
            )

    def _pages_of_list(self, state: FeedState, request: ListRequest) -> Iterator[str]:
        """Write down page after page, and yield each one's newest day: later ones are through.

        Behind the last page it is the oldest day of all.
        """
        days: set[str] = set()
        for number, page, over in self._pages(state, partial(request, state.feed), 1):
            on_page = set(filter(None, map(_day, page.document.entries)))
            days |= on_page
            reached = min(days, default="") if over else max(on_page or days, default="")
            walked = [
                day for day in newest_first(self.span) if reached and day.isoformat() > reached
            ]
            done = Progress(number, finished=True)
            self._write(state, [self._of_span(page)], dict.fromkeys(walked, done))
            yield reached

    def _ask(self, state: FeedState, request: Request) -> FeedPage:
        """Ask for a page and read it; raises IngestorError when it brings none."""
        response = self.services.fetcher.get(request)
        require_page(response)
        document = self.services.workers.call(partial(read_feed, state.feed, response))
        if document.fault:
            # What is missing would never be asked for again: the day counts as walked.
            raise FeedUnreadable(f"{response.url}: {document.fault}")
        return FeedPage(state, response, document)

    def _write(
        self, state: FeedState, pages: Sequence[FeedPage], walked: Mapping[date, Progress]
    ) -> None:
        """Write down the entries of pages together with how far the walk is.

        A day that is not over in China is not noted: it goes on growing at its beginning.
        """
        now = self.services.clock.now()
        with announcing(self.services, pages, self.summary) as (connection, _):
            for day, progress in walked.items():
                if day.isoformat() < publication_day(now):
                    feeds.record_progress(
                        connection,
                        state.id,
                        day.isoformat(),
                        pages=progress.pages,
                        finished_at=now if progress.finished else None,
                    )

    def _ingest(self, state: FeedState) -> None:
        if self.ingest:
            self.services.finish(ingest_entries(self.services, [state], self.summary))

    def _fail(self, state: FeedState, error: IngestorError, *, day: date | None = None) -> None:
        """Record that a feed's walk ends here; raise what makes the archive itself unusable."""
        if isinstance(error, ArchiveError):
            raise error
        self.summary.feeds_failed += 1
        where = f"{day}: " if day else ""
        self.summary.problems.append(f"feed {state.feed.name}: {where}{error}")
        log.warning(
            "backfill_failed",
            feed=state.feed.name,
            day=day.isoformat() if day else "",
            error=str(error),
        )


def newest_first(span: tuple[date, date]) -> list[date]:
    """Return the days of a span, both ends included."""
    first, last = span
    return [last - timedelta(days=back) for back in range((last - first).days + 1)]


def _day(entry: Entry) -> str:
    return publication_day(entry.published_at) if entry.published_at else ""
