"""An article's cleaned HTML, and a page as it was received, made fit to be shown. Pure.

What is shown asks nobody: pictures come from the archive where it has them, and are a mark with
their description where it has not. The cleaned HTML keeps its links; a page as received loses
all that acts or leads anywhere, and is shown in a sandbox beside.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping

import lxml.html
from lxml import etree
from lxml.html import HtmlElement

from ingestor.extract.images import picture_address
from ingestor.text.decode import decode_page

_ACTIVE = frozenset(
    """
    script iframe object applet base link meta template portal audio video svg
    """.split()  # noqa: SIM905 - a list of words
)
"""Elements that a page as received is shown without, with all that is in them."""

_UNWRAPPED = frozenset(
    """
    embed source track param frame frameset math dialog form
    """.split()  # noqa: SIM905 - a list of words
)
"""Elements that it is shown without, but for what is in them: libxml2 puts there what follows some
of them."""

_INERT = frozenset(
    """
    abbr align alt bgcolor border cellpadding cellspacing class color colspan datetime dir face
    height hspace id lang nowrap reversed rowspan size span start style summary title type valign
    value vspace width
    """.split()  # noqa: SIM905 - a list of words
)
"""Attributes that name nothing elsewhere and run nothing."""

MOST_PICTURE_BYTES = 16 * 2**20
"""Bytes of the pictures that are put into one page as received."""

_PICTURE_TYPES = {
    "jpg": "image/jpeg",
    "png": "image/png",
    "gif": "image/gif",
    "webp": "image/webp",
    "avif": "image/avif",
    "bmp": "image/bmp",
}

PICTURE_PATH = re.compile(r"[0-9a-f]{2}/[0-9a-f]{64}\.([a-z]{3,4})")
"""As pictures are kept (:func:`ingestor.pipeline.files.image_path`)."""


def picture_type(path: str) -> str:
    """Return the media type of a kept picture; ``""`` for what is none."""
    named = PICTURE_PATH.fullmatch(path)
    return _PICTURE_TYPES.get(named[1], "") if named else ""


def article_html(html: str, kept: Mapping[str, str], *, pictures: bool) -> tuple[str, int]:
    """Return cleaned HTML to put into a page, and how many of its pictures are not kept.

    ``kept`` has the addresses in the archive of pictures by their own. With ``pictures`` those that
    are not kept stay, so that the reader's browser asks for them; else each is replaced by its
    description. Links open without saying where one came from.
    """
    root = lxml.html.fragment_fromstring(html, create_parent="div")
    others = 0
    for picture in list(root.iter("img")):
        here = kept.get(picture.get("src", ""))
        if here:
            picture.set("src", here)
        else:
            others += 1
        if here or pictures:
            picture.set("loading", "lazy")
            picture.set("referrerpolicy", "no-referrer")
            picture.set("alt", picture.get("alt", ""))
        else:
            _describe(picture)
    for link in root.iter("a"):
        link.set("rel", "noopener noreferrer")
    return lxml.html.tostring(root, encoding="unicode"), others


def _describe(picture: HtmlElement) -> None:
    words = lxml.html.Element("span", {"class": "picture"})
    description = picture.get("alt", "").strip()
    words.text = f"▧ {description}" if description else "▧"
    words.tail = picture.tail
    parent = picture.getparent()
    if parent is not None:
        parent.replace(picture, words)


def received_html(
    body: bytes, content_type: str, url: str, picture: Callable[[str], tuple[str, bytes] | None]
) -> str | None:
    """Return a page as it was received, without what acts; ``None`` for what is no HTML.

    ``picture`` gives the media type and the bytes of a picture that is kept, by its address;
    ``url`` is the page's, for addresses that are relative to it.
    """
    text = decode_page(body, content_type)
    if "<" not in text[:4096] or "json" in content_type or not text.strip():
        return None
    parser = lxml.html.HTMLParser(encoding="utf-8", huge_tree=False, remove_comments=True)
    try:
        root = lxml.html.document_fromstring(text.encode("utf-8", "replace"), parser=parser)
    except etree.ParserError:
        return None
    _still(root)
    left = MOST_PICTURE_BYTES
    for element in list(root.iter("img")):
        left -= _put_picture(element, url, picture, left)
    for element in root.iter():
        for name in list(element.attrib):
            if name not in _INERT and not (element.tag == "img" and name == "src"):
                del element.attrib[name]
    html: str = lxml.html.tostring(root, encoding="unicode", doctype="<!DOCTYPE html>")
    return html.replace("<head>", '<head><meta charset="utf-8">', 1)


def _still(root: HtmlElement) -> None:
    """Take out the elements that act."""
    for element in list(root.iter()):
        if not isinstance(element.tag, str) or element.tag.lower() in _ACTIVE:
            _remove(element)
        elif element.tag in _UNWRAPPED and element.getparent() is not None:
            element.drop_tag()
        elif element.tag == "noscript":
            # What a reader without scripts is shown.
            element.tag = "div"


def _remove(element: HtmlElement) -> None:
    parent = element.getparent()
    if parent is not None:
        element.drop_tree()


def _put_picture(
    element: HtmlElement,
    url: str,
    picture: Callable[[str], tuple[str, bytes] | None],
    most: int,
) -> int:
    """Give an element the kept picture that it shows, else its description; return its bytes."""
    address = picture_address(element, url)
    found = picture(address) if address else None
    if found is None or len(found[1]) > most:
        _describe(element)
        return 0
    kind, data = found
    element.set("src", f"data:{kind};base64,{base64.b64encode(data).decode()}")
    return len(data)
