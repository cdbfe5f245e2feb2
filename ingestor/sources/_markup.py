"""A feed's XML made fit for a parser: from its root to its end, all references sound. Pure.

Servers write before a feed and behind it (warnings, scripts, a second byte order mark), refer to
characters that there are not, and stop in the middle. What is wrong costs itself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from html import escape
from html.entities import html5

from ingestor.errors import FeedUnreadable
from ingestor.sources._text import MOST_ENTRIES, numbers_made_legal

MOST_DEPTH = 200
"""Elements inside each other; a feed needs about six."""

_HIDDEN = r"<!--.*?(?:-->|\Z)|<!\[CDATA\[.*?(?:\]\]>|\Z)|<\?.*?(?:\?>|\Z)"
"""Comments, CDATA sections and processing instructions, whole or cut off: no markup in them."""

_HIDDEN_PART = re.compile(_HIDDEN, re.DOTALL)
_REFERENCE = re.compile(
    rf"({_HIDDEN})|((?:&#(?:[xX][0-9a-fA-F]+|[0-9]+);)+)"
    r"|&(?!(?:amp|lt|gt|quot|apos);)(?:(\w{1,40});)?",
    re.DOTALL,
)
_DOCTYPE = re.compile(r"<!DOCTYPE\b", re.IGNORECASE)
_QUOTED = r""""[^"]*"|'[^']*'"""
_SUBSET = re.compile(rf"(?:{_QUOTED}|[^>\[\"'])*+(?:\[(?:{_QUOTED}|[^\]\"'])*+\]\s*)?>")
_ENTITY = re.compile(r"""<!ENTITY\s+([\w.-]{1,40})\s+(?:"([^"&%<]{0,40})"|'([^'&%<]{0,40})')\s*>""")
_ROOT = re.compile(r"<((?:\w{1,20}:)?(?:rss|rdf|feed))(?=[\s/>])", re.IGNORECASE)
_CHANNEL = re.compile(r"<(channel)(?=[\s>])", re.IGNORECASE)
_EMPTY = re.compile(r"<[^<>]{0,2000}/>")
_ITEM = re.compile(r"<(?:\w{1,20}:)?(?:item|entry)[\s/>]", re.IGNORECASE)
_ITEM_END = re.compile(r"</(?:\w{1,20}:)?(?:item|entry)\s*>", re.IGNORECASE)
_CHANNEL_END = re.compile(r"</channel\s*>", re.IGNORECASE)
_LEAVES = "title|link|guid|id|pubDate|published|updated|author|category|description|summary"
_UNCLOSED = re.compile(
    rf"<({_LEAVES})(?:\s[^<>]{{0,300}})?(?<!/)>[^<]*(?=<(?:(?:{_LEAVES})[\s>]|/(?:item|entry)\s*>))",
    re.IGNORECASE,
)
"""An element of words alone that nobody closed, up to the next one of its item."""

_MOST_TAG = 300
_ELEMENT_BEFORE = re.compile(r"<([\w:.-]{1,40})(?:\s[^<>]*)?>\s*\Z")
_TAG = re.compile(r"""<(/?)([^\s<>/!?]+)(?:[^<>"']|"[^<"]*"|'[^<']*')*?(/?)>""")

_VOID = frozenset({"br", "hr", "img", "input", "link", "meta", "wbr"})
"""HTML's elements without an end, which feeds have in texts that they forget to escape; ``link``
is one of Atom's as well."""


@dataclass(frozen=True, slots=True)
class Markup:
    """The XML of a feed, ready to be parsed."""

    text: str
    """From the beginning of its root to its end."""
    is_cut: bool = False
    """It stops in the middle; then only the items before that are in the text."""
    is_channel: bool = False
    """Its root is a channel with nothing before it: CDF, for which feedparser has no version."""


