"""A feed of ours as Atom (RFC 4287): of any list that is browsed, and of the hits of a watch. Pure.

Strangers wrote what stands in it. What XML 1.0 has no words for (control characters, lone
surrogates, U+FFFE and U+FFFF) is left out, with whatever else is not seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lxml import etree

from ingestor.errors import UsageError
from ingestor.text.dates import iso_utc
from ingestor.text.sanitize import one_line, visible
from ingestor.version import __version__

MEDIA_TYPE = "application/atom+xml"

_ATOM = "http://www.w3.org/2005/Atom"
_ID = f"{{{_ATOM}}}id"
_NAMELESS = "–"
"""For what has to be named, and has no name."""


@dataclass(frozen=True, slots=True)
class AtomEntry:
    """An entry of a feed."""

    id: str
    """An address, or a URN: it names the entry for ever."""
    address: str
    """Of the page that a reader opens."""
    title: str
    updated: datetime
    published: datetime | None
    author: str
    summary: str = ""
    """Plain text."""
    html: str = ""
    """The whole of it, where that is in the feed."""
    categories: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AtomFeed:
    """What a feed says of itself."""

    id: str
    own: str
    """Its own address, which may be relative to where it is."""
    page: str
    """Of the page that shows the same; ``""``: there is none."""
    title: str
    updated: datetime


def feed_xml(feed: AtomFeed, entries: Sequence[Any]) -> str:
    """Return a feed as text, to be sent or written as UTF-8.

    ``entries`` are elements, of :func:`entry_element` or of a feed that was read.
    """
    root = etree.Element(f"{{{_ATOM}}}feed", nsmap={None: _ATOM})
    _add(root, "id", feed.id)
    _add(root, "title", one_line(feed.title) or _NAMELESS)
    _add(root, "updated", iso_utc(feed.updated))
    _add(root, "link", rel="self", href=feed.own, type=MEDIA_TYPE)
    if feed.page:
        _add(root, "link", rel="alternate", href=feed.page, type="text/html")
    _add(_add(root, "author"), "name", "ingestor")
    _add(root, "generator", "ingestor", version=__version__)
    root.extend(entries)
    # Written out: the library would name another encoding, or none.
    return f'<?xml version="1.0" encoding="utf-8"?>\n{etree.tostring(root, encoding="unicode")}\n'


def entry_element(entry: AtomEntry) -> Any:
    """Return an entry as an element."""
    element = etree.Element(f"{{{_ATOM}}}entry", nsmap={None: _ATOM})
    _add(element, "id", entry.id)
    _add(element, "title", one_line(entry.title) or _NAMELESS)
    _add(element, "link", rel="alternate", href=entry.address)
    _add(element, "updated", iso_utc(entry.updated))
    if entry.published:
        _add(element, "published", iso_utc(entry.published))
    _add(_add(element, "author"), "name", one_line(entry.author) or _NAMELESS)
    for category in entry.categories:
        _add(element, "category", term=category)
    if entry.summary:
        _add(element, "summary", entry.summary)
    if entry.html:
        _add(element, "content", entry.html, type="html")
    return element


def _add(parent: Any, name: str, text: str = "", **attributes: str) -> Any:
    known = {key: one_line(value) for key, value in attributes.items()}
    child = etree.SubElement(parent, f"{{{_ATOM}}}{name}", known)
    child.text = visible(text) or None
    return child


def read_entries(data: bytes, feed_id: str) -> list[Any]:
    """Return the entries of a feed of ours; raise :class:`UsageError` if it is not the one."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True)
    try:
        root: Any = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise UsageError(f"no XML: {error}") from error
    if root.findtext(_ID) != feed_id:
        raise UsageError(f"not the feed {feed_id}")
    return list(root.iter(f"{{{_ATOM}}}entry"))


def id_of(entry: Any) -> str:
    """Return what names an entry that is an element."""
    return str(entry.findtext(_ID))
