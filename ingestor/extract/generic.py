"""Pages that no template fits: readability-lxml for the body, the usual marks for the rest. Pure.

Pages of Sina's that list articles are none, though an article could be made from them.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from lxml import etree
from lxml import html as lxml_html

from ingestor.errors import NoArticle
from ingestor.extract.clean import clean
from ingestor.extract.template import page_title, summary
from ingestor.extract.tree import Tree, find, parse_fragment
from ingestor.identity import canonical_url, document_id, is_sina
from ingestor.model import Article, Body
from ingestor.text.dates import parse_date
from ingestor.text.sanitize import bounded_keywords, bounded_name, visible

LISTS = (
    "//*[@id='result']//*[contains(@class,'box-result')]",
    "//ul[contains(@class,'list_009')]/li",
    "//*[@id='d_list']//*[contains(@class,'c_tit')]",
    "//*[contains(concat(' ',@class,' '),' datelist ')]//a",
)
"""What a search's answers, the roll pages of three generations and a company's news are made of."""

LEAST_ITEMS = 3
"""A box of related articles has one or two."""


def is_list(tree: Tree) -> bool:
    """Whether a page that no template fits is one of these lists."""
    return is_sina(tree.url) and any(len(find(tree.root, path)) >= LEAST_ITEMS for path in LISTS)


_DATE_METAS = (
    "article:published_time", "og:published_time", "og:release_date", "datePublished",
    "pubdate", "publishdate", "publish_time", "PubDate", "weibo: article:create_at",
    "apub:time", "date", "DC.date.issued",
)  # fmt: skip
_MEDIA_METAS = ("mediaid", "source", "og:site_name", "article:author", "author")
_VISIBLE_DATE = re.compile(
    r"(?<!\d)(?:19|20)\d\d[-/.年]\d{1,2}[-/.月]\d{1,2}日?\s*(?:\d{1,2}:\d{2}(?::\d{2})?)?"
)
_SUFFIX = re.compile(r"\s*[-_|—–]\s*[^-_|—–]{1,20}$")
_MEDIA = re.compile(r"来源\s*[：:]\s*([^\s|（()）]{2,20})(?=[\s|（()）]|$)")

# It logs a traceback for pages that it cannot read, which are ordinary here.
logging.getLogger("readability").propagate = False
logging.getLogger("readability").addHandler(logging.NullHandler())


def generic_article(tree: Tree) -> Article:
    """Return the article of a page that no template fits; raise NoArticle when none is found."""
    body = _body(tree)
    url = canonical_url(tree.url)
    title = tree.meta("og:title") or _heading(tree) or _SUFFIX.sub("", page_title(tree))
    linked = dict(_linked_data(tree))
    published = [tree.meta(*_DATE_METAS), linked.get("datePublished", ""), *_visible(tree)]
    sources = tree.texts("(//body//*[contains(text(),'来源')])[position() <= 5]")
    source = _MEDIA.search(" ".join(sources))
    return Article(
        url=url,
        document_id=document_id(url),
        title=title,
        published_at=_first_date(published),
        updated_at=parse_date(tree.meta("article:modified_time") or linked.get("dateModified", "")),
        media=source[1] if source else bounded_name(tree.meta(*_MEDIA_METAS)),
        editor="",
        summary=summary(tree, body),
        keywords=_keywords(tree.meta("keywords")),
        body=body,
        template="generic",
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


def _body(tree: Tree) -> Body:
    # For pages that no template fits; Sina's never load it.
    from readability import Document  # noqa: PLC0415
    from readability.readability import Unparseable  # noqa: PLC0415

    _drop_broken_bases(tree.root)
    # readability gives up a whole page for a control character that it has to copy.
    source = visible(lxml_html.tostring(tree.root, encoding="unicode"))
    try:
        html = Document(source, url=tree.url).summary(html_partial=True)
    except (Unparseable, etree.LxmlError, ValueError, TypeError, RecursionError) as error:
        raise NoArticle(f"{tree.url}: no article was found on the page") from error
    return clean(parse_fragment(html, tree.url), tree.url)


def _heading(tree: Tree) -> str:
    headings = [line for line in tree.texts("//h1") if len(line) > 4]
    return headings[0] if headings else ""


def _visible(tree: Tree) -> list[str]:
    """Return the first dates that the page shows, the nearest behind a heading first."""
    shown = (
        tree.root.xpath("//h1/following::text()")[:300] or tree.root.xpath("//body//text()")[:800]
    )
    return [match[0] for text in shown if (match := _VISIBLE_DATE.search(str(text)))][:3]


def _first_date(texts: list[str]) -> datetime | None:
    return next((date for text in texts if text and (date := parse_date(text))), None)


def _linked_data(tree: Tree) -> Iterator[tuple[str, str]]:
    """Yield the text values of the page's JSON-LD, of whatever object."""
    for script in tree.root.xpath("//script[@type='application/ld+json']/text()"):
        try:
            document = json.loads(str(script))
        except (ValueError, RecursionError):
            # Broken structured data is common, and no reason to doubt the page.
            continue
        yield from _values(document)


def _values(document: Any) -> Iterator[tuple[str, str]]:
    waiting = [document]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            yield from ((key, value) for key, value in node.items() if isinstance(value, str))
            waiting += [value for value in node.values() if isinstance(value, dict | list)]
        elif isinstance(node, list):
            waiting += node[:100]
