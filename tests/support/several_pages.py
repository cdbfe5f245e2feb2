"""Made-up articles that go over several pages."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tools.made_up_sina import finance_page, made_up, rsshub_feed

if TYPE_CHECKING:
    from tools.fake_internet import FakeInternet

NEW = "https://finance.sina.com.cn/china/2024-03-11/doc-imadeup0000007.shtml"
OLD = "http://finance.sina.com.cn/china/20120312/083511568123.shtml"
FEED = "https://a.example/feed"


def address(first: str, number: int) -> str:
    """Return the address of a page of an article."""
    return first if number == 1 else first.replace(".shtml", f"_{number}.shtml")


def part(first: str, number: int, shown: list[int], text: str = "") -> str:
    """Return a page of an article, whose pager shows these numbers."""
    one = replace(
        made_up(7), paragraphs=(text or f"　　第{number}页说的是第{number}件事，别无其他。",)
    )
    links = "".join(
        f'<span class="pagebox_num"><a href="{address(first, other)}">{other}</a></span>'
        for other in shown
        if other != number
    )
    pager = f'<div class="pagebox">{links}</div>'
    page = finance_page(replace(one, pictures=())).replace("<!-- 编辑", f"{pager}<!-- 编辑", 1)
    return page.replace(one.url, address(first, number)).replace(one.mobile_url, "")


def publish(
    net: FakeInternet, pagers: dict[str, dict[int, list[int]]], *, full: bool = False
) -> None:
    """Announce articles by an address of each, and serve their pages with these numbers."""
    announced = [replace(made_up(7 + place), pictures=()) for place in range(len(pagers))]
    text = rsshub_feed(announced, full=full)
    for one, (url, pager) in zip(announced, pagers.items(), strict=True):
        text = text.replace(one.url, url)
        for number, shown in pager.items():
            first = url.replace("_2.shtml", ".shtml")
            net.serve(address(first, number), part(first, number, shown))
    net.serve(FEED, text, content_type="application/xml")
