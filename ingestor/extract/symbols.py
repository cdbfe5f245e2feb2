"""Securities that an article names: Sina marks them, its text has codes in brackets. Pure.

In a text, such as ``贵州茅台(600519)``, a code is believed for what stands with it: a market
(``600519.SH``, ``港股00700``, ``NYSE:BABA``), a word such as 股票代码, or, for bare digits, the
number ranges that the exchanges give out and a name before the bracket. Six digits are also
postcodes, dates and amounts.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from ingestor.model import Body, Security
from ingestor.text.sanitize import one_line
from ingestor.text.securities import is_listed, normalised

_SPAN = re.compile(r"^(us|hk)?stock_([A-Za-z0-9.]{1,12})$")
_LINK = re.compile(
    r"/realstock/company/([a-z]{2}\d{5,6})(?:/|$)|/usstock/quotes/([A-Za-z.]{1,8})\.html"
    r"|/hkstock/quotes/(\d{5})\.html"
)
_END_MARK = re.compile(r"news_keyword_pub,stock,([A-Za-z0-9&_.,;]{1,500})")


def securities(root: Any) -> tuple[Security, ...]:
    """Return the securities marked inside an element, in order, each once."""
    marked: dict[str, Security] = {}
    for element in root.iter():
        for code, name in _named(element):
            security = normalised(code, name)
            if security and (security.symbol not in marked or not marked[security.symbol].name):
                marked[security.symbol] = security
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
    return one_line(element.text_content())[:40].strip()


_BRACKET = re.compile(r"[(（]([^()（）\n]{3,60})[)）]")
_SEPARATOR = re.compile(r"[,，、;；/]|和|及")
_BEFORE = 24
"""Characters before a bracket in which the name is looked for."""

_CALLED = re.compile(
    r"^(?:(?:股票|证券|股份|基金|交易|[AaBbHh]股)?代[码号]|stock code|code)\s{0,3}[:：]?\s{0,3}",
    re.IGNORECASE,
)
_BARE = re.compile(r"(\d{6})")
_BARE_HONG_KONG = re.compile(r"(0\d{4})")
_MAINLAND = re.compile(
    r"(?P<market>SH|SZ|BJ|SSE|SZSE|BSE|沪|深|沪市|深市|上交所|深交所|北交所)\s?[.:：\-]?\s?(?P<code>\d{6})"
    r"|(?P<after>\d{6})\s?[.:：\-]?\s?(?P<mark>SH|SZ|BJ|SS|CH|CN)",
    re.IGNORECASE,
)
_HONG_KONG = re.compile(
    r"(?:HK|HKEX|SEHK|HKG|港股(?:代码)?|港交所|联交所|香港)\s?[.:：\-]?\s?(\d{1,5})"
    r"|(\d{1,5})\s?[.:：\-]?\s?HK",
    re.IGNORECASE,
)
_AMERICAN = re.compile(
    r"(?:NYSE|(?:NASDAQ|Nasdaq)(?:\s?G[SM]|\s?CM)?|AMEX|US|纽交所|纽约证券交易所|纳斯达克|美股|美股代码)\s?[:：.]\s?"
    r"([A-Z]{1,5}(?:\.[A-Z])?)"
    r"|([A-Z]{1,5})(?:\.|\s)US|([A-Z]{2,5})\.(?:N|O|OQ|NYSE|NASDAQ)"
)
_MARKETS = {"沪": "sh", "深": "sz", "上": "sh", "北": "bj", "ss": "sh", "ch": "", "cn": ""}

_NAME = re.compile(r"[\w*&·\-'．.]+(?: [A-Za-z][\w&'.]*)*$")
_LEADS = re.compile(r".*(?:[的了称是被给例]|包括|以及|其中|例如|比如|诸如|关于|切断|如(?!意))")
_JOINED = re.compile(r"^(?:[和与把像从由对在再看]|始于|做空)+")
_COMPANY = re.compile(r"(?:公司|集团|银行)$")
_PLACE = re.compile(
    r"(?:邮编|邮政编码|电话|热线|传真|编号|文号|[万亿\d]股|[省市区县镇村路街号楼室元万亿吨人年月日])$"
    r"|^(?:北京|上海|天津|重庆|广州|深圳|武汉|成都|乌鲁木齐|长沙|沈阳|南京|杭州|西安)$"
)
_SHARE = re.compile(r"(?:\*?ST|XD|XR|DR|N|C)?[\u4e00-\u9fff]{2,4}[AＡBＢ]?(?:-[UWVDS]{1,2})?$")
_MOST_NAME = 12
_MOST_COMPANY = 20


def with_mentions(body: Body, title: str) -> Body:
    """Return the body with the securities that ``title`` and its text name in brackets.

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


