"""Securities that an article names: Sina marks them, its text has their codes. Pure."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from ingestor.model import Body, Security
from ingestor.text.mentions import mentions
from ingestor.text.sanitize import one_line
from ingestor.text.securities import normalised

_SPAN = re.compile(r"^(us|hk)?stock_([A-Za-z0-9.]{1,12})$")
_LINK = re.compile(
    r"/realstock/company/([a-z]{2}\d{5,6})(?:/|$)|/usstock/quotes/([A-Za-z.]{1,8})\.html"
    r"|/hkstock/quotes/(\d{5})\.html"
)
_END_MARK = re.compile(r"news_keyword_pub,stock,([A-Za-z0-9&_.,;]{1,500})")

_CODE_BEHIND = re.compile(r"\s?[(（\[]?(?:[a-zA-Z]{2}[.:]?)?\d{5,6}(?:\.[A-Z]{2})?[)）\]]?$")
_NO_NAME = re.compile(
    r"(?:点击|查看|更多|实时|最新|个股|新浪)*(?:行情|股吧|资讯|诊股|详情|财经|这里|进入|公告|研报|资金流向|K线图?)?"
)


def securities(root: Any) -> tuple[Security, ...]:
    """Return the securities marked inside an element, in order, each once."""
    marked: dict[str, Security] = {}
    for element in root.iter():
        for code, name in _named(element):
            security = normalised(code, name)
            if security and (security.symbol not in marked or not marked[security.symbol].name):
                marked[security.symbol] = replace(security, is_marked=bool(name))
    return tuple(marked.values())


def _named(element: Any) -> list[tuple[str, str]]:
    if not isinstance(element.tag, str):
        marks = _END_MARK.findall(element.text or "")
        return [(code, "") for mark in marks for code in re.split(r"[&,;]", mark)]
    if span := _SPAN.match(element.get("id", "")):
        market, code = span.groups()
        prefix = "us:" if market == "us" else "hk" if market == "hk" and code.isdigit() else ""
        return [(f"{prefix}{code}", _linked_name(element))]
    if element.tag == "a" and (link := _LINK.search(element.get("href", ""))):
        mainland, american, hongkong = link.groups()
        code = mainland or (f"us:{american}" if american else f"hk{hongkong}")
        return [(code, _linked_name(element))]
    return []


def _linked_name(element: Any) -> str:
    """Return the name that a link shows: neither its code nor what it invites to."""
    name = _CODE_BEHIND.sub("", one_line(element.text_content())[:40].strip())
    return "" if _NO_NAME.fullmatch(name) else name


def with_mentions(body: Body, title: str) -> Body:
    """Return the body with the securities that ``title`` and its text name by codes.

    Those that are there stay, and come first; one without a name gets that of the text.
    """
    named = {security.symbol: security for security in body.securities}
    marked = {security.symbol for security in body.securities if security.name}
    for mention in mentions(f"{title}\n{body.text}"):
        symbol, known = mention.symbol, named.get(mention.symbol)
        if known is None or (symbol not in marked and _is_better(mention.name, known.name)):
            named[symbol] = mention
    return replace(body, securities=tuple(named.values()))


def _is_better(name: str, known: str) -> bool:
    """Whether a name is one, and has less of the sentence before it."""
    return bool(name) and (not known or len(name) < len(known))
