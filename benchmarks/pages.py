"""Made-up articles on pages of Sina's real weight.

Two real finance pages (saved 2018 and 2019) have 230 kB, of which 46 % are style sheets, 13 %
scripts, 9 % comments, and 1,200 elements; gzip makes 26 % of them. The article is 3 % of its page.
These pages have the same shares at 100 kB. Text and words are drawn by chance: none is anybody's.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import cache

from tools.made_up_sina import MadeUpArticle, finance_page, made_up

WEIGHT = 100_000
"""Bytes of a page, on average; pages differ by up to a fifth."""

CHARACTERS = 1_600
"""Of an article's text, as the median: half of Sina's have between 1,000 and 3,000."""

_VARIANTS = 16
"""Sets of furniture; pages of one set differ in their article alone, as Sina's do."""

_COMMON = (
    "公司市场经济发展中国企业投资资金产业行情增长政策银行股份项目技术服务管理业务数据消费价格合作"
    "生产需求供应上海北京广东深圳江苏浙江工程材料能源汽车电池芯片医药食品农业物流港口贸易关税汇率"
    "利率债券基金保险证券交易监管规则报告公告董事会议季度年度月份同比环比百分点亿元万吨美元欧洲日本"
    "全球国际区域城市县域居民收入就业房地产建设基础设施铁路公路航空旅游文化教育科研创新数字平台网络"
)
_STYLES = ("position:relative", "float:left", "display:inline-block", "overflow:hidden", "zoom:1")

_SIZES = (0, 1, 2, 5, 8, 10, 12, 14, 15, 18, 20, 24, 30, 40, 60, 80, 100, 120, 240, 320, 640)
_COLOURS = ("#fff", "#000", "#333", "#666", "#999", "#f5f5f5", "#e66100", "#ff8400", "#4d4f53")
"""Style sheets repeat themselves: that is why a page shrinks as far as real ones do."""


def article(number: int, day: datetime | None = None) -> MadeUpArticle:
    """Return article ``number``, published after ``day``: the same number, the same article."""
    chance = random.Random(number)
    base = made_up(number, day)
    length = CHARACTERS * chance.lognormvariate(0, 0.5)
    paragraphs = list(base.paragraphs[:1])
    written = 0
    while written < length - 150:
        paragraph = "　　" + "".join(itertools.islice(_sentences(chance), 4))
        paragraphs.append(paragraph)
        written += len(paragraph)
    return MadeUpArticle(
        base.document_id,
        base.title,
        base.published_at,
        tuple(paragraphs),
        pictures=base.pictures,
        keywords=base.keywords,
    )


def page(number: int) -> bytes:
    """Return the page of article ``number``."""
    head, between = _furniture(number % _VARIANTS)
    html = finance_page(article(number))
    html = html.replace("</head>", f"{head}</head>", 1)
    return html.replace('<div class="footer-wrap', f'{between}<div class="footer-wrap', 1).encode()


def _sentences(chance: random.Random) -> Iterator[str]:
    words, weights = _words()
    while True:
        parts = [
            "".join(chance.choices(words, cum_weights=weights, k=chance.randint(3, 7)))
            for _ in range(chance.randint(2, 4))
        ]
        yield "，".join(parts) + f"{chance.randint(1, 999)}.{chance.randint(0, 9)}亿元。"


@cache
def _words() -> tuple[list[str], list[float]]:
    """Return two thousand words and their cumulated weights: few are common, as in any language."""
    chance = random.Random(0)
    words = [
        "".join(chance.choices(_COMMON, k=chance.choice([1, 2, 2, 2, 3]))) for _ in range(2000)
    ]
    return words, list(itertools.accumulate(1 / (rank + 3) for rank in range(len(words))))


@cache
def _furniture(variant: int) -> tuple[str, str]:
    """Return what is added to the head and before the footer, in real pages' proportions."""
    chance = random.Random(variant)
    # What the template weighs by itself, its article included.
    missing = WEIGHT * (0.8 + 0.4 * variant / (_VARIANTS - 1)) - 41_000
    head = "".join(f"<style>{_filled(_rule, chance, missing * 0.205)}</style>" for _ in range(3))
    scripts = (_filled(_statement, chance, missing * 0.0225) for _ in range(8))
    blocks = "".join(f"<script>{one}</script>" for one in scripts)
    remarks = _filled(_remark, chance, missing * 0.1)
    links = _filled(_link, chance, missing * 0.1)
    return head, f"{blocks}{remarks}<ul>{links}</ul>"


def _filled(part: Callable[[random.Random], str], chance: random.Random, size: float) -> str:
    """Return parts of about so many bytes together."""
    taken: list[str] = []
    while size > 0:
        taken.append(part(chance))
        size -= len(taken[-1].encode())
    return "".join(taken)


def _name(chance: random.Random) -> str:
    return chance.choice(_names())


@cache
def _names() -> list[str]:
    """Return the names of classes and variables: a page has a few hundred, again and again."""
    chance = random.Random(1)
    letters = "abcdefghijklmnopqrstuvwxyz-_"
    return ["".join(chance.choices(letters, k=chance.randint(4, 12))) for _ in range(400)]


def _rule(chance: random.Random) -> str:
    size = f"{chance.choice(_SIZES)}px {chance.choice(_SIZES)}px"
    style = chance.choice(_STYLES)
    colour = chance.choice(_COLOURS)
    return f".{_name(chance)} .{_name(chance)}{{{style};padding:{size};color:{colour}}}\n"


def _statement(chance: random.Random) -> str:
    name = _name(chance).replace("-", "_")
    return f"var {name} = window['{_name(chance)}'] || {{'{name}': {chance.randrange(10**9)}}};\n"


def _remark(chance: random.Random) -> str:
    return f"<!-- {_name(chance)} {chance.randrange(10**9)} {_name(chance)} begin -->\n"


def _link(chance: random.Random) -> str:
    words, _ = _words()
    title = "".join(chance.choices(words, k=6))
    address = f"https://finance.sina.com.cn/roll/doc-i{chance.randrange(10**10)}.shtml"
    return f'<li class="{_name(chance)}"><a href="{address}" target="_blank">{title}</a></li>\n'
