"""An article made from what the feed itself carries. Pure."""

from __future__ import annotations

from dataclasses import replace

from ingestor.errors import NoArticle
from ingestor.extract import extract_fragment
from ingestor.extract.symbols import with_mentions
from ingestor.extract.template import beginning
from ingestor.identity import document_id, entry_address
from ingestor.model import Article, Body, Entry, Feed
from ingestor.text.sanitize import MOST_TITLE_CHARACTERS, shortened

TITLE_CHARACTERS = 80
"""How much of the text stands for a title where none is given: Sina's rule for its live items."""


def article_from_entry(feed: Feed, entry: Entry, *, shared_address: bool = False) -> Article:
    """Return the article that an entry itself carries.

    ``shared_address`` says that another entry of the feed names the same address and came
    first; this one is then told apart by its guid. Raises :class:`NoArticle` when there is
    neither a title nor a text.
    """
    address = entry_address(feed, entry, shared=shared_address)
    body = extract_fragment(entry.content or entry.summary, entry.url or feed.url)
    # No page says it better: a long title is cut rather than the text lost.
    title = shortened(entry.title, MOST_TITLE_CHARACTERS) or untitled(body.text)
    if not title or not (body.text or body.pictures):
        raise NoArticle(f"{entry.url or address}: the feed carries no text for it, or too long one")
    return Article(
        url=address,
        document_id="" if shared_address else document_id(entry.url),
        title=title,
        published_at=entry.published_at,
        body=with_mentions(with_announced(body, entry), title),
        media=entry.author,
        summary=beginning(body.text),
        keywords=entry.keywords,
        template="feed",
    )


def untitled(text: str) -> str:
    """Return what stands for the title of a text that has none: the beginning of its first line."""
    return text.partition("\n")[0][:TITLE_CHARACTERS].replace("\t", " ").rstrip()


def with_announced(body: Body, entry: Entry) -> Body:
    """Return the body with the securities that the feed names and the text does not mark."""
    marked = {security.symbol for security in body.securities}
    more = (security for security in entry.securities if security.symbol not in marked)
    return replace(body, securities=(*body.securities, *more))
