"""OPML 2.0: the lists of feeds that feed readers hand each other.

Read from strangers' files: no entities of their own, no network, no more than a bound; what is
broken in it costs the line that is broken.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html.entities import html5
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from lxml import etree

from ingestor.errors import UsageError
from ingestor.model import Feed
from ingestor.text.counts import counted
from ingestor.text.decode import decode_feed
from ingestor.text.sanitize import one_line, shortened

MOST_BYTES = 32 * 1024**2
"""Of a file: 5,000 feeds take about one."""

MOST_FEEDS = 50_000

OWN = "urn:ingestor:opml"
"""Namespace of what only this program says of a feed, as OPML has it for such."""

_ENTITIES = re.compile(r"<!ENTITY", re.IGNORECASE)
_DECLARATION = re.compile(r"\A\s*<\?xml[^>]*\?>")
_DOCTYPE = re.compile(r"<!DOCTYPE[^<>\[]*>", re.IGNORECASE)
_BARE = re.compile(r"&(?!(?:amp|lt|gt|quot|apos|#\d{1,7}|#[xX][0-9a-fA-F]{1,6});)(?:(\w{1,40});)?")


@dataclass(frozen=True, slots=True)
class ListedFeed:
    """A feed in such a list."""

    title: str
    url: str
    """As it stands there; ``""``: the line has none."""
    kind: str = ""
    """Of the program's own kinds, where the list says it."""
    every: str = ""
    content: str = ""
    tag: str = ""


def read_opml(data: bytes) -> list[ListedFeed]:
    """Return the feeds of a list, in its order; folders are passed over.

    Raises :class:`UsageError` for what is no OPML, declares entities or passes a bound.
    """
    if len(data) > MOST_BYTES:
        raise UsageError(f"larger than {MOST_BYTES // 1024**2} MiB, which no list of feeds is")
    text = decode_feed(data, "")
    if _ENTITIES.search(text):
        raise UsageError("declares entities of its own, which no list of feeds needs; not read")
    text = _DOCTYPE.sub("", _DECLARATION.sub("", text.lstrip("\ufeff")), count=1)
    text = _BARE.sub(lambda found: escape(html5.get(f"{found[1]};", "") or found[0]), text)
    root = _root(text.encode("utf-8", "replace"))
    if root is None or etree.QName(root).localname.lower() != "opml":
        raise UsageError(f"not OPML: {shortened(one_line(text[:200]), 80)!r}")
    feeds = list(_feeds(root))
    if len(feeds) > MOST_FEEDS:
        raise UsageError(f"{counted(len(feeds), 'feed')}, {MOST_FEEDS} at most")
    return feeds


def _root(data: bytes) -> Any:
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, recover=True, encoding="utf-8"
    )
    try:
        root: Any = etree.fromstring(data, parser)
    except etree.XMLSyntaxError:
        return None
    return root


def _feeds(root: Any) -> Iterator[ListedFeed]:
    """Yield the outlines that are feeds: with an address, or of a type that needs one."""
    for outline in root.iter("{*}outline"):
        said = {str(name).lower(): one_line(str(text)) for name, text in outline.attrib.items()}
        own = {name.rpartition("}")[2]: text for name, text in said.items() if f"{{{OWN}}}" in name}
        url, kind = said.get("xmlurl", ""), said.get("type", "").lower()
        if url or kind in {"rss", "atom", "feed"}:
            yield ListedFeed(
                said.get("title") or said.get("text", ""),
                url,
                *(own.get(name, "") for name in ("kind", "every", "content", "tag")),
            )


def opml(feeds: Sequence[tuple[Feed, str]]) -> str:
    """Return feeds as a list, each with its ``every`` as the configuration has it (or ``""``)."""
    lines = (
        f"    <outline {' '.join(f'{key}={quoteattr(value)}' for key, value in said.items())}/>\n"
        for said in (_attributes(feed, every) for feed, every in feeds)
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<opml version="2.0" xmlns:ingestor="{OWN}">\n'
        "  <head><title>ingestor</title></head>\n"
        f"  <body>\n{''.join(lines)}  </body>\n</opml>\n"
    )


def _attributes(feed: Feed, every: str) -> dict[str, str]:
    usual = "feed" if feed.kind == "sina-live" else "page"
    said = {"text": feed.name, "title": feed.name, "type": "rss", "xmlUrl": feed.url}
    own = {
        "kind": feed.kind if feed.kind != "rss" else "",
        "every": every,
        "content": feed.content if feed.content != usual else "",
        "tag": str(feed.options.get("tag") or ""),
    }
    return said | {f"ingestor:{name}": value for name, value in own.items() if value}