def markup_of(url: str, text: str) -> Markup | None:
    """Return the feed in a text, ``None`` where there is none; ``url`` is for the error.

    A document type is left out: it could name files and addresses, and grow without bound
    ("billion laughs"). Raises :class:`FeedUnreadable` for too many items, and elements too deep.
    """
    text = _sections_closed(text)
    shown = _HIDDEN_PART.sub(lambda hidden: " " * len(hidden[0]), text)
    declared, begins = _document_type(shown)
    root = _ROOT.search(shown, begins) or _CHANNEL.search(shown, begins)
    if root is None:
        return None
    _refuse_hostile(url, shown)
    ends, is_cut = _end(shown, root)
    if ends <= root.end():
        raise FeedUnreadable(f"{url}: the feed is cut off after item 0")
    body = text[root.start() : ends]
    if is_cut:
        body += f"</channel></{root[1]}>" if root[1].lower() == "rss" else f"</{root[1]}>"
    closed = _UNCLOSED.sub(r"\g<0></\1>", body)
    is_channel = root.re is _CHANNEL and not shown[: root.start()].strip()
    return Markup(_REFERENCE.sub(partial(_made_legal, declared), closed), is_cut, is_channel)


def _sections_closed(text: str) -> str:
    """Return a text whose CDATA sections end within their items: one without would take the next.

    Such a section is ended where the element ends that it is in.
    """
    first, *parts = text.split("<![CDATA[")
    mended = [first]
    for part in parts:
        over = None if "]]>" in part else _ITEM_END.search(part)
        element = _ELEMENT_BEFORE.search(mended[-1][-_MOST_TAG:]) if over else None
        ends = part.rfind(f"</{element[1]}", 0, over.start()) if over and element else -1
        mended.append(f"{part[:ends]}]]>{part[ends:]}" if ends >= 0 else part)
    return "<![CDATA[".join(mended)


def _document_type(shown: str) -> tuple[dict[str, str], int]:
    """Return the short texts that a document type gives names to, and where it ends."""
    doctype = _DOCTYPE.search(shown)
    subset = _SUBSET.match(shown, doctype.end()) if doctype else None
    if not doctype or not subset or _ROOT.search(shown, 0, doctype.start()):
        return {}, 0
    declared = _ENTITY.findall(subset[0])
    return {name: double or single for name, double, single in declared}, subset.end()


def _end(shown: str, root: re.Match[str]) -> tuple[int, bool]:
    """Return where a feed ends, and whether it stops before that, in the middle."""
    if empty := _EMPTY.match(shown, root.start()):
        return empty.end(), False
    if end := _last(re.compile(rf"</{re.escape(root[1])}\s*(?:>|\Z)", re.IGNORECASE), shown):
        return end, False
    channel = _last(_CHANNEL_END, shown)
    if channel and "rdf" not in root[1].lower() and not _ITEM.search(shown, channel):
        return channel, False
    return _last(_ITEM_END, shown), True


def _last(form: re.Pattern[str], text: str) -> int:
    return max((found.end() for found in form.finditer(text)), default=0)


def _made_legal(declared: Mapping[str, str], reference: re.Match[str]) -> str:
    hidden, numbers, name = reference.groups()
    if hidden:
        return reference[0]
    if numbers:
        return numbers_made_legal(numbers)
    character = declared.get(name or "") or html5.get(f"{name};", "")
    return escape(character or reference[0])


def _refuse_hostile(url: str, shown: str) -> None:
    if (count := len(_ITEM.findall(shown))) > MOST_ENTRIES:
        raise FeedUnreadable(f"{url}: {count} items, {MOST_ENTRIES} at most")
    inside: list[str] = []
    for closing, name, empty in _TAG.findall(shown):
        if closing and name in inside:
            # What was left open ends with what it is in.
            while inside.pop() != name:
                pass
        elif not (closing or empty or name.lower() in _VOID):
            inside.append(name)
            if len(inside) > MOST_DEPTH:
                raise FeedUnreadable(f"{url}: its elements are nested more than {MOST_DEPTH} deep")
