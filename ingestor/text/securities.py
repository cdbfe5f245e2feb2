"""Codes of securities as Sina writes them, and the one name that each has here. Pure."""

from __future__ import annotations

import re

from ingestor.model import Security

_MARKETS = {
    **dict.fromkeys("569", "sh"),
    **dict.fromkeys("0123", "sz"),
    **dict.fromkeys("48", "bj"),
}
"""By the first digit of a number."""

_EXCEPTIONS = {"92": "bj", "11": "sh"}
"""Beijing's numbers since 2024; Shanghai's convertible bonds."""

_LISTED_FUND = re.compile(r"(?:sh|sz)?((?:15|16|18|50|51|52|53|55|56|58)\d{4})")
"""A fund that is traded on an exchange. The codes of other funds are those of shares as well:
000001 is a fund, and a bank in Shenzhen."""

_RANGES = re.compile(r"60[0135]\d{3}|68[89]\d{3}|00[0123]\d{3}|30[012]\d{3}|(?:43|83|87|92)\d{4}")
"""Numbers of shares: Shanghai, its STAR market, Shenzhen, its ChiNext, Beijing. 88xxxx are the
sector indices of trading programs, other beginnings postcodes."""

_FOREIGN_SHARES = re.compile(r"(?:900|200)\d{3}")
_CONVERTIBLE = re.compile(r"(?:11[0138]|12[378])\d{3}")
_FUND_NAME = re.compile(r"ETF|LOF|基金|分级|[A-Z]$|[ABＡＢ]级?$|指数|混合|债", re.IGNORECASE)
_OPEN_FUND = re.compile(r"(?:混合|债券|联接|货币|理财|股票型|FOF|QDII)[A-Z]?$", re.IGNORECASE)


def is_listed(code: str, name: str, *, is_fund: bool = False) -> bool:
    """Whether six digits are the number of something listed that bears such a name.

    Funds that are not listed share their numbers with companies, B shares and funds share
    theirs with postcodes: there the name decides, or ``is_fund``, that it is said to be one.
    """
    if is_fund or _OPEN_FUND.search(name):
        return is_fund and bool(_LISTED_FUND.fullmatch(code))
    if _RANGES.fullmatch(code):
        return True
    if _FOREIGN_SHARES.fullmatch(code):
        return name.endswith(("B", "Ｂ"))
    if _CONVERTIBLE.fullmatch(code):
        return name.endswith("转债")
    return bool(_LISTED_FUND.fullmatch(code) and _FUND_NAME.search(name))


def normalised(code: str, name: str = "") -> Security | None:
    """Return the security of a code as Sina writes it, or ``None`` when it is none.

    ``sh600519``, ``sz000001``, ``bj830799``, ``hk00700``, ``us:BABA``.
    """
    code = code.strip().lower()
    if mainland := re.fullmatch(r"(sh|sz|bj)(\d{6})", code):
        return Security(mainland[1], code, name)
    if hong_kong := re.fullmatch(r"r?hk(\d{4,5})", code):
        return Security("hk", f"hk{hong_kong[1]:0>5}", name)
    if re.fullmatch(r"[0-9]{6}", code):
        market = _EXCEPTIONS.get(code[:2]) or _MARKETS.get(code[0])
        return Security(market, f"{market}{code}", name) if market else None
    if american := re.fullmatch(r"(?:us[:_]?|gb_)?([a-z]{1,5}(?:\.[a-z])?)", code):
        return Security("us", f"us:{american[1].upper()}", name)
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
