"""What a feed's XML must not have, looked at before a parser is let near it. Pure."""

from __future__ import annotations

import re

from ingestor.errors import FeedUnreadable
from ingestor.sources._text import MOST_ENTRIES

MOST_DEPTH = 200
"""Elements inside each other; a feed needs about six."""

_HIDDEN = re.compile(r"<!--.*?(?:-->|\Z)|<!\[CDATA\[.*?(?:\]\]>|\Z)|<\?.*?(?:\?>|\Z)", re.DOTALL)
"""Comments, CDATA sections and processing instructions, whole or cut off: no markup in them."""

_PROLOG = re.compile(r"(?:\s+|<!--.*?-->|<\?.*?\?>)*", re.DOTALL)
_SUBSET = re.compile(r"""<!DOCTYPE(?:"[^"]*"|'[^']*'|[^>\["'])*\[""", re.IGNORECASE)
_ENTITY = re.compile(r"<!ENTITY", re.IGNORECASE)
_ITEM = re.compile(r"<(?:\w{1,20}:)?(?:item|entry)[\s/>]", re.IGNORECASE)
_TAG = re.compile(r"""<(/?)[^\s<>/!?](?:[^<>"']|"[^<"]*"|'[^<']*')*?(/?)>""")
_END = re.compile(r"</(?:\w{1,20}:)?(rss|rdf|feed|channel)\s*>\s*$", re.IGNORECASE)
_EMPTY_ROOT = re.compile(r"<(?:\w{1,20}:)?(?:rss|rdf|feed)\b[^>]{0,2000}/>\s*$", re.IGNORECASE)


def bare(text: str) -> str:
    """Return a feed's markup without what only looks like some."""
    return _HIDDEN.sub("", text)


def is_whole(markup: str) -> bool:
    """Whether :func:`bare` markup ends as a feed does, and was not cut off."""
    return bool(_END.search(markup) or _EMPTY_ROOT.search(markup))


def refuse_hostile(url: str, text: str, markup: str) -> None:
    """Raise :class:`FeedUnreadable` for entities, too many items and elements too deep.

    ``markup`` is the :func:`bare` one of ``text``, ``url`` the feed's. A document type of the
    feed's own can name files and addresses, and grow without bound ("billion laughs").
    """
    prolog = _PROLOG.match(text)
    if _ENTITY.search(markup) or _SUBSET.match(text, prolog.end() if prolog else 0):
        raise FeedUnreadable(f"{url}: it declares XML entities, which feeds have no need of")
    if (count := len(_ITEM.findall(markup))) > MOST_ENTRIES:
        raise FeedUnreadable(f"{url}: {count} items, {MOST_ENTRIES} at most")
    depth = 0
    for closing, empty in _TAG.findall(markup):
        depth += -1 if closing else 0 if empty else 1
        if depth > MOST_DEPTH:
            raise FeedUnreadable(f"{url}: its elements are nested more than {MOST_DEPTH} deep")
