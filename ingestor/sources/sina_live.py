"""Kind ``sina-live``: Sina's 7×24 news in brief, from the API of its own page.

Each item is an article: a title in ``【…】`` and a few sentences. An item may name a page:
mostly its own below ``/7x24/``, which says no more than the item does; else an article, to
which the item then only points. ``zhibo_id`` names the channel.

What an answer holds was seen in one recorded in October 2026, and in the programs that read
it (RSSHub ``zhibo.ts``, AKShare). ``stocks`` name themes and indices as well as securities.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import urlsplit

from ingestor.identity import is_sina
from ingestor.model import Entry, Feed, FeedDocument, Request, Response, Security, Validators
from ingestor.sources._json import api_request, first_object, items_of, json_of, result_of, text_of
from ingestor.sources._text import (
    date_text,
    each_read,
    identifier,
    moment_of,
    plain,
    web_address,
    whole,
)
from ingestor.text.sanitize import bounded_keywords
from ingestor.text.securities import in_market

ITEMS_A_PAGE = 100
"""What the recorded answer held. Some programs take ten for the most: a short page is none."""

TITLE_CHARACTERS = 80
"""How much of the text stands for a title where it begins without 【…】."""

REFERER = "https://finance.sina.com.cn/7x24/"

_TITLE = re.compile(r"【+([^【】]+)】")
"""Where a bracket too many is open."""

_MARKUP = re.compile(r"</?[A-Za-z][^<>]{0,1000}>")
_SOURCE = re.compile(r"<img\b[^<>]{0,1000}?\bsrc\s*=\s*[\"']?([^\"'\s<>]+)", re.IGNORECASE)
_PICTURE = re.compile(r"(?i)\.(?:jpe?g|png|gif|webp|bmp)$")
_PICTURE_KEY = re.compile(r"(?i)img|pic|image|poster")


def request(feed: Feed, validators: Validators) -> Request:
    """Ask for the newest items."""
    return _request(feed, 1, validators)


def older(feed: Feed, page: int) -> Request:
    """Ask for a page, from 1, of the items that Sina still lists: some 900, a day or two."""
    return _request(feed, page, Validators())


def read(feed: Feed, response: Response) -> FeedDocument:
    """Read an answer; raise :class:`FeedUnreadable` for anything but a list of items.

    A list that is empty is an answer: a page past the end is one. Items that Sina deleted,
    and those without text, picture and page, are left out.
    """
    result, fault = result_of(response, "the 7×24 API")
    data = result.get("data")
    lines = data.get("feed") if isinstance(data, dict) else data
    # PHP writes an object without anything in it as a list.
    items = lines.get("list") if isinstance(lines, dict) else lines if lines == [] else None
    there = (item for item in items_of(items, response) if text_of(item, "is_delete") in {"", "0"})
    entries, broken = each_read(there, lambda item: _entry(item, response))
    kept = tuple(entry for entry in entries if entry.content or entry.url)
    return FeedDocument(feed.name, kept, fault=fault or broken)


def points_to_page(feed: Feed, entry: Entry) -> bool:
    """Whether the item points to an article: to more than the page that repeats its text."""
    if feed.content == "page" or not entry.url:
        return False
    own = is_sina(entry.url) and urlsplit(entry.url).path.startswith("/7x24/")
    return not (own and entry.content)


def _request(feed: Feed, page: int, validators: Validators) -> Request:
    tag = str(feed.options.get("tag", 0))
    size = str(ITEMS_A_PAGE)
    # Programs that read it write the size and the tag in one of two ways, or in both.
    query = {"page": str(page), "page_size": size, "pagesize": size, "tag_id": tag, "tag": tag}
    return api_request(feed, query | {"dire": "f", "dpc": "1"}, REFERER, validators)


def _entry(item: dict[str, Any], response: Response) -> Entry:
    extra = first_object(json_of(item.get("ext")))
    text = text_of(item, "rich_text")
    words = plain(text.replace("\n", " "))
    stamps = (date_text(text_of(item, name)) for name in ("create_time", "update_time"))
    stamp, published_at, _ = moment_of(stamps, response.fetched_at)
    pages = (text_of(extra, "docurl"), text_of(item, "docurl"))
    addresses = (web_address(page, response.url) for page in pages if "/" in page)
    return Entry(
        guid=identifier(text_of(item, "id")),
        url=next(filter(None, addresses), ""),
        title=_title(words),
        published_at=published_at,
        date_text=stamp,
        content=whole(_content(text, item, response)),
        keywords=bounded_keywords(list(_tags(item.get("tag")))),
        securities=tuple(_stocks(extra.get("stocks"))),
    )


def _title(words: str) -> str:
    """Return what stands in the brackets that a text begins with, else its beginning.

    Brackets may have others inside: 【【独家】大事】 is 【独家】大事.
    """
    depth, begins = 0, words.lstrip()
    for place, character in enumerate(begins if begins[:1] == "【" else ""):
        depth += {"【": 1, "】": -1}.get(character, 0)
        if depth == 0:
            if title := begins[1:place].strip():
                return title
            break
    titled = _TITLE.match(begins) if depth else None
    return titled[1].strip() if titled else words[:TITLE_CHARACTERS].rstrip()


def _content(text: str, item: dict[str, Any], response: Response) -> str:
    """Return the item's text and pictures as HTML, a paragraph a line."""
    lines = [line.strip() for line in re.split(r"[\r\n]+", text) if line.strip()]
    if not _MARKUP.search(text):
        lines = [html.escape(html.unescape(line), quote=False) for line in lines]
    shown = set(_SOURCE.findall(text))
    attached = (web_address(url, response.url) for url in _pictures(item.get("multimedia")))
    pictures = [url for url in dict.fromkeys(attached) if url and url not in shown]
    return "".join(
        [f"<p>{line}</p>" for line in lines]
        + [f'<img src="{html.escape(url)}">' for url in pictures]
    )


def _pictures(value: Any, *, named: bool = False) -> Iterator[str]:
    """Yield the addresses of pictures in ``multimedia``: HTML, JSON text or lists of addresses.

    ``named``: the key of the value says that it is a picture.
    """
    if isinstance(value, dict):
        for key, inner in list(value.items())[:50]:
            if "thumb" not in key.lower():
                yield from _pictures(inner, named=bool(_PICTURE_KEY.search(key)))
    elif isinstance(value, list):
        for inner in value[:100]:
            yield from _pictures(inner, named=named)
    elif isinstance(value, str) and value.lstrip()[:1] in {"{", "["}:
        parsed = json_of(value)
        if not isinstance(parsed, str):
            yield from _pictures(parsed, named=named)
    elif isinstance(value, str) and "<" in value:
        yield from _SOURCE.findall(value)
    elif isinstance(value, str) and (named or _PICTURE.search(value.partition("?")[0].strip())):
        yield value


def _tags(tags: Any) -> Iterator[str]:
    for tag in tags if isinstance(tags, list) else []:
        name = plain(text_of(tag, "name")) if isinstance(tag, dict) else ""
        if name:
            yield name


def _stocks(stocks: Any) -> Iterable[Security]:
    """Return the securities among an item's ``stocks``, each once, the last that names it."""
    securities: dict[str, Security] = {}
    for stock in stocks if isinstance(stocks, list) else []:
        if isinstance(stock, dict):
            name = plain(text_of(stock, "key"))[:40]
            security = in_market(text_of(stock, "market"), text_of(stock, "symbol"), name)
            if security:
                securities[security.symbol] = security
    return securities.values()
