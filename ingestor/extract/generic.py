"""Pages that no template fits: readability-lxml for the body, the usual marks for the rest. Pure.

Pages of Sina's that list articles are none, though an article could be made from them.
"""

from __future__ import annotations

import logging
import re
from typing import Any
from urllib.parse import urlsplit

from lxml import etree
from lxml import html as lxml_html

from ingestor.errors import NoArticle
from ingestor.extract.clean import clean
from ingestor.extract.headline import editor_of, medium, titles
from ingestor.extract.images import is_picture_box, link_address, show_backgrounds, unscripted
from ingestor.extract.publication import METAS, UPDATES, linked_update, named_moment, stated_dates
from ingestor.extract.template import summary
from ingestor.extract.tree import Tree, find, parse_fragment
from ingestor.identity import canonical_url, document_id, is_sina
from ingestor.model import Article, Body
from ingestor.text.sanitize import bounded_keywords, visible
from ingestor.text.written_dates import parse_date

LISTS = (
    "//*[@id='result']//*[contains(@class,'box-result')]",
    "//ul[contains(@class,'list_009')]/li",
    "//*[@id='d_list']//*[contains(@class,'c_tit')]",
    "//*[contains(concat(' ',@class,' '),' datelist ')]//a",
)
"""What a search's answers, the roll pages of three generations and a company's news are made of."""

LEAST_ITEMS = 3
"""A box of related articles has one or two."""


_HOME = re.compile(r"(?i)/?(?:(?:index|default|home|main)\.\w{2,5})?")


def is_list(tree: Tree) -> bool:
    """Whether a page that no template fits is one of these lists.

    A mirror, or an archive of pages, shows Sina's under an address of its own: then what it lists
    leads to Sina.
    """
    at_home = is_sina(tree.url)
    return any(
        len(items) >= LEAST_ITEMS and (at_home or sum(map(_leads_to_sina, items)) >= LEAST_ITEMS)
        for items in (find(tree.root, path) for path in LISTS)
    )


def _leads_to_sina(item: Any) -> bool:
    links = [item] if item.tag == "a" else item.iter("a")
    return any(
        is_sina(address) for link in links if (address := link_address(link.get("href") or "", ""))
    )


def is_home(tree: Tree) -> bool:
    """Whether it is a site's front page, by its address, and does not say that it is an article."""
    parts = urlsplit(tree.url)
    said = tree.meta("og:type").lower() in {"article", "news"} or any(map(tree.meta, METAS))
    return bool(_HOME.fullmatch(parts.path)) and not parts.query and not said


# It logs a traceback for pages that it cannot read, which are ordinary here.
logging.getLogger("readability").propagate = False
logging.getLogger("readability").addHandler(logging.NullHandler())


def generic_article(tree: Tree) -> Article:
    """Return the article of a page that no template fits; raise NoArticle when none is found."""
    url = canonical_url(tree.url)
    names = titles(tree)
    title = next(iter(names), "")
    body = _body(tree, title)
    dates = stated_dates(tree, url, title, ())
    return Article(
        url=url,
        document_id=document_id(url),
        title=title,
        published_at=named_moment(dates),
        updated_at=parse_date(tree.meta(*UPDATES)) or linked_update(tree, url, title),
        media=medium(tree, title),
        editor=editor_of(body, tree),
        summary=summary(tree, body),
        keywords=_keywords(tree.meta("keywords")),
        body=body,
        template="generic",
        stated_dates=dates,
        titles=names,
    )


def _keywords(stated: str) -> tuple[str, ...]:
    """Return the keywords, which some publishers separate by spaces."""
    separator = r"[,，;；、]" if re.search(r"[,，;；、]", stated) else r"\s+"
    return bounded_keywords(re.split(separator, stated))


def _drop_broken_bases(root: Any) -> None:
    """Take out a ``<base>`` that is no address: readability gives up the whole page for it."""
    for base in root.xpath("//base[@href]"):
        try:
            urlsplit(base.get("href"))
        except ValueError:
            base.getparent().remove(base)


def _show_unscripted(tree: Tree) -> None:
    """Keep the pictures that only ``<noscript>`` shows: readability takes it out."""
    for noscript in list(tree.root.iter("noscript")):
        if unscripted(noscript, tree.base) and not noscript.text_content().strip():
            noscript.tag = "span"


_PROTECTED = {"ul": "x-ul", "table": "x-table", "div": "x-div"}
"""Readability takes lists and tables out that have few commas, and boxes that have nothing but
pictures; what it does not know it leaves."""

_PROTECTED_TAG = re.compile(r"(</?)x-(?=ul|table|div)")

MOST_LINKED = 0.3
"""The share of letters inside links up to which a list or a table is text: a menu has more."""


MOST_CELL = 300
"""Characters of a cell of data."""


def _protect(tree: Tree) -> None:
    """Give lists, tables of data and boxes of pictures names with which readability leaves them."""
    for element in list(tree.root.iter(*_PROTECTED)):
        if element.tag == "div":
            if is_picture_box(element, tree.base):
                element.tag = _PROTECTED["div"]
            continue
        parts = element.findall(".//tr") if element.tag == "table" else element.findall("li")
        if len(parts) > 1 and not _lays_out(element) and _linked(element) <= MOST_LINKED:
            element.tag = _PROTECTED[element.tag]


def _lays_out(element: Any) -> bool:
    """Whether a table holds more than data: others, forms, whole texts."""
    if next(element.iterdescendants("table", "x-table", "form", "input"), None) is not None:
        return True
    return any(len(cell.text_content()) > MOST_CELL for cell in element.iterdescendants("td"))


def _linked(element: Any) -> float:
    every = len("".join(element.text_content().split()))
    linked = sum(len("".join(link.text_content().split())) for link in element.iter("a"))
    return linked / every if every else 1.0


def _body(tree: Tree, title: str) -> Body:
    # For pages that no template fits; Sina's never load it.
    from readability import Document  # noqa: PLC0415
    from readability.readability import Unparseable  # noqa: PLC0415

    _drop_broken_bases(tree.root)
    show_backgrounds(tree.root)
    _show_unscripted(tree)
    _protect(tree)
    # readability gives up a whole page for a control character that it has to copy.
    source = visible(lxml_html.tostring(tree.root, encoding="unicode"))
    try:
        html = Document(source, url=tree.url).summary(html_partial=True)
    except (Unparseable, etree.LxmlError, ValueError, TypeError, RecursionError) as error:
        raise NoArticle(f"{tree.url}: no article was found on the page") from error
    html = _PROTECTED_TAG.sub(r"\1", html)
    return clean(parse_fragment(html, tree.url), tree.url, base=tree.base, title=title)
