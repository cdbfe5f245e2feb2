"""Words of pages that are no articles (``words.toml``), and how they are looked for. Pure.

They only add doubt (:mod:`ingestor.witness`): a long article may quote any of them. Each is
compared without case, width, white space and punctuation, so that only its letters count.
"""

from __future__ import annotations

import pkgutil
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, cast

from ingestor.text.similarity import alphanumerics

Category = Literal["verification", "blocked", "maintenance", "removed", "login", "shell"]
"""What such a page wants or says; ``shell``: it is filled, or left, by a script."""

# A part of the program like a module, and found like one.
_DATA = pkgutil.get_data(__package__, "words.toml") or b""
WORDS = cast("Mapping[Category, Sequence[str]]", tomllib.loads(_DATA.decode("utf-8")))
"""What such pages say, by kind, in Chinese and English."""

_LETTERS: Mapping[Category, tuple[str, ...]] = {
    category: tuple(
        sorted({alphanumerics(word) for word in words}, key=lambda word: (-len(word), word))
    )
    for category, words in WORDS.items()
}

_REMOVAL = (
    r"(?:下架|下线|撤下|撤稿|撤回|撤销|撤除|删除|移除|移走|失效|过期|作废|隐藏|封存|不可见|不见了|看不到了|不存在|屏蔽|消失|丢失|走丢|去火星|飞走了?"
    r"|关闭|停止展示|终止|(?:无法|不能|不予|不再|暂不|停止|未能|未?不?能)(?:被)?(?:显示|查看|访问|浏览|打开|展示|提供|阅读|找到|对外))"
)
_PATTERNS: Mapping[Category, re.Pattern[str]] = {
    "removed": re.compile(
        r"(?:[您你该此]|本[篇条]?|这[篇条个]|当前|所请求|原)[\u4e00-\u9fff]{0,7}?"
        r"(?:文章?|内容|新闻|稿件?|页面?|网页|帖子?|博文|信息|链接|资讯|报道|视频|图集)"
        rf"[\u4e00-\u9fff]{{0,12}}?{_REMOVAL}"
        rf"|(?:文章|页面|网页|稿件|链接|帖子|博文)(?:已经?|被|因|暂|可能)[\u4e00-\u9fff]{{0,8}}?{_REMOVAL}"
        rf"|作者已?(?:经|将|把)[\u4e00-\u9fff]{{0,8}}?{_REMOVAL}"
        r"|(?:this|the)(?:story|article|page|post|content|item|link)(?:youwant|yourequested)?"
        r"(?:isnolonger|isnot|isnt|hasnot|has|is|was|nolonger|cannotbe|couldnotbe|maybe|mayhavebeen)(?:been)?"
        r"(?:gone|withdrawn|removed|unpublished|retracted|available|deleted|takendown|expired|found"
        r"|displayed|exists?|viewable|accessible|unavailable|moved)"
    ),
}
"""How such pages say it in words of their own, as :func:`alphanumerics` has them."""

MOST_LETTERS = 4_000
"""How much of a page's text is searched: what is no article is short, or says so soon."""


@dataclass(frozen=True, slots=True)
class FoundWords:
    """The words of doubt in a text."""

    categories: tuple[Category, ...]
    """The one with the most letters first."""
    share: float
    """Share of the text's letters that belong to them, 0 to 1."""


def doubt_words(text: str) -> FoundWords:
    """Return the words of doubt in a text that a page shows."""
    searched = alphanumerics(text)[:MOST_LETTERS]
    covered = bytearray(len(searched))
    counts: dict[Category, int] = {}
    for category, words in _LETTERS.items():
        count = sum(_cover(covered, searched, word) for word in words)
        told = _PATTERNS[category].finditer(searched) if category in _PATTERNS else ()
        if count := count + sum(_mark(covered, *match.span()) for match in told):
            counts[category] = count
    ordered = sorted(counts, key=lambda category: -counts[category])
    return FoundWords(tuple(ordered), sum(covered) / len(searched) if searched else 0.0)


def _cover(covered: bytearray, text: str, word: str) -> int:
    """Mark where a word stands in a text; return how many letters it is the first to mark."""
    count, at = 0, text.find(word)
    while at >= 0:
        count += _mark(covered, at, at + len(word))
        at = text.find(word, at + len(word))
    return count


def _mark(covered: bytearray, begin: int, end: int) -> int:
    count = end - begin - sum(covered[begin:end])
    covered[begin:end] = b"\x01" * (end - begin)
    return count
