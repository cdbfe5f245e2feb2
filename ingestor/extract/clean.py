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
from ingestor.extract.boilerplate import (
    Block,
    block_around,
    is_boilerplate,
    is_promotion,
    is_video_box,
    marked_text,
    trimmed,
)
from ingestor.extract.images import (
    figure,
    is_caption,
    is_uncaptioned,
    link_address,
    picture_address,
    show_backgrounds,
    unscripted,
    video_poster,
    video_title,
)
from ingestor.extract.symbols import securities
from ingestor.model import Body, Dropped, Picture
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
         "th", "figure", "figcaption", "img", "pre", *set(INLINE.values())}  # fmt: skip
ATTRIBUTES = {
    "a": {"href"},
    "img": {"src", "alt", "referrerpolicy"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan"},
}


PICTURES = frozenset(("img", "amp-img"))

_LINES = re.compile(r"(?i)white-space\s*:\s*pre")
_BULLETED = re.compile(r"[•·●■◆▪○*-]|[（(]?[0-9一二三四五六七八九十]{1,3}[）).、．]")
"""Items that the page numbers itself."""

_NO_LETTERS = re.compile(r"[\W\d_年月日]+")
"""What may stand beside a link in a list of them: dates, dots."""

_SPACE = re.compile(r"[ \t\r\n\f\x85\xa0\u2028\u2029]+")
_EMPTY = re.compile(r"<(strong|em|u|del|sup|sub|code|a)(?: [^<>]*)?>(\s*)</\1>")
_MOST_SPAN = 1_000
"""Columns or rows of a cell: browsers take no more (HTML, 4.9.11)."""

MOST_HTML_CHARACTERS = 2 * MOST_CONTENT_CHARACTERS
"""HTML of one article. A page may hold less and grow to more: an element that stays open over
a million line breaks is written anew in each paragraph."""


def clean(root: Any | None, url: str, *, base: str = "", title: str = "") -> Body:
    """Return the cleaned body of the article inside ``root``; an empty one for ``None``.

    ``base`` is what its addresses are relative to, where that is not ``url``; a line at the
    beginning that repeats the ``title`` goes. Raises :class:`NoArticle`, naming ``url``, when it
    is longer than any article.
    """
    if root is None:
        return Body("", "")
    show_backgrounds(root)
    writer = _Writer(url, base or url)
    writer.inside(root)
    writer.flush()
    blocks, dropped = trimmed(writer.blocks, title)
    html = nh3.clean(
        "\n".join(block.html for block in blocks),
        tags=TAGS,
        attributes=ATTRIBUTES,
        url_schemes={"http", "https", "mailto"},
        link_rel=None,
    )
    text = "\n".join(block.text for block in blocks if block.text)
    pictures = tuple(picture for block in blocks for picture in block.pictures)
    return Body(html, text, pictures, securities(root), (*writer.dropped, *dropped))


class _Writer:
    """Writes blocks: each is its HTML and its text, one line a paragraph."""

    def __init__(self, url: str, base: str) -> None:
        self.url = url
        self.base = base
        self.blocks: list[Block] = []
        self.dropped: list[Dropped] = []
        self.room = [MOST_HTML_CHARACTERS]
        self.shown: set[str] = set()
        self._tag = "p"
        self._html: list[str] = []
        self._text: list[str] = []
        self._open: list[tuple[str, str]] = []
        self._links = self._linked = 0
        self._by_lines = False

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
        elif tag == "noscript":
            for image in unscripted(element, self.base):
                self.picture(image)
        elif is_boilerplate(element):
            self.dropped += marked_text(element)
        else:
            self.content(element, tag)

    def content(self, element: Any, tag: str) -> None:
        """Write an element that is part of the article."""
        if tag in PICTURES:
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
        elif tag == "pre" or _LINES.search(element.get("style", "")):
            self.lines(element)
        elif tag in BREAK or tag == "figure":
            self.block(element, "p")
        else:
            self.inline(element)

    def add(self, block: Block) -> None:
        """Write a block, if there is room for it."""
        self.room[0] -= len(block.html)
        if self.room[0] < 0:
            raise NoArticle(
                f"{self.url}: its text has more than {MOST_HTML_CHARACTERS} characters of HTML"
            )
        self.blocks.append(block)

    def behind(self, foreign: Any) -> None:
        """Write what stands behind an SVG or a formula that was left open; it is not part of it."""
        for child in foreign.iterchildren(tag=etree.Element):
            if child.tag in BREAKS_OUT:
                self.element(child)
                self.words(child.tail)
            elif child.tag != "foreignobject":
                self.behind(child)

    def words(self, text: str | None) -> None:
        """Write text of the current paragraph; between lines that count, begin another one."""
        if not text:
            return
        for number, part in enumerate(text.split("\n") if self._by_lines else (text,)):
            if number:
                self.flush()
            line = visible(_SPACE.sub(" ", part))
            self._html.append(escape(line, quote=False))
            self._text.append(line)
            self._linked += len(_NO_LETTERS.sub("", line)) if self._links else 0

    def inline(self, element: Any) -> None:
        """Write an element within a paragraph; one that only styles is not carried over."""
        name = INLINE.get(element.tag, "")
        if element.tag == "font" and "strong" in element.get("cms-style", "").lower():
            name = "strong"
        opening = f"<{name}>"
        is_link = name == "a"
        if is_link:
            href = link_address(element.get("href", ""), self.base)
            name, opening = ("a", f'<a href="{escape(href)}">') if href else ("", "")
        self._links += is_link
        if not name or any(name == outer for outer, _ in self._open):
            self.inside(element)
        else:
            self._open.append((name, opening))
            self._html.append(opening)
            self.inside(element)
            self._open.pop()
            self._html.append(f"</{name}>")
        self._links -= is_link

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
        linked, self._linked = self._linked, 0
        self._html = [opening for _, opening in self._open]
        self._text = []
        if text:
            is_link = 0 < linked >= len(_NO_LETTERS.sub("", text))
            html = f"<{self._tag}>{_without_empty(html)}</{self._tag}>"
            self.add(Block(html, text, is_link=is_link))

    def lines(self, element: Any) -> None:
        """Write text whose lines are lines: as it is, or as paragraphs where it has elements."""
        if element.tag != "pre" or any(child.tag != "br" for child in element.iterdescendants()):
            outer, self._by_lines = self._by_lines, True
            self.block(element, "p")
            self._by_lines = outer
            return
        self.flush()
        parts = [element.text or "", *(child.tail or "" for child in element)]
        every = visible("\n".join(parts)).replace("\xa0", " ").split("\n")
        # A blank line would end the HTML inside a Markdown file.
        lines = [line.rstrip() for line in every if line.strip()]
        if lines:
            text = "\n".join(line.strip() for line in lines)
            html = escape("\n".join(lines), quote=False)
            self.add(Block(f"<pre>{html}</pre>", text))

    def nested(self, element: Any, tag: str) -> None:
        """Write a list or a quotation: blocks inside a block."""
        self.flush()
        inner = self.part()
        if tag == "blockquote":
            inner.inside(element)
            inner.flush()
            html = "".join(block.html for block in inner.blocks)
            lines = [block.text for block in inner.blocks if block.text]
        else:
            html, lines = inner.items(element, tag)
        if inner.blocks:
            self.blocks.append(block_around(f"<{tag}>{html}</{tag}>", lines, inner.blocks))

    def items(self, element: Any, tag: str) -> tuple[str, list[str]]:
        """Write the items of a list; return their HTML and, with bullets or numbers, their text."""
        parts, lines = [], []
        for number, item in enumerate(element.iterchildren("li"), _span(element.get("start"))):
            begin = len(self.blocks)
            self.inside(item)
            self.flush()
            blocks = self.blocks[begin:]
            parts.append(f"<li>{_item(blocks)}</li>")
            text = "\n".join(block.text for block in blocks if block.text)
            bullet = "" if _BULLETED.match(text) else "• " if tag == "ul" else f"{number}. "
            lines += [f"{bullet}{text}"] if text else []
        return "".join(parts), lines

    def table(self, element: Any) -> None:
        """Write a table, a line of text for each row; one that only lays out is unwrapped."""
        self.flush()
        rows = [_Row(self, row) for row in element.iter("tr") if _owner(row) is element]
        filled = [row for row in rows if any(block.text or block.pictures for block in row.blocks)]
        blocks = [block for row in filled for block in row.blocks]
        if len(filled) <= 1 and sum(row.cells for row in filled) <= 1:
            self.blocks += blocks
        elif filled:
            html = "".join(row.html for row in filled)
            lines = [row.text for row in filled if row.text.strip()]
            self.blocks.append(block_around(f"<table>{html}</table>", lines, blocks))

    def picture(self, element: Any, caption: str = "") -> None:
        """Write a picture as a block of its own, without its caption, which follows it."""
        address = picture_address(element, self.base)
        # What a page gives again for readers without scripts is there already.
        is_unscripted = next(element.iterancestors("noscript"), None) is not None
        if address and not (address in self.shown and is_unscripted):
            self.flush()
            self.shown.add(address)
            picture = Picture(address, caption)
            self.add(Block(figure(address, caption), caption, pictures=(picture,)))

    def caption(self, element: Any) -> None:
        """Write a caption into the picture before it."""
        self.flush()
        text = one_line(element.text_content())
        if not text:
            return
        last = self.blocks[-1] if self.blocks else None
        if is_promotion(text):
            self.dropped.append(Dropped(text, "caption"))
        elif last and last.pictures and is_uncaptioned(last.html):
            address = last.pictures[-1].url
            picture = Picture(address, text)
            self.blocks[-1] = Block(figure(address, text), text, pictures=(picture,))
        else:
            self.add(Block(f"<p>{escape(text, quote=False)}</p>", text))

    def video(self, box: Any) -> None:
        """Write a video's poster and its title."""
        title = video_title(box)
        before = len(self.blocks)
        self.picture(video_poster(box), title)
        if title and len(self.blocks) == before:
            self.flush()
            self.add(Block(f"<p>{escape(title, quote=False)}</p>", title))

    def part(self) -> _Writer:
        """Return a writer of blocks inside a block of this one."""
        inner = _Writer(self.url, self.base)
        inner.dropped, inner.room, inner.shown = self.dropped, self.room, self.shown
        return inner


class _Row:
    """A row of a table; in its text a tab stands between two cells."""

    def __init__(self, writer: _Writer, row: Any) -> None:
        self.blocks: list[Block] = []
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
            texts.append(" ".join(" ".join(block.text for block in inner.blocks).split()))
        self.cells = len(html)
        self.html = f"<tr>{''.join(html)}</tr>"
        self.text = "\t".join(texts).rstrip("\t")


def _span(text: str | None) -> int:
    return int(text) if text and text.isdecimal() and len(text) <= 4 else 1


def _owner(row: Any) -> Any:
    return next(row.iterancestors("table"), None)


def _item(blocks: list[Block]) -> str:
    """Return the inside of a list item or a cell: a lone paragraph needs no tags of its own."""
    if len(blocks) == 1 and blocks[0].html.startswith("<p>"):
        return blocks[0].html.removeprefix("<p>").removesuffix("</p>")
    return "".join(block.html for block in blocks)


def _without_empty(html: str) -> str:
    before = ""
    while before != html:
        before, html = html, _EMPTY.sub(r"\2", html)
    return html
