"""When a page says that it was published, and where it says so. Pure.

Four places bear witness: the template's own, structured data of the article itself, the address
and, on a page without template, a date that stands by itself near the title. A script, a list of
other articles, a footer and a sentence of the text do not.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from ingestor import policy
from ingestor.errors import Forbidden
from ingestor.extract.tree import MOST_FOUND, Tree, find
from ingestor.identity import canonical_url, publication_day
from ingestor.model import DateWitness, StatedDate
from ingestor.text.dates import CLOCK_SKEW
from ingestor.text.sanitize import one_line
from ingestor.text.similarity import title_key
from ingestor.text.written_dates import address_day, parse_date

_SITE_METAS = ("date", "DC.date.issued", "DC.Date", "dc.date")
"""What site templates carry as well, with the day on which somebody made the template."""

METAS = (
    "article:published_time", "og:published_time", "og:release_date", "pubdate", "publishdate",
    "publish_time", "PubDate", "weibo: article:create_at", "apub:time",
    "bytedance:published_time", *_SITE_METAS,
)  # fmt: skip

UPDATES = ("article:modified_time", "og:updated_time", "bytedance:updated_time")

_ARTICLE = re.compile(r"(?:Article|Posting|Report)$")
_NEXT_TO_IT = frozenset({"script", "style", "noscript", "template", "footer", "aside", "nav"})
_OF_OTHERS = re.compile(
    r"(?i)(?:^|[\s_-])(?:rel|relate[ds]?|relative|recommend\w*|hot|rank\w*|side\w*|foot\w*|copyright"
    r"|comments?|tuijian|xgxw|xgyd)(?:$|[\s_-])"
)
"""Classes and ids of what stands beside an article: others, comments, who owns the site."""

_DATE = re.compile(r"(?<!\d)(?:19|20)\d\d\s?[-/.年]\s?\d{1,2}\s?[-/.月]\s?\d{1,2}\s?[日号]?(?!\d)")
_CLOCK = re.compile(r"\d\s?[:：时時点點]|\dT\d\d|\d{9}")
_SENTENCE = re.compile(r"[。！？；]|[^\d\s][，,]|.{60}")
_ANOTHER_DATE = re.compile(
    r"(?i)[，,]|截[至止]|成立|注册|备案|版权|copyright|©|ICP|许可|有效|开始|结束|[讯电]$"
)
"""Before a date: what it then is the date of."""
_GOES_ON = re.compile(
    r"(?i)\s?(?:[，,、]|[-~—–至到]\s?\d|[至到起前后间的在电讯]|消息)|.{0,80}(?:版权|copyright|©)"
)
"""Behind a date: a sentence, a span of time, a dateline."""

MOST_TEXTS = 40
"""Between a title and the line below it stand share buttons, and no more than these."""

LEAST_HEADLINE = 10
"""Characters of a link that is the title of another article, not the name of a medium."""


def stated_dates(tree: Tree, url: str, title: str, places: Sequence[str]) -> tuple[StatedDate, ...]:
    """Return when a page says that it was published, the most trusted first.

    ``places`` are its template's XPaths, none for a page without. Structured data comes first
    where it agrees with the visible line but for its seconds.
    """
    heading = next(iter(_headings(tree, title)), None)
    visible = _in_place(tree, places, heading)
    near = [] if places else _near_title(tree, title)
    structured = [*_structured(tree, url, title), *_microdata(tree, heading)]
    if visible and structured and abs(structured[0].moment - visible[0].moment) <= CLOCK_SKEW:
        visible, structured = [structured[0]], [*visible, *structured[1:]]
    day = address_day(url)
    address = [StatedDate("address", day, is_day=True)] if day else []
    said = [*visible, *structured, *address, *near]
    site = list(_site_dates(tree))
    days = {publication_day(date.moment) for date in said}
    # Where the page says that day elsewhere too, the meta is its own; else it comes last.
    structured += [date for date in site if publication_day(date.moment) in days]
    last = [replace(date, witness="near-title") for date in site]
    return tuple(dict.fromkeys((*visible, *structured, *address, *near, *last)))


def _site_dates(tree: Tree) -> Iterator[StatedDate]:
    for name in _SITE_METAS:
        yield from _stated("structured", tree.meta(name))


def named_moment(stated: Sequence[StatedDate]) -> datetime | None:
    """Return the moment that a page names; a day in its address is none."""
    named = [date for date in stated if date.witness != "address"]
    return policy.believed_publication(named, None, None).published_at


def linked_update(tree: Tree, url: str, title: str) -> datetime | None:
    """Return the moment of the last change that the article's JSON-LD gives."""
    values = (article.get("dateModified") for article in _linked_articles(tree, url, title))
    return next((date for value in values if (date := parse_date(str(value or "")))), None)


def _stated(witness: DateWitness, text: str) -> Iterator[StatedDate]:
    if moment := parse_date(text):
        yield StatedDate(witness, moment, is_day=not _CLOCK.search(text))


def _in_place(tree: Tree, places: Sequence[str], heading: Any | None) -> list[StatedDate]:
    """Return the date in the template's own place, if there is one."""
    for place in places:
        for element in find(tree.root, place)[:MOST_FOUND]:
            text = one_line(element.text_content())
            if _is_of_this(element, heading) and (stated := list(_stated("template", text))):
                return stated
    return []


def _structured(tree: Tree, url: str, title: str) -> Iterator[StatedDate]:
    for name in METAS:
        if name not in _SITE_METAS:
            yield from _stated("structured", tree.meta(name))
    for article in _linked_articles(tree, url, title):
        for key in ("datePublished", "pubDate"):
            yield from _stated("structured", str(article.get(key) or ""))


