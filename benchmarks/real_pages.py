"""Real pages, of which only the furniture is used: a made-up article takes the real one's place."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape
from pathlib import Path

from benchmarks.pages import article
from tools.made_up_sina import body_html

_DOCUMENT_ID = re.compile(r'<meta name="publishid" content="([a-z]+\d+)"')
_BODY = re.compile(r'<div\b[^>]*\bid="(?:artibody|article)"[^>]*>')
_TITLE = re.compile(r'(<h1 class="main-title"[^>]*>)[^<]*')
_DIV = re.compile(r"<(/?)div\b[^>]*>")

_LEAST = 100_000
"""Characters; smaller files are fragments."""


@dataclass(frozen=True, slots=True)
class Furniture:
    """A page around its body."""

    above: str
    below: str
    document_id: str


def real_pages(folder: Path) -> list[Furniture]:
    """Return the whole pages in a folder, without what stands in their bodies."""
    texts = (path.read_text("utf-8") for path in sorted(folder.glob("*.html")))
    return [_around(text) for text in texts if len(text) > _LEAST]


def real_page(pages: list[Furniture], number: int) -> bytes:
    """Return article ``number`` on one of these pages."""
    one, around = article(number), pages[number % len(pages)]
    above = _TITLE.sub(lambda start: start[1] + escape(one.title), around.above)
    text = f"{above}{body_html(one)}{around.below}"
    return text.replace(around.document_id, one.document_id[1:]).encode()


def _around(text: str) -> Furniture:
    start, named = _BODY.search(text), _DOCUMENT_ID.search(text)
    if not (start and named):
        raise ValueError("a real page without a body or without a publishid")
    depth = 1
    for tag in _DIV.finditer(text, start.end()):
        depth += -1 if tag[1] else 1
        if not depth:
            return Furniture(text[: start.end()], text[tag.start() :], named[1])
    raise ValueError("a real page whose body does not end")
