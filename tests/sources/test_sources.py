"""Reading feeds: what they say, and what is no feed."""

import importlib
import json
import os
import re
import tarfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import feedparser
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestor import sources
from ingestor.errors import ConfigError, FeedUnreadable
from ingestor.model import Response, Validators
from ingestor.text.dates import from_iso_utc, iso_utc
from ingestor.text.decode import decode_feed, decode_page
from ingestor.text.written_dates import parse_date
from tests.support.feeds import FEED, NOW, read, rss
from tests.support.shared import shared
from tools.made_up_sina import demo_articles, rsshub_feed

DATES = {
    "RFC 2822": ("Tue, 30 May 2023 12:00:33 GMT", "2023-05-30T12:00:33Z"),
    "RFC 2822 with an offset": ("Tue, 30 May 2023 12:00:33 +0800", "2023-05-30T04:00:33Z"),
    "RFC 2822 with CST, which is China's": (
        "Tue, 30 May 2023 12:00:33 CST",
        "2023-05-30T04:00:33Z",
    ),
    "RFC 2822 without zone": ("Tue, 30 May 2023 12:00:33", "2023-05-30T04:00:33Z"),
    "Eastern time": ("Tue, 30 May 2023 12:00:33 EST", "2023-05-30T17:00:33Z"),
    "ISO with Z": ("2023-05-30T12:00:33Z", "2023-05-30T12:00:33Z"),
    "ISO with an offset": ("2023-05-30T12:00:33+08:00", "2023-05-30T04:00:33Z"),
    "ISO with a short offset": ("2023-05-30T12:00:33+0800", "2023-05-30T04:00:33Z"),
    "ISO with a fraction": ("2023-05-30T12:00:33.123Z", "2023-05-30T12:00:33Z"),
    "no zone": ("2023-05-30 12:00:33", "2023-05-30T04:00:33Z"),
    "a day alone": ("2023-05-30", "2023-05-29T16:00:00Z"),
    "slashes": ("2016/6/29 15:07:41", "2016-06-29T07:07:41Z"),
    "Chinese": ("2023年05月30日 12:00", "2023-05-30T04:00:00Z"),
    "Chinese without a space": ("2023年5月30日12:00", "2023-05-30T04:00:00Z"),
    "Chinese with seconds": ("2018年12月28日 19:55:10", "2018-12-28T11:55:10Z"),
    "Unix seconds": ("1685419233", "2023-05-30T04:00:33Z"),
    "Unix milliseconds": ("1685419233000", "2023-05-30T04:00:33Z"),
    "no year": ("05月30日 12:00", "2023-05-30T04:00:00Z"),
    "C's": ("Tue May 30 12:00:33 2023", "2023-05-30T04:00:33Z"),
    "C's with a zone": ("Sun Jan  4 16:29:06 PST 2004", "2004-01-05T00:29:06Z"),
    "a year of two digits": ("01 Jan 04 19:48 EST", "2004-01-02T00:48:00Z"),
    "an offset behind GMT": ("Jan 01, 2004 19:48:21 GMT-05:00", "2004-01-02T00:48:21Z"),
    "Chinese in the afternoon": ("2023年5月30日 下午3:04", "2023-05-30T07:04:00Z"),
    "twelve at noon": ("2023年5月30日 下午12:04", "2023-05-30T04:04:00Z"),
    "half past midnight": ("2023-05-30 12:30:00 AM", "2023-05-29T16:30:00Z"),
    "Chinese with a weekday": ("星期二 2023年5月30日 12:00", "2023-05-30T04:00:00Z"),
    "digits alone": ("20040105T000102", "2004-01-04T16:01:02Z"),
    "the end of a day": ("2002-09-07T24:00:00Z", "2002-09-08T00:00:00Z"),
    "a day of the year": ("2003-365", "2003-12-30T16:00:00Z"),
    "a month alone": ("2003-12", "2003-11-30T16:00:00Z"),
    "Greek": ("Κυρ, 11 Ιούλ 2004 12:00:00 EST", "2004-07-11T17:00:00Z"),
    "Hungarian": ("2004-július-13T9:15-05:00", "2004-07-13T14:15:00Z"),
    "Korean": ("2004년 05월 28일  01:31:15", "2004-05-27T16:31:15Z"),
    "an hour that there is not": ("Mon, 05 Jan 2004 25:00:00 GMT", None),
    "zeros": ("0000-00-00 00:00:00", None),
    "no such day": ("2023-02-30 12:00:00", None),
    "words": ("yesterday", None),
    "nothing": ("", None),
    "too early": ("1970-01-01T00:00:00Z", None),
    "the future": ("2033-05-30T12:00:33Z", None),
}


