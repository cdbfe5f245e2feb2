"""Articles on several pages: which pages there are, and one article made of them. Pure.

Sina numbers them in the address: ``…/doc-i….shtml``, ``…/doc-i…_2.shtml``, and so with the
older ``…/20120312/08351156812.shtml``. A pager may show only some of the numbers, so that a
later page can name more than the first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any
from urllib.parse import urljoin, urlsplit, urlunsplit

from ingestor.extract.tree import Tree, find
from ingestor.identity import canonical_url, is_sina
from ingestor.model import Article, Body, Security

MOST_PARTS = 60
"""Longer articles are none: a list without end."""

_PAGE = re.compile(
    r"^(.*/(?:(?:doc|detail|zl)-i[a-z]{6,9}\d{6,8}|\d{9,13}))(?:_(\d{1,2}))?((?:\.d)?\.s?html?)$"
)
"""An article's address, new or old, and perhaps the number of a page. Addresses of other
things end in a number as well, such as those of slides."""

_PAGER = re.compile(r"^[\s\d\[\]()（）<>《》«»|…·.,/上下前后一页首末尾共第]{0,500}$")


def take_parts(tree: Tree) -> tuple[str, ...]:
    """Return the addresses of all pages of the article on this one, in their order.

    This page is among them; ``()`` when the page is the whole article. The pager is taken
    out of the tree: it may stand inside the body.
    """
    own = urlsplit(tree.url)
    page = _PAGE.match(own.path)
    if not page or not is_sina(tree.url):
        return ()
    links = list(_links(tree, page))
    numbers = {int(page[2] or 1), *(number for _, number in links)}
    if numbers == {1}:
        return ()
    for link, _ in links:
        _drop_pager(link)
    stem, suffix = page[1], page[3]
    further = (f"{stem}_{number}{suffix}" for number in range(2, max(numbers) + 1))
    paths = [f"{stem}{suffix}", *further]
    return tuple(urlunsplit((own.scheme, own.netloc, path, "", "")) for path in paths)


def _links(tree: Tree, own: re.Match[str]) -> Iterator[tuple[Any, int]]:
    """Yield the links to pages of this article, with their numbers."""
    host, name = urlsplit(tree.url).netloc, own[1].rpartition("/")[2]
    for link in find(tree.root, "//a[contains(@href,$name)]", name=name)[:1_000]:
        try:
            target = urlsplit(urljoin(tree.url, link.get("href").strip()))
        except ValueError:
            continue
        page = _PAGE.match(target.path)
        if page and (target.netloc, page[1], page[3]) == (host, own[1], own[3]):
            yield link, min(int(page[2] or 1), MOST_PARTS + 1)


def _drop_pager(link: Any) -> None:
    """Take out what holds the link and nothing but numbers and words of a pager."""
    block = None
    for element in (link, *link.iterancestors()):
        if element.tag == "body" or not _PAGER.match(element.text_content()):
            break
        block = element
    if block is not None and block.getparent() is not None:
        block.drop_tree()


def same_page(first: str, second: str) -> bool:
    """Whether two addresses name the same page of the same article."""
    return canonical_url(first) == canonical_url(second)


def join(parts: Sequence[Article]) -> Article:
    """Return the article that these pages make together, in this order.

    It is the first page's, with the text of all. A page that says what an earlier one said
    (some lead back to the first) adds nothing.
    """
    first = parts[0]
    bodies: dict[str, Body] = {}
    for part in parts:
        bodies.setdefault(part.body.html, part.body)
    others = [url for part in parts for url in (part.url, *part.aliases)]
    updates = [part.updated_at for part in parts if part.updated_at]
    return replace(
        first,
        body=_joined(tuple(bodies.values())),
        editor=next((part.editor for part in parts if part.editor), ""),
        updated_at=max(updates, default=None),
        keywords=tuple(dict.fromkeys(word for part in parts for word in part.keywords)),
        aliases=tuple(url for url in dict.fromkeys(others) if url != first.url),
        parts=(),
    )


def _joined(bodies: Sequence[Body]) -> Body:
    securities: dict[str, Security] = {}
    for security in chain.from_iterable(body.securities for body in bodies):
        securities.setdefault(security.symbol, security)
    return Body(
        html="\n".join(body.html for body in bodies if body.html),
        text="\n".join(body.text for body in bodies if body.text),
        pictures=tuple(picture for body in bodies for picture in body.pictures),
        securities=tuple(securities.values()),
        dropped=tuple(line for body in bodies for line in body.dropped),
    )
