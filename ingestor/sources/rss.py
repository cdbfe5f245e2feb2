"""RSS, Atom and JSON Feed: asks for them. What reads them is imported with the first answer.

A poll that brings nothing new needs none of it: dates, character sets, markup, feedparser.
"""

from __future__ import annotations

from ingestor.model import Feed, FeedDocument, Request, Response, Validators

ACCEPT = (
    "application/rss+xml, application/atom+xml, application/feed+json, "
    "application/xml;q=0.9, text/xml;q=0.8, */*;q=0.5"
)


def request(feed: Feed, validators: Validators) -> Request:
    """Ask for the feed, unless it is unchanged."""
    return Request(feed.url, (("Accept", ACCEPT), *validators.headers))


def read(feed: Feed, response: Response) -> FeedDocument:
    """Read a feed's body; raise :class:`FeedUnreadable` for one without a feed, or a whole item."""
    from ingestor.sources import _syndication  # noqa: PLC0415 - only for who has an answer

    return _syndication.read(feed, response)
