"""A parsed page, and the questions (XPaths) that templates ask of it. Pure.

They are put in the form that libxml2 answers soonest. To it ``//x`` are the children of every
node, one node after the other, and all of them are looked at before the first is returned.
``/descendant::x`` are the same elements (XPath 1.0, 2.5) for a third of the time, and with ``[1]``
it stops at the first.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import urljoin, urlsplit

from lxml import etree
from lxml import html as lxml_html

from ingestor.errors import NoArticle
from ingestor.text.sanitize import address_text, one_line

_ANYWHERE = re.compile(r"(?:(?<=^)|(?<=\| ))//(?=[*a-z])")
_POSITION = re.compile(r"\[\s*\d|position\(|last\(")
_ONE_STEP = re.compile(r"//[*a-z][a-z0-9]*(?:\[[^\[\]/]*\])*")


def find(root: Any, path: str, **variables: str) -> list[Any]:
    """Return all that an XPath finds in a page, in the page's order."""
    results: list[Any] = _compiled(quick(path))(root, **variables)
    return results


def find_first(root: Any, path: str) -> Any | None:
    """Return the first that an XPath finds in a page, or ``None``."""
    return next(iter(_compiled(quick_first(path))(root)), None)


@cache
def quick(path: str) -> str:
    """Return an XPath that finds the same as ``path`` sooner, or ``path`` itself.

    What asks for positions is left alone: they are counted among other elements then.
    """
    return path if _POSITION.search(path) else _ANYWHERE.sub("/descendant::", path)


@cache
def quick_first(path: str) -> str:
    """Return an XPath that finds the first of what ``path`` finds, and perhaps more of them."""
    if _ONE_STEP.fullmatch(path) and not _POSITION.search(path):
        return f"{quick(path)}[1]"
    return quick(path)


@cache
def _compiled(path: str) -> etree.XPath:
    return etree.XPath(path)


_ILLEGAL = "\x00\ufffe\uffff"

_PAST_A_BOUND = frozenset({"ERR_RESOURCE_LIMIT", "ERR_NO_MEMORY"})
"""libxml2's, of more than 256 elements inside each other, a text of more than 10 MB, or no more
memory: it stops there, and what comes after is not in the tree."""

# Who walks through 256 elements inside each other makes up to eight calls for each; Python's own
# bound is a thousand in all, and those of its callers count. Calls of Python take no room on C's
# stack since 3.11.
sys.setrecursionlimit(max(sys.getrecursionlimit(), 256 * 8 + 1_000))

MOST_FOUND = 40
"""Elements looked at for one field: real pages have one or two, and about ten keywords."""


@dataclass(frozen=True, slots=True)
class Tree:
    """A page, parsed once."""

    root: Any
    url: str
    metas: Mapping[str, str]
    """What the page states of itself, by name: of each, the first that is not empty."""
    base: str
    """What the page's relative addresses are relative to: its ``<base>``, else its address."""

    def first(self, *paths: str) -> Any | None:
        """Return the first element that one of the XPaths finds, in their order."""
        firsts = (find_first(self.root, path) for path in paths)
        return next((first for first in firsts if first is not None), None)

    def texts(self, *paths: str) -> list[str]:
        """Return what the XPaths find first, as one-line texts without empty ones."""
        results = [result for path in paths for result in find(self.root, path)[:MOST_FOUND]]
        lines = (
            one_line(node if isinstance(node, str) else node.text_content()) for node in results
        )
        return [line for line in lines if line]

    def some(self, *paths: str) -> list[str]:
        """Return the texts of the first of the XPaths that finds any, as :meth:`texts`."""
        return next((texts for path in paths if (texts := self.texts(path))), [])

    def text(self, *paths: str) -> str:
        """Return the first text that one of the XPaths finds, in their order, or ``''``."""
        return next(iter(self.some(*paths)), "")

    def meta(self, *names: str) -> str:
        """Return the content of the first meta element of one of these names, or ``''``."""
        return next((self.metas[name] for name in names if name in self.metas), "")

    def visible_start(self) -> str:
        """Return the title and the beginning of what the page shows."""
        shown = self.root.xpath("//title | //h1 | //h2 | //body//p | //body//div[not(*)]")
        return " ".join(element.text_content() for element in shown[:60])[:4_000]


def parse(text: str, url: str) -> Tree:
    """Parse a page's text.

    Raises :class:`NoArticle` when there is no element in it, or when it passes a bound.
    """
    # It never goes to the network, and bounds nesting.
    parser = lxml_html.HTMLParser(encoding="utf-8", no_network=True, huge_tree=False)
    try:
        root = lxml_html.document_fromstring(_legal(text), parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError) as error:
        raise NoArticle(f"{url}: the page is empty or no HTML") from error
    _refuse_part(parser, url)
    return Tree(root, url, _metas(root), _base(root, url))


def _legal(text: str) -> bytes:
    """Return a text as UTF-8, without characters that no document may have."""
    for character in _ILLEGAL:
        text = text.replace(character, "")
    # What is ignored are lone surrogates.
    return text.encode("utf-8", "ignore")


def _metas(root: Any) -> dict[str, str]:
    metas: dict[str, str] = {}
    for meta in root.iter("meta"):
        line = one_line(meta.get("content", ""))
        names = [meta.get(key) for key in ("name", "property", "itemprop")]
        for name in filter(None, names):
            if line:
                metas.setdefault(name, line)
    return metas


def _base(root: Any, url: str) -> str:
    """Return where the first ``<base>`` with an address leads (HTML, 4.2.3)."""
    stated = next((base.get("href") for base in root.iter("base") if base.get("href")), "")
    try:
        absolute = urljoin(url, address_text(stated))
        return absolute if urlsplit(absolute).scheme in {"http", "https"} else url
    except ValueError:
        return url


def parse_fragment(html: str, url: str) -> Any | None:
    """Return an element around a fragment of HTML, or ``None`` when there is nothing in it.

    Raises :class:`NoArticle` for a fragment that passes a bound.
    """
    return parse(f"<html><body>{html}</body></html>", url).first("//body")


def _refuse_part(parser: Any, url: str) -> None:
    """Raise :class:`NoArticle` when the parser stopped at a bound: half a page is none."""
    for entry in parser.error_log:
        if entry.type_name in _PAST_A_BOUND:
            raise NoArticle(f"{url}: the page passes a bound: {entry.message.partition(',')[0]}")
