"""What Sina's rolling news answers where PHP writes something else than it should."""

import json
from datetime import UTC, datetime

import pytest

from ingestor import sources
from ingestor.errors import FeedUnreadable
from ingestor.model import Feed, Response
from ingestor.text.dates import iso_utc

ROLL = "https://feed.mix.sina.com.cn/api/roll/get?pageid=153&lid=2509"
FEED = Feed("滚动", "sina-roll", ROLL, ("x", "y"), "z")
POLL = datetime(2026, 11, 27, 3, 20, tzinfo=UTC)
URL = "https://finance.sina.com.cn/china/2026-11-27/doc-imadeup0000001.shtml"
ITEM = {
    "docid": "comos:madeup0000001",
    "url": URL,
    "title": "石门水泥新窑点火",
    "ctime": "1795748400",
    "media_name": "石门晚报",
    "keywords": "石门,水泥",
    "intro": "新窑六月点火。",
}
READ = (URL, "石门水泥新窑点火", "2026-11-27T03:00:00Z", "石门晚报", ("石门", "水泥"))


def answer(data, status=0, **more):
    return json.dumps({"result": {"status": {"code": status}, "data": data}} | more)


def read(body: str):
    response = Response(ROLL, ROLL, 200, (), body.encode(), POLL)
    return sources.source("sina-roll").read(FEED, response).entries


def shown(entry):
    moment = iso_utc(entry.published_at) if entry.published_at else None
    return entry.url, entry.title, moment, entry.author, entry.keywords


ODD_ITEMS = {
    "milliseconds": {"ctime": 1795748400000},
    "milliseconds as text": {"ctime": "1795748400000"},
    "a broken number": {"ctime": 1795748400.5},
    "no time but an edit's": {"ctime": None, "intime": 0, "mtime": "1795748400"},
    "a time in words": {"ctime": "2026-11-27 11:00:00"},
    "a title in a list": {"title": ["石门水泥新窑点火"]},
    "a title with tags": {"title": "<font color='red'>石门</font>水泥<b>新窑</b>点火<br/>"},
    "a short title alone": {"title": None, "stitle": "石门水泥新窑点火"},
    "an address in a list": {"url": [URL]},
    "an address in an object": {"url": {"id": 5, "pc": URL}},
    "addresses in objects": {"url": "", "urls": [{"url": URL}]},
    "addresses in lists": {"url": None, "urls": [[], [URL]]},
    "addresses as text in an object": {"url": "", "urls": json.dumps({"pc": [URL]})},
    "addresses between commas": {"url": f"{URL},{URL}?from=wap"},
    "an address escaped twice": {"url": URL.replace("/", "\\/")},
    "a number for an address": {"url": 5, "wapurl": URL},
    "keywords in objects": {"keywords": [{"name": "石门"}, {"name": "水泥"}]},
    "keywords in an object": {"keywords": {"0": "石门", "2": "水泥"}},
    "keywords in lists": {"keywords": [["石门", "水泥"], None]},
    "keywords as JSON": {"keywords": '["石门", "水泥"]'},
    "a medium in an object": {"media_name": {"name": "石门晚报"}},
    "no medium but an author": {"media_name": None, "author": "石门晚报"},
}


@pytest.mark.parametrize("odd", ODD_ITEMS.values(), ids=ODD_ITEMS)
def test_an_odd_value_is_read_as_it_is_meant(odd):
    """Numbers as text, lists where texts should be, and what is missing costs itself."""
    assert [shown(entry) for entry in read(answer([ITEM | odd]))] == [READ]


ODD_ANSWERS = {
    "a list with nulls": answer([None, ITEM, "x", 5, []]),
    "a list in a list": answer([[ITEM]]),
    "a list with a gap": answer({"3": ITEM}),
    "a list in an object": answer({"list": [ITEM]}),
    "one item": answer(ITEM),
    "a list as text": answer(json.dumps([ITEM])),
    "a status that is a number": json.dumps({"result": {"status": 0, "data": [ITEM]}}),
    "a status in a list": json.dumps({"result": {"status": [{"code": "0"}], "data": [ITEM]}}),
    "a result in a list": json.dumps({"result": [{"status": {"code": 0}, "data": [ITEM]}]}),
    "no result around it": json.dumps({"status": {"code": 0}, "data": [ITEM]}),
    "a code with a point": answer([ITEM], status=0.0),
    "a callback": f"try{{cb({answer([ITEM])});}}catch(e){{}}",
}


@pytest.mark.parametrize("body", ODD_ANSWERS.values(), ids=ODD_ANSWERS)
def test_an_odd_answer_gives_its_item(body):
    """Arrays where objects should be, and the other way round."""
    assert [shown(entry) for entry in read(body)] == [READ]


NONE = {
    "null": answer(None),
    "an error": answer([ITEM], status=-1),
    "no status": json.dumps({"result": {"data": [ITEM]}}),
    "another API's": json.dumps({"items": [ITEM]}),
    "a mere true": json.dumps({"result": {"status": True, "data": [ITEM]}}),
}


@pytest.mark.parametrize("body", NONE.values(), ids=NONE)
def test_what_is_no_answer_is_refused(body):
    """It is asked again, and nothing is forgotten."""
    with pytest.raises(FeedUnreadable):
        read(body)
