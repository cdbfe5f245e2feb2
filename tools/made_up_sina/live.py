"""The 7×24 news in brief of the made-up Sina, and the answers of its API."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tools.made_up_sina.article import CHINA

LIVE_API = "https://zhibo.sina.com.cn/api/zhibo/feed"


@dataclass(frozen=True, slots=True)
class LiveItem:
    """An item of the 7×24 news."""

    number: int
    text: str
    published_at: datetime
    tags: tuple[str, ...] = ("公司",)
    stocks: tuple[tuple[str, str, str], ...] = ()
    """Market, symbol and name, as Sina writes them."""
    page: str = ""
    """Address of the page that it names; ``''``: none."""
    multimedia: Any = ""
    deleted: bool = False


def live_item(number: int, newest: datetime, minutes: int = 30) -> LiveItem:
    """Return item ``number`` of a channel, counted back from the newest one."""
    moment = newest - timedelta(minutes=minutes * number)
    local = moment.astimezone(CHINA)
    return LiveItem(
        9_000_000 - number,
        f"【听涛港第{number}号航班靠泊】听涛港务{local:%H时%M分}说，第{number}号货轮靠泊，卸货{number + 3}箱。",
        moment,
    )


def live_answer(items: Sequence[LiveItem], *, page: int = 1, size: int = 100) -> str:
    """Return a page of the API's answer: ``size`` items of the list, ``page`` from 1."""
    count = (len(items) + size - 1) // size
    place = {"totalPage": count, "pageSize": size, "totalNum": len(items), "page": page}
    shown = [_item(one) for one in items[size * (page - 1) : size * page]]
    feed = {"list": shown, "html": "", "page_info": place, "max_id": 0, "survey_id": []}
    result = {"status": {"code": 0, "msg": "OK"}, "timestamp": "Mon Mar 11 20:00:00 +0800 2024"}
    return json.dumps({"result": result | {"data": {"top": {}, "feed": feed}}}, ensure_ascii=False)


def _item(one: LiveItem) -> dict[str, Any]:
    stamp = f"{one.published_at.astimezone(CHINA):%Y-%m-%d %H:%M:%S}"
    stocks = [
        {"market": market, "symbol": symbol, "key": name} for market, symbol, name in one.stocks
    ]
    extra = {"stocks": stocks, "needPushWB": False, "needCMSLink": bool(one.page), "terms": []}
    if one.page:
        extra |= {"docurl": one.page, "docid": one.page.partition("doc-i")[2].partition(".")[0]}
    return {
        "id": one.number,
        "zhibo_id": 152,
        "type": 0,
        "rich_text": one.text,
        "multimedia": one.multimedia,
        "commentid": f"live:finance-152-{one.number}:0",
        "creator": "made-up@staff.sina.com",
        "create_time": stamp,
        "update_time": stamp,
        "is_delete": int(one.deleted),
        "top_value": 0,
        "ext": json.dumps(extra),
        "tag": [{"id": str(place), "name": name} for place, name in enumerate(one.tags, start=1)],
        "docurl": "",
        "compere_info": "",
    }
