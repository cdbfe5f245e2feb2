"""``kind = "sina-live"``: 7×24 news in brief, each item an article of its own."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from ingestor.errors import FeedUnreadable
from ingestor.model import Feed, Response
from ingestor.sources import history, older, source
from ingestor.text.securities import in_market
from tests.support.shared import shared
from tools.fake_internet import Answer
from tools.made_up_sina import (
    LIVE_API,
    LiveItem,
    finance_page,
    live_answer,
    live_item,
    made_up,
    publish,
    rsshub_feed,
)
from tools.running import feed

LIVE = 'name = "7×24"\nkind = "sina-live"\n'
NEWEST = datetime(2024, 3, 11, 12, 0, tzinfo=UTC)
OWN_PAGE = "https://finance.sina.com.cn/7x24/2024-03-11/doc-imadeup0000500.shtml"


class LiveApi:
    """A channel of the made-up 7×24 news."""

    def __init__(self, net) -> None:
        self.items: list[LiveItem] = []
        self.size = 100
        self.asked: list[int] = []
        net.serve_function(LIVE_API, self.answer)

    def answer(self, url, headers) -> Answer:
        assert headers["Referer"] == "https://finance.sina.com.cn/7x24/"
        query = {key: values[0] for key, values in parse_qs(urlsplit(url).query).items()}
        assert (query["zhibo_id"], query["pagesize"], query["tag"]) == ("152", "100", "0")
        page = int(query["page"])
        self.asked.append(page)
        text = live_answer(self.items, page=page, size=self.size)
        return Answer(text.encode(), content_type="application/json")


@pytest.fixture
def api(site, net):
    """Give the API, and a site that follows the channel."""
    site.configure(LIVE)
    return LiveApi(net)


def once(site, *more) -> dict:
    done = site.run("--once", "--json", *more)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_an_item_is_an_article_of_its_own(site, api):
    """Title, text, tags, securities, pictures and time from the item; no page is asked."""
    text = "【云岭铜业：停产检修九天】云岭铜业公告，二号矿坑停产九天。\n公司说，价格<1.70%的变动可以承受。"
    stocks = (("cn", "sh609901", "云岭铜业"), ("us", "ylcu", "Yunling"), ("cn", "si930997", "铜"))
    pictures = {"img_url": ["//n.sinaimg.cn/made-up/pit.jpg"], "video_url": ["//v.example/1.mp4"]}
    item = LiveItem(500, text, NEWEST, ("公司", "A股"), stocks, OWN_PAGE, pictures)
    api.items = [item]
    assert once(site)["articles_new"] == 1
    (row,) = site.query(
        "SELECT title, content_text, url, document_id, origin, headimg, published_at, date"
        "  FROM articles"
    )
    assert row == (
        "云岭铜业：停产检修九天",
        text,
        OWN_PAGE,
        "imadeup0000500",
        "feed",
        "https://n.sinaimg.cn/made-up/pit.jpg",
        "2024-03-11T12:00:00Z",
        "2024-03-11",
    )
    assert site.query("SELECT symbol, market, name FROM symbols ORDER BY symbol") == [
        ("sh609901", "sh", "云岭铜业"),
        ("us:YLCU", "us", "Yunling"),
    ]
    assert site.query("SELECT keyword FROM keywords ORDER BY keyword") == [("A股",), ("公司",)]
    assert len(site.files()) == 1


def test_an_edited_item_becomes_a_revision_and_an_unchanged_one_nothing(site, api):
    """The same id with other words; what Sina deletes stays."""
    first, second = live_item(1, NEWEST), live_item(2, NEWEST)
    api.items = [first, second]
    assert once(site)["articles_new"] == 2
    api.items = [
        replace(first, text=first.text.replace("货轮", "客轮")),
        replace(second, deleted=True),
    ]
    summary = once(site)
    assert (summary["articles_new"], summary["articles_revised"]) == (0, 1)
    assert site.query("SELECT count(*) FROM articles") == [(2,)]
    assert site.query("SELECT cause FROM revisions ORDER BY sequence") == [
        ("new",),
        ("new",),
        ("edit",),
    ]


def test_an_item_whose_page_is_archived_is_linked_to_it(site, api, net):
    """One article, two sightings: over midnight, after an edit, and for the item's own page."""
    one, other = made_up(1), replace(made_up(2), document_id="imadeup0000500")
    own = OWN_PAGE.replace("2024-03-11", other.day)
    publish(net, [one])
    net.serve(own, finance_page(other).replace(other.url, own))
    net.serve(
        "https://rsshub.example/sina/finance/china",
        rsshub_feed([one, other], full=False).replace(other.url, own),
    )
    site.configure(feed(), LIVE)
    assert once(site)["articles_new"] == 2
    net.serve(one.url, finance_page(replace(one, title="另一个标题")))
    later = NEWEST + timedelta(days=1)
    api.items = [
        LiveItem(7, "【另说】说了几句。", later, page=one.url),
        LiveItem(8, "【再说】说了几句。", later, page=one.mobile_url),
        LiveItem(500, "【说】几句。", later, page=own),
    ]
    assert once(site)["articles_new"] == 0
    assert site.query("SELECT url, origin, revision FROM articles ORDER BY url DESC") == [
        (one.url, "page", 1),
        (own, "page", 1),
    ]
    assert site.query("SELECT feed_id, count(*) FROM sightings GROUP BY feed_id") == [
        (1, 2),
        (2, 2),
    ]


