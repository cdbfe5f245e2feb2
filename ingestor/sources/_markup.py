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
from itertools import pairwise
from types import MappingProxyType

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
NO_ENTITIES: Mapping[str, str] = MappingProxyType({})

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


_FOREIGN = re.compile(
    r"<textInput(?=[\s>])[^<]*+(?:<(?!/?textInput)[^<]*+)*+</textInput\s*>"
    r"|<(?P<leaf>(?:\w{1,20}:)?(?:pos|posList|width|height))(?=[\s>])[^<>]*>[^<]*</(?P=leaf)\s*>"
    r"|</?(?:\w{1,20}:)?(?:pos|posList|width|height)(?=[\s>])[^<>]*>",
    re.IGNORECASE,
)
"""What feedparser stumbles over where it does not expect it, and nobody reads here."""

_CAPTION = re.compile(
    r"<media:description(?=[\s>])[^<]*+(?:<(?!/?media:description)[^<]*+)*+"
    r"</media:description\s*>",
    re.IGNORECASE,
)
_OWN_TEXT = re.compile(
    r"<(?:description|content:encoded|content|summary)(?=[\s>])[^<>]*(?<!/)>", re.IGNORECASE
)
_ROOT_TAG = re.compile(r"<[^<>]{1,4000}>")
_MOST_REPEATED = 2_000_000
"""Characters of a feed's root, once for each of its items: real ones have some 50,000."""


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
    shown = _shown(text)
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
    legal = references_made_legal(closed, declared)
    return Markup(_without_captions(legal), is_cut, is_channel)


def without_foreign(text: str) -> str:
    """Return a feed's XML without the elements that feedparser stumbles over."""
    return _without(_FOREIGN, text, _shown(text))


def items_apart(text: str) -> tuple[str, list[str]]:
    """Return a feed's XML without its items, and each item as a feed of its own.

    No items where the root is too large to be repeated for each.
    """
    shown = _shown(text)
    root = _ROOT_TAG.match(text)
    starts = [item.start() for item in _ITEM.finditer(shown)]
    last = _last(_ITEM_END, shown)
    if not root or not starts or last <= starts[-1] or root.end() * len(starts) > _MOST_REPEATED:
        return text, []
    name = root[0][1:].split(None, 1)[0].rstrip(">")
    begins, ends = root[0], f"</{name}>"
    if name.lower() == "rss":
        begins, ends = f"{begins}<channel>", f"</channel>{ends}"
    bounds = zip(starts, [*starts[1:], last], strict=True)
    return text[: starts[0]] + text[last:], [f"{begins}{text[a:z]}{ends}" for a, z in bounds]


def _without_captions(text: str) -> str:
    """Leave out what describes an item's picture where the item has a text of its own.

    feedparser reads both as the item's description, and the one that comes last as its content.
    """
    if "media:description" not in text:
        return text
    shown = _shown(text)
    bounds = [0, *(item.start() for item in _ITEM.finditer(shown)), len(text)]
    return "".join(
        _without(_CAPTION, text[a:z], shown[a:z]) if _OWN_TEXT.search(shown, a, z) else text[a:z]
        for a, z in pairwise(bounds)
    )


def _without(form: re.Pattern[str], text: str, shown: str) -> str:
    """Return a text without what has a form in ``shown``, the text with nothing hidden in it."""
    ends = [0]
    for found in form.finditer(shown):
        ends += found.span()
    ends.append(len(text))
    return "".join(text[a:z] for a, z in zip(ends[::2], ends[1::2], strict=True))


def _shown(text: str) -> str:
    """Return a text with spaces for its comments, CDATA sections and instructions."""
    return _HIDDEN_PART.sub(lambda hidden: " " * len(hidden[0]), text)


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


def references_made_legal(text: str, declared: Mapping[str, str] = NO_ENTITIES) -> str:
    """Return markup whose references are all such as XML has; ``declared`` are entities of its own.

    Those of HTML become their characters, and what refers to nothing is text.
    """
    return _REFERENCE.sub(partial(_made_legal, declared), text)


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
