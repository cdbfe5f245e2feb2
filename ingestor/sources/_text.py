"""Text and addresses of feed items, cleaned and bounded. Pure."""

from __future__ import annotations

import hashlib
import html
import re
from datetime import datetime
from urllib.parse import urljoin

from ingestor.errors import Forbidden
from ingestor.identity import MOST_URL_CHARACTERS, canonical_url
from ingestor.text.dates import parse_date
from ingestor.text.sanitize import MOST_CONTENT_CHARACTERS, address_text, one_line, storable

MOST_ENTRIES = 10_000
"""Items of one feed: real ones have tens; a backlog may have thousands."""

MOST_GUID_CHARACTERS = 2_000
"""A guid is an address or a number."""

MOST_DATE_CHARACTERS = 200
"""A date in words has about forty; what is longer is none, and is left out."""

_TAG = re.compile(r"</?[A-Za-z][^<>]{0,1000}>|<!--.{0,1000}?-->", re.DOTALL)


def plain(text: str) -> str:
    """Return a title as plain text on one line: no tags, references read, no unseen marks.

    It comes back whole, however long: the one who makes an article of it judges the length.
    """
    shown = html.unescape(_TAG.sub("", text)) if "<" in text or "&" in text else text
    return one_line(shown)


def identifier(text: str) -> str:
    """Return an item's guid; one past the bound by its SHA-256, for a cut one names others too."""
    if len(text) <= MOST_GUID_CHARACTERS:
        return storable(text)
    return f"sha256:{hashlib.sha256(text.encode('utf-8', 'replace')).hexdigest()}"


def date_text(text: str) -> str:
    """Return a date as the feed wrote it, ``""`` for one that is too long to be one."""
    return one_line(text) if len(text) <= MOST_DATE_CHARACTERS else ""


def moment_of(stated: str, polled_at: datetime) -> tuple[datetime | None, bool]:
    """Return the moment of a date as a feed writes it, and whether it was told from now."""
    absolute = parse_date(stated, not_after=polled_at)
    told = absolute or parse_date(stated, not_after=polled_at, polled_at=polled_at)
    return told, told != absolute


def whole(text: str) -> str:
    """Return an item's text, ``""`` for one past the bound: a truncated article is none."""
    return storable(text) if len(text) <= MOST_CONTENT_CHARACTERS else ""


def web_address(url: str, base: str) -> str:
    """Return ``url`` as absolute http(s) address, ``""`` when it is none that can be asked."""
    if not (cleaned := address_text(url)):
        # Joined to the base it would be the base: the feed's own home page.
        return ""
    try:
        absolute = urljoin(base, cleaned)
        canonical_url(absolute)
    except (ValueError, Forbidden):
        return ""
    return absolute if len(absolute) <= MOST_URL_CHARACTERS else ""
