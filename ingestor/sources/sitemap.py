"""Kind ``sitemap``: a site's sitemap, news sitemap, text sitemap, or index of sitemaps.

The protocol is that of sitemaps.org, with Google's for news (``news:title``,
``news:publication_date``); packed by gzip, whatever the header says. ``lastmod`` orders what is
read and is no time of publication: it moves with each edit. Bounds are the protocol's; what is
past them, cut off, or says of an index that it is a part of itself, is said, and the rest is read.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from lxml import etree

from ingestor.errors import FeedUnreadable
from ingestor.identity import MOST_URL_CHARACTERS
from ingestor.model import Entry, Feed, FeedDocument, Request, Response, Validators
from ingestor.sources import rss
from ingestor.sources._markup import references_made_legal
from ingestor.sources._text import (
    date_text,
    each_read,
    moment_of,
    plain,
    web_address,
)
from ingestor.text.counts import counted
from ingestor.text.dates import SHANGHAI
from ingestor.text.decode import decode_feed
from ingestor.text.sanitize import bounded_keywords, bounded_name
from ingestor.text.written_dates import parse_date

ACCEPT = "application/xml, text/xml;q=0.9, application/gzip;q=0.8, text/plain;q=0.7, */*;q=0.5"

MOST_ADDRESSES = 50_000
"""Of one file, a sitemap or an index (sitemaps.org, protocol)."""

MOST_BYTES = 50 * 1024**2
"""Of one file, unpacked (sitemaps.org, protocol)."""

_GZIP = b"\x1f\x8b"
_CHUNK = 64 * 1024
_ROOT = re.compile(r"<(?:[\w.-]{1,40}:)?(urlset|sitemapindex)(?=[\s/>])")
_ITEM = {
    False: re.compile(r"<(?:[\w.-]{1,40}:)?url(?=[\s>])"),
    True: re.compile(r"<(?:[\w.-]{1,40}:)?sitemap(?=[\s>])"),
}
_DATE = re.compile(r"<(?:[\w.-]{1,40}:)?(?:publication_date|lastmod)>\s*(\d{4}-\d\d[^<\s]*)")
_FEED_ROOT = re.compile(r"<(?:\w{1,20}:)?(?:rss|rdf|feed)(?=[\s>])", re.IGNORECASE)
_DECLARED = re.compile(r"<!ENTITY", re.IGNORECASE)
_ADDRESS_LINE = re.compile(r"https?://\S+")
_PLAIN = re.compile(
    r"https?://(?:[a-z0-9-]{1,63}\.){1,8}[a-z]{2,24}(?:/(?!\.)[\w%~;,=?&+!()-][\w.%~;,=?&+!()-]*)*/?"
)
_HEAD = 4_000
"""Characters at the beginning of a file in which its root stands."""
_SEPARATOR = re.compile(r"[,，;；、]")
_FULL_DAY = re.compile(
    r"(?<!\d)((?:19|20)\d\d)[-_/.]?(0[1-9]|1[0-2])[-_/.]?(0[1-9]|[12]\d|3[01])(?!\d)"
)
_MONTH = re.compile(r"(?<!\d)((?:19|20)\d\d)[-_/.]?(0[1-9]|1[0-2])(?!\d)")
_QUERY = re.compile(
    r"(?:^|[?&;])(?:yyyy|year|y)=(\d{4})&(?:mm|month|m)=(\d{1,2})(?:&(?:dd|day|d)=(\d{1,2}))?"
)
_EVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Listed:
    """A ``url`` or a ``sitemap`` of the file, as it stands there."""

    address: str
    moment: datetime
    """``news:publication_date``, else ``lastmod``, else long ago: what the order goes by."""
    said: dict[str, str]
    """The texts of its elements by their names; those of other namespaces with a prefix."""


def request(feed: Feed, validators: Validators) -> Request:
    """Ask for the sitemap, unless it is unchanged."""
    return Request(feed.url, (("Accept", ACCEPT), *validators.headers))


def read(feed: Feed, response: Response) -> FeedDocument:
    """Read a sitemap, the newest first; an index has ``parts`` in place of entries.

    Raises :class:`FeedUnreadable` for anything else, an index of nothing but itself among that.
    """
    data, fault = _unpacked(response)
    text = decode_feed(data, response.header("content-type"))
    root = _ROOT.search(text, 0, _HEAD)
    if not root and _FEED_ROOT.search(text, 0, _HEAD):
        # The protocol takes feeds for sitemaps too.
        return rss.read(feed, response)
    if not root:
        return _read_lines(response, text, fault)
    if _DECLARED.search(text):
        raise FeedUnreadable(f"{response.url}: declares entities of its own; not read")
    is_index = root[1] == "sitemapindex"
    text, count = _within_bounds(text, root, is_index=is_index)
    listed = list(_listed(text, is_index=is_index))
    fault = fault or _cut(text, root[1], len(listed))
    if count > MOST_ADDRESSES:
        fault = _too_many(count)
    # Of those that bear no moment the last one is the newest, as files grow at their end.
    newest = list(reversed(listed))
    newest.sort(key=lambda each: each.moment, reverse=True)
    if is_index:
        return _index(response, newest, fault)
    entries, broken = each_read(newest, lambda each: _entry(each, response))
    addressed = tuple(entry for entry in entries if entry.url)
    if entries and not addressed:
        raise FeedUnreadable(f"{response.url}: a sitemap without an address that can be asked")
    return FeedDocument("", addressed, fault=fault or broken)


def parts_of_day(document: FeedDocument, day: date) -> tuple[str, ...]:
    """Return the parts of an index that hold a day, or its month, as their addresses say."""
    wanted = {(day.year, day.month, day.day), (day.year, day.month, 0)}
    return tuple(part for part in document.parts if span_of(part) in wanted)


def day_of(address: str) -> str:
    """Return the day that an address names, as ``YYYY-MM-DD``; ``""`` for none, or a month."""
    year, month, day = span_of(address) or (0, 0, 0)
    return f"{year:04}-{month:02}-{day:02}" if day else ""


def span_of(address: str) -> tuple[int, int, int] | None:
    """Return the year, month and day that a sitemap's address names; day 0: the whole month."""
    query = _QUERY.search(address)
    if query:
        return int(query[1]), int(query[2]), int(query[3] or 0)
    name = address.partition("://")[2]
    full = _FULL_DAY.search(name)
    if full:
        return int(full[1]), int(full[2]), int(full[3])
    month = _MONTH.search(name)
    return (int(month[1]), int(month[2]), 0) if month else None


