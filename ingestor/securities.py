"""Codes of securities as Sina writes them, and the one name that each has here. Pure."""

from __future__ import annotations

import re

from ingestor.model import Security

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

_LISTED_FUND = re.compile(r"(?:sh|sz)?((?:15|16|18|50|51|52|53|55|56|58)\d{4})")
"""A fund that is traded on an exchange. The codes of other funds are those of shares as well:
000001 is a fund, and a bank in Shenzhen."""


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


def in_market(market: str, code: str, name: str = "") -> Security | None:
    """Return the security of a code within a market (``cn``, ``hk``, ``us``, ``fund``).

    ``None`` for markets without a name here, and for themes and indices with letters in their
    codes (``si930997``).
    """
    market, code = market.strip().lower(), code.strip().lower()
    if market == "us":
        bare = code.removeprefix("gb_").removeprefix("us:")
        return normalised(f"us:{bare}", name)
    if market == "hk":
        digits = code.removeprefix("rt_").removeprefix("r").removeprefix("hk")
        return normalised(f"hk{digits:0>5}", name) if digits.isdecimal() else None
    if market == "fund":
        listed = _LISTED_FUND.fullmatch(code)
        return normalised(listed[1], name) if listed else None
    if market in {"cn", "sh", "sz", "bj"}:
        prefixed = code if market == "cn" or not code.isdecimal() else f"{market}{code}"
        return normalised(prefixed, name) if re.search(r"\d{6}$", prefixed) else None
    return None
