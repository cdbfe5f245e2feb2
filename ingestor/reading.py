"""What runs in worker processes: an answer of the network to a document, or an article. Pure.

A worker imports this module and what it needs, and not the pipeline, its database and its
network: that makes workers small, and quick to start.
"""

from __future__ import annotations

from ingestor.extract import extract_article
from ingestor.extract.feed_text import article_from_entry
from ingestor.fetch.answers import require_page
from ingestor.model import Article, Feed, FeedDocument, Page, Response
from ingestor.sources import source

__all__ = ["article_from_entry", "extract_page", "read_feed"]


def read_feed(feed: Feed, response: Response) -> FeedDocument:
    """Return what a feed's body announces; raise what its kind's ``read`` does."""
    return source(feed.kind).read(feed, response)


def extract_page(response: Response) -> Article:
    """Return the article that an answer shows.

    Raises :class:`~ingestor.errors.FetchError` where its status says that it is no page, and
    what :func:`extract_article` raises.
    """
    require_page(response)
    page = Page(response.final_url, response.body, response.header("content-type"))
    return extract_article(page)