def _microdata(tree: Tree, heading: Any | None) -> Iterator[StatedDate]:
    for element in find(tree.root, "//*[@itemprop='datePublished']")[:MOST_FOUND]:
        if _is_of_this(element, heading):
            stated = element.get("content") or element.get("datetime") or element.text_content()
            yield from _stated("structured", one_line(stated))


def _linked_articles(tree: Tree, url: str, title: str) -> Iterator[dict[str, Any]]:
    """Yield the page's JSON-LD objects that are this article."""
    for script in find(tree.root, "//script[@type='application/ld+json']")[:MOST_FOUND]:
        try:
            document = json.loads(script.text_content())
        except (ValueError, RecursionError):
            # Broken structured data is common, and no reason to doubt the page.
            continue
        for node in _objects(document):
            if _is_article(node) and _names(node, tree, url, title):
                yield node


def _objects(document: Any) -> Iterator[dict[str, Any]]:
    """Yield the objects that stand for themselves; what another one lists or mentions does not."""
    for node in document[:100] if isinstance(document, list) else [document]:
        if isinstance(node, dict):
            yield node
            graph = node.get("@graph")
            yield from _objects(graph if isinstance(graph, list) else [])


def _is_article(node: dict[str, Any]) -> bool:
    kinds = node.get("@type")
    named = [str(kind) for kind in (kinds if isinstance(kinds, list) else [kinds])]
    # Baidu's own form has no type, and pubDate.
    return any(map(_ARTICLE.search, named)) or "cambrian" in str(node.get("@context"))


def _names(node: dict[str, Any], tree: Tree, url: str, title: str) -> bool:
    """Whether an object is this article, by its title or its address, if it has one of them."""
    headline = str(node.get("headline") or node.get("title") or "")
    page = node.get("mainEntityOfPage")
    page = page.get("@id") if isinstance(page, dict) else page
    addresses = [value for value in (node.get("url"), page) if isinstance(value, str) and value]
    if headline and title_key(headline) == title_key(title):
        return True
    own = {_canonical(address) for address in (url, tree.url, tree.meta("og:url")) if address}
    return any(_canonical(address) in own for address in addresses) or not (addresses or headline)


def _canonical(address: str) -> str:
    try:
        return canonical_url(address)
    except Forbidden:
        return address


def _is_of_this(element: Any, heading: Any | None) -> bool:
    """Whether an element belongs to the article, judged by what it stands in.

    What holds the heading as well is the page: its names say nothing.
    """
    around = set() if heading is None else {*heading.iterancestors()}
    for outer in (element, *element.iterancestors()):
        if outer in around or outer.tag == "body":
            return True
        if outer.tag in _NEXT_TO_IT or _OF_OTHERS.search(f"{outer.get('class')} {outer.get('id')}"):
            return False
        if outer.tag in {"li", "dd", "tr"} and _has_headline(outer):
            return False
    return True


def _has_headline(element: Any) -> bool:
    return any(len(one_line(link.text_content())) >= LEAST_HEADLINE for link in element.iter("a"))


def _near_title(tree: Tree, title: str) -> list[StatedDate]:
    """Return the first date that stands by itself below the title, or beside it."""
    for heading in (_headings(tree, title) or _shown(tree, title))[:3]:
        above = heading.xpath("preceding-sibling::node()/descendant-or-self::text()")[::-1]
        below = heading.xpath("(following::text() | following::time/@datetime)[position() <= 300]")
        for texts in (below, above):
            if stated := _first_by_itself(texts, heading):
                return stated
    return []


def _headings(tree: Tree, title: str) -> list[Any]:
    """Return what shows the title, else the first heading of the first level that says anything."""
    key = title_key(title)
    headings = find(tree.root, "//h1 | //h2 | //h3")[:MOST_FOUND]
    titles = [heading for heading in headings if _is_title(heading, key)]
    if titles:
        return titles
    first = [heading for heading in headings if heading.tag == "h1"]
    first = [heading for heading in first if len(one_line(heading.text_content())) > 4]
    return first[:1]


def _shown(tree: Tree, title: str) -> list[Any]:
    """Return what shows the title where there is no heading, a breadcrumb perhaps first."""
    return find(tree.root, "//body//*[normalize-space(text())=$title]", title=title)


def _is_title(heading: Any, key: str) -> bool:
    shown = title_key(one_line(heading.text_content()))
    return len(shown) > 4 and (shown in key or key in shown)


def _first_by_itself(texts: Sequence[Any], heading: Any) -> list[StatedDate]:
    """Return the first date that is no part of a sentence; the first sentence ends the search."""
    lines = [(one_line(text), text) for text in texts if text.strip()]
    own = [(line, text) for line, text in lines[:300] if _is_of_this(_holder(text), heading)]
    for at, (line, text) in enumerate(own[:MOST_TEXTS]):
        date = _DATE.search(line)
        if date and _stands_alone(line, date) and not _has_headline(_holder(text)):
            rest = line[date.start() :][:60]
            # The time may be an element of its own.
            following = (
                "" if _CLOCK.search(rest) else " ".join(line for line, _ in own[at + 1 : at + 2])
            )
            clock = following if re.fullmatch(r"\d{1,2}:\d{2}(?::\d{2})?", following) else ""
            return list(_stated("near-title", f"{rest} {clock}"))
        if date or _SENTENCE.search(line):
            break
    return []


def _stands_alone(line: str, date: re.Match[str]) -> bool:
    before, behind = line[: date.start()], line[date.end() :]
    if len(before) > 30 or _ANOTHER_DATE.search(before.strip()):
        return False
    return not (_GOES_ON.match(behind) or re.search(r"[。！？]", behind))


def _holder(text: Any) -> Any:
    """Return the element that a text stands in: for a tail, the one around."""
    element = text.getparent()
    return element.getparent() if text.is_tail else element
