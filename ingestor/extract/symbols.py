"""Securities that an article names, from Sina's markup."""

from __future__ import annotations

import re
from typing import Any

from ingestor.model import Security
from ingestor.text import one_line

_SPAN = re.compile(r"^(us|hk)?stock_([A-Za-z0-9.]{1,12})$")
_LINK = re.compile(
    r"/realstock/company/([a-z]{2}\d{5,6})(?:/|$)|/usstock/quotes/([A-Za-z.]{1,8})\.html"
    r"|/hkstock/quotes/(\d{5})\.html"
)
_END_MARK = re.compile(r"news_keyword_pub,stock,([A-Za-z0-9&_.,;]{1,500})")
_MARKETS = {
    "6": "sh",
    "9": "sh",
    "5": "sh",
    "0": "sz",
    "2": "sz",
    "3": "sz",
    "1": "sz",
    "4": "bj",
    "8": "bj",
}


def securities(root: Any) -> tuple[Security, ...]:
    """Return the securities marked inside an element, in order, each once."""
    found: dict[str, Security] = {}
    for element in root.iter():
        for code, name in _named(element):
            security = normalised(code, name)
            if security and (security.symbol not in found or not found[security.symbol].name):
                found[security.symbol] = security
    return tuple(found.values())


def normalised(code: str, name: str = "") -> Security | None:
    """Return the security of a code as Sina writes it, or ``None`` when it is none.

    ``sh600519``, ``sz000001``, ``bj830799``, ``hk00700``, ``us:BABA``.
    """
    code = code.strip().lower()
    if found := re.fullmatch(r"(sh|sz|bj)(\d{6})", code):
        return Security(found[1], code, name)
    if found := re.fullmatch(r"(?:r?hk)(\d{4,5})", code):
        return Security("hk", f"hk{found[1]:0>5}", name)
    if re.fullmatch(r"\d{6}", code):
        return (
            Security(_MARKETS[code[0]], f"{_MARKETS[code[0]]}{code}", name)
            if code[0] in _MARKETS
            else None
        )
    if found := re.fullmatch(r"(?:us[:_]?|gb_)?([a-z]{1,5}(?:\.[a-z])?)", code):
        return Security("us", f"us:{found[1].upper()}", name)
    return None


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
