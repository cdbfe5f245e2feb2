"""What a page shows of itself, as :mod:`ingestor.witness` weighs it: a few paths each. Pure."""

from __future__ import annotations

import re
from html import unescape
from itertools import chain

from ingestor.extract.generic import is_list
from ingestor.extract.template import page_title, stated_addresses
from ingestor.extract.tree import Tree
from ingestor.identity import (
    document_id,
    publication_day,
    scoped_document_id,
)
from ingestor.model import Article
from ingestor.text.similarity import alphanumerics
from ingestor.witness.looks import GENERIC, Evidence
from ingestor.witness.signs import NOTICE_LETTERS
from ingestor.witness.words import doubt_words

_TIMES = ("article:published_time", "og:release_date", "datePublished", "pubdate", "publishdate")
_LINKED_ARTICLE = re.compile(r'"@type"\s*:\s*\[?\s*"\w*Article"')
_LINKED_TIME = re.compile(r'"datePublished"\s*:')
_LINK = re.compile(r"<a [^<>]*>(.*?)</a>", re.DOTALL)
_SHOWN = "[not(ancestor::script or ancestor::style or ancestor::noscript)]"
_TAG = re.compile(r"<[^<>]*>")


def evidence_of(tree: Tree, article: Article | None) -> Evidence:
    """Return what a page shows.

    ``article`` is what was extracted from it, ``None`` where nothing could be; its words are
    then looked for in the beginning of what the page shows.
    """
    template = article.template if article else GENERIC
    title = (article.title if article else "") or page_title(tree)
    text = article.body.text if article else ""
    words = doubt_words(f"{title}\n{text or tree.visible_start()}")
    day = publication_day(article.published_at) if article and article.published_at else ""
    addresses = frozenset(chain(*stated_addresses(tree)))
    ids = (scoped_document_id(tree.meta("publishid"), tree.url), *map(document_id, addresses))
    linked = " ".join(map(str, tree.root.xpath("//script[@type='application/ld+json']/text()")))
    timed = bool(tree.meta(*_TIMES) or _LINKED_TIME.search(linked))
    return Evidence(
        template=template,
        title=title,
        text=text,
        document_ids=frozenset(filter(None, ids)),
        addresses=addresses,
        day=day,
        day_is_stated=bool(day) and (template != GENERIC or timed),
        link_share=link_share(article.body.html) if article else _links_of_page(tree),
        pictures=len(article.body.pictures) if article else 0,
        removed=_says_removed(tree, title, text),
        words=words.categories,
        words_share=words.share,
        is_list=template == GENERIC and is_list(tree),
        password_form=tree.first("//input[@type='password']") is not None,
        article_marks=timed
        or tree.meta("og:type").lower() in {"article", "news"}
        or bool(_LINKED_ARTICLE.search(linked)),
    )


def link_share(html: str) -> float:
    """Return the share of the letters of a cleaned body that are inside links, 0 to 1."""
    every = _letters(html)
    return sum(_letters(link) for link in _LINK.findall(html)) / every if every else 0.0


def _links_of_page(tree: Tree) -> float:
    """Return the share of all that a page shows that is inside links, 0 to 1."""
    every = sum(len(text) for text in tree.root.xpath(f"//body//text(){_SHOWN}"))
    return (
        sum(len(text) for text in tree.root.xpath(f"//body//a//text(){_SHOWN}")) / every
        if every
        else 0.0
    )


def _letters(html: str) -> int:
    return len(alphanumerics(unescape(_TAG.sub("", html))))


def _says_removed(tree: Tree, title: str, text: str) -> bool:
    """Whether the headings, or all of a short text, say that what was asked for is gone."""
    said = text or tree.visible_start()
    short = said if len(alphanumerics(text)) < NOTICE_LETTERS else ""
    shown = [title, page_title(tree), *tree.texts("//h1", "//h2", "//h3")[:3], short]
    return doubt_words("\n".join(shown)).categories[:1] == ("removed",)
