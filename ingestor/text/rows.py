"""Codes and names that stand side by side without a sentence: rows of tables, 名称：代码. Pure.

Rows of people look the same: 张伟民 and the number that he has where he works. What a table's head
says decides, and a family name in a row that says no price.
"""

from __future__ import annotations

import re

from ingestor.model import Security
from ingestor.text.securities import is_index, is_listed, normalised, tables
from ingestor.text.short_names import is_share
from ingestor.text.tickers import is_known

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
