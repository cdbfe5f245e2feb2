"""JSON Feed 1.0 and 1.1 (jsonfeed.org): feedparser 6 reads none. Pure."""

from __future__ import annotations

from typing import Any

from ingestor.errors import FeedUnreadable
from ingestor.model import Entry, FeedDocument, Response
from ingestor.sources._json import lenient_json
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
from ingestor.text.sanitize import bounded_keywords, bounded_name, one_line, shortened

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
