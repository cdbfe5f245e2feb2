"""JSON Feed 1.0 and 1.1 (jsonfeed.org): feedparser 6 reads none. Pure."""

from __future__ import annotations

import html
import json
from typing import Any

from ingestor.errors import FeedUnreadable
from ingestor.model import Entry, FeedDocument, Response
from ingestor.sources._text import (
    MOST_ENTRIES,
    date_text,
    identifier,
    moment_of,
    plain,
    web_address,
    whole,
)
from ingestor.text.sanitize import bounded_keywords, bounded_name, shortened


def looks_like_json(text: str) -> bool:
    """Whether a body is JSON rather than XML."""
    return text.lstrip()[:1] in {"{", "["}


def read_json_feed(text: str, response: Response) -> FeedDocument:
    """Read a JSON Feed; raise :class:`FeedUnreadable` for other JSON."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FeedUnreadable(f"{response.url}: broken or cut off JSON, not a feed") from error
    version = document.get("version") if isinstance(document, dict) else None
    items = document.get("items") if isinstance(document, dict) else None
    if "jsonfeed.org/version/" not in str(version) or not isinstance(items, list):
        raise FeedUnreadable(f"{response.url}: a JSON document that is no JSON Feed")
    if len(items) > MOST_ENTRIES:
        raise FeedUnreadable(f"{response.url}: {len(items)} items, {MOST_ENTRIES} at most")
    entries = [_entry(item, response) for item in items if isinstance(item, dict)]
    return FeedDocument(shortened(plain(_text(document, "title")), 200), tuple(entries))


def _entry(item: dict[str, Any], response: Response) -> Entry:
    stated = date_text(_text(item, "date_published") or _text(item, "date_modified"))
    published_at, is_relative = moment_of(stated, response.fetched_at)
    content = _text(item, "content_html")
    if not content and (words := _text(item, "content_text")):
        content = "".join(f"<p>{html.escape(line)}</p>" for line in words.splitlines() if line)
    authors = _listed(item.get("authors")) or [item.get("author")]
    author = next((_text(person, "name") for person in authors if isinstance(person, dict)), "")
    return Entry(
        guid=identifier(str(item.get("id") or "")),
        url=web_address(_text(item, "url") or _text(item, "external_url"), response.final_url),
        title=plain(_text(item, "title")),
        published_at=published_at,
        date_text=stated,
        author=bounded_name(plain(author)),
        summary=whole(_text(item, "summary")),
        content=whole(content),
        keywords=bounded_keywords([plain(str(tag)) for tag in _listed(item.get("tags"))]),
        is_relative=is_relative,
    )


def _listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(item: dict[str, Any], key: str) -> str:
    value = item.get(key)
    return value if isinstance(value, str) else ""
