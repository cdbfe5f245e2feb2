"""What Sina's JSON interfaces have in common: an answer inside ``result``, with a status. Pure."""

from __future__ import annotations

import math
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
    result = answer.get("result") if isinstance(answer, dict) else None
    status = result.get("status") if isinstance(result, dict) else None
    if not isinstance(result, dict) or not isinstance(status, dict):
        raise FeedUnreadable(f"{response.url}: JSON, but no answer of {api}")
    if str(status.get("code")) != "0":
        message = plain(str(status.get("msg") or ""))[:80]
        raise FeedUnreadable(f"{response.url}: the API says error {status.get('code')}: {message}")
    return result, fault


def items_of(data: Any, response: Response) -> list[dict[str, Any]]:
    """Return the items of a list; raise :class:`FeedUnreadable` where there is no list."""
    if isinstance(data, dict):
        # PHP writes a list with a gap in it as an object.
        data = list(data.values())
    if not isinstance(data, list):
        raise FeedUnreadable(f"{response.url}: an answer without a list of items")
    if len(data) > MOST_ENTRIES:
        raise FeedUnreadable(f"{response.url}: {len(data)} items, {MOST_ENTRIES} at most")
    return [item for item in data if isinstance(item, dict)]


def text_of(item: dict[str, Any], key: str) -> str:
    """Return a value as text: Sina writes numbers as text, and sometimes not."""
    match item.get(key):
        case str() as text:
            return text
        case bool():
            return ""
        case float() as number if math.isfinite(number):
            return str(int(number))
        case int() as number:
            return str(number)
        case _:
            return ""