def test_an_item_that_points_to_an_article_brings_it_in(site, api, net):
    """Under the article's own day, with the item's securities; its text where the page is gone."""
    one = made_up(1)
    publish(net, [one])
    gone = "https://finance.sina.com.cn/china/2024-03-11/doc-imadeup0000600.shtml"
    later = NEWEST + timedelta(days=1)
    stocks = (("hk", "09871", "星渡航运"),)
    api.items = [
        LiveItem(7, "【说】听涛港务说了几句。", later, stocks=stocks, page=one.url),
        LiveItem(600, "【停】听涛港停航一天，明天恢复。", NEWEST, page=gone),
    ]
    assert once(site)["articles_new"] == 2
    assert site.query("SELECT title, date, origin FROM articles ORDER BY origin") == [
        ("停", "2024-03-11", "feed"),
        (one.title, one.day, "page"),
    ]
    assert site.query("SELECT symbol FROM symbols") == [("hk09871",)]
    assert site.query("SELECT guid, state FROM entries ORDER BY guid") == [
        ("600", "pending"),
        ("7", "done"),
    ]


def test_the_pages_of_items_are_asked_where_one_wants_them(site, api, net):
    """``content = "page"``."""
    site.configure(LIVE + 'content = "page"\n')
    one = replace(made_up(1), document_id="imadeup0000500")
    net.serve(OWN_PAGE, finance_page(one))
    api.items = [LiveItem(500, "【说】几句。", NEWEST, page=OWN_PAGE)]
    assert once(site)["articles_new"] == 1
    assert site.query("SELECT title, origin FROM articles") == [(one.title, "page")]


# -- what was ------------------------------------------------------------------------------


def walk(site, since: str, until: str, *more: str):
    return site.run("--once", "--since", since, "--until", until, "--json", *more)


def test_the_past_is_walked_down_to_the_first_day(site, api):
    """Page by page; items of other days are left out, and days that are through not asked again."""
    api.items = [live_item(number, NEWEST) for number in range(200)]
    api.size = 20
    done = walk(site, "2024-03-09", "2024-03-10")
    assert done.returncode == 0, done.stderr
    # 30 minutes apart: 40 items on the 11th, 48 on each of the other days.
    assert json.loads(done.stdout)["articles_new"] == 96
    assert api.asked == list(range(1, 9))
    assert site.query("SELECT date, count(*) FROM articles GROUP BY date") == [
        ("2024-03-09", 48),
        ("2024-03-10", 48),
    ]
    assert done.stderr.count("backfill_day") == 2
    api.asked.clear()
    assert walk(site, "2024-03-09", "2024-03-10").returncode == 0
    assert api.asked == []


def test_a_list_that_ends_too_early_is_said(site, api):
    """What Sina still has is archived; exit 1, with the day where the list ends."""
    api.items = [live_item(number, NEWEST) for number in range(60)]
    api.size = 20
    done = walk(site, "2024-03-01", "2024-03-11")
    assert done.returncode == 1
    assert "its list ends on 2024-03-10" in done.stderr
    assert site.query("SELECT count(*) FROM articles") == [(60,)]
    assert site.query("SELECT day FROM backfills") == [("2024-03-11",)]


# -- odd answers ---------------------------------------------------------------------------


def read(body: str, content: str = "feed"):
    about = Feed("f", "sina-live", f"{LIVE_API}?zhibo_id=152", (), "z", content=content)
    response = Response(LIVE_API, LIVE_API, 200, (), body.encode(), NEWEST)
    return source("sina-live").read(about, response).entries


def answer(**values) -> str:
    result = {"status": {"code": 0}, "data": {"feed": {"list": [values]}}}
    return json.dumps({"result": result})


UNREADABLE = {
    "nothing": "",
    "HTML": "<html>busy</html>",
    "a number": "1",
    "no result": '{"a": 1}',
    "an error": '{"result":{"status":{"code":11,"msg":"denied"},"data":[]}}',
    "no feed": '{"result":{"status":{"code":0},"data":{"top":{}}}}',
    "no list": '{"result":{"status":{"code":0},"data":{"feed":{"list":null}}}}',
    "half an answer": '{"result":{"status":{"code":0},"data":{"feed":{"list":[{"id":1',
}


@pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE)
def test_what_is_no_answer_is_no_news(body):
    """A line with the address; nothing is taken."""
    with pytest.raises(FeedUnreadable, match=LIVE_API):
        read(body)


@pytest.mark.parametrize("data", ["[]", '{"feed": []}', '{"feed": {"list": []}}'])
def test_an_empty_list_is_an_answer(data):
    """However PHP writes it."""
    assert read(f'{{"result":{{"status":{{"code":"0"}},"data":{data}}}}}') == ()


