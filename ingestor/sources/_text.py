"""Text and addresses of feed items, cleaned and bounded."""

from __future__ import annotations

import html
import re
from urllib.parse import urljoin

from ingestor.errors import Forbidden
from ingestor.identity import MOST_URL_CHARACTERS, canonical_url

MOST_ENTRIES = 10_000
"""Items read from one feed: real ones have tens; a backlog may have thousands."""

MOST_TITLE_CHARACTERS = 500
"""A headline has at most about eighty; the rest is somebody's mistake or malice."""

MOST_CONTENT_CHARACTERS = 2 * 1024**2
"""Text of one item: the longest real articles have a tenth of it."""

_TAG = re.compile(r"</?[A-Za-z][^<>]{0,1000}>|<!--.{0,1000}?-->", re.DOTALL)
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]+")


def plain(text: str) -> str:
    """Return a title as plain text on one line: no tags, references read, no unseen marks."""
    shown = html.unescape(_TAG.sub("", text)) if "<" in text or "&" in text else text
    return " ".join(_UNSEEN.sub(" ", shown).split())[:MOST_TITLE_CHARACTERS]


def cut(text: str, most: int) -> str:
    """Return as much of ``text`` as is within the bound."""
    return text[:most]


def whole(text: str) -> str:
    """Return an item's text, ``""`` for one past the bound: a truncated article is none."""
    return text if len(text) <= MOST_CONTENT_CHARACTERS else ""


def web_address(url: str, base: str) -> str:
    """Return ``url`` as absolute http(s) address, ``""`` when it is none that can be asked."""
    try:
        absolute = urljoin(base, "".join(url.split()))
        canonical_url(absolute)
    except (ValueError, Forbidden):
        return ""
    return absolute if len(absolute) <= MOST_URL_CHARACTERS else ""
