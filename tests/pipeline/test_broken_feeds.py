"""Feeds that stop in the middle, lead elsewhere, go on over several pages, or claim to be unchanged."""

import gzip
import json
from datetime import UTC, datetime, timedelta

from ingestor.identity import publication_day
from tools.fake_internet import Answer
from tools.made_up_sina import FEED_URL
from tools.running import feed

TEXT = "&lt;p&gt;一段虚构的正文，说的是石门水泥的产量，够长了，也够了。&lt;/p&gt;"
XML = "application/xml"
PAST = (timedelta(0), timedelta(hours=1))
"""A day may end while a test runs."""


def rss(*numbers: int, next_page: str = "") -> str:
    items = "".join(
        f"<item><title>第{number}条</title><guid>{number}</guid><description>{TEXT}{number}"
        "</description></item>"
        for number in numbers
    )
    link = f'<atom:link rel="next" href="{next_page}"/>' if next_page else ""
    return (
        '<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom"><channel>'
        f"<title>频道</title>{link}{items}</channel></rss>"
    )


def once(site) -> tuple[int, dict]:
    done = site.run("--once", "--json")
    assert "Traceback" not in done.stderr
    return done.returncode, json.loads(done.stdout)


def titles(site) -> list[str]:
    return [title for (title,) in site.query("SELECT title FROM articles ORDER BY title")]


def test_a_feed_that_stops_in_the_middle_is_asked_again(site, net):
    """Its whole items are taken and it is said; the next request names no version of it."""
    site.configure(feed(more='content = "feed"'))
    whole = rss(1, 2, 3)
    net.serve(FEED_URL, whole[: whole.index("第3条") + 2], content_type=XML)
    code, summary = once(site)
    assert (code, summary["articles_new"], summary["feeds_failed"]) == (1, 2, 1)
    assert site.query("SELECT etag, last_modified, body_sha256, failures FROM feeds") == [
        ("", "", "", 1)
    ]
    ((error,),) = site.query("SELECT last_error FROM feeds")
    assert "cut off after item 2" in error
    net.serve(FEED_URL, whole, content_type=XML)
    net.forget()
    code, summary = once(site)
    assert (code, summary["articles_new"]) == (0, 1)
    assert "If-None-Match" not in net.asked()[0].headers
    assert titles(site) == ["第1条", "第2条", "第3条"]
    assert site.query("SELECT last_error, failures FROM feeds") == [("", 0)]


def test_a_feed_whose_transfer_is_cut_gives_what_came(site, net):
    """Less than was announced: the whole items, and a failure that says so."""
    site.configure(feed(more='content = "feed"'))
    whole = rss(1, 2, 3, 4)
    net.serve(FEED_URL, whole + " " * 200, content_type=XML, how="cut")
    code, summary = once(site)
    assert (code, summary["feeds_failed"]) == (1, 1)
    assert 0 < summary["articles_new"] <= 4
    assert site.query("SELECT etag, body_sha256, failures FROM feeds") == [("", "", 1)]
    net.serve(FEED_URL, whole, content_type=XML)
    assert once(site)[0] == 0
    assert len(titles(site)) == 4


def test_a_text_without_a_date_is_of_the_day_in_its_address(site, net):
    """As its page would be; never of a day that is still to come."""
    site.configure(feed(more='content = "feed"'))
    day = "<link>https://finance.sina.com.cn/roll/{}/doc-imadeup{:07d}.shtml</link>"
    body = rss(1, 2, 3)
    body = body.replace("<guid>1<", day.format("2024-03-05", 1) + "<guid>1<")
    body = body.replace("<guid>2<", day.format("2099-03-05", 2) + "<guid>2<")
    net.serve(FEED_URL, body, content_type=XML)
    assert once(site)[1]["articles_new"] == 3
    ((first, moment), *others) = site.query("SELECT date, published_at FROM articles ORDER BY date")
    assert (first, moment) == ("2024-03-05", "2024-03-04T16:00:00Z")
    assert {day for day, _ in others} <= {
        publication_day(datetime.now(UTC) - past) for past in PAST
    }


def test_a_feed_that_is_no_text_is_called_so(site, net):
    """Its bytes would say nothing to anybody."""
    net.serve(FEED_URL, gzip.compress(rss(1).encode()), content_type=XML)
    assert once(site)[0] == 1
    assert site.query("SELECT last_error FROM feeds") == [(f"{FEED_URL}: binary data, not a feed",)]


def test_an_answer_of_unchanged_that_nobody_asked_for_is_a_failure(site, net):
    """What did not change was never read."""
    site.configure(feed(more='content = "feed"'))
    net.fail(FEED_URL, "304")
    code, summary = once(site)
    assert (code, summary["feeds_failed"], summary["feeds_unchanged"]) == (1, 1, 0)
    assert site.query("SELECT failures FROM feeds") == [(1,)]


def test_a_feed_that_moved_by_a_refresh_is_followed(site, net):
    """As it would be by a redirect."""
    site.configure(feed(more='content = "feed"'))
    page = '<html><head><meta http-equiv="refresh" content="0; url=/new.xml"></head></html>'
    net.serve(FEED_URL, page)
    moved = FEED_URL.split("/", 3)
    net.serve("/".join([*moved[:3], "new.xml"]), rss(1), content_type=XML)
    assert once(site)[1]["articles_new"] == 1


def test_older_pages_are_asked_for_while_all_is_new(site, net):
    """Between two polls came more than a page holds; what is known ends it."""
    site.configure(feed(more='content = "feed"'))
    net.serve(FEED_URL, rss(2, 1), content_type=XML)
    assert once(site)[1]["articles_new"] == 2
    net.serve(FEED_URL, rss(7, 6, next_page="?page=2"), content_type=XML)
    net.serve(f"{FEED_URL}?page=2", rss(5, 4, next_page="?page=3"), content_type=XML)
    net.serve(f"{FEED_URL}?page=3", rss(3, 2, next_page="?page=4"), content_type=XML)
    net.forget()
    assert once(site)[1]["articles_new"] == 5
    assert [visit.url[-6:] for visit in net.asked("page=")] == ["page=2", "page=3"]


def test_older_pages_are_bounded(site, net):
    """Each names another one, for ever; one that cannot be had is said."""
    site.configure(feed(more='content = "feed"'))
    net.serve_function(FEED_URL, endless)
    code, summary = once(site)
    assert (code, summary["articles_new"]) == (0, 11)
    assert len(net.asked("page=")) == 10
    net.serve(FEED_URL, rss(100, next_page="http://127.0.0.1/x"), content_type=XML)
    done = site.run("--once")
    assert len(titles(site)) == 12
    assert "an older page of it, http://127.0.0.1/x" in done.stderr


def endless(url: str, _headers: object) -> Answer:
    number = int(url.partition("page=")[2] or 1)
    text = rss(number, next_page=f"{FEED_URL}?page={number + 1}")
    return Answer(text.encode(), content_type=XML)


def test_what_is_behind_a_feed_is_none_of_it(site, net):
    """Nor is a warning before it, nor an item that a broken character is in."""
    site.configure(feed(more='content = "feed"'))
    body = f"<br /><b>Notice</b>: x\n{rss(1, 2)}<script src=x></script>\ufeff"
    net.serve(
        FEED_URL, body.replace("第1条", "&#xFFFFFFFF;第1条&#55357;&#56960;"), content_type=XML
    )
    assert once(site)[0] == 0
    assert titles(site) == ["第2条", "\ufffd第1条🚀"]
