"""How articles are announced: RSSHub's feed, and the answer of the roll API."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import format_datetime
from html import escape
from typing import Any

from tools.made_up_sina.article import MadeUpArticle
from tools.made_up_sina.pages import body_html

FEED_URL = "https://rsshub.example/sina/finance/china"


def rsshub_feed(
    articles: Sequence[MadeUpArticle], *, title: str = "新浪财经－國內", full: bool = True
) -> str:
    """Return the feed as RSSHub makes it; without ``full``, the items have no text."""
    items = "\n".join(_item(one, full=full) for one in articles)
    newest = max((one.published_at for one in articles), default=None)
    stamp = f"<lastBuildDate>{_gmt(newest)}</lastBuildDate>" if newest else ""
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<rss xmlns:atom="http://www.w3.org/2005/Atom" version="2.0"><channel><title>{escape(title)}</title>
<link>https://finance.sina.com.cn/china/</link>
<atom:link href="{FEED_URL}" rel="self" type="application/rss+xml" />
<description>{escape(title)} - Powered by RSSHub</description><generator>RSSHub</generator>
<language>zh</language>{stamp}<ttl>5</ttl>
{items}
</channel></rss>"""


def _gmt(moment: datetime) -> str:
    return format_datetime(moment.astimezone(UTC), usegmt=True)


def _item(one: MadeUpArticle, *, full: bool) -> str:
    html = body_html(one).replace('<img src="', '<img referrerpolicy="no-referrer" src="')
    text = "<![CDATA[" + html.replace("]]>", "]]]]><![CDATA[>") + "]]>" if full else ""
    words = "".join(f"<category>{escape(word)}</category>" for word in one.keywords)
    return f"""<item><title>{escape(one.title)}</title>
<description>{text}</description>
<link>{one.url}</link><guid isPermaLink="false">{one.url}</guid>
<pubDate>{_gmt(one.published_at)}</pubDate>
<author>{escape(one.media)}</author>{words}</item>"""


def roll_answer(
    articles: Sequence[MadeUpArticle], *, lid: int = 1687, total: int | None = None
) -> str:
    """Return one page of the roll API's answer; ``total`` counts the items of all pages."""
    status = {"code": 0, "msg": "succ"}
    data = [_roll_item(one, lid) for one in articles]
    result: dict[str, Any] = {"status": status, "timestamp": "Mon Mar 11 20:00:00 +0800 2024"}
    result |= {"top": {}, "pdps": [], "cre": [], "total": len(data) if total is None else total}
    return json.dumps({"result": result | {"lid": lid, "data": data}}, ensure_ascii=False)


def _roll_item(one: MadeUpArticle, lid: int) -> dict[str, Any]:
    """Return an item; numbers are text, as Sina writes them."""
    moment = str(int(one.published_at.timestamp()))
    images = [{"u": url, "w": "550", "h": "309"} for url in one.picture_urls]
    return {
        "oid": f"comos:{one.document_id[1:]}",
        "docid": f"comos:{one.document_id[1:]}",
        "url": one.url,
        "wapurl": one.mobile_url,
        "title": one.title,
        "intro": f" {one.summary}",
        "media_name": one.media,
        "author": "",
        "ctime": moment,
        "intime": moment,
        "mtime": moment,
        "keywords": ",".join(one.keywords),
        "lids": f"2516,{lid}",
        "img": images[0] if images else {},
        "images": images,
        "hqChart": json.dumps({"stockCode": one.symbols}) if one.symbols else "",
    }
