"""RSS 0.9x, 1.0 and 2.0 and Atom through feedparser; JSON Feed by a small reader of ours.

feedparser is handed text that we decoded: one stray byte in a GBK feed makes it drop the
declared character set (feedparser 421). Its own reading of dates comes last, and what it takes for
an empty feed (an error page, half a document) is no feed here.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

from ingestor.errors import FeedUnreadable
from ingestor.model import Entry, Feed, FeedDocument, Request, Response, Validators
from ingestor.sources._json_feed import looks_like_json, read_json_feed
from ingestor.sources._markup import bare, is_whole, refuse_hostile
from ingestor.sources._text import date_text, identifier, moment_of, plain, web_address, whole
from ingestor.sources._zone import with_zone_set_right
from ingestor.text.dates import parse_date
from ingestor.text.decode import decode_feed
from ingestor.text.sanitize import bounded_keywords, bounded_name, shortened

ACCEPT = (
    "application/rss+xml, application/atom+xml, application/feed+json, "
    "application/xml;q=0.9, text/xml;q=0.8, */*;q=0.5"
)
LONGEST_TTL = timedelta(days=1)
"""A feed may ask for fewer polls, but not to be forgotten."""

_HTML = re.compile(
    r"(?i)^\s*(?:<!--.{0,500}?-->\s*)*<(?:!doctype\s+html|html|head|body)\b", re.DOTALL
)
_HTML_TITLE = re.compile(r"(?i)<title[^>]{0,100}>([^<]{0,200})")
_PERIODS = {"hourly": 1 / 24, "daily": 1, "weekly": 7, "monthly": 30, "yearly": 365}


def request(feed: Feed, validators: Validators) -> Request:
    """Ask for the feed, unless it is unchanged."""
    return Request(feed.url, (("Accept", ACCEPT), *validators.headers))


def read(feed: Feed, response: Response) -> FeedDocument:
    """Read a feed's body; raise :class:`FeedUnreadable` for anything less than a whole feed."""
    text = decode_feed(response.body, response.header("content-type"))
    if not text.strip():
        raise FeedUnreadable(f"{feed.url}: an empty body, not a feed")
    if looks_like_json(text):
        return with_zone_set_right(read_json_feed(text, response), response, None)
    _refuse_page(feed, text)
    markup = bare(text)
    refuse_hostile(feed.url, text, markup)
    parsed = _parsed(feed, text)
    if not parsed.get("version") and not parsed.entries:
        raise FeedUnreadable(f"{feed.url}: not a feed: {plain(text)[:80]!r}")
    if not is_whole(markup):
        count = len(parsed.entries)
        raise FeedUnreadable(
            f"{feed.url}: the feed is cut off after item {count}; nothing is taken"
        )
    base = web_address(parsed.feed.get("link", "") or "", response.final_url) or response.final_url
    entries = tuple(_entry(item, response, base) for item in parsed.entries)
    title = shortened(plain(parsed.feed.get("title", "")), 200)
    document = FeedDocument(title, entries, _ttl(parsed.feed))
    return with_zone_set_right(document, response, _built_at(parsed.feed))


_STUMBLES = (ValueError, LookupError, TypeError, AttributeError, AssertionError, RecursionError)
"""What feedparser raises for markup that it did not think of: "&#xD800;", which is no character,
or the end of a link that never began. They say something about the feed, not about us."""


class _Stream:
    """A text as a stream. feedparser opens a bare string that looks like an address or a path.

    A feed's body would so make it ask a machine in the network, or read a file of ours.
    """

    def __init__(self, text: str) -> None:
        self._text = text

    def read(self) -> bytes:
        """Return the whole text; feedparser asks for nothing else."""
        return self._text.encode("utf-8")


def _parsed(feed: Feed, text: str) -> Any:
    # Where feeds are only asked for, as in the main process, it is not needed.
    import feedparser  # noqa: PLC0415

    try:
        return feedparser.parse(_Stream(text), sanitize_html=False, resolve_relative_uris=False)
    except _STUMBLES as error:
        raise FeedUnreadable(f"{feed.url}: it cannot be read as a feed: {error!r:.100}") from error


def _refuse_page(feed: Feed, text: str) -> None:
    if _HTML.match(text):
        title = _HTML_TITLE.search(text)
        named = f' (title: "{plain(title[1])}")' if title else ""
        raise FeedUnreadable(f"{feed.url}: an HTML page{named}, not a feed")


def _entry(item: Any, response: Response, base: str) -> Entry:
    content, summary = _texts(item)
    guid = item.get("id", "") or ""
    stated = date_text(item.get("published") or item.get("updated") or item.get("created") or "")
    published_at, is_relative = moment_of(stated, response.fetched_at)
    return Entry(
        guid=identifier(guid),
        url=web_address(_link(item) or (guid if guid.startswith("http") else ""), base),
        title=plain(item.get("title", "") or ""),
        published_at=published_at,
        date_text=stated,
        author=bounded_name(plain(item.get("author", "") or "")),
        summary=summary,
        content=content,
        keywords=bounded_keywords(_keywords(item)),
        is_relative=is_relative,
    )


def _link(item: Any) -> str:
    for wanted in ("alternate", ""):
        for link in item.get("links", []):
            if link.get("rel", "") == wanted and link.get("href"):
                return str(link["href"])
    return str(item.get("link", "") or "")


def _texts(item: Any) -> tuple[str, str]:
    """Return an item's full text and its short item, as HTML."""
    full = max(
        (str(part.get("value", "")) for part in item.get("content", [])), key=len, default=""
    )
    short = str(item.get("summary", "") or "")
    if not full and re.search(r"<(?:p|div|br|img|table)\b", short, re.IGNORECASE):
        full, short = short, ""
    return whole(full), whole(short)


def _keywords(item: Any) -> list[str]:
    return [plain(str(tag.get("term") or tag.get("label") or "")) for tag in item.get("tags", [])]


def _built_at(feed: Any) -> datetime | None:
    """Return ``lastBuildDate``, or Atom's ``updated``; a channel's ``pubDate`` may be older."""
    return parse_date(str(feed["updated"])) if "updated" in feed else None


def _ttl(feed: Any) -> timedelta | None:
    minutes = str(feed.get("ttl", "") or "").strip()
    if minutes.isdecimal() and int(minutes):
        return min(timedelta(minutes=min(int(minutes), 100_000)), LONGEST_TTL)
    period = _PERIODS.get(str(feed.get("sy_updateperiod", "") or "").strip().lower())
    if period is None:
        return None
    often = str(feed.get("sy_updatefrequency", "") or "1").strip()
    times = int(often) if often.isdecimal() and int(often) else 1
    return min(timedelta(days=period / times), LONGEST_TTL)
