"""An article's HTML for the browser: pictures are not loaded until they are asked for. Pure."""

from __future__ import annotations

import lxml.html
from lxml.html import HtmlElement


def page_html(html: str, *, pictures: bool) -> tuple[str, int]:
    """Return cleaned HTML to put into a page, and how many pictures it has.

    Without ``pictures`` each is replaced by its description, so that nothing is asked of other
    machines. Links open without saying where one came from.
    """
    root = lxml.html.fragment_fromstring(html, create_parent="div")
    found = list(root.iter("img"))
    for one in found:
        if pictures:
            one.set("loading", "lazy")
            one.set("referrerpolicy", "no-referrer")
        else:
            _replace(one)
    for link in root.iter("a"):
        link.set("rel", "noopener noreferrer")
    return lxml.html.tostring(root, encoding="unicode"), len(found)


def _replace(picture: HtmlElement) -> None:
    words = lxml.html.Element("span", {"class": "picture"})
    description = picture.get("alt", "").strip()
    words.text = f"▧ {description}" if description else "▧"
    words.tail = picture.tail
    parent = picture.getparent()
    if parent is not None:
        parent.replace(picture, words)