def _index(response: Response, newest: list[_Listed], fault: str) -> FeedDocument:
    own = {response.url, response.final_url}
    named = dict.fromkeys(_address(each.address, response.final_url) for each in newest)
    parts = tuple(url for url in named if url and url not in own)
    if not own.isdisjoint(named):
        fault = "the index of sitemaps names itself"
        if not parts:
            raise FeedUnreadable(f"{response.url}: {fault}, and nothing else")
    if not parts:
        raise FeedUnreadable(f"{response.url}: an index of no sitemaps")
    return FeedDocument("", (), fault=fault, parts=parts)


def _unpacked(response: Response) -> tuple[bytes, str]:
    """Return a body as XML, and why that is not all of it, ``""``: it is."""
    if not response.body.startswith(_GZIP):
        if len(response.body) > MOST_BYTES:
            raise FeedUnreadable(_too_large(response))
        return response.body, ""
    data, rest = bytearray(), response.body
    while rest.startswith(_GZIP):
        member = zlib.decompressobj(31)
        try:
            data += member.decompress(rest, MOST_BYTES + 1 - len(data))
        except zlib.error as error:
            if not data:
                raise FeedUnreadable(f"{response.url}: damaged gzip: {error}") from error
            return bytes(data), "its gzip is damaged"
        if len(data) > MOST_BYTES:
            raise FeedUnreadable(_too_large(response))
        if not member.eof:
            return bytes(data), "its gzip breaks off"
        rest = member.unused_data
    return bytes(data), ""


def _too_large(response: Response) -> str:
    return f"{response.url}: more than {MOST_BYTES // 1024**2} MiB, unpacked (sitemaps.org)"


def _too_many(count: int) -> str:
    return f"{count} addresses, {MOST_ADDRESSES} at most (sitemaps.org): the others are left out"


