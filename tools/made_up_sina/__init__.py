"""A made-up Sina: articles that never were, on pages after Sina's templates.

For tests and the demo. All companies, people, media and figures are invented.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence

from tools.fake_internet import FakeInternet
from tools.made_up_sina.announcements import FEED_URL, roll_answer, rsshub_feed
from tools.made_up_sina.article import CHINA, MadeUpArticle
from tools.made_up_sina.generate import made_up
from tools.made_up_sina.live import LIVE_API, LiveItem, live_answer, live_item
from tools.made_up_sina.pages import body_html, finance_page, mobile_page, news_page
from tools.made_up_sina.ten import ARTICLES, demo_articles

__all__ = [
    "ARTICLES",
    "CHINA",
    "FEED_URL",
    "LIVE_API",
    "LiveItem",
    "MadeUpArticle",
    "body_html",
    "demo_articles",
    "finance_page",
    "live_answer",
    "live_item",
    "made_up",
    "mobile_page",
    "news_page",
    "picture",
    "publish",
    "roll_answer",
    "rsshub_feed",
]


def publish(
    net: FakeInternet,
    articles: Sequence[MadeUpArticle],
    *,
    feed_url: str = FEED_URL,
    full: bool = True,
) -> None:
    """Put the feed, every page, its mobile twin and its pictures on the fake internet."""
    feed = rsshub_feed(articles, full=full)
    net.serve(feed_url, feed, content_type="application/xml; charset=utf-8")
    for one in articles:
        net.serve(one.url, finance_page(one))
        net.serve(one.mobile_url, mobile_page(one))
        for url in one.picture_urls:
            net.serve(url, picture(url), content_type="image/png")


def picture(url: str) -> bytes:
    """Return a PNG of one pixel, of another grey for another address."""
    header = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    grey = bytes([0, zlib.crc32(url.encode()) % 256])
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(grey)), (b"IEND", b""))
    chunks = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)