def mentions(text: str) -> Iterator[Security]:
    """Yield the securities that stand in the brackets of ``text``, in order, perhaps repeated."""
    for bracket in _BRACKET.finditer(text):
        before = text[max(0, bracket.start() - _BEFORE) : bracket.start()].rpartition("\n")[2]
        inside = unicodedata.normalize("NFKC", bracket[1]).strip(" .\u3000")
        known: list[Security] = []
        for part in _SEPARATOR.split(inside)[:8]:
            security = _security(part.strip(), before, alone=not known)
            if security is not None:
                known.append(security)
        yield from known


def _security(part: str, before: str, *, alone: bool) -> Security | None:
    """Return the security that a part of a bracket is; the first of them has the name before it."""
    called = _CALLED.match(part)
    code = part[called.end() :] if called else part
    if mainland := _MAINLAND.fullmatch(code):
        market = (mainland["market"] or mainland["mark"]).lower()
        digits = mainland["code"] or mainland["after"]
        prefix = _MARKETS.get(market, _MARKETS.get(market[0], market[:2]))
        return normalised(f"{prefix}{digits}", _share_name(before) if alone else "")
    name = _name(before) if alone else ""
    if hong_kong := _HONG_KONG.fullmatch(code):
        digits = hong_kong[1] or hong_kong[2]
        return normalised(f"hk{digits:0>5}", name) if int(digits) else None
    if american := _AMERICAN.fullmatch(code):
        return normalised(f"us:{american[1] or american[2] or american[3]}", name)
    return _bare(code, before, called=called[0] if called else "", alone=alone)


def _bare(code: str, before: str, *, called: str, alone: bool) -> Security | None:
    """Return the security of digits without a market, if what stands before is its name."""
    hanzi = re.search(r"[\u4e00-\u9fff][\w*\-]{0,6}\s?$", before)
    name = _share_name(before) if alone else ""
    if not (called or (alone and hanzi and name and not _PLACE.search(name))):
        return None
    is_fund = called.startswith("基金")
    if _BARE.fullmatch(code) and is_listed(code, name, is_fund=is_fund):
        if is_fund and alone:
            name = _name(before)
        return normalised(code, name)
    if _BARE_HONG_KONG.fullmatch(code) and int(code):
        return normalised(f"hk{code}", _name(before) if alone else "")
    return None


def _name(before: str) -> str:
    """Return the name that a text ends with; ``""`` where it cannot be told from a sentence."""
    ending = _NAME.search(before.rstrip(" \u3000\"”》'*"))
    if not ending:
        return ""
    name = _LEADS.sub("", ending[0]).strip("-.·")
    if len(name) > 4:
        name = _JOINED.sub("", name)
    bound = _MOST_COMPANY if _COMPANY.search(name) else _MOST_NAME
    return name if len(name) <= bound else ""


def _share_name(before: str) -> str:
    """Return the name of a mainland share: four characters at most, where a sentence runs into it.

    The exchanges' short names have no more; funds' names are longer, and stand alone.
    """
    name = _name(before)
    if name and (len(name) <= 4 or not name.isalpha() or _COMPANY.search(name)):
        return name
    short = _SHARE.search(name or before.rstrip(" \u3000"))
    return short[0] if short else name
