"""What Sina's JSON interfaces have in common: an answer inside ``result``, with a status. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from ingestor.errors import FeedUnreadable
from ingestor.model import Response
from ingestor.sources._json import lenient_json
from ingestor.sources._text import MOST_ENTRIES, plain
from ingestor.text.decode import decode_feed


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
    whole = _first(answer)
    result = _first(whole.get("result")) or (whole if "data" in whole else {})
    status = result.get("status")
    if isinstance(status, str | int) and not isinstance(status, bool):
        status = {"code": status}
    status = _first(status)
    if "code" not in status:
        raise FeedUnreadable(f"{response.url}: JSON, but no answer of {api}")
    if text_of(status, "code") != "0":
        message = plain(str(status.get("msg") or ""))[:80]
        raise FeedUnreadable(f"{response.url}: the API says error {status.get('code')}: {message}")
    return result, fault


def _first(value: Any) -> dict[str, Any]:
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
