"""Pictures of an article: where they are, their captions, and the figure that shows both. Pure."""

from __future__ import annotations

import re
from html import escape
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


_CAPTIONS = frozenset(("img_descr", "pic-descr", "img-descr"))
_UNCAPTIONED = "></figure>"


def is_caption(element: Any) -> bool:
    """Whether an element says what the picture before it shows."""
    return element.tag == "figcaption" or not _CAPTIONS.isdisjoint(element.get("class", "").split())


def figure(address: str, caption: str = "") -> str:
    """Return the HTML of a picture, with its caption if it has one."""
    note = f"<figcaption>{escape(caption, quote=False)}</figcaption>" if caption else ""
    return f'<figure><img src="{escape(address)}" referrerpolicy="no-referrer">{note}</figure>'


def is_uncaptioned(html: str) -> bool:
    """Whether a block is a :func:`figure` that a caption may still come for."""
    return html.endswith(_UNCAPTIONED)


def video_title(box: Any) -> str:
    """Return the title that a video box shows, ``''`` where it shows none."""
    titles = box.xpath(".//*[contains(@class,'video-info') or @id='J_Video_Source']")
    return one_line(titles[0].text_content()) if titles else ""


def video_poster(box: Any) -> Any:
    """Return the element that names the poster of a video box: an ``img``, or the box itself."""
    return next(box.iterdescendants("img"), box)


def link_address(href: str, base_url: str) -> str:
    """Return where a link leads, absolute; ``''`` for anything but http, https and mailto."""
    absolute = _absolute(href, base_url)
    return absolute if urlsplit(absolute).scheme in {"http", "https", "mailto"} else ""


def picture_address(element: Any, base_url: str) -> str:
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
