"""Writing down what a feed's page announces, for polls and backfills alike; and its older pages.

These are asked for where the newest page brings nothing that is known: between two polls came
more than it holds.

::

    pages without a known entry | ask for the next (RFC 5005, 3: rel=next) | read | write | again

An index of sitemaps has its items in others, which are asked for in the same way at each poll, the
newest first; one that is as it was when it was asked for last costs no more than asking.

No more of them than :data:`MOST_PAGES`, and none twice: they are addresses that a stranger names.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from sqlalchemy import Connection

from ingestor import log
from ingestor.errors import FetchError
from ingestor.fetch.headers import is_unchanged, require_page
from ingestor.identity import EntryKeys, entry_keys
from ingestor.model import Feed, FeedDocument, FeedState, Request, Response, Validators
from ingestor.pipeline import captures
from ingestor.pipeline.services import Services, Summary
from ingestor.sources import source
from ingestor.store import entries
from ingestor.store.captures import last_asked
from ingestor.text.dates import CLOCK_SKEW, http_date
from ingestor.workers.tasks import read_feed

ENTRIES_A_PIECE = 500
"""Entries written down in one transaction: a feed of 10,000 keeps nobody waiting for long."""

MOST_PARTS = 20
"""Parts of an index that are asked for in one poll, the newest first: news is in these."""

MOST_PAGES = 10
"""Older pages that are asked for in one poll: a feed that is polled for the first time may list
its whole past in thousands."""


@dataclass(frozen=True, slots=True)
class FeedPage:
    """A body of a feed, read."""

    state: FeedState
    response: Response
    document: FeedDocument
    written: int = 0
    """How many of its entries, from the first one, are written down already."""
    new: int = 0
    """How many of those were new."""
    keys: Sequence[EntryKeys] = ()
    """Those of all its entries, where they are written down in pieces."""


def announce_ahead(
    services: Services, page: FeedPage, summary: Summary
) -> Generator[Sequence[int], None, FeedPage]:
    """Write down what a page announces in pieces, but for the last one; return it with that left.

    Others have their turn between them. The feed's validators follow with the last piece: until
    then it comes again as a whole, and what is known of it is known.
    """
    if len(page.document.entries) > ENTRIES_A_PIECE:
        # By all of them: whether a link is one entry's alone shows in the whole document.
        page = replace(page, keys=entry_keys(page.state.feed, page.document.entries))
        yield ()
    while len(page.document.entries) - page.written > ENTRIES_A_PIECE:
        stop = page.written + ENTRIES_A_PIECE
        with services.database.transaction() as connection:
            new = _announce(connection, page, slice(page.written, stop), services.clock.now())
        summary.entries_new += new
        if new:
            summary.feeds_with_news.add(page.state.id)
        services.observer.moved()
        page = replace(page, written=stop, new=page.new + new)
        yield ()
    return page


@contextmanager
def announcing(
    services: Services, pages: Sequence[FeedPage], summary: Summary
) -> Iterator[tuple[Connection, list[int]]]:
    """Write down what pages announce, in one transaction, once their bodies are on the disk.

    Gives that transaction, for what has to be written down together with it, and how many entries
    of each page are new.
    """
    written = services.write_warc([(page.response, None) for page in pages])
    now = services.clock.now()
    with services.recording() as connection:
        captures.record_all(connection, written)
        last = [_announce(connection, page, slice(page.written, None), now) for page in pages]
        new = [page.new + count for page, count in zip(pages, last, strict=True)]
        yield connection, new
    summary.entries_new += sum(last)
    summary.feeds_with_news |= {
        page.state.id for page, count in zip(pages, new, strict=True) if count
    }


def _announce(connection: Connection, page: FeedPage, piece: slice, now: datetime) -> int:
    feed, announced = page.state.feed, page.document.entries
    # By all of them: whether a link is one entry's alone shows in the whole document.
    keys = page.keys or entry_keys(feed, announced)
    return entries.announce(
        connection, page.state.id, feed, announced[piece], keys=keys[piece], now=now
    )


def unseen(pages: Sequence[FeedPage], new: Sequence[int]) -> Iterator[FeedPage]:
    """Yield the pages that go on and of which no entry was known; ``new``: how many were not.

    An index has none itself, and goes on in its parts.
    """
    for page, count in zip(pages, new, strict=True):
        document = page.document
        if document.parts or (document.next_url and 0 < len(document.entries) <= count):
            yield page


def read_older(
    services: Services, pages: Sequence[FeedPage], summary: Summary
) -> Generator[Sequence[int], None, Counter[int]]:
    """Ask for the pages behind these ones, as long as they bring nothing but news.

    Returns how many entries were new of each feed, by its id.
    """
    asked = {(page.state.id, page.response.final_url) for page in pages}
    found: Counter[int] = Counter()
    for _ in range(MOST_PAGES):
        going_on = list(_further(pages, asked, summary))
        if not going_on or services.clock.stop.is_set():
            break
        pages = []
        for page in _ask(services, going_on, summary):
            if page is None:
                yield ()
                continue
            last = yield from announce_ahead(services, page, summary)
            with announcing(services, [last], summary) as (_, new):
                found[page.state.id] += sum(new)
                pages += unseen([last], new)
    return found


def _further(
    pages: Sequence[FeedPage], asked: set[tuple[int, str]], summary: Summary
) -> Iterator[tuple[FeedPage, str]]:
    """Yield each page with an address that it goes on at, and note that as asked."""
    for page in pages:
        document, state = page.document, page.state
        many = sum(feed_id == state.id for feed_id, _ in asked)
        wanted = [url for url in document.parts if (state.id, url) not in asked]
        if len(wanted) < len(document.parts):
            _say(
                page,
                f"{page.response.url}: names a sitemap that was asked already; not followed again",
                summary,
            )
        for url in wanted[: max(MOST_PARTS - many, 0)] or [document.next_url]:
            if url and (state.id, url) not in asked:
                asked.add((state.id, url))
                yield page, url


def _ask(
    services: Services, pages: Sequence[tuple[FeedPage, str]], summary: Summary
) -> Iterator[FeedPage | None]:
    """Yield the page at each of these; what cannot be had is said, and comes with a later poll."""
    urls = [url for page, url in pages if page.document.parts]
    with services.database.reading() as connection:
        known = last_asked(connection, urls)
    requests = [((page, url), _request(page, url, known.get(url))) for page, url in pages]
    answers = services.fetcher.asked(requests)
    for came in services.workers.as_done(answers, _task, lambda asked: asked[0][0].state.id):
        if came is None:
            yield None
            continue
        ((page, url), answer), document = came
        if isinstance(answer, Response) and isinstance(document, FeedDocument):
            if document.fault:
                _say(page, f"{_kind(page)}, {url}: {document.fault}", summary)
            yield FeedPage(page.state, answer, document)
        elif not (isinstance(answer, Response) and is_unchanged(answer)):
            error = answer if isinstance(answer, FetchError) else document
            _say(page, f"{_kind(page)}, {url}: {error}", summary)


def _kind(page: FeedPage) -> str:
    return "a part of it" if page.document.parts else "an older page of it"


def _say(page: FeedPage, line: str, summary: Summary) -> None:
    summary.problems.append(f"feed {page.state.feed.name}: {line}")
    log.warning("feed_page_failed", feed=page.state.feed.name, error=line)


def _request(page: FeedPage, url: str, asked_at: datetime | None) -> Request:
    request = source(page.state.feed.kind).request(page.state.feed, Validators())
    # Whoever's clock is wrong by less than that, no change is missed.
    since = (("If-Modified-Since", http_date(asked_at - CLOCK_SKEW)),) if asked_at else ()
    return replace(request, url=url, headers=(*request.headers, *since))


def _task(
    asked: tuple[tuple[FeedPage, str], Response | FetchError],
) -> partial[FeedDocument] | None:
    (page, _), answer = asked
    if isinstance(answer, FetchError) or is_unchanged(answer):
        return None
    return partial(_read, page.state.feed, answer)


def _read(feed: Feed, response: Response) -> FeedDocument:
    require_page(response)
    return read_feed(feed, response)
