"""Codes of securities as Sina writes them, and the one name that each has here. Pure.

Which numbers are whose, and what only looks like one, is in ``securities.toml`` beside this file.
"""

from __future__ import annotations

import pkgutil
import re
import tomllib
from functools import cache
from typing import Any

from ingestor.model import Security

_LISTED_FUND = re.compile(r"(?:sh|sz)?((?:15|16|18|50|51|52|53|55|56|58)\d{4})")
"""A fund that is traded on an exchange. The codes of other funds are those of shares as well:
000001 is a fund, and a bank in Shenzhen."""

_RANGES = re.compile(
    r"(?!000000|300000)(?:60[0135]\d{3}|68[89]\d{3}|00[0123]\d{3}|30[012]\d{3}|(?:43|83|87|92)\d{4})"
)
"""Numbers of shares: Shanghai, its STAR market, Shenzhen, its ChiNext, Beijing. 88xxxx are the
sector indices of trading programs, other beginnings postcodes; 300000 is an amount."""

_INDEX = re.compile(r"399\d{3}|899050")
_INDEX_NAME = re.compile(
    r"(?:指数|综指|成指|全指|[ABＡＢ板]指)$|(?:上证|中证|沪深|深证|国证)[0-9A-Z\u4e00-\u9fff]{1,4}$"
)
_FOREIGN_SHARES = re.compile(r"(?:900|200)\d{3}")
_EXCHANGEABLE = re.compile(r"(?:11[01378]|12[03678]|132)\d{3}")
_FUND_NAME = re.compile(
    r"ETF|LOF|REIT|基金|分级|日利|添益|快线|理财金|财富宝|油气|原油|[A-Z]$|[ABＡＢ]级?$|指数|混合|债",
    re.IGNORECASE,
)
_OPEN_FUND = re.compile(
    r"(?:混合|债券|联接|货币|理财|股票型|FOF|QDII|指数增强|增强|定开|定期开放|持有期?|发起式?)"
    r"(?:\([A-Z]{3,4}\))?[A-Z]?$",
    re.IGNORECASE,
)
_BOND_NAME = re.compile(
    r"(?:^|[^\d])\d{2}[\u4e00-\u9fff]{1,6}[A-Z]{0,2}\d{0,2}$|国债\d*$|\d{2}附息"
)


@cache
def tables() -> dict[str, Any]:
    """Return what ``securities.toml`` says, as it is written."""
    # A part of the program like a module, and found like one.
    data = pkgutil.get_data(__package__, "securities.toml") or b""
    return tomllib.loads(data.decode("utf-8"))


@cache
def _markets() -> dict[str, str]:
    """Return the exchange by the beginning of a number."""
    return {
        beginning: market
        for market, beginnings in tables()["markets"].items()
        for beginning in beginnings.split()
    }


@cache
def _index_names(code: str) -> tuple[str, ...]:
    """Return the names of the index that has a share's number."""
    return tuple(tables()["indices"].get(code[3:], "").split()) if code[:3] == "000" else ()


def is_index(code: str, name: str) -> bool:
    """Whether six digits are the number of an index that bears such a name, or ends with one."""
    if _INDEX.fullmatch(code):
        return True
    return code.startswith("000") and (
        name.endswith(_index_names(code)) or bool(_INDEX_NAME.search(name))
    )


def is_listed(code: str, name: str, *, is_fund: bool = False) -> bool:
    """Whether six digits are the number of something listed that bears such a name.

    Funds that are not listed share their numbers with companies, B shares and funds share
    theirs with postcodes: there the name decides, or ``is_fund``, that it is said to be one.
    """
    if is_fund or _OPEN_FUND.search(name):
        return (is_fund or "LOF" in name) and bool(_LISTED_FUND.fullmatch(code))
    if is_index(code, name) or _RANGES.fullmatch(code):
        return True
    if _FOREIGN_SHARES.fullmatch(code):
        return name.endswith(("B", "Ｂ"))
    if _EXCHANGEABLE.fullmatch(code) and re.search(r"转债?\d?$|EB\d*$", name):
        return True
    if _BOND_NAME.search(name):
        return code[:3] in _markets()
    return bool(_LISTED_FUND.fullmatch(code) and _FUND_NAME.search(name))


def is_number(code: str) -> bool:
    """Whether six digits lie where an exchange gives out numbers, whatever their name."""
    return any(
        pattern.fullmatch(code)
        for pattern in (_RANGES, _INDEX, _FOREIGN_SHARES, _EXCHANGEABLE, _LISTED_FUND)
    )


def normalised(code: str, name: str = "") -> Security | None:
    """Return the security of a code as Sina writes it, or ``None`` when it is none.

    ``sh600519``, ``sz000001``, ``bj830799``, ``hk00700``, ``us:BABA``. Of six digits without a
    market the name tells an index of Shanghai from the share in Shenzhen with its number.
    """
    code = code.strip().lower()
    if mainland := re.fullmatch(r"(sh|sz|bj)(\d{6})", code):
        return Security(mainland[1], code, name)
    if hong_kong := re.fullmatch(r"r?hk(\d{4,5})", code):
        return Security("hk", f"hk{hong_kong[1]:0>5}", name)
    if re.fullmatch(r"[0-9]{6}", code):
        market = _market(code, name)
        return Security(market, f"{market}{code}", name) if market else None
    if american := re.fullmatch(r"(?:us[:_]?|gb_)?([a-z]{1,5}(?:\.[a-z])?)", code):
        return Security("us", f"us:{american[1].upper()}", name)
    return None


def _market(code: str, name: str) -> str | None:
    if code.startswith("000") and is_index(code, name):
        return "sh"
    markets = _markets()
    return next((markets[code[:size]] for size in (3, 2, 1) if code[:size] in markets), None)


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
        # What stands beside it is the word of the text that led to it, such as 投资.
        return normalised(listed[1]) if listed else None
    if market in {"cn", "sh", "sz", "bj"}:
        prefixed = code if market == "cn" or not code.isdecimal() else f"{market}{code}"
        return normalised(prefixed, name) if re.search(r"\d{6}$", prefixed) else None
    return None
