"""Reads RSS 0.9x, 1.0 and 2.0 and Atom through feedparser; JSON Feed by a small reader of ours.

feedparser is handed text that we decoded, from the feed's root to its end: one stray byte in a GBK
feed makes it drop the declared character set (feedparser 421). Its own reading of dates comes last,
and what it takes for an empty feed (an error page) is no feed here. What is broken in a feed costs
itself: of one that stops in the middle the whole items are read, and that is said.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from ingestor.errors import FeedUnreadable
from ingestor.model import Entry, Feed, FeedDocument, Response
from ingestor.sources._json import looks_like_json, read_json_feed
from ingestor.sources._markup import items_apart, markup_of, without_foreign
from ingestor.sources._text import (
    date_text,
    each_read,
    identifier,
    illustrated,
    is_picture,
    moment_of,
    paragraphs,
    plain,
    string_of,
    web_address,
    whole,
    with_base,
)
from ingestor.sources._zone import with_zone_set_right
from ingestor.text.decode import decode_feed
from ingestor.text.sanitize import bounded_keywords, bounded_name, one_line, shortened
from ingestor.text.written_dates import parse_date

LONGEST_TTL = timedelta(days=1)
"""A feed may ask for fewer polls, but not to be forgotten."""

_HTML = re.compile(
    r"(?i)^\s*(?:<!--(?:(?!-->).){0,500}+-->\s*+)*+<(?:!doctype\s+html|html|head|body)\b", re.DOTALL
)
_BINARY = re.compile(r"[\x00-\x08\x0e-\x1a\x7f]")
"""What no text holds, and a picture or an archive does within a few bytes."""
_BLOCK = re.compile(r"<(?:p|div|br|img|table)\b", re.IGNORECASE)
_HTML_TITLE = re.compile(r"(?i)<title[^>]{0,100}>([^<]{0,200})")
_PERIODS = {"hourly": 1 / 24, "daily": 1, "weekly": 7, "monthly": 30, "yearly": 365}


def read(feed: Feed, response: Response) -> FeedDocument:
    """Read a feed's body; raise :class:`FeedUnreadable` for one without a feed, or a whole item."""
    text = decode_feed(response.body, response.header("content-type"))
    if not text.strip():
        raise FeedUnreadable(f"{feed.url}: an empty body, not a feed")
    if looks_like_json(text):
        return with_zone_set_right(read_json_feed(text, response), response, None)
    markup = markup_of(feed.url, text)
    parsed, fault = _parsed(feed, markup.text) if markup else (None, "")
    is_feed = parsed and (parsed.get("version") or parsed.entries)
    if not markup or not parsed or not (is_feed or markup.is_channel):
        raise FeedUnreadable(f"{feed.url}: {_no_feed(text)}")
    if markup.is_cut:
        fault = f"the feed is cut off after item {len(parsed.entries)}"
    channel, own = parsed.feed, response.final_url
    is_atom = str(parsed.get("version")).startswith("atom")
    # Atom's addresses are relative to the document (RFC 4287, 2); RSS says nothing, and means its
    # site.
    base = own if is_atom else web_address(string_of(channel, "link"), own) or own
    entries, broken = each_read(
        parsed.entries, lambda item: _entry(item, response, base, is_atom=is_atom)
    )
    document = FeedDocument(
        shortened(plain(string_of(channel, "title")), 200),
        tuple(entries),
        _ttl(channel),
        fault=fault or broken,
        next_url=web_address(next(_links(channel, "next"), ""), own),
    )
    return with_zone_set_right(document, response, _built_at(channel))


_STUMBLES = (
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    AssertionError,
    ArithmeticError,
    RecursionError,
)
"""What feedparser raises for markup that it did not think of, such as the end of a link that never
began. They say something about the feed, not about us."""


class _Stream:
    """A text as a stream. feedparser opens a bare string that looks like an address or a path.

    A feed's body would so make it ask a machine in the network, or read a file of ours.
    """

    def __init__(self, text: str) -> None:
        self._text = text

    def read(self) -> bytes:
        """Return the whole text; feedparser asks for nothing else."""
        return self._text.encode("utf-8")


def _parsed(feed: Feed, text: str) -> tuple[Any, str]:
    """Return what feedparser reads, and what it could not: an item that it stumbles over."""
    try:
        return _read_whole(text), ""
    except _STUMBLES:
        text = without_foreign(text)
    try:
        return _read_whole(text), ""
    except _STUMBLES as error:
        parsed, fault = _read_apart(text)
        if not parsed:
            reason = f"it cannot be read as a feed: {error!r:.100}"
            raise FeedUnreadable(f"{feed.url}: {reason}") from error
        return parsed, fault


def _read_whole(text: str) -> Any:
    # Where feeds are only asked for, as in the main process, it is not needed.
    import feedparser  # noqa: PLC0415

    return feedparser.parse(_Stream(text), sanitize_html=False, resolve_relative_uris=False)


def _read_apart(text: str) -> tuple[Any, str]:
    """Return a feed read item by item, ``None`` where no item can be read, and which could not."""
    frame, items = items_apart(text)
    entries, broken = [], []
    for number, item in enumerate(items, 1):
        try:
            entries += _read_whole(item).entries
        except _STUMBLES:
            broken.append(number)
    try:
        parsed = _read_whole(frame)
    except _STUMBLES:
        return None, ""
    parsed["entries"] = entries
    numbers = ", ".join(map(str, broken[:10]))
    return (parsed if entries else None), f"items that cannot be read: {numbers}" if broken else ""


