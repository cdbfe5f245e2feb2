"""Codes without a market: tickers, rows of tables, 名称：代码. Pure.

Capitals are abbreviations as well as American tickers. Known ones (``securities.toml``) are
believed where nothing says otherwise, short ones and words where a company or a price stands
beside, all others where a price follows at once.

In rows codes and names stand side by side without a sentence. Rows of people look the same: 张伟民
and the number that he has where he works. What a table's head says decides, and a family name in a
row that says no price.
"""

from __future__ import annotations

import re
from functools import cache

from ingestor.model import Security
from ingestor.text.securities import is_index, is_listed, normalised, tables
from ingestor.text.short_names import Place, is_share, name_before

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


_BARE = re.compile(r"\d{6}")

_OF_PEOPLE = re.compile(
    r"工号|员工|职工|姓名|学号|学生|考号|考生|准考证|座位|房号|房间|会员|卡号|手机|电话|部门|岗位|邮编|身份证|快递|订单|单号|取件|中奖|车牌"
)
_OF_SHARES = re.compile(r"证券|股票|代码|简称|名称|涨|跌|收盘|股价|市值|基金|持股|机构|行业")
_MOST_HEAD = 80
"""Characters of a line that names the columns below it."""

_PERSON = re.compile(
    r"(?:记者|编辑|作者|员工|考生|选手|主播|客服|用户)?"
    r"[王李张刘陈杨赵黄周吴徐孙胡朱林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶余潘杜戴夏钟汪田任姜"
    r"范姚谭廖邹熊陆郝孔崔毛邱秦史顾侯邵孟段雷钱汤尹黎乔贺赖龚][\u4e00-\u9fff]{1,2}(?:先生|女士|老师)?"
)
_PRICE = re.compile(r"\d\.\d|[%％]")
_NUMBERED = re.compile(r"^[\u4e00-\u9fff]*(?:(?<!数)码|[号数量值额率价款费次度期分员名者间式位])$")
_COMPANY = ("银行", "股份", "科技", "集团", "控股")
"""What a number behind a colon is the number of."""


def is_person(name: str) -> bool:
    """Whether a name is rather a person's than a share's."""
    return bool(_PERSON.fullmatch(name)) and name not in tables()["people"]["shares"].split()


def numbers_of_people(text: str) -> frozenset[int]:
    """Return where the numbers of people, rooms, parcels stand: in a table whose head says so."""
    if not _OF_PEOPLE.search(text):
        return frozenset()
    found: set[int] = set()
    at, inside = 0, False
    for line in text.split("\n"):
        is_head = len(line) <= _MOST_HEAD and bool(_OF_PEOPLE.search(line))
        inside = (is_head and not _OF_SHARES.search(line)) or (
            inside and not is_head and bool(_BARE.search(line))
        )
        if inside:
            found |= {at + number.start() for number in _BARE.finditer(line)}
        at += len(line) + 1
    return frozenset(found)


def is_told_by_colon(name: str, code: str) -> bool:
    """Whether what stands before a colon is the share that has the number behind it."""
    if not is_share(name) or is_person(name):
        return False
    if len(code) == 6 and is_index(code, name):
        return True
    listed = code.startswith("0") if len(code) == 5 else is_listed(code, name)
    # 600000 is an amount, and a bank.
    told = not code.endswith("000") or name.endswith(_COMPANY)
    return listed and told and not _NUMBERED.search(name)


_ROW_ENDS = 400
"""Characters of a row to each side of a code that are looked at."""

_AHEAD_OF_A_CELL = re.compile(r"[\s|★☆●◆■▲▼•·*]")


def in_a_row(text: str, token: re.Match[str]) -> Security | None:
    """Return the security of a code that is a cell of a row beside a name."""
    start, end = token.span()
    ahead, behind = text[max(0, start - 1) : start], text[end : end + 1]
    if (ahead and not _AHEAD_OF_A_CELL.match(ahead)) or (behind and behind not in "\n\t |\u3000\r"):
        return None
    if token[0].isalpha() and not is_known(token[0]):
        return None
    left = text[max(0, start - _ROW_ENDS) : start].rpartition("\n")[2]
    right = text[end : end + _ROW_ENDS].partition("\n")[0]
    names = _neighbours(left, right)
    if any(map(is_person, names)) and not _PRICE.search(left + right):
        return None
    named = (_in_row(token[0], name) for name in names)
    return next(filter(None, named), None)


def _neighbours(left: str, right: str) -> list[str]:
    """Return the cells on both sides of one, the one behind it first."""
    if re.search(r"[\t|]", left + right):
        behind = re.split(r"[\t|]", right.strip(" ").removeprefix("\t").removeprefix("|"))[0]
        ahead = re.split(r"[\t|]", left.strip(" ").removesuffix("\t").removesuffix("|"))[-1]
        return [behind.strip(" \u3000*\\"), ahead.strip(" \u3000*\\")]
    ahead_words, behind_words = left.split(), right.split()
    while ahead_words and re.fullmatch(r"\d{1,3}[.、]?|[-★☆●◆■▲▼•·*]+", ahead_words[0]):
        ahead_words.pop(0)
    if not ahead_words and behind_words:
        return [behind_words[0].strip("\\")]
    # A sentence may begin like that: 年营收 600519 is none, and what follows is none of a sentence.
    return ahead_words if len(ahead_words) == 1 else []


def _in_row(code: str, name: str) -> Security | None:
    if not is_share(name):
        return None
    if _BARE.fullmatch(code):
        counted = _NUMBERED.search(name) and not is_index(code, name)
        return normalised(code, name) if is_listed(code, name) and not counted else None
    if re.fullmatch(r"0\d{4}", code):
        return normalised(f"hk{code}", name) if int(code) else None
    return normalised(f"us:{code}", name) if re.search(r"[\u4e00-\u9fff]", name) else None
