"""Addresses of links and pictures, made absolute and safe."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urljoin, urlsplit

from ingestor.text.sanitize import one_line

_SINA = re.compile(r"(?:^|\.)(?:sinaimg\.cn|sina\.com\.cn|sina\.cn|sinajs\.cn)$")
_SOURCES = ("data-original", "data-src", "real-src", "data-actualsrc", "original", "src", "poster")
"""Where a picture's address stands: lazily loaded ones keep it beside a placeholder."""

_PLACEHOLDER = re.compile(
    r"(?i)(?:blank|spacer|placeholder|loading|transparent|pixel)[\w.-]*\.(?:gif|png)"
    # Marks at the end of a text, and QR codes (二维码), by the names that publishers give them.
    r"|/(?:end_[a-z]+|(?:ewm|erweima|qrcode)\d*)\.(?:png|gif|jpe?g)$"
)
_MOST_CHARACTERS = 2_000


def link_address(href: str, base_url: str) -> str:
    """Return where a link leads, absolute; ``''`` for anything but http, https and mailto."""
    absolute = _absolute(href, base_url)
    return absolute if urlsplit(absolute).scheme in {"http", "https", "mailto"} else ""


def picture(element: Any, base_url: str) -> str:
    """Return the address of a picture; ``''`` for one that shows nothing."""
    if _tiny(element.get("width")) and _tiny(element.get("height")):
        return ""
    for name in _SOURCES:
        address = _absolute(element.get(name) or "", base_url)
        parts = urlsplit(address)
        if parts.scheme in {"http", "https"} and not _PLACEHOLDER.search(parts.path):
            secure = _SINA.search(parts.hostname or "")
            return re.sub("^http:", "https:", address) if secure else address
    return ""


def _absolute(address: str, base_url: str) -> str:
    cleaned = one_line("".join(address.split()))
    if not cleaned or cleaned.startswith("#") or len(cleaned) > _MOST_CHARACTERS:
        return ""
    try:
        absolute = urljoin(base_url, cleaned)
        urlsplit(absolute)
    except ValueError:
        return ""
    return absolute


def _tiny(size: str | None) -> bool:
    return (size or "").strip().removesuffix("px") in {"0", "1", "2"}
