"""A feed to be read, and what reads it as a poll does."""

from datetime import UTC, datetime

from ingestor import sources
from ingestor.model import Feed, Response

NOW = datetime(2024, 5, 1, 12, 0, tzinfo=UTC)
FEED = Feed("f", "rss", "https://a.example/feed", ("x", "y"), "z")


def read(body: str | bytes, content_type: str = "application/xml"):
    """Read a feed's body, as a poll of a feed of kind ``rss`` does."""
    data = body.encode() if isinstance(body, str) else body
    response = Response(FEED.url, FEED.url, 200, (("Content-Type", content_type),), data, NOW)
    return sources.source("rss").read(FEED, response)


def rss(items: str) -> str:
    """Return a feed of these items."""
    return (
        f'<?xml version="1.0"?><rss version="2.0"><channel><title>c</title>{items}</channel></rss>'
    )
