"""From the elements of a page's body to the article: safe to open, in plain markup. Pure.

Which elements stay, and what the others mean, is data at the top of this page. The
tree is walked once and written anew, block by block: what is not known here is not carried
over. nh3 then looks at the result as a browser would, as a second pair of eyes.
"""

from __future__ import annotations

import re
from html import escape
from typing import Any

import nh3
from lxml import etree

from ingestor.errors import NoArticle
from ingestor.extract.boilerplate import is_boilerplate, is_boilerplate_line, is_video_box
from ingestor.extract.images import (
    figure,
    is_caption,
    is_uncaptioned,
    link_address,
    picture_address,
    video_poster,
    video_title,
)
from ingestor.extract.symbols import securities
from ingestor.model import Body, Picture
from ingestor.text.sanitize import MOST_CONTENT_CHARACTERS, one_line, visible

BREAK = frozenset(
    ("address", "article", "aside", "body", "center", "dd", "details", "div", "dl", "dt",
     "fieldset", "footer", "header", "html", "li", "main", "p", "pre", "section", "summary")
)  # fmt: skip
"""Elements that begin a new paragraph."""

HEADINGS = {f"h{level}": f"h{max(level, 2)}" for level in range(1, 7)}
"""The page's title is not in the body: a heading there is one of the second level or less."""

INLINE = {"b": "strong", "strong": "strong", "i": "em", "em": "em", "sup": "sup", "sub": "sub",
           "u": "u", "del": "del", "s": "del", "code": "code", "a": "a"}  # fmt: skip
NESTED = {"ul": "ul", "ol": "ol", "blockquote": "blockquote"}
VOID = frozenset(("embed", "source", "track"))
"""They have no inside (HTML, 13.1.2), but libxml2 puts what follows them there."""

FOREIGN = frozenset(("svg", "math"))
BREAKS_OUT = frozenset(
    ("b", "blockquote", "br", "center", "code", "dd", "div", "dl", "dt", "em", "embed", "h1", "h2",
     "h3", "h4", "h5", "h6", "hr", "i", "img", "li", "ol", "p", "pre", "s", "small", "span",
     "strong", "sub", "sup", "table", "u", "ul")
)  # fmt: skip
"""Elements that end an SVG or a formula left open (HTML, 13.2.6.5)."""

TAGS = {"p", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "blockquote", "table", "tr", "td",
         "th", "figure", "figcaption", "img", *set(INLINE.values())}  # fmt: skip
