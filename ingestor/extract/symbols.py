"""Securities that an article names, from Sina's markup; see :mod:`mentions` for its text."""

from __future__ import annotations

import re
from typing import Any

from ingestor.model import Security
from ingestor.text.sanitize import one_line
from ingestor.text.securities import normalised

_SPAN = re.compile(r"^(us|hk)?stock_([A-Za-z0-9.]{1,12})$")
_LINK = re.compile(
    r"/realstock/company/([a-z]{2}\d{5,6})(?:/|$)|/usstock/quotes/([A-Za-z.]{1,8})\.html"
    r"|/hkstock/quotes/(\d{5})\.html"
)
_END_MARK = re.compile(r"news_keyword_pub,stock,([A-Za-z0-9&_.,;]{1,500})")


def securities(root: Any) -> tuple[Security, ...]:
    """Return the securities marked inside an element, in order, each once."""
    found: dict[str, Security] = {}
    for element in root.iter():
        for code, name in _named(element):
            security = normalised(code, name)
            if security and (security.symbol not in found or not found[security.symbol].name):
                found[security.symbol] = security
    return tuple(found.values())


def _named(element: Any) -> list[tuple[str, str]]:
    if not isinstance(element.tag, str):
        marks = _END_MARK.findall(element.text or "")
        return [(code, "") for mark in marks for code in re.split(r"[&,;]", mark)]
    if found := _SPAN.match(element.get("id", "")):
        market, code = found.groups()
        prefix = "us:" if market == "us" else "hk" if market == "hk" and code.isdigit() else ""
        return [(f"{prefix}{code}", _name(element))]
    if element.tag == "a" and (link := _LINK.search(element.get("href", ""))):
        mainland, american, hongkong = link.groups()
        code = mainland or (f"us:{american}" if american else f"hk{hongkong}")
        return [(code, _name(element))]
    return []


def _name(element: Any) -> str:
    return one_line(element.text_content())[:40].strip()
