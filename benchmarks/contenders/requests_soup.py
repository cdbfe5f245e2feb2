"""What a user would write: requests, BeautifulSoup, a thread pool, and a file an article."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import requests
from bs4 import BeautifulSoup
from requests.adapters import HTTPAdapter

from benchmarks.contenders.common import Order, order, report


def run(told: Order) -> int:
    """Take in all pages; return how many."""
    with requests.Session() as session, ThreadPoolExecutor(told.connections) as pool:
        session.proxies = {"http": told.proxy}
        session.trust_env = False
        session.mount("http://", HTTPAdapter(pool_maxsize=told.connections))
        return sum(pool.map(lambda url: _take(session, url, told.folder), told.urls))


def _take(session: requests.Session, url: str, folder: Path) -> bool:
    answer = session.get(url, timeout=60)
    answer.raise_for_status()
    # With lxml: html.parser, which is the default, takes longer.
    soup = BeautifulSoup(answer.content, "lxml")
    title = _text(soup, "h1")
    date = _text(soup, ".date-source .date, #pub_date")
    medium = _text(soup, ".date-source .source, #media_name")
    body = soup.select_one("#artibody, #article")
    for one in body.select("script, style, .appendQr_wrap, .app-kaihu-qr, #left_hzh_ad"):
        one.decompose()
    image = body.select_one("img")
    headimg = image["src"] if image else ""
    name = url.rsplit("/", 1)[1].removesuffix(".shtml")
    (folder / f"{name}.md").write_text(
        f"---\ntitle: '{title}'\ncategories: \n - 金融\nheadimg: '{headimg}'\nauthor: {medium}\n"
        f"date: {date}\nthumbnail: '{headimg}'\n---\n\n<div>\n{body.decode_contents()}\n</div>\n",
        encoding="utf-8",
    )
    return True


def _text(soup: BeautifulSoup, selector: str) -> str:
    found = soup.select_one(selector)
    return found.get_text(strip=True) if found else ""


if __name__ == "__main__":
    report(run(order()))
