"""What a page carries in its scripts, or under another name: put where the paths find it. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from lxml import etree

from ingestor.extract.tree import Tree, parse_fragment
from ingestor.text.sanitize import address_text, one_line


def scripts(tree: Tree) -> str:
    """Return the page's inline scripts, one after the other."""
    return "\n".join(str(text) for text in tree.root.xpath("//script/text()"))


def assigned(source: str, name: str) -> dict[str, Any]:
    """Return the object that a script assigns to a variable, ``{}`` where it is no JSON."""
    for assignment in re.finditer(rf"\b{re.escape(name)}\s*=\s*(?=\{{)", source):
        try:
            value, _ = json.JSONDecoder().raw_decode(source, assignment.end())
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict):
            return value
    return {}


def show(tree: Tree, name: str, parts: Iterable[tuple[str, str, str]]) -> None:
    """Append an element ``<div data-from="name">`` with these parts to the page.

    A part is a tag (``h1``, ``time``, ``p``, ``figure``), a text, and a picture's address. The
    paragraphs and figures stand in a ``<section>``; a text may have tags, which go.
    """
    body = next(iter(tree.root.xpath("//body")), tree.root)
    outer = etree.SubElement(body, "div", {"data-from": name})
    section = etree.SubElement(outer, "section")
    for tag, text, picture in parts:
        part = etree.SubElement(outer if tag in {"h1", "time"} else section, tag)
        words = without_tags(text)
        if tag == "figure":
            etree.SubElement(part, "img", {"src": address_text(picture)})
            if words:
                etree.SubElement(part, "figcaption").text = words
        else:
            part.text = words


def captions(tree: Tree, path: str) -> None:
    """Make captions of the elements that a path finds, where the page has headings for them."""
    for element in tree.root.xpath(path):
        element.tag = "figcaption"


def without_tags(text: str) -> str:
    """Return a text that may be HTML on one line, as a reader sees it."""
    if "<" not in text and "&" not in text:
        return one_line(text)
    root = parse_fragment(text, "a caption")
    return "" if root is None else one_line(" ".join(root.itertext()))
