"""Kind ``sina-roll``: Sina's rolling news, from the API that its own pages and RSSHub ask.

``pageid`` and ``lid`` name the channel. The newest 50 items come first; a past day is asked
for by Unix seconds whose names are the wrong way round (``etime`` is the older bound), as the
programs do that read it (FinNLP; the midnights are China's).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

from ingestor.model import Entry, Feed, FeedDocument, Request, Response, Validators
from ingestor.sources._json import api_request, items_of, result_of, text_of, texts_of
from ingestor.sources._text import (
    date_text,
    each_read,
    identifier,
    moment_of,
    plain,
    web_address,
    whole,
)
from ingestor.text.dates import SHANGHAI
from ingestor.text.sanitize import bounded_keywords, bounded_name

ITEMS_A_PAGE = 50
"""What everybody takes for the most that the API gives."""

REFERER = "https://finance.sina.com.cn/"
"""Without one, 403 has been seen (RSSHub issue 9298)."""


_SEPARATOR = re.compile(r"[,，;；、|]")


def request(feed: Feed, validators: Validators) -> Request:
    """Ask for the newest items."""
    return _request(feed, {"page": "1"}, validators)


def history(feed: Feed, day: date, page: int) -> Request:
    """Ask for a page, from 1, of what was published on a day in China."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=SHANGHAI)
    days = (midnight, midnight + timedelta(days=1))
    older, newer = (str(int(day.timestamp())) for day in days)
    bounds = {"date": day.isoformat(), "etime": older, "stime": newer, "ctime": newer}
    return _request(feed, {"page": str(page), **bounds}, Validators())


def read(feed: Feed, response: Response) -> FeedDocument:
    """Read an answer; raise :class:`FeedUnreadable` for anything but a list of items.

    A list that is empty is an answer: a page past the end is one.
    """
    result, fault = result_of(response, "the roll API")
    items = items_of(result.get("data"), response)
    entries, broken = each_read(items, lambda item: _entry(item, response))
    kept = tuple(entry for entry in entries if entry.url or entry.title)
    return FeedDocument(feed.name, kept, fault=fault or broken)


def _request(feed: Feed, more: dict[str, str], validators: Validators) -> Request:
    query = {"k": "", "num": str(ITEMS_A_PAGE), **more}
    return api_request(feed, query, REFERER, validators)


def _entry(item: dict[str, Any], response: Response) -> Entry:
    links = (web_address(link, response.url) for link in _links(item))
    stamps = (date_text(text_of(item, name)) for name in ("ctime", "intime", "mtime"))
    stamp, published_at, _ = moment_of(stamps, response.fetched_at)
    words = (word for text in texts_of(item.get("keywords")) for word in _SEPARATOR.split(text))
    return Entry(
        guid=identifier(text_of(item, "docid") or text_of(item, "oid")),
        url=next(filter(None, links), ""),
        title=plain(text_of(item, "title")) or plain(text_of(item, "stitle")),
        published_at=published_at,
        date_text=stamp,
        author=bounded_name(plain(text_of(item, "media_name") or text_of(item, "author"))),
        summary=whole(text_of(item, "intro").strip()),
        keywords=bounded_keywords([plain(word) for word in words]),
    )


_BETWEEN_LINKS = re.compile(r"(?<![\s,;|])[\s,;|]++(?=(?:https?:)?//)")


def _links(item: dict[str, Any]) -> Iterator[str]:
    """Yield the addresses of an item's page: ``urls`` is a list of them, mostly written as text."""
    for name in ("url", "urls", "wapurl"):
        for text in texts_of(item.get(name)):
            links = text.replace("\\/", "/").replace("&amp;", "&")
            yield from (link for link in _BETWEEN_LINKS.split(links) if "/" in link)