ATTRIBUTES = {
    "a": {"href"},
    "img": {"src", "alt", "referrerpolicy"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan"},
}


_SPACE = re.compile(r"[ \t\r\n\f\x85\xa0\u2028\u2029]+")
_EMPTY = re.compile(r"<(strong|em|u|del|sup|sub|code|a)(?: [^<>]*)?>(\s*)</\1>")
_MOST_SPAN = 1_000
"""Columns or rows of a cell: browsers take no more (HTML, 4.9.11)."""

MOST_HTML_CHARACTERS = 2 * MOST_CONTENT_CHARACTERS
"""HTML of one article. A page may hold less and grow to more: an element that stays open over
a million line breaks is written anew in each paragraph."""


def clean(root: Any | None, base_url: str) -> Body:
    """Return the cleaned body of the article inside ``root``; an empty one for ``None``.

    Raises :class:`NoArticle`, naming ``base_url``, when it is longer than any article.
    """
    if root is None:
        return Body("", "")
    writer = _Writer(base_url)
    writer.inside(root)
    writer.flush()
    html = nh3.clean(
        "\n".join(block for block, _ in writer.blocks),
        tags=TAGS,
        attributes=ATTRIBUTES,
        url_schemes={"http", "https", "mailto"},
        link_rel=None,
    )
    text = "\n".join(text for _, text in writer.blocks if text)
    return Body(html, text, tuple(writer.pictures), securities(root))


class _Writer:
    """Writes blocks: each is its HTML and its text, one line a paragraph."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self.blocks: list[tuple[str, str]] = []
        self.pictures: list[Picture] = []
        self.room = [MOST_HTML_CHARACTERS]
        self._tag = "p"
        self._html: list[str] = []
        self._text: list[str] = []
        self._open: list[tuple[str, str]] = []

    def inside(self, element: Any) -> None:
        """Write what stands inside an element."""
        self.words(element.text)
        for child in element:
            if isinstance(child.tag, str):
                self.element(child)
            self.words(child.tail)

    def element(self, element: Any) -> None:
        """Write an element, unless it is boilerplate."""
        tag = element.tag
        if is_video_box(element):
            self.video(element)
        elif tag in VOID:
            self.inside(element)
        elif tag in FOREIGN:
            self.behind(element)
        elif not is_boilerplate(element):
            self.content(element, tag)

    def content(self, element: Any, tag: str) -> None:
        """Write an element that is part of the article."""
        if tag == "img":
            self.picture(element)
        elif tag in {"br", "hr"}:
            self.flush()
        elif tag == "table":
            self.table(element)
        elif tag in NESTED:
            self.nested(element, NESTED[tag])
        elif tag in HEADINGS:
            self.block(element, HEADINGS[tag])
        elif is_caption(element):
            self.caption(element)
        elif tag in BREAK or tag == "figure":
            self.block(element, "p")
        else:
            self.inline(element)

    def add(self, html: str, text: str) -> None:
        """Write a block, and its text, if there is room for it."""
        self.room[0] -= len(html)
        if self.room[0] < 0:
            raise NoArticle(
                f"{self.base_url}: its text has more than {MOST_HTML_CHARACTERS} characters of HTML"
            )
        self.blocks.append((html, text))

    def behind(self, foreign: Any) -> None:
        """Write what stands behind an SVG or a formula that was left open; it is not part of it."""
        for child in foreign.iterchildren(tag=etree.Element):
            if child.tag in BREAKS_OUT:
                self.element(child)
                self.words(child.tail)
            elif child.tag != "foreignobject":
                self.behind(child)

    def words(self, text: str | None) -> None:
        """Write text of the current paragraph."""
        if text:
            line = visible(_SPACE.sub(" ", text))
            self._html.append(escape(line, quote=False))
            self._text.append(line)

    def inline(self, element: Any) -> None:
        """Write an element within a paragraph; one that only styles is not carried over."""
        name = INLINE.get(element.tag, "")
        if element.tag == "font" and "strong" in element.get("cms-style", "").lower():
            name = "strong"
        opening = f"<{name}>"
        if name == "a":
            href = link_address(element.get("href", ""), self.base_url)
            name, opening = ("a", f'<a href="{escape(href)}">') if href else ("", "")
        if not name or any(name == outer for outer, _ in self._open):
            self.inside(element)
            return
        self._open.append((name, opening))
        self._html.append(opening)
        self.inside(element)
        self._open.pop()
        self._html.append(f"</{name}>")

    def block(self, element: Any, tag: str) -> None:
        """Write an element that is a block of its own."""
        self.flush()
        outer, self._tag = self._tag, tag
        self.inside(element)
        self.flush()
        self._tag = outer

    def flush(self) -> None:
        """End the paragraph: it is kept when it says something."""
        closing = [f"</{name}>" for name, _ in reversed(self._open)]
        html = "".join([*self._html, *closing]).strip(" ")
        text = " ".join("".join(self._text).replace("\u3000", " ").split())
        self._html = [opening for _, opening in self._open]
        self._text = []
        if text and not is_boilerplate_line(text):
            self.add(f"<{self._tag}>{_without_empty(html)}</{self._tag}>", text)

    def nested(self, element: Any, tag: str) -> None:
        """Write a list or a quotation: blocks inside a block."""
        self.flush()
        inner = self.part()
        if tag == "blockquote":
            inner.inside(element)
            inner.flush()
            parts = [html for html, _ in inner.blocks]
        else:
            parts = []
            for item in element.iterchildren("li"):
                begin = len(inner.blocks)
                inner.inside(item)
                inner.flush()
                parts.append(f"<li>{_item(inner.blocks[begin:])}</li>")
        if inner.blocks:
            lines = "\n".join(text for _, text in inner.blocks if text)
            self.blocks.append((f"<{tag}>{''.join(parts)}</{tag}>", lines))

    def table(self, element: Any) -> None:
        """Write a table, a line of text for each row; one that only lays out is unwrapped."""
        self.flush()
        rows = [_Row(self, row) for row in element.iter("tr") if _owner(row) is element]
        filled = [row for row in rows if row.text or row.pictures]
        if len(filled) <= 1 and sum(row.cells for row in filled) <= 1:
            for row in filled:
                self.blocks += row.blocks
        elif filled:
            text = "\n".join(row.text for row in filled if row.text)
            html = "".join(row.html for row in filled)
            self.blocks.append((f"<table>{html}</table>", text))

    def picture(self, element: Any, caption: str = "") -> None:
        """Write a picture as a block of its own, without its caption, which follows it."""
        if address := picture_address(element, self.base_url):
            self.flush()
            self.pictures.append(Picture(address, caption))
            self.add(figure(address, caption), caption)

    def caption(self, element: Any) -> None:
        """Write a caption into the picture before it."""
        self.flush()
        text = one_line(element.text_content())
        if not text or is_boilerplate_line(text):
            return
        if self.blocks and is_uncaptioned(self.blocks[-1][0]):
            address = self.pictures[-1].url
            self.blocks[-1] = (figure(address, text), text)
            self.pictures[-1] = Picture(address, text)
        else:
            self.add(f"<p>{escape(text, quote=False)}</p>", text)

    def video(self, box: Any) -> None:
        """Write a video's poster and its title."""
        title = video_title(box)
        before = len(self.pictures)
        self.picture(video_poster(box), title)
        if title and len(self.pictures) == before:
            self.flush()
            self.add(f"<p>{escape(title, quote=False)}</p>", title)

    def part(self) -> _Writer:
        """Return a writer of blocks inside a block of this one."""
        inner = _Writer(self.base_url)
        inner.pictures = self.pictures
        inner.room = self.room
        return inner


class _Row:
    """A row of a table."""

    def __init__(self, writer: _Writer, row: Any) -> None:
        before = len(writer.pictures)
        self.blocks: list[tuple[str, str]] = []
        html: list[str] = []
        texts: list[str] = []
        for cell in row.iterchildren("td", "th"):
            inner = writer.part()
            inner.inside(cell)
            inner.flush()
            self.blocks += inner.blocks
            spans = "".join(
                f' {name}="{_span(cell.get(name))}"'
                for name in ("colspan", "rowspan")
                if 1 < _span(cell.get(name)) <= _MOST_SPAN
            )
            html.append(f"<{cell.tag}{spans}>{_item(inner.blocks)}</{cell.tag}>")
            texts.append(" ".join(text for _, text in inner.blocks if text))
        self.cells = len(html)
        self.html = f"<tr>{''.join(html)}</tr>"
        self.text = " ".join(text for text in texts if text)
        self.pictures = len(writer.pictures) - before


def _span(text: str | None) -> int:
    return int(text) if text and text.isdecimal() and len(text) <= 4 else 1


def _owner(row: Any) -> Any:
    return next(row.iterancestors("table"), None)


def _item(blocks: list[tuple[str, str]]) -> str:
    """Return the inside of a list item or a cell: a lone paragraph needs no tags of its own."""
    if len(blocks) == 1 and blocks[0][0].startswith("<p>"):
        return blocks[0][0].removeprefix("<p>").removesuffix("</p>")
    return "".join(html for html, _ in blocks)


def _without_empty(html: str) -> str:
    before = ""
    while before != html:
        before, html = html, _EMPTY.sub(r"\2", html)
    return html
