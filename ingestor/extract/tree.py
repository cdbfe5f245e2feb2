"""A parsed page and the questions that templates ask of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from lxml import etree
from lxml import html as lxml_html

from ingestor.errors import NoArticle

_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]+")
_ILLEGAL = re.compile("[\x00\ud800-\udfff\ufffe\uffff]")


def one_line(text: str) -> str:
    """Return ``text`` on one line, without control characters and bidirectional marks."""
    return " ".join(_UNSEEN.sub(" ", text).split())


@dataclass(frozen=True, slots=True)
class Tree:
    """A page, parsed once."""

    root: Any
    url: str

    @staticmethod
    def parser() -> Any:
        """Return an HTML parser that never goes to the network and bounds nesting."""
        return lxml_html.HTMLParser(encoding="utf-8", no_network=True, huge_tree=False)

    def first(self, *paths: str) -> Any | None:
        """Return the first element that one of the XPaths finds, in their order."""
        return next((found[0] for path in paths if (found := self.root.xpath(path))), None)

    def texts(self, *paths: str) -> list[str]:
        """Return what the XPaths find, as one-line texts without empty ones."""
        found = [one for path in paths for one in self.root.xpath(path)]
        lines = [one_line(one if isinstance(one, str) else one.text_content()) for one in found]
        return [line for line in lines if line]

    def text(self, *paths: str) -> str:
        """Return the first text that one of the XPaths finds, in their order, or ``''``."""
        return next((texts[0] for path in paths if (texts := self.texts(path))), "")

    def meta(self, *names: str) -> str:
        """Return the content of the first meta element of one of these names, or ``''``."""
        both = "//meta[@name=$name or @property=$name or @itemprop=$name]/@content"
        for name in names:
            for value in self.root.xpath(both, name=name):
                if line := one_line(str(value)):
                    return line
        return ""

    def visible_start(self) -> str:
        """Return the title and the beginning of what the page shows."""
        shown = self.root.xpath("//title | //h1 | //h2 | //body//p | //body//div[not(*)]")
        return " ".join(one.text_content() for one in shown[:60])[:4_000]


def parse(text: str, url: str) -> Tree:
    """Parse a page's text; raise :class:`NoArticle` when there is no element in it."""
    data = _ILLEGAL.sub("", text).encode("utf-8")
    try:
        root = lxml_html.document_fromstring(data, parser=Tree.parser())
    except (etree.ParserError, etree.XMLSyntaxError) as error:
        raise NoArticle(f"{url}: the page is empty or no HTML") from error
    return Tree(root, url)