@pytest.mark.parametrize(("text", "expected"), DATES.values(), ids=DATES)
def test_a_date_is_read_as_it_is_meant(text, expected):
    """A time without zone is Beijing's."""
    moment = parse_date(text, not_after=NOW)
    assert (iso_utc(moment) if moment else None) == expected


@given(st.integers(700_000_000, 3_700_000_000))
def test_a_stored_moment_comes_back(seconds):
    """To the second."""
    exact = datetime.fromtimestamp(seconds, UTC)
    assert from_iso_utc(iso_utc(exact)) == exact
    assert parse_date(iso_utc(exact)) == exact


@given(st.text(max_size=60))
def test_any_text_is_a_date_or_none(text):
    """Nothing is raised."""
    parse_date(text, not_after=NOW)


PAGES = {
    "gb2312 in the header": ("镕".encode("gb18030"), "text/html; charset=gb2312", "镕"),
    "gbk in the page": ('<meta charset="gbk">镕'.encode("gb18030"), "", '<meta charset="gbk">镕'),
    "gb2312 the old way": (
        '<meta http-equiv="Content-Type" content="text/html; charset=gb2312">涨€'.encode("gb18030"),
        "",
        '<meta http-equiv="Content-Type" content="text/html; charset=gb2312">涨€',
    ),
    "a wrong header": ("<p>中文内容</p>".encode(), "text/html; charset=gb2312", "<p>中文内容</p>"),
    "a wrong declaration": (
        '<meta charset="utf-8">中文内容'.encode("gb18030"),
        "",
        '<meta charset="utf-8">中文内容',
    ),
    "no declaration": ("中文内容，没有声明".encode("gb18030"), "", "中文内容，没有声明"),
    "a byte order mark": ("\ufeff中文".encode("utf-16-le"), "text/html; charset=gbk", "中文"),
    "plain": (b"abc", "", "abc"),
}


@pytest.mark.parametrize("case", PAGES.values(), ids=PAGES)
def test_bytes_are_decoded_as_browsers_do_it(case):
    """And nothing is replaced where a right reading exists."""
    body, content_type, text = case
    assert decode_page(body, content_type) == text


def test_a_stray_byte_costs_only_itself():
    """It does not turn the rest into another language."""
    body = (
        b'<meta charset="gb2312">'
        + "新浪财经讯，今日市场上涨。".encode("gb18030") * 20
        + b"\xff"
        + "收盘。".encode("gb18030")
    )
    text = decode_page(body, "")
    assert text.count("\ufffd") == 1
    assert text.count("新浪财经讯，今日市场上涨。") == 20


def test_a_stray_byte_in_a_gbk_feed_costs_only_itself():
    """Feedparser alone would read Cyrillic."""
    body = (
        '<?xml version="1.0" encoding="gb2312"?>'
        + rss("<item><title>新浪财经@</title></item>").partition("?>")[2]
    )
    data = body.encode("gb18030").replace(b"@", b"\xff")
    assert read(data).entries[0].title.startswith("新浪财经")
    assert "encoding" not in decode_feed(data, "")


@pytest.mark.parametrize(
    "name", ["search_1.html", "search_2.html", "stock_news_list_sh600519_2026.html"]
)
def test_real_gbk_pages_are_read_without_a_replacement(name):
    """As they came from Sina."""
    text = decode_page(shared("sina", "gbk", name).read_bytes(), "")
    assert text.count("\ufffd") <= 3
    assert re.search("[\u4e00-\u9fff]{4}", text)


def test_rsshubs_feed_is_read():
    """Title, address, medium, day and the page's body."""
    articles = demo_articles()
    document = read(rsshub_feed(articles))
    assert document.title == "新浪财经－國內"
    assert document.ttl == timedelta(minutes=5)
    for entry, one in zip(document.entries, articles, strict=True):
        assert (entry.title, entry.url, entry.guid) == (one.title, one.url, one.url)
        assert (entry.author, entry.published_at) == (one.media, one.published_at)
        assert "appendQr_wrap" in entry.content


