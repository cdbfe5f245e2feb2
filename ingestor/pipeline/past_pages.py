"""A page of a feed's past: asked for politely, read, and written down with what it announced."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from typing import TypeAlias

import structlog

from ingestor.errors import ArchiveError, IngestorError
from ingestor.fetch.answers import require_page
from ingestor.identity import publication_day
from ingestor.model import FeedDocument, FeedState, Request, Response
from ingestor.pipeline import captures
from ingestor.pipeline.services import Services, Summary
from ingestor.reading import read_feed
from ingestor.store import backfills, entries
from ingestor.store.backfills import Progress

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