def test_items_without_anything_are_left_out():
    """No text, no picture, no page; deleted; not even an object."""
    assert read(answer(id=1)) == ()
    assert read(answer(id=1, rich_text="  \n")) == ()
    assert read(answer(id=1, rich_text="x", is_delete="1")) == ()
    assert read('{"result":{"status":{"code":0},"data":{"feed":{"list":["x", null]}}}}') == ()


TITLES = {
    "【甲】乙": "甲",
    "  【甲 丙】": "甲 丙",
    "乙【甲】": "乙【甲】",
    "【甲" + "乙" * 100: "【甲" + "乙" * 78,
    "<b>【甲】</b>乙": "甲",
    "甲\n乙": "甲 乙",
    "【】甲": "【】甲",
    "甲" * 79 + " 乙": "甲" * 79,
}


@pytest.mark.parametrize(("text", "title"), TITLES.items())
def test_the_title_is_what_stands_in_brackets_or_the_beginning(text, title):
    """Eighty characters of it."""
    (entry,) = read(answer(id=1, rich_text=text))
    assert entry.title == title


MULTIMEDIA = {
    "an address": "https://n.sinaimg.cn/a.jpg",
    "JSON text": '{"img_url": ["https://n.sinaimg.cn/a.jpg"], "thumbnail_img": ["//x/b.jpg"]}',
    "a list": [
        "https://n.sinaimg.cn/a.jpg",
        "https://n.sinaimg.cn/a.jpg",
        "https://v.example/c.mp4",
    ],
    "HTML": "<p><img alt='x' src='https://n.sinaimg.cn/a.jpg'></p>",
    "a nest": {"a": {"images": [{"u": "https://n.sinaimg.cn/a.jpg"}]}},
}


@pytest.mark.parametrize("multimedia", MULTIMEDIA.values(), ids=MULTIMEDIA)
def test_pictures_are_found_however_they_are_written(multimedia):
    """Each once; no films."""
    (entry,) = read(answer(id=1, rich_text="甲", multimedia=multimedia))
    assert entry.content == '<p>甲</p><img src="https://n.sinaimg.cn/a.jpg">'


def test_odd_values_are_no_reason_to_fail():
    """Lists for objects, numbers for texts, broken JSON within JSON."""
    (entry,) = read(
        answer(
            id=None, rich_text="甲", ext="{broken", tag={"name": "x"}, create_time=5, docurl=["x"],
            multimedia=7,
        )
    )  # fmt: skip
    assert (entry.guid, entry.url, entry.published_at, entry.keywords) == ("", "", None, ())
    (entry,) = read(answer(id=1, rich_text="甲", ext='{"stocks": {"a": 1}, "docurl": 3}'))
    assert entry.securities == ()


STOCKS = {
    ("cn", "sh600519"): "sh600519",
    ("cn", "sz399417"): "sz399417",
    ("cn", "si930997"): None,
    ("cn", "sih30192"): None,
    ("sh", "600519"): "sh600519",
    ("hk", "00700"): "hk00700",
    ("hk", "rt_hk00700"): "hk00700",
    ("us", "baba"): "us:BABA",
    ("us", "gb_baba"): "us:BABA",
    ("us", "brk.b"): "us:BRK.B",
    ("fund", "159352"): "sz159352",
    ("fund", "sh510300"): "sh510300",
    ("fund", "000001"): None,
    ("cn", "贵州茅台"): None,
    ("future", "au0"): None,
}


@pytest.mark.parametrize(("stock", "symbol"), STOCKS.items(), ids=str)
def test_a_stock_of_an_item_has_the_name_that_it_has_everywhere(stock, symbol):
    """Themes are no securities, and a fund that is not traded is not the bank with its code."""
    found = in_market(*stock)
    assert (found.symbol if found else None) == symbol


def test_the_real_answer_is_read():
    """All items of it, each with its own page and title."""
    body = shared("sina", "json", "sina_7x24_page.json").read_text("utf-8")
    about = Feed("f", "sina-live", LIVE_API, (), "z", content="feed")
    now = datetime(2026, 10, 9, tzinfo=UTC)
    response = Response(LIVE_API, LIVE_API, 200, (), body.encode(), now)
    entries = source("sina-live").read(about, response).entries
    assert [entry.guid for entry in entries] == [
        "5132361", "5132355", "5132331", "5132311", "5132309", "5132368", "5132367"
    ]  # fmt: skip
    assert all(entry.url.startswith("https://finance.sina.com.cn/7x24/") for entry in entries)
    assert not any(source("sina-live").points_to_page(about, entry) for entry in entries)
    assert [one.symbol for one in entries[5].securities] == ["us:U", "us:RJF"]
    assert entries[0].published_at == datetime(2026, 10, 8, 11, 22, 23, tzinfo=UTC)
    assert not any(entry.title.startswith("【") for entry in entries)


def test_the_kind_lists_its_past_and_knows_no_days():
    """Unlike sina-roll."""
    assert history("sina-live") is None
    assert older("sina-live") is not None
    assert older("sina-roll") is None