FORMS = {
    "RSS 0.91": '<rss version="0.91"><channel><item><title>t</title><link>https://a.example/1</link></item></channel></rss>',
    "RSS 1.0": '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"><item><title>t</title><link>https://a.example/1</link></item></rdf:RDF>',
    "RSS 2.0 without guid": rss("<item><title>t</title><link>https://a.example/1</link></item>"),
    "a guid that is the address": rss(
        "<item><title>t</title><guid>https://a.example/1</guid></item>"
    ),
    "Atom": '<feed xmlns="http://www.w3.org/2005/Atom"><entry><title>t</title><link rel="self" href="https://a.example/self"/><link rel="alternate" href="https://a.example/1"/></entry></feed>',
    "a relative address": rss("<item><title>t</title><link>/1</link></item>"),
    "a title in HTML": rss(
        "<item><title>&lt;b&gt;t&lt;/b&gt;\u202e</title><link>https://a.example/1</link></item>"
    ),
    "JSON Feed": json.dumps(
        {
            "version": "https://jsonfeed.org/version/1.1",
            "items": [{"id": "1", "url": "https://a.example/1", "title": "t"}],
        }
    ),
    "UTF-16": (
        '<?xml version="1.0" encoding="utf-16"?>'
        + rss("<item><title>t</title><link>https://a.example/1</link></item>").partition("?>")[2]
    ).encode("utf-16"),
    "a stray ampersand": rss(
        "<item><title>t</title><link>https://a.example/1</link><description>A & B</description></item>"
    ),
}


@pytest.mark.parametrize("body", FORMS.values(), ids=FORMS)
def test_every_form_of_a_feed_is_read(body):
    """The same entry in each."""
    (entry,) = read(body).entries
    assert (entry.title, entry.url) == ("t", "https://a.example/1")


NO_FEEDS = {
    "nothing": "",
    "white space": " \n",
    "an HTML page": "<!DOCTYPE html><html><title>502</title></html>",
    "an HTML page without doctype": "<html><head><title>x</title></head><body>error</body></html>",
    "text": "Service unavailable",
    "cut off in its first item": rss("<item><title>u")[:-20],
    "JSON": '{"a": 1}',
    "JSON, cut off": '{"version": "https://jsonfeed.org/version/1", "items": [{"id"',
    "XML that is something else": '<?xml version="1.0"?><catalog><book/></catalog>',
    "deep nesting": rss("<a>" * 5000 + "</a>" * 5000),
    "bytes": bytes(range(256)),
}


@pytest.mark.parametrize("body", NO_FEEDS.values(), ids=NO_FEEDS)
def test_what_is_no_whole_feed_is_said(body):
    """Never "no news": its validators must not be kept."""
    with pytest.raises(FeedUnreadable) as caught:
        read(body)
    assert FEED.url in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_feed_without_items_is_a_feed():
    """Nothing new is an answer."""
    assert read(rss("")).entries == ()


def test_one_guid_on_ten_items_loses_none():
    """Each has its own address."""
    items = "".join(
        f"<item><guid>same</guid><link>https://a.example/{n}</link></item>" for n in range(10)
    )
    assert len({entry.url for entry in read(rss(items)).entries}) == 10


