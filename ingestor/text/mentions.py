"""Securities that a text names by their codes, and where. Pure.

A code is believed for what stands with it: a market (``600519.SH``, ``港股00700``, ``$AAPL``), a
word such as 股票代码, or, for bare digits in a bracket or a row of a table, the number ranges that
the exchanges give out and a name beside them. Six digits are also postcodes, dates and amounts,
capitals also abbreviations.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain

from ingestor.model import Security
from ingestor.text.bare_codes import (
    TICKER,
    bare_ticker,
    explained_ticker,
    in_a_row,
    is_abbreviation,
    is_known,
    is_told_by_colon,
    numbers_of_people,
    with_series,
)
from ingestor.text.securities import is_index, is_listed, is_number, normalised
from ingestor.text.short_names import Place, is_label, is_share, name_before, share_name

_BEFORE, _AFTER = 24, 24
"""Characters around a code in which its name is looked for, and what says that it is one."""

_BRACKET = re.compile(r"[(（\[【]([^()（）\[\]【】\n]{1,60})[)）\]】]")
_TELLING = re.compile(r"\d{3}|[A-ZＡ-Ｚ]")
_SEPARATOR = re.compile(r"[,，、;；/|]|和|及")
_PRICE = re.compile(r"\s{0,2}[:：]?\s{0,2}[+\-±涨跌升降]{0,2}\s?\d{1,5}(?:\.\d{1,3})?[%％元]$")
_SHORT = re.compile(r"简称(?:为|是)?\s?[:：]?\s?[\"“「]?([\w*\-]{2,10})")

_KINDS = (
    r"股票|个股|自选股|该股|证券|公司|股份|指数|基金|转债|可转债|债券|交易|申购|上市|港股|美股|[AaBbHh]股"
    r"|纽交所|纳斯达克|上交所|深交所|北交所|港交所"
)
_CALLED = re.compile(
    rf"^(?:(?P<kind>{_KINDS})?(?:交易)?代[码号碼號]|stock code|ticker|code)"
    r"(?:为|是)?\s{0,3}[:：]?\s{0,3}[\"“]?",
    re.IGNORECASE,
)
_COMPOSED = re.compile(
    r"^(?P<name>[\w*·\-]{2,16}?)\s{0,2}[\s:：]\s{0,2}(?P<code>[A-Za-z.\d]{4,10})$"
    r"|^(?P<first>(?:[A-Za-z]{2}\.?)?\d{6}(?:\.[A-Za-z]{2})?)\s{1,2}(?P<then>[\w*·\-]{2,16})$"
)
_BARE = re.compile(r"(\d{6})")
_MAINLAND = re.compile(
    r"(?P<market>SH|SZ|BJ|SSE|SZSE|BSE|沪|深|沪市|深市|上交所|深交所|北交所|上海|深圳)\s?[.:：\-]?\s?(?P<code>\d{6})"
    r"|(?P<after>\d{6})\s?[.:：\-]?\s?(?P<mark>SH|SZ|BJ|SS|CH|CN|XSHG|XSHE)",
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
_PREFIXES = {"沪": "sh", "深": "sz", "上": "sh", "北": "bj", "ss": "sh", "ch": "", "cn": ""}
_PREFIXES |= {"xshg": "sh", "xshe": "sz", "上海": "sh", "上交所": "sh", "sse": "sh"}
_PREFIXES |= {"szse": "sz", "bse": "bj"}


def mentions(text: str) -> Iterator[Security]:
    """Yield the securities that ``text`` names by their codes, in order, perhaps repeated."""
    found: dict[int, list[Security]] = {}
    ends: dict[int, int] = {}
    for bracket in _BRACKET.finditer(text):
        if _TELLING.search(bracket[1]) and (named := _in_bracket(text, bracket)):
            found[bracket.start()], ends[bracket.start()] = named, bracket.end()
    inside = {at for start, end in ends.items() for at in range(start, end)}
    for at, security in chain(_ascii(text), _called(text)):
        if at not in inside:
            found.setdefault(at, []).append(security)
    for at in sorted(found):
        yield from found[at]


def _around(text: str, start: int, end: int) -> Place:
    before = text[max(0, start - _BEFORE) : start].rpartition("\n")[2]
    return Place(before, text[end : end + _AFTER].partition("\n")[0])


_FIGURE = re.compile(r"(?<=[\u4e00-\u9fff])(?:收?报|收于|涨|跌)?\d{1,6}(?:\.\d{1,3})?[点%]$")


def _in_bracket(text: str, bracket: re.Match[str]) -> list[Security]:
    """Return the securities of a bracket; the first of them has the name before it."""
    place = _around(text, *bracket.span())
    inside = unicodedata.normalize("NFKC", bracket[1]).strip(" .\u3000")
    if short := _SHORT.search(inside):
        place = Place(short[1], place.after)
    place = Place(_FIGURE.sub("", place.before), place.after, inside)
    known: list[Security] = []
    before = place.before
    for part in _SEPARATOR.split(inside)[:8]:
        code = _PRICE.sub("", part.strip())
        security = _security(code, Place(before, place.after, inside), first=not known)
        if security is not None:
            known.append(security)
        elif not known and is_share(part.strip()):
            before = part.strip()
    return known


def _security(part: str, place: Place, *, first: bool) -> Security | None:
    """Return the security that a part of a bracket is."""
    called = _CALLED.match(part)
    code = (part[called.end() :] if called else part).strip('"” ')
    if marked := _with_market(code, place, first=first):
        return marked
    if (
        not called
        and (composed := _COMPOSED.match(code))
        and is_share(name := composed["name"] or composed["then"])
    ):
        code, place = composed["code"] or composed["first"], Place(name, "", place.beside)
        if marked := _with_market(code, place, first=True):
            return marked
    if called and (american := TICKER.fullmatch(code)):
        return with_series(american, name_before(place.before) if first else "")
    if american := TICKER.fullmatch(code):
        return bare_ticker(american, place, first=first)
    return _bare(code, place, called=called, first=first)


def _with_market(code: str, place: Place, *, first: bool) -> Security | None:
    """Return the security of a code that says its market."""
    if mainland := _MAINLAND.fullmatch(code):
        market = (mainland["market"] or mainland["mark"]).lower()
        digits = mainland["code"] or mainland["after"]
        prefix = _PREFIXES.get(market, _PREFIXES.get(market[0], market[:2]))
        return normalised(f"{prefix}{digits}", _mainland_name(digits, place) if first else "")
    name = name_before(place.before) if first else ""
    if hong_kong := _HONG_KONG.fullmatch(code):
        digits = hong_kong[1] or hong_kong[2]
        return normalised(f"hk{digits:0>5}", name) if int(digits) else None
    if american := _AMERICAN.fullmatch(code):
        return normalised(f"us:{american[1] or american[2] or american[3]}", name)
    return None


_CALLED_A_SHARE = {"股票", "个股", "证券", "该股", "A股", "股票代码", "证券代码"}


def _mainland_name(code: str, place: Place) -> str:
    if is_index(code, place.before.rstrip(' "”')):
        return name_before(place.before)
    name = share_name(place.before)
    return "" if name in _CALLED_A_SHARE else name


_UNITS = re.compile(
    r"^\s?(?:万[元人股吨亿辆台户平份张]|亿|元|吨|辆|平方|公里|公斤|千瓦|美元|港元|人民币)"
)
_HANZI = re.compile(r"[\u4e00-\u9fff][\w*\-]{0,10}[\s\"”』」*]{0,2}$")


def _is_beside(name: str, before: str, code: str) -> bool:
    """Whether what stands before a bracket is the name of something with that number."""
    if not _HANZI.search(before):
        return False
    if name in _CALLED_A_SHARE:
        return True
    return is_index(code, before) or not (not name or is_label(name) or is_label(before))


def _bare(code: str, place: Place, *, called: re.Match[str] | None, first: bool) -> Security | None:
    """Return the security of digits without a market, if what stands before is its name."""
    before = place.before.rstrip(' \u3000"”*')
    if first and not before and (heading := _NAME_BEHIND.match(place.after)):
        # (600519)贵州茅台：…
        place = Place(heading[1], "", place.beside)
        before = heading[1]
    if first and not called and not _is_beside(share_name(before), before, code):
        return None
    if not called and _UNITS.match(place.after):
        return None
    if not _BARE.fullmatch(code):
        return _bare_hong_kong(code, place, called=called, first=first)
    if not first:
        return normalised(code) if is_number(code) else None
    kind = (called["kind"] or "") if called else None
    security = _numbered(code, before, kind)
    if security is None:
        return None
    name = name_before(before) if kind == "基金" else _mainland_name(code, place)
    return replace(security, name=name)


def _numbered(code: str, name: str, kind: str | None) -> Security | None:
    """Return the security of six digits beside a name, if it is believed.

    What is called a code of some ``kind`` (``None``: it is not) needs no name for that, but a
    fund's.
    """
    is_fund = kind == "基金"
    called = kind is not None and not is_fund
    believed = is_listed(code, name, is_fund=is_fund) or (called and is_number(code))
    return normalised(code, "指数" if kind == "指数" else name) if believed else None


_KINDS_OF_HONG_KONG = {"港股", "股份", "H股", "h股", "港交所"}
_OF_HONG_KONG = re.compile(
    r"港股|港元|港交所|联交所|恒指|恒生|H股|HK|股价|股份|停牌|控股|集团|业务"
)


def _bare_hong_kong(
    code: str, place: Place, *, called: re.Match[str] | None, first: bool
) -> Security | None:
    """Return the security of four or five digits, which alone say less than six."""
    if not re.fullmatch(r"\d{3,5}", code) or not int(code):
        return None
    name = name_before(place.before) if first else ""
    if re.fullmatch(r"0\d{4}", code) or (called and called["kind"] in _KINDS_OF_HONG_KONG):
        return normalised(f"hk{code}", name)
    context = place.before + place.beside + place.after
    of_hong_kong = bool(_OF_HONG_KONG.search(context))
    if re.fullmatch(r"8\d{4}", code):
        return normalised(f"hk{code}", name) if name.endswith("R") else None
    if len(code) == 4 and not re.match(r"19|20", code) and of_hong_kong and len(name) > 1:
        return normalised(f"hk{code:0>5}", name)
    return None


_ASCII = re.compile(r"[$A-Za-z0-9](?:[A-Za-z0-9.:：/\-]*[A-Za-z0-9])?")
"""What can hold a code: each is looked at by itself, as most of a text is none."""

_WITH_A_MARKET = re.compile(r"\$|\d\.?[A-Za-z]|[A-Za-z][.:：]?\d|[A-Z][.:：/\-][A-Z]")
_MARKED = re.compile(
    r"(?<![A-Za-z0-9.\-])(?:"
    r"(?P<market>(?i:SH|SZ|BJ))[.:：]?(?P<code>\d{6})"
    r"|(?P<after>\d{6})\.(?P<mark>(?i:SH|SZ|BJ|SS|XSHG|XSHE))"
    r"|(?P<hk>\d{4,5})\.(?i:HK)|(?i:HK)[.:：]?(?P<hk_after>\d{5})"
    r"|(?P<us>[A-Z]{1,5})\.US|(?P<reuters>[A-Z]{2,5})\.(?:N|O|OQ)"
    r"|(?P<series>(?:BRK|BF|HEI|MOG|LEN)[./\-][AB])"
    r"|\$(?P<cash>[A-Z](?!\$)|[A-Z]{2,5}(?:[.\-][AB])?)"
    r"|(?:NYSE|NASDAQ|Nasdaq)[:：](?P<exchange>[A-Z]{1,5})"
    r")(?![A-Za-z0-9_]|[.\-]\w)"
)
_BEHIND_COLON = re.compile(r"(?:[A-Z0-9]{1,3}[:：])?(\d{6}|0\d{4})")
"""A code, perhaps with the end of its name."""
_WITH_COLON = re.compile(r"(?:^|[^\w*])([\w*]{3,8})\s?[:：]\s?$")
_ROW_CELL = re.compile(r"\d{6}|0\d{4}|[A-Z]{1,5}")


def _ascii(text: str) -> Iterator[tuple[int, Security]]:
    """Yield the codes outside brackets that are known by themselves or their row, and where."""
    staff = numbers_of_people(text)
    for token in _ASCII.finditer(text):
        if told := _behind_colon(text, token):
            yield token.start(), told
        elif _WITH_A_MARKET.search(token[0]):
            for match in _MARKED.finditer(text, token.start(), token.end() + 1):
                if security := _marked(match):
                    yield match.start(), security
        elif _ROW_CELL.fullmatch(token[0]):
            security = (
                explained_ticker(text, token)
                or (None if token.start() in staff else in_a_row(text, token))
                or _joined(text, token)
            )
            if security:
                yield token.start(), security


def _behind_colon(text: str, token: re.Match[str]) -> Security | None:
    """Return the security of a name, a colon and its number: 沪深300：000300, 腾讯控股:00700."""
    code = _BEHIND_COLON.fullmatch(token[0])
    ahead = text[max(0, token.start() - 14) : token.end()].rpartition("\n")[2]
    name = _WITH_COLON.search(ahead.removesuffix(code[1])) if code else None
    if not code or not name or not is_told_by_colon(name[1], code[1]):
        return None
    return normalised(code[1] if len(code[1]) == 6 else f"hk{code[1]}", name[1])


def _marked(match: re.Match[str]) -> Security | None:
    """Return the security of a code that says its market."""
    if digits := match["code"] or match["after"]:
        market = (match["market"] or match["mark"]).lower()
        return normalised(f"{_PREFIXES.get(market, market)}{digits}")
    if digits := match["hk"] or match["hk_after"]:
        return normalised(f"hk{digits:0>5}") if int(digits) else None
    if (cash := match["cash"]) and len(cash) > 1 and is_abbreviation(cash):
        return None
    ticker = cash or match["us"] or match["reuters"] or match["series"] or match["exchange"]
    return normalised("us:" + re.sub(r"[/\-]", ".", ticker))


_CODE_WORD = re.compile(r"代[码号碼號](?:为|是)?")
_KIND = re.compile(rf"(?:^|\W)(?P<plain>)$|(?P<kind>{_KINDS})(?:交易)?$")
_DIGITS = r"(?:(?:SH|SZ|BJ|HK|sh|sz|bj|hk)[.:：]?)?\d{3,6}(?:\.(?:SH|SZ|BJ|HK))?"
_CODES = re.compile(
    rf"(?P<colon>\s{{0,3}}[:：])?\s{{0,3}}[\"“「]?"
    rf"(?P<codes>{_DIGITS}(?:[、,，/]\s?{_DIGITS}){{0,5}}|[A-Z]{{1,5}}(?:\.[AB])?)(?![A-Za-z0-9.])"
)


_OWNER = re.compile(r"(?:^|[^\w*])([\w*]{3,8}?)的?$")
"""Whose code it is: 贵州茅台代码600519."""
_CODED = re.compile(
    r"(?:区划|机构|专业|邀请|验证|地区|信用|院校|学校|错误|识别|商品|产品|行业|故障|活动|国家|城市|项目|客户|员工|车型"
    r"|颜色|航空|机场|货币|税收|功能|输入|优惠|部门|课程|职位|岗位|服务|操作)$"
)
"""What has codes of its own, and is no company."""


def _has_code(name: str) -> bool:
    return is_share(name) and not _CODED.search(name)


def _called(text: str) -> Iterator[tuple[int, Security]]:
    """Yield the codes outside brackets that are called codes, and where."""
    for word in _CODE_WORD.finditer(text):
        before = text[max(0, word.start() - 12) : word.start()].rpartition("\n")[2]
        kind, owner = _KIND.search(before[-6:]), _OWNER.search(before)
        codes = _CODES.match(text, word.end())
        if not codes or not (kind or (owner and _has_code(owner[1]))):
            continue
        short = _SHORT.search(text[max(0, word.start() - 40) : codes.end() + 40])
        # 代号 is a cover name as well: 代号600519行动.
        if not (codes["colon"] or short or (kind and kind["kind"]) or word[0][1] in "码碼"):
            continue
        named = short[1] if short else owner[1] if owner and not kind else ""
        for number, code in enumerate(re.split(r"[、,，/]\s?", codes["codes"])):
            called = (kind["kind"] if kind else "") or ""
            if security := _of_called(code, called, "" if number else named):
                yield codes.start("codes") + number, security


def _of_called(code: str, kind: str, name: str) -> Security | None:
    if marked := _with_market(code, Place(name, ""), first=True):
        return marked
    if _BARE.fullmatch(code):
        security = _numbered(code, name, kind)
        return security and replace(security, name=name)
    if re.fullmatch(r"\d{3,5}", code):
        is_hong_kong = kind in _KINDS_OF_HONG_KONG or re.fullmatch(r"0\d{4}", code)
        return normalised(f"hk{code:0>5}", name) if is_hong_kong and int(code) else None
    ticker = TICKER.fullmatch(code)
    if not ticker or kind in {"基金", "申购"} or not (kind or is_known(code)):
        return None
    return with_series(ticker, name)


_NAME_AHEAD = re.compile(r"(?:^|[^\w·]|丨)([\u4e00-\u9fff]{3,4}|\*?ST[\u4e00-\u9fff]{2,3})$")
_NAME_BEHIND = re.compile(r"([\u4e00-\u9fff]{3,4}|\*?ST[\u4e00-\u9fff]{2,3})(?:[^\w·]|$)")
_COUNTED = re.compile(
    r"[元亿个次件套辆吨手户票张份项种股米年月度位只家分克公千]|人(?!民网|福医|人乐)|名[^臣创雕]|万[元人股吨亿台辆户件平]"
    r"|平方|[美港日]元|[日台](?!海|基|华)"
)
"""What a number in front of it counts."""


def _joined(text: str, token: re.Match[str]) -> Security | None:
    """Return the security of six digits with a name at one side, both without a sentence."""
    start, end = token.span()
    behind = text[end : end + 6].partition("\n")[0]
    if not _BARE.fullmatch(token[0]) or _COUNTED.match(behind):
        return None
    ahead = text[max(0, start - 6) : start].rpartition("\n")[2]
    alone = not re.search(r"[\w.+\-]$", ahead)
    name = _NAME_AHEAD.search(ahead) or (alone and _NAME_BEHIND.match(behind))
    if not name or not is_share(name[1]) or not is_listed(token[0], name[1]):
        return None
    return normalised(token[0], name[1])
