"""What runs in worker processes: an answer of the network to a document, or an article. Pure.

A worker imports this module and what it needs, and not the pipeline, its database and its
network: that makes workers small, and quick to start. A page is read and packed for the WARC in
one go: both are work on the same bytes, which cross to a worker once.

The owner of a worker imports this module too, to name its work. What the work needs is imported
by the functions, in a worker: it takes longer than a pass in which nothing is new.
"""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ingestor.archive.warc.records import Packed, pack
from ingestor.errors import FetchError
from ingestor.fetch.headers import PAGE_STATUSES, require_page
from ingestor.model import Article, Entry, Feed, FeedDocument, Page, Response
from ingestor.sources import source

if TYPE_CHECKING:
    from ingestor.witness.looks import Evidence


def read_feed(feed: Feed, response: Response) -> FeedDocument:
    """Return what a feed's body announces; raise what its kind's ``read`` does."""
    return source(feed.kind).read(feed, response)


def extract_page(response: Response) -> Article:
    """Return the article that an answer shows.

    Raises :class:`~ingestor.errors.FetchError` where its status says that it is no page, and
    what :func:`extract_article` raises.
    """
    from ingestor.extract import extract_article  # noqa: PLC0415 - see the module's docstring

    require_page(response)
    return extract_article(_page(response))


def read_entry(feed: Feed, entry: Entry, *, shared_address: bool = False) -> Article:
    """Return the article that an entry itself carries, as :func:`article_from_entry` does."""
    from ingestor.extract import article_from_entry  # noqa: PLC0415 - as above

    return article_from_entry(feed, entry, shared_address=shared_address)


@dataclass(frozen=True, slots=True)
class Received:
    """An answer that was asked for its article: what it shows, or why it shows none."""

    article: Article | Exception
    evidence: Evidence | None = None
    """What the page shows of itself; ``None`` for what is no page."""
    packed: Packed | None = None
    """Its records; ``None`` where they are not wanted, or it is no page."""


def receive_page(response: Response, *, kept: bool) -> Received:
    """Return the article that an answer shows, or the error that :func:`extract_page` raises.

    With ``kept`` also its WARC records, if its status is a page's: as a page that came for the
    first time, with its body.
    """
    from ingestor.extract import read_page  # noqa: PLC0415 - as above

    packed = pack(response) if kept and response.status in PAGE_STATUSES else None
    try:
        require_page(response)
        article, evidence = read_page(_page(response))
    except FetchError as error:
        return Received(error, None, packed)
    except Exception as error:  # noqa: BLE001 - the page is kept, whatever our rules do with it
        error.add_note(f"in a worker process:\n{traceback.format_exc()}")
        return Received(error, None, packed)
    return Received(article, evidence, packed)


def _page(response: Response) -> Page:
    return Page(response.final_url, response.body, response.header("content-type"))
