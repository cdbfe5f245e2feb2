"""The name of a security that a text ends with, and what is none. Pure.

A name runs into its sentence without a blank: 从在万科A, 这样始于中国宏桥. It is cut off behind the
last word that no name has; what is too long to be one is cut to what the exchanges allow.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from ingestor.text.securities import tables


@dataclass(frozen=True, slots=True)
class Place:
    """What stands around a code, on its line."""

    before: str
    after: str
    beside: str = ""
    """What else its bracket holds."""


_NAME = re.compile(r"(?<![\w*&·\-'．.])[\w*&·\-'．.]++(?: [A-Za-z][\w&'.]*+){0,8}$")
_LEADS = re.compile(
    r"^.*(?:丨|(?<!美)的|了|称|(?<!天)是|被|给|例|把|从|在|与|像|让|但|或|还有?|又|已|该|此|这样|这家|这只|其中|以及|及|包括|例如"
    r"|比如|诸如|如(?!意|通|家)|由(?!器)|关于|切断|始于|做空|做多|买入|卖出|买进|加仓|减仓|增持|减持|持有|重仓|清仓|推荐|看好|关注"
    r"|收购|参股|控股(?!$|股份)|旗下|龙头股?|巨头|公司|集团股?东|股东|个股|牛股|概念股?|代表|标的|品牌|车企|药企|房企|券商股?|(?:制造|生产|供应|运营|开发|零售|经销|代理|服务|承包|电|厂)商|投行|认为|觉得|指出|表示|预计|相信|发现|(?<!控)股(?!份|票代)"
    r"|老大哥?|兄弟|对手|客户|厂家|行业|板块|企业(?!股份|有限|集团)|今日|昨日|日前|近日|今天|昨天|上周|本周|盘中|早盘|午后|尾盘|当年|目前|截至|显示|公告"
    r"|消息|报道|获悉|宣布|披露|建议|涨停|跌停|其次为|分别为|依次为|还有|只有|就像|相比|作为|成为|跟踪|挂钩)(?=..)"
)
_JOINED = re.compile(r"^(?:[和与把像从由对在再看而且若向令使跟因为至]|始于|做空)+(?=..)")
_AHEAD = re.compile(r"^[与把像从由在向令使跟为下](?=..)")
_AND = re.compile(r"^.{2,}[和跟、](?=.{2,6}$)")
_COMPANY = re.compile(r"(?:公司|集团|银行)$")
_LONG = re.compile(r"(?:公司|集团|银行|ETF|LOF|REIT)$")
_SHARE = re.compile(
    r"(?:(?:\*?ST|XD|XR|DR|N|C|[A-Z]{2,4})[\u4e00-\u9fff]{2,4}|[\u4e00-\u9fff]{2,3}(?=[AＡBＢ])|[\u4e00-\u9fff]{2,4})"
    r"[AＡBＢ]?(?:-[UWVDSR]{1,2})?$"
)
_WHOLE_SHARE = re.compile(
    r"(?:(?:S?\*?ST|XD|XR|DR|[SNCUG])[\u4e00-\u9fff]{2,4}|[A-Za-z]{1,4}[\u4e00-\u9fff]{1,4}|[\u4e00-\u9fff]{2,4}"
    r"|[\u4e00-\u9fff]{1,6}[A-Za-z]{1,3}|[\u4e00-\u9fff]{1,4}\d{2,3})[AＡBＢ]?(?:-[UWVDSR]{1,2})?"
    r"|[\w*]{2,16}(?:ETF|LOF|REIT|转债\d?|指数|综指|成指)"
)
_WARNED = re.compile(r"S?\*?ST|[SN]|XD|XR|DR")
_PLACE = re.compile(
    r"[万亿\d]股$|\d[号楼室]$|(?:(?<!新城)市|[省区县镇村元万亿吨年月日]|(?<!机器)人)$"
)
_MOST_NAME = 12
_MOST_COMPANY = 20


@cache
def _words(name: str) -> frozenset[str]:
    return frozenset(tables()["labels"][name].split())


def is_label(name: str) -> bool:
    """Whether a name is that of a measure, a channel or a place: no code stands behind it."""
    bare = name.removesuffix("为").removesuffix("约").removesuffix("达").removesuffix("共")
    return (
        not bare
        or bare in _words("whole")
        or bare in _words("districts")
        or bare.endswith((*_words("cities"), *_words("endings")))
        or _PLACE.search(bare) is not None
    )


def is_share(name: str) -> bool:
    """Whether a text as a whole can be the short name of a share or a listed fund."""
    return _WHOLE_SHARE.fullmatch(name) is not None and not is_label(name)


def is_part_of(name: str, longer: str) -> bool:
    """Whether a name is another one without some of its characters, marks of an exchange apart.

    万科A of 从在万科A, and 茅台 of 贵州茅台; but *ST青松, which is warned of, is a name of its own.
    """
    if name == longer or name not in longer:
        return False
    return not _WARNED.fullmatch(longer.removesuffix(name))


def name_before(before: str) -> str:
    """Return the name that a text ends with; ``""`` where it cannot be told from a sentence."""
    ending = _NAME.search(before.rstrip(" \u3000\"”》」'*$"))
    if not ending:
        return ""
    name = _LEADS.sub("", ending[0]).strip("-.·_")
    if len(name) > 4:
        name = _JOINED.sub("", name)
    if len(name) > 5:
        name = _AND.sub("", name)
    bound = _MOST_COMPANY if _LONG.search(name) else _MOST_NAME
    return name if len(name) <= bound else ""


def share_name(before: str) -> str:
    """Return the name of a mainland share: four characters at most, where a sentence runs into it.

    The exchanges' short names have no more; funds' names are longer, and stand alone.
    """
    name = name_before(before)
    if name and (len(name) <= 4 or not name.isalpha() or _COMPANY.search(name)):
        return name
    short = _SHARE.search(name or before.rstrip(' \u3000"”'))
    return _AHEAD.sub("", short[0]) if short else name
