"""What a page template is, and how one is read. The templates themselves are data.

What a page carries in its scripts, or under another name, a template puts where its paths find it.

A template is a module of ``extract/sites`` with a ``TEMPLATE``; it is found by its folder.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

from lxml import etree

from ingestor.errors import Forbidden
from ingestor.extract.clean import clean
from ingestor.extract.headline import editor_of
from ingestor.extract.multipage import take_parts
from ingestor.extract.publication import UPDATES, named_moment, stated_dates
from ingestor.extract.tree import Tree, parse_fragment
from ingestor.identity import canonical_url, document_id, same_publisher, scoped_document_id
from ingestor.model import Article, Body
from ingestor.registry import modules
from ingestor.text.sanitize import address_text, bounded_keywords, bounded_name, one_line
from ingestor.text.written_dates import parse_date

SUMMARY_CHARACTERS = 200
"""How much of the text stands for a summary where none is given."""

MOST_SUMMARY_CHARACTERS = 2_000
"""A longer one is the text itself, and is left out: the text is kept anyway."""

_SUFFIX = re.compile(
    r"(?:\|[^|_]*+)?(?<!_)_++(?:新浪|手机新浪|财经|股票|科技|新闻|高清图|图集)[\s\S]*|[-_|]\s*(?:新浪网|手机新浪网)$"
)
_EDITOR = re.compile(r"责任?编辑?\s*[：:]\s*(.{1,40})")
_EDITOR_CODE = re.compile(r"(?<!\s)\s*+[（(]?[A-Z]{1,3}\d{2,5}[）)]?\s*$")
_MOBILE = re.compile(r"url=\s*(\S+)")


DATE_SOURCE = "/descendant::*[contains(@class,'date-source')][1]"
"""The line below the headline, on pages from 2017 on; related articles may have such a line too.
Written so that the search ends with the first (see :mod:`ingestor.extract.tree`)."""


@dataclass(frozen=True, slots=True)
class Template:
    """Where things stand on one kind of page, as XPaths; the first that finds something counts."""

    name: str
    marks: tuple[str, ...]
    """The page is of this kind when each of these finds an element."""
    body: tuple[str, ...]
    title: tuple[str, ...]
    date: tuple[str, ...]
    media: tuple[str, ...]
    editor: tuple[str, ...] = (
        "//p[contains(@class,'article-editor') or contains(@class,'show_author')]",
    )
    keywords: tuple[str, ...] = (
        "id('keywords')//a",
        # The first condition says no more than the second, but costs half.
        "//*[contains(@class,'keywords')][contains(concat(' ',@class,' '),' keywords ')]//a",
    )

    address: str = ""
    """A regular expression that the address has to match; the pages of such a template are
    looked for first."""
    prepare: Callable[[Tree], None] | None = None
    """Puts what only a script of the page carries into elements, where the paths find it."""

    def matches(self, tree: Tree) -> bool:
        """Whether the page is of this kind, judged by its structure and its address alone."""
        if self.address and not re.search(self.address, tree.url):
            return False
        return all(tree.first(mark) is not None for mark in self.marks)


@cache
def templates() -> tuple[Template, ...]:
    """Return every template of ``extract/sites``, in the order of their files' names.

    Those that name an address come first: they know more.
    """
    known = [module.TEMPLATE for module in modules("ingestor.extract.sites").values()]
    return tuple(sorted(known, key=lambda template: not template.address))


def read_template(template: Template, tree: Tree) -> Article:
    """Read a page by a template; the body comes back empty where the template finds none."""
    if template.prepare:
        template.prepare(tree)
    parts = take_parts(tree)
    editor = _editor(template, tree)
    metas = tree.meta("mediaid", "article:author", "author")
    media = bounded_name(tree.text(*template.media) or metas)
    body_element = tree.first(*template.body)
    url, aliases = _addresses(tree)
    title = tree.text(*template.title) or tree.meta("og:title") or page_title(tree)
    words = _keywords(template, tree)
    dates = stated_dates(tree, url, title, template.date)
    body = clean(body_element, tree.url, base=tree.base, title=title)
    return Article(
        url=url,
        document_id=document_id(url) or scoped_document_id(tree.meta("publishid"), tree.url),
        title=title,
        published_at=named_moment(dates),
        updated_at=parse_date(tree.meta("weibo: article:update_at", *UPDATES)),
        media=media,
        editor=editor or editor_of(body),
        summary=summary(tree, body),
        keywords=tuple(word for word in words if word != title),
        body=body,
        template=template.name,
        aliases=aliases,
        stated_dates=dates,
        parts=parts,
    )


def summary(tree: Tree, body: Body) -> str:
    """Return what the page states as its summary, else the beginning of its text."""
    stated = tree.meta("description", "og:description")
    if stated and len(stated) <= MOST_SUMMARY_CHARACTERS:
        return stated
    return beginning(body.text)


def beginning(text: str) -> str:
    """Return the first words of a text, which stand for its summary where none is given."""
    return one_line(text[:SUMMARY_CHARACTERS])


def page_title(tree: Tree) -> str:
    """Return the page's ``<title>`` without the site's name."""
    return _SUFFIX.sub("", tree.text("//title")).strip()


def _editor(template: Template, tree: Tree) -> str:
    for line in tree.texts(*template.editor):
        if editor := _EDITOR.search(line):
            return _EDITOR_CODE.sub("", editor[1]).strip()
    return ""


def _keywords(template: Template, tree: Tree) -> tuple[str, ...]:
    stated = re.split(r"[,，;；]", tree.meta("keywords") or tree.meta("tags"))
    marked = re.split(r"[,，]", tree.text("id('keywords')/@data-wbkey"))
    every = [*stated, *marked, *tree.some(*template.keywords)]
    return bounded_keywords(every)


def stated_addresses(tree: Tree) -> tuple[list[str], list[str]]:
    """Return the addresses that a page states as its own, and those of its mobile twins."""
    stated = _own(tree, tree.meta("og:url"), tree.text("//link[@rel='canonical']/@href"))
    mobile = [_MOBILE.search(text) for text in tree.texts("//meta[@name='mobile-agent']/@content")]
    return stated, _own(tree, *(twin[1] for twin in mobile if twin))


def _addresses(tree: Tree) -> tuple[str, tuple[str, ...]]:
    """Return the page's own address, as it states it, and the others that it names."""
    own = canonical_url(tree.url)
    stated, twins = stated_addresses(tree)
    url = next((address for address in stated if _is_desktop(address)), own)
    others = dict.fromkeys([own, *stated, *twins])
    return url, tuple(address for address in others if address != url)


def _own(tree: Tree, *urls: str) -> list[str]:
    """Return the addresses that a page may speak for: those of its own publisher."""
    addresses = []
    for url in urls:
        try:
            absolute = canonical_url(f"https:{url}" if url.startswith("//") else url)
        except Forbidden:
            continue
        if same_publisher(absolute, tree.url):
            addresses.append(absolute)
    return addresses


def _is_desktop(url: str) -> bool:
    """Whether an address is an article's: a channel's front page is stated on some pages."""
    return bool(re.search(r"/[^/]*\d[^/]*$", url)) and ".d.html" not in url


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


def show_captions(tree: Tree) -> None:
    """Make captions of the headings that a mobile page has for them."""
    for element in tree.root.xpath("//section//h2[contains(@class,'art_img_tit')]"):
        element.tag = "figcaption"


def without_tags(text: str) -> str:
    """Return a text that may be HTML on one line, as a reader sees it."""
    if "<" not in text and "&" not in text:
        return one_line(text)
    root = parse_fragment(text, "a caption")
    return "" if root is None else one_line(" ".join(root.itertext()))