def _within_bounds(text: str, root: re.Match[str], *, is_index: bool) -> tuple[str, int]:
    """Return a file from its root on, with no more than it may list, and how much it does list.

    What is left out stands at the end that is the older one, by its first and its last date.
    """
    starts = [found.start() for found in _ITEM[is_index].finditer(text, root.end())]
    if len(starts) <= MOST_ADDRESSES:
        return text[root.start() :], len(starts)
    dates = _DATE.findall(text)
    if dates and dates[0] > dates[-1]:
        return f"{text[root.start() : starts[MOST_ADDRESSES]]}</{root[1]}>", len(starts)
    return text[root.start() : starts[0]] + text[starts[-MOST_ADDRESSES] :], len(starts)


def _cut(text: str, root: str, count: int) -> str:
    if re.search(rf"</(?:[\w.-]{{1,40}}:)?{root}\s*>?\s*(?:<!--|\Z)", text[-_HEAD:]):
        return ""
    is_empty = not count and re.search(rf"<(?:[\w.-]{{1,40}}:)?{root}[^<>]*/>\s*\Z", text[-_HEAD:])
    return "" if is_empty else f"the sitemap is cut off after address {count}"


def _listed(text: str, *, is_index: bool) -> Iterator[_Listed]:
    """Yield what a sitemap or an index lists, in its order, whatever stands between."""
    parser = etree.XMLPullParser(
        ("end",),
        tag="{*}sitemap" if is_index else "{*}url",
        encoding="utf-8",
        recover=True,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
    )
    data = references_made_legal(text).encode("utf-8", "replace")
    for start in range(0, len(data), _CHUNK):
        parser.feed(data[start : start + _CHUNK])
        for _, element in parser.read_events():
            yield _read_element(element)
            # What was read is let go: a file may have 50,000 of them.
            element.clear()
            while element.getprevious() is not None and element.getparent() is not None:
                del element.getparent()[0]


def _read_element(element: Any) -> _Listed:
    own = element.tag.rpartition("}")[0]
    said: dict[str, str] = {}
    for child in element.iterdescendants(etree.Element):
        space, _, name = child.tag.rpartition("}")
        key = name if space == own else f"{child.prefix}:{name}"
        said.setdefault(key, (child.text or "").strip())
    stated = (said.get("news:publication_date"), said.get("lastmod"))
    moments = (_moment(text) for text in stated if text)
    return _Listed(said.get("loc", ""), next(filter(None, moments), _EVER), said)


def _address(url: str, base: str) -> str:
    """Return an address as :func:`web_address` does; what is plain is not taken apart for that."""
    if _PLAIN.fullmatch(url) and len(url) <= MOST_URL_CHARACTERS:
        return url
    return web_address(url, base)


def _moment(text: str) -> datetime | None:
    """Return a moment as W3C writes it, and quickly; as others do, where it is none."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return parse_date(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=SHANGHAI)


def _entry(listed: _Listed, response: Response) -> Entry:
    """Return an entry; one whose address is none that can be asked has none."""
    said = listed.said
    stated, published_at, is_relative = moment_of(
        [date_text(said.get("news:publication_date", ""))], response.fetched_at
    )
    words = _SEPARATOR.split(said.get("news:keywords", ""))
    return Entry(
        guid="",
        url=_address(listed.address, response.final_url),
        title=plain(said.get("news:title", "")),
        published_at=published_at,
        date_text=stated,
        author=bounded_name(plain(said.get("news:name", ""))),
        keywords=bounded_keywords([plain(word) for word in words if word.strip()]),
        is_relative=is_relative,
    )


def _read_lines(response: Response, text: str, fault: str) -> FeedDocument:
    """Read a text sitemap: an address a line, and nothing else."""
    lines = [line.strip() for line in text.lstrip("\ufeff").splitlines() if line.strip()]
    if not lines or not _ADDRESS_LINE.fullmatch(lines[0]):
        said = f": {plain(text[:200])[:80]!r}" if lines else ", but an empty body"
        raise FeedUnreadable(f"{response.url}: not a sitemap{said}")
    addresses = [_address(line, "") for line in lines if _ADDRESS_LINE.fullmatch(line)]
    found = list(dict.fromkeys(filter(None, reversed(addresses))))
    broken = len(lines) - len(list(filter(None, addresses)))
    if len(found) > MOST_ADDRESSES:
        fault = _too_many(len(found))
    elif broken:
        fault = fault or counted(broken, "line of it is no address", "lines of it are no addresses")
    entries = tuple(
        Entry(guid="", url=url, title="", published_at=None) for url in found[:MOST_ADDRESSES]
    )
    return FeedDocument("", entries, fault=fault)