def _no_feed(text: str) -> str:
    """Say what a text is that is no feed."""
    if _BINARY.search(text, 0, 1_000):
        return "binary data, not a feed"
    if not _HTML.match(text):
        return f"not a feed: {plain(text)[:80]!r}"
    title = _HTML_TITLE.search(text)
    named = f' (title: "{plain(title[1])}")' if title else ""
    return f"an HTML page{named}, not a feed"


def _entry(item: Any, response: Response, base: str, *, is_atom: bool) -> Entry:
    content, summary = _texts(item, base, is_atom=is_atom)
    guid = string_of(item, "id")
    # Asked for what is not there, feedparser gives ``published`` as ``updated``, with a warning.
    names = (name for name in ("published", "updated", "created") if name in item)
    dates = (date_text(string_of(item, name)) for name in names)
    stated, published_at, is_relative = moment_of(dates, response.fetched_at)
    links = (web_address(link, base) for link in _pages(item))
    return Entry(
        guid=identifier(guid),
        url=next(filter(None, links), ""),
        title=_title(item, is_atom=is_atom),
        published_at=published_at,
        date_text=stated,
        author=bounded_name(plain(string_of(item, "author"))),
        summary=whole(summary),
        content=whole(content),
        keywords=bounded_keywords(_keywords(item)),
        is_relative=is_relative,
    )


def _records(record: Any, key: str) -> list[Any]:
    """Return the records of a list of feedparser's, without what broken markup made of some."""
    value = record.get(key)
    return [inner for inner in value if isinstance(inner, dict)] if isinstance(value, list) else []


def _title(item: Any, *, is_atom: bool) -> str:
    """Return an item's title; in Atom one of type ``text`` has no markup (RFC 4287, 3.1.1.1)."""
    title, detail = string_of(item, "title"), item.get("title_detail")
    is_text = is_atom and isinstance(detail, dict) and detail.get("type") == "text/plain"
    return one_line(title) if is_text else plain(title)


def _pages(item: Any) -> Iterator[str]:
    """Yield the addresses of an item's page, the best first: not the one that counts readers.

    FeedBurner and Pheedo name the page beside an address of their own. Of Atom's alternates one
    is HTML (RFC 4287, 4.2.7.2: they differ in type or language).
    """
    yield string_of(item, "feedburner_origlink")
    yield string_of(item, "pheedo_origlink")
    yield from _links(item, "alternate")
    yield from _links(item, "")
    yield string_of(item, "link")
    if (guid := string_of(item, "id")).startswith("http"):
        yield guid


def _links(record: Any, relation: str) -> Iterator[str]:
    """Yield the addresses that stand in a relation to an item or a feed, those of HTML first."""
    links = [link for link in _records(record, "links") if link.get("rel", "") == relation]
    links.sort(key=lambda link: "html" not in str(link.get("type") or "html"))
    yield from (string_of(link, "href") for link in links)


def _texts(item: Any, base: str, *, is_atom: bool) -> tuple[str, str]:
    """Return an item's full text and its short item, as HTML."""
    parts = _records(item, "content")
    full = max((_text(part, is_atom=is_atom) for part in parts), key=len, default="")
    detail, short = item.get("summary_detail"), string_of(item, "summary")
    if not isinstance(detail, dict):
        # What has no details of its own is a copy of the content.
        detail = next((part for part in parts if string_of(part, "value") == short), {})
    short = _text(detail, is_atom=is_atom) if detail else short
    is_literal = is_atom and detail.get("type") == "text/plain"
    if not full and not is_literal and _BLOCK.search(short):
        full, short = short, ""
    pictures = [web_address(url, base) for url in _pictures(item)]
    return (illustrated(full, pictures), short) if full else ("", illustrated(short, pictures))


def _text(part: Any, *, is_atom: bool) -> str:
    """Return a text as HTML, its addresses made absolute by its ``xml:base``, if it has one.

    One of Atom's type ``text``, which is the default, has no markup (RFC 4287, 3.1.1.1).
    """
    text, base = string_of(part, "value"), string_of(part, "base")
    if is_atom and part.get("type") == "text/plain":
        return paragraphs(text)
    return with_base(text, base) if base else text


def _pictures(item: Any) -> Iterator[str]:
    """Yield the addresses of the pictures that come with an item (RSS, Media RSS, iTunes)."""
    media = _records(item, "media_content")
    shown = [part for part in media if string_of(part, "medium") == "image"]
    yield from (string_of(part, "url") for part in shown)
    links = [
        (string_of(part, "url"), string_of(part, "type")) for part in media if part not in shown
    ]
    enclosed = [link for link in _records(item, "links") if link.get("rel") == "enclosure"]
    links += [(string_of(link, "href"), string_of(link, "type")) for link in enclosed]
    found = [url for url, kind in links if is_picture(url, kind)]
    yield from found
    if not shown and not found:
        yield from (string_of(part, "url") for part in _records(item, "media_thumbnail")[:1])
        yield string_of(item["image"], "href") if isinstance(item.get("image"), dict) else ""


def _keywords(item: Any) -> list[str]:
    return [
        plain(string_of(tag, "term") or string_of(tag, "label")) for tag in _records(item, "tags")
    ]


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