@pytest.mark.parametrize(
    "link", ["javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "x" * 3000]
)
def test_only_web_addresses_are_links(link):
    """Anything else is an entry without an address."""
    assert (
        not read(rss(f"<item><title>t</title><link>{link}</link></item>"))
        .entries[0]
        .url.startswith(("j", "d", "f"))
    )


@pytest.mark.parametrize("scheme", ["HTTP", "htTp", "Https"])
def test_a_scheme_is_written_small(scheme):
    """As everything behind reads it; the path stays as it was written."""
    (entry,) = read(rss(f"<item><link>{scheme}://a.example/A</link></item>")).entries
    assert entry.url == f"{scheme.lower()}://a.example/A"


def test_the_request_is_conditional():
    """With what the last answer said."""
    headers = dict(sources.source("rss").request(FEED, Validators('"e"', "yesterday")).headers)
    assert (headers["If-None-Match"], headers["If-Modified-Since"]) == ('"e"', "yesterday")
    assert "If-None-Match" not in dict(sources.source("rss").request(FEED, Validators()).headers)


def test_an_unknown_kind_is_said():
    """With those that there are."""
    with pytest.raises(ConfigError, match=r"gopher.*rss"):
        sources.source("gopher")


@given(st.binary(max_size=300))
def test_any_bytes_are_a_feed_or_said(body):
    """Nothing else comes out of the reader."""
    try:
        read(body)
    except FeedUnreadable as error:
        assert FEED.url in str(error)


def corpus() -> list[tuple[str, bytes]]:
    """Return the feeds of feedparser's own tests, or those below the folder FEED_CORPUS."""
    if folder := os.environ.get("FEED_CORPUS"):
        return [
            (str(path), path.read_bytes())
            for path in sorted(Path(folder).rglob("*"))
            if path.is_file()
        ]
    with tarfile.open(shared("feeds", "feedparser-tests-half.tar.gz")) as archive:
        files = [member for member in archive.getmembers() if member.isfile()]
        return [(member.name, archive.extractfile(member).read()) for member in files]


@pytest.mark.slow
def test_feeds_that_others_wrote_do_no_harm():
    """Each is read or refused, and links are as feedparser reads them."""
    entries = differing = 0
    for name, body in corpus():
        try:
            document = read(body, "")
        except FeedUnreadable:
            continue
        theirs = feedparser.parse(body, sanitize_html=False).entries
        if len(theirs) != len(document.entries):
            continue
        for ours, other in zip(document.entries, theirs, strict=True):
            entries += 1
            link = other.get("link", "")
            differing += link.startswith("http") and ours.url != link
            assert ours.url.startswith(("http", "")), name
    assert entries > 500
    assert differing <= entries * 0.02


def test_a_text_past_the_bound_is_left_out_and_never_cut():
    """A truncated article would pass for the whole one; the page is asked instead."""
    (entry,) = read(
        rss(
            f"<item><title>t</title><guid>1</guid><description>&lt;p&gt;{'长' * 2_100_000}</description></item>"
        )
    ).entries
    assert (entry.title, entry.content, entry.summary) == ("t", "", "")


ROLL = json.dumps(
    {
        "result": {
            "status": {"code": 0},
            "data": [
                {"title": title, "url": f"https://a.cn/{number}.shtml", "ctime": "1710121500"}
                for number, title in enumerate(("甲", "坏", "丙"))
            ],
        }
    }
)
LIVE = json.dumps(
    {
        "result": {
            "status": {"code": 0},
            "data": {
                "feed": {"list": [{"id": 1, "rich_text": text} for text in ("甲", "坏", "丙")]}
            },
        }
    }
)
JSON_FEED = json.dumps(
    {
        "version": "https://jsonfeed.org/version/1.1",
        "items": [{"id": title, "title": title} for title in ("甲", "坏", "丙")],
    }
)
ITEMS = "".join(f"<item><title>{title}</title></item>" for title in ("甲", "坏", "丙"))


@pytest.mark.parametrize(
    ("kind", "module", "body"),
    [
        ("rss", "_syndication", rss(ITEMS)),
        ("rss", "_json", JSON_FEED),
        ("sina-roll", "sina_roll", ROLL),
        ("sina-live", "sina_live", LIVE),
    ],
)
def test_a_bug_in_reading_an_item_costs_that_item(monkeypatch, kind, module, body):
    """The others are read, and the feed says which was not."""
    reader = importlib.import_module(f"ingestor.sources.{module}")
    read_item = reader._entry

    def broken(item, response, *rest, **more):
        entry = read_item(item, response, *rest, **more)
        if "坏" in entry.title:
            raise AttributeError("no such thing")
        return entry

    monkeypatch.setattr(reader, "_entry", broken)
    response = Response(FEED.url, FEED.url, 200, (), body.encode(), NOW)
    document = sources.source(kind).read(replace(FEED, kind=kind), response)
    assert [entry.title for entry in document.entries] == ["甲", "丙"]
    assert document.fault == "item 2 cannot be read: AttributeError('no such thing')"
