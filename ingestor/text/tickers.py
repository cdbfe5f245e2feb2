"""Tickers of American exchanges that stand without one: capitals are abbreviations as well. Pure.

Known ones (``securities.toml``) are believed where nothing says otherwise, short ones and words
where a company or a price stands beside, all others where a price follows at once.
"""

from __future__ import annotations

import re
from functools import cache

from ingestor.model import Security
from ingestor.text.securities import normalised, tables
from ingestor.text.short_names import Place, name_before

TICKER = re.compile(r"([A-Z]{1,5})(?:[./\-]([AB]))?")
"""A ticker and its series: BRK.A."""

_AS_A_SHARE = re.compile(
    r"股价|股票|盘前|盘后|美股|收涨|收跌|[涨跌]幅|大涨|大跌|上涨|下跌|[涨跌][超逾近约]?\d|高开|低开"
    r"|市值|目标价|评级|财报|季报|业绩|每股"
)
_AT_ONCE = re.compile(
    r"^[\s)）,，]{0,2}(?:公司)?的?(?:美股|股价|股票|盘前|盘后|收[涨跌]|大[涨跌]|[涨跌]|上涨|下跌|走[高低]|高开|低开"
    r"|市值|(?:公布|发布).{0,6}财报)"
)
_NO_COMPANY = re.compile(
    r"(?:指数|指标|[率值比局会所部署院币官权]|组织|管理|系统|技术|模型|机制|计划|协议|协定|条约|标准"
    r"|期货|期权|合约|期指|期[金银铜铝锌铅镍锡油棉]|原油|黄金|白银|债券|票据|货币|价格|份额|金额|收益|利润|资产|负债"
    r"|产品|平台|疗法|病毒|细胞|蛋白|抗体|芯片|内存|智能|现实|区块链|方案|工程|项目|规划|模式|标题|通讯"
    r"|大学|联盟|法案|主席|总裁|经理|论坛|联赛|权证)$"
)
_FIRM = re.compile(
    r"(?:公司|集团|汽车|科技|银行|控股|石油|能源|航空|制药|医药|娱乐|软件|教育|网|股份|半导体|电子|金融"
    r"|保险|超市|酒店)$"
)
_IN_BRACKET = re.compile(r"[(（]([A-Z]{3,5})(?:[)）]|$)")
_LATIN_COMPANY = re.compile(
    r"[A-Za-z].{0,30}\b(?:Inc|Corp|Ltd|Co|Holdings?|Group|Trust|Brands?|ETF|Technologies|Therapeutics"
    r"|Pharmaceuticals|Energy|plc|Fund)[.．]?$"
)


def _is_company(letters: str, before: str, place: Place) -> bool:
    """Whether what stands around a known ticker is that of a company, not of an abbreviation."""
    as_a_share = _AS_A_SHARE.search(place.after + place.beside) is not None
    if no_company := _NO_COMPANY.search(before):
        return no_company[0][0] != "指" and as_a_share
    if len(letters) > 2 and letters not in _list("words"):
        return True
    beside = _IN_BRACKET.findall(place.before + place.after)
    return as_a_share or bool(_FIRM.search(before)) or any(map(is_known, beside))


@cache
def _list(name: str) -> frozenset[str]:
    return frozenset(tables()["american"][name].split())


def is_known(ticker: str) -> bool:
    """Whether a ticker is one of those that Chinese news names most."""
    return ticker in _list("tickers")


def is_abbreviation(capitals: str) -> bool:
    """Whether capitals are rather an abbreviation, or a currency, than a ticker."""
    return capitals in _list("abbreviations")


@cache
def _named(ticker: str) -> tuple[str, ...]:
    return tuple(tables()["american"]["named"].get(ticker, "").split())


def with_series(ticker: re.Match[str], name: str) -> Security | None:
    """Return the security of a :data:`TICKER`."""
    letters, series = ticker.groups()
    return normalised(f"us:{letters}{f'.{series}' if series else ''}", name)


def bare_ticker(ticker: re.Match[str], place: Place, *, first: bool) -> Security | None:
    """Return the security of capitals without a market, if they are no abbreviation."""
    letters, series = ticker.groups()
    before = place.before.rstrip(' \u3000"”》.．*')
    name = name_before(before) if first else ""
    whole = f"{letters}.{series}" if series else letters
    if first and before.endswith(_named(whole)):
        return with_series(ticker, name)
    if is_abbreviation(whole):
        return None
    if is_known(whole):
        believed = _is_company(letters, before, place)
        return with_series(ticker, name) if not first or believed else None
    if not first or len(letters) < 2 or series or _NO_COMPANY.search(before):
        return None
    at_once = _AT_ONCE.match(place.after) or re.search(r"股价|美股|市值", place.beside)
    if (before and at_once) or _LATIN_COMPANY.search(place.before.rstrip()):
        return with_series(ticker, name)
    return None


_EXPLANATION = re.compile(r"[(（]([\u4e00-\u9fff][\w·]{1,11})[)）]")


def explained_ticker(text: str, token: re.Match[str]) -> Security | None:
    """Return the security of a ticker whose bracket has its name: ``AAPL（苹果）``."""
    ticker = token[0]
    if len(ticker) < 3 or ticker in _list("words") or not is_known(ticker):
        return None
    name = _EXPLANATION.match(text, token.end())
    return normalised(f"us:{ticker}", name[1]) if name and not _NO_COMPANY.search(name[1]) else None
