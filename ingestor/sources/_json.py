"""JSON as servers write it: words around it, a comma too many, an end in the middle. Pure.

Below that what reads JSON Feed 1.0 and 1.1 (jsonfeed.org; feedparser 6 reads none), and what Sina's
JSON interfaces have in common: an answer inside ``result``, with a status.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any
from urllib.parse import urlencode, urlsplit

from ingestor.errors import FeedUnreadable
from ingestor.model import Entry, Feed, FeedDocument, Request, Response, Validators
from ingestor.sources._text import (
    MOST_ENTRIES,
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
)
from ingestor.text.decode import decode_feed
from ingestor.text.sanitize import bounded_keywords, bounded_name, one_line, shortened

MOST_BROKEN_ITEMS = 100
"""Each may cost a look at all that follows it."""

_OPENING = re.compile(r"""[{\[](?=\s*(?:["{\[}\]\d-]|\Z))""")
"""How an object or a list begins; the block of a script (``try{f(``) does not."""

_LIST = re.compile(r'"(?:items|data|list)"\s*:\s*\[')
_STRING = r'"(?:[^"\\]|\\.)*+"'
_BRACKET = re.compile(rf"{_STRING}|([{{}}\[\]])", re.DOTALL)
_COMMA = re.compile(rf"({_STRING})|,(?=\s*[}}\]])", re.DOTALL)
_NEXT_ITEM = re.compile(r"\}\s*,\s*(?=\{)")
_LIST_END = re.compile(r"\s*+,?\s*+\]")
_DECODER = json.JSONDecoder(strict=False)
_BROKEN = (ValueError, RecursionError)


def lenient_json(text: str) -> tuple[Any, str]:
    """Return the first JSON value in a text, and where it is cut off (``""``: it is not).

    What stands before and behind it (a callback's name, a script) is none of it. Of one that is
    broken in its list of items (``items``, ``data`` or ``list``) the whole ones are there. Raises
    ``ValueError`` where there is no value, and no such list with a whole item.
    """
    opening = _OPENING.search(text)
    if not opening:
        raise ValueError("no JSON")
    text = text[opening.start() :]
    try:
        return _DECODER.raw_decode(text)[0], ""
    except _BROKEN:
        return _mended(_COMMA.sub(lambda part: part[1] or "", text))


def _mended(text: str) -> tuple[Any, str]:
    """Return a value that was broken, as :func:`lenient_json` does."""
    try:
        return _DECODER.raw_decode(text)[0], ""
    except _BROKEN as error:
        opened = _LIST.search(text)
        items = list(_items(text, opened.end())) if opened else []
        whole = [item for item, _ in items if item]
        if not opened or not whole:
            raise ValueError("no whole item in broken or cut off JSON") from error
    head = text[: opened.end()]
    fault = "" if items[-1][1] else f"the feed is cut off after item {len(whole)}"
    return _DECODER.raw_decode(f"{head}{','.join(whole)}{_closing(head)}")[0], fault


def _items(text: str, place: int) -> Iterator[tuple[str, bool]]:
    """Yield each item of a list as text (``""``: broken), and whether the list ends behind it."""
    broken = 0
    for _ in range(MOST_ENTRIES + 1):
        begins = text.find("{", place)
        if begins < 0 or broken > MOST_BROKEN_ITEMS:
            return
        try:
            _, place = _DECODER.raw_decode(text, begins)
            item = text[begins:place]
        except _BROKEN:
            following = _NEXT_ITEM.search(text, begins)
            if not following:
                return
            item, place, broken = "", following.end(), broken + 1
        ended = bool(_LIST_END.match(text, place))
        yield item, ended
        if ended:
            return


def _closing(head: str) -> str:
    """Return the brackets that close all that the beginning of a document opens."""
    inside: list[str] = []
    for bracket in _BRACKET.findall(head):
        if bracket in {"{", "["}:
            inside.append("}" if bracket == "{" else "]")
        elif bracket and inside:
            inside.pop()
    return "".join(reversed(inside))


_OWN_NAMES = {"content_html", "content_text", "date_published", "external_url"}
"""Names that hardly any other list of items has: a feed that forgot to say its version."""


def looks_like_json(text: str) -> bool:
    """Whether a body is JSON rather than XML."""
    return text.lstrip()[:1] in {"{", "["} or "jsonfeed.org/version/" in text


def read_json_feed(text: str, response: Response) -> FeedDocument:
    """Read a JSON Feed; raise :class:`FeedUnreadable` for other JSON, and one without an item."""
    try:
        document, fault = lenient_json(text)
    except ValueError as error:
        raise FeedUnreadable(f"{response.url}: broken or cut off JSON, not a feed") from error
    items = document.get("items") if isinstance(document, dict) else None
    if not isinstance(items, list) or not _is_feed(document, items):
        raise FeedUnreadable(f"{response.url}: a JSON document that is no JSON Feed")
    if len(items) > MOST_ENTRIES:
        raise FeedUnreadable(f"{response.url}: {len(items)} items, {MOST_ENTRIES} at most")
    objects = (item for item in items if isinstance(item, dict))
    entries, broken = each_read(objects, lambda item: _entry(item, response))
    following = web_address(string_of(document, "next_url"), response.final_url)
    title = shortened(plain(string_of(document, "title")), 200)
    return FeedDocument(title, tuple(entries), fault=fault or broken, next_url=following)


def _is_feed(document: dict[str, Any], items: list[Any]) -> bool:
    if "jsonfeed.org/version/" in str(document.get("version")):
        return True
    return any(isinstance(item, dict) and not _OWN_NAMES.isdisjoint(item) for item in items)


def _entry(item: dict[str, Any], response: Response) -> Entry:
    base = response.final_url
    dates = (date_text(string_of(item, name)) for name in ("date_published", "date_modified"))
    stated, published_at, is_relative = moment_of(dates, response.fetched_at)
    content = string_of(item, "content_html")
    if not content and (words := string_of(item, "content_text")):
        content = paragraphs(words)
    summary = string_of(item, "summary")
    pictures = [web_address(url, base) for url in _pictures(item)]
    if content:
        content = illustrated(content, pictures)
    else:
        summary = illustrated(summary, pictures)
    authors = _listed(item.get("authors")) or [item.get("author")]
    author = next((string_of(person, "name") for person in authors if isinstance(person, dict)), "")
    guid = identifier(str(item.get("id") or ""))
    named = (
        string_of(item, "url"),
        string_of(item, "external_url"),
        guid if guid[:4] == "http" else "",
    )
    links = (web_address(link, base) for link in named)
    return Entry(
        guid=guid,
        url=next(filter(None, links), ""),
        # The specification has it as plain text: what looks like a tag is none.
        title=one_line(string_of(item, "title")),
        published_at=published_at,
        date_text=stated,
        author=bounded_name(plain(author)),
        summary=whole(summary),
        content=whole(content),
        keywords=bounded_keywords([plain(str(tag)) for tag in _listed(item.get("tags"))]),
        is_relative=is_relative,
    )


def _pictures(item: dict[str, Any]) -> list[str]:
    """Return the addresses of an item's pictures, the one that stands for it first."""
    attached = [
        string_of(attachment, "url")
        for attachment in _listed(item.get("attachments"))
        if isinstance(attachment, dict)
        and is_picture(string_of(attachment, "url"), string_of(attachment, "mime_type"))
    ]
    main = string_of(item, "image") or string_of(item, "banner_image")
    return [main, *attached] if main else attached


def _listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def api_request(feed: Feed, query: dict[str, str], referer: str, validators: Validators) -> Request:
    """Ask one of Sina's interfaces, at the feed's address, as the pages do that show it."""
    sign = "&" if urlsplit(feed.url).query else "?"
    headers = (("Accept", "application/json"), ("Referer", referer), *validators.headers)
    return Request(f"{feed.url}{sign}{urlencode(query)}", headers)


def result_of(response: Response, api: str) -> tuple[dict[str, Any], str]:
    """Return what an answer holds, and why that is not all of it (``""``: it is).

    ``api`` names the interface for people. Raises :class:`FeedUnreadable` for an error or
    anything else.
    """
    text = decode_feed(response.body, response.header("content-type"))
    try:
        answer, fault = lenient_json(text)
    except ValueError as error:
        raise FeedUnreadable(f"{response.url}: not JSON: {plain(text)[:80]!r}") from error
    whole = first_object(answer)
    result = first_object(whole.get("result")) or (whole if "data" in whole else {})
    status = result.get("status")
    if isinstance(status, str | int) and not isinstance(status, bool):
        status = {"code": status}
    status = first_object(status)
    if "code" not in status:
        raise FeedUnreadable(f"{response.url}: JSON, but no answer of {api}")
    if text_of(status, "code") != "0":
        message = plain(str(status.get("msg") or ""))[:80]
        raise FeedUnreadable(f"{response.url}: the API says error {status.get('code')}: {message}")
    return result, fault


def first_object(value: Any) -> dict[str, Any]:
    """Return an object, or the first of a list, ``{}`` for anything else: PHP writes either."""
    if isinstance(value, list):
        value = next(iter(value), None)
    return value if isinstance(value, dict) else {}


def items_of(data: Any, response: Response) -> list[dict[str, Any]]:
    """Return the items of a list; raise :class:`FeedUnreadable` where there is no list.

    It may be text, may have other lists in it, and is an object where PHP left a gap in it; one
    item may stand for a list of one.
    """
    data = json_of(data)
    if isinstance(data, dict):
        data = [data] if not _OF_ITEMS.isdisjoint(data) else list(data.values())
    if not isinstance(data, list):
        raise FeedUnreadable(f"{response.url}: an answer without a list of items")
    items = [item for part in data for item in (part if isinstance(part, list) else [part])]
    if len(items) > MOST_ENTRIES:
        raise FeedUnreadable(f"{response.url}: {len(items)} items, {MOST_ENTRIES} at most")
    return [item for item in items if isinstance(item, dict)]


_OF_ITEMS = {"title", "url", "rich_text", "docid"}
"""Names that an item has, and no list."""


def json_of(value: Any) -> Any:
    """Return a value that is written as text inside the JSON, else the value itself."""
    if isinstance(value, str) and value.lstrip()[:1] in {"{", "["}:
        with suppress(ValueError):
            value, _ = lenient_json(value)
    return value


def texts_of(value: Any, depth: int = 3) -> Iterator[str]:
    """Yield the texts in a value: of a list or an object, those of its parts, in their order."""
    value = json_of(value)
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for part in value[:100] if depth else []:
            yield from texts_of(part, depth - 1)
    elif text := _text(value):
        yield text


def text_of(item: dict[str, Any], key: str) -> str:
    """Return a value as text: Sina writes numbers as text, and sometimes not.

    Of a list or an object that stands where a text should, the first text.
    """
    value = item.get(key)
    return next(texts_of(value), "") if isinstance(value, list | dict) else _text(value)


def _text(value: Any) -> str:
    match value:
        case str():
            return value
        case bool():
            return ""
        case float() if math.isfinite(value):
            return str(int(value))
        case int():
            return str(value)
        case _:
            return ""
