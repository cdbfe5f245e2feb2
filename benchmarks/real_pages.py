"""Real pages, of which only the furniture is used: a made-up article takes the real one's place."""

from __future__ import annotations

import re
from pathlib import Path

from benchmarks.pages import article
from tests.made_up_sina import body_html

_DOCUMENT_ID = re.compile(r'<meta name="publishid" content="([a-z]+\d+)"')
_BODY = re.compile(r'(<div class="article[^"]*" id="(?:artibody|article)"[^>]*>)', re.IGNORECASE)
_LEAST = 100_000
"""Bytes; smaller files are fragments."""


def real_pages(folder: Path) -> list[str]:
    """Return the whole pages in a folder, without their articles' texts."""
    texts = [path.read_text("utf-8") for path in sorted(folder.glob("*.html"))]
    return [_emptied(text) for text in texts if len(text) > _LEAST]


def real_page(pages: list[str], number: int) -> bytes:
    """Return article ``number`` on one of these pages."""
    one, text = article(number), pages[number % len(pages)]
    found = _DOCUMENT_ID.search(text)
    text = text.replace(found[1], one.document_id[1:]) if found else text
    return _BODY.sub(lambda start: start[1] + body_html(one), text, count=1).encode()


def _emptied(text: str) -> str:
    """Take the paragraphs out of the body, so that two pages of one template are no copies."""
    start = _BODY.search(text)
    if not start:
        raise ValueError("a real page without #artibody or #article")
    body = text[start.end() :]
    end = body.find("</div>\n<!-- 正文") if "</div>\n<!-- 正文" in body else len(body) // 4
    return text[: start.end()] + re.sub(r"(?s)<p\b.*?</p>", "", body[:end]) + body[end:]
