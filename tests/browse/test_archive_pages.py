"""Every page over archives of all sizes: links, languages, lists, subjects, publishing."""

import csv
import io
import re
from collections import deque
from contextlib import closing
from datetime import timedelta
from html import unescape
from urllib.parse import parse_qsl, quote, urljoin, urlsplit
from xml.etree import ElementTree as ET

import pytest
from sqlalchemy import Engine

pytest.importorskip("datasette", reason="the extra [browse] is not installed")

from dataclasses import replace

from ingestor.browse.guard import MOST_READERS, RateLimit
from ingestor.model import Body, Security
from ingestor.store import revisions
from tests.browse.asking import browsing
from tests.support.plans import noted
from tools.filling import FIRST, arrival_of, filled, save_articles

ENGLISH, CHINESE = {"accept-language": "en-GB,en;q=0.9"}, {"accept-language": "zh-CN,zh;q=0.9"}
NOW = FIRST + timedelta(days=3)
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>{{ 7 * 7 }}"
ATOM = "{http://www.w3.org/2005/Atom}"


def many(number: int):
    return [(f"第{at}号石门水泥快讯", f"石门水泥第{at}次上调出厂价。" * 5) for at in range(number)]


def edit(database, article_id: int, text: str, hours: float, *codes: str) -> None:
    """Let the publisher change an article; the new text names these securities."""
    number = article_id - 1
    first = arrival_of(number, f"第{number}号石门水泥快讯", text)
    named = tuple(Security(code[:2], code, f"证券{code[2:]}") for code in codes)
    article = replace(first.article, body=Body(f"<p>{text}</p>", text, (), named), media="虚构日报")
    seen = FIRST + timedelta(hours=hours)
    with database.transaction() as connection:
        edited = replace(first, article=article, seen_at=seen)
        assert revisions.revise(connection, article_id, edited).outcome == "revised"


def links(page) -> list[str]:
    return [unescape(link) for link in re.findall(r'(?:href|src|action)="([^"]*)"', page.text)]


def kind(address: str) -> tuple[str, ...]:
    """Return what kind of a table's page is at an address: the numbers in it are any."""
    parts = urlsplit(address)
    names = sorted(name for name, _ in parse_qsl(parts.query, keep_blank_values=True))
    return re.sub("[0-9]+", "0", parts.path), *names


def crawl(ask, headers, *, first: str = "/", most: int = 200) -> dict[str, int]:
    """Follow every link of our pages from one on; return each address's status.

    From a table on, those of tables, of each kind one.
    """
    seen: dict[str, int] = {}
    kinds: set[tuple[str, ...]] = set()
    waiting = deque([first])
    while waiting and len(seen) < most:
        address = waiting.popleft()
        is_table = "/tables" in address
        if address in seen or kind(address) in kinds or (not is_table and "/tables" in first):
            continue
        page = ask(address, headers=headers, follow_redirects=True)
        seen[address] = page.status_code
        is_html = "text/html" in page.headers.get("content-type", "")
        if page.status_code != 200 or not is_html or (is_table and "/tables" not in first):
            continue
        if is_table:
            kinds.add(kind(address))
        # A proxy may have stripped something; a redirect leads elsewhere.
        base = str(page.url) if page.history else f"http://localhost{address}"
        for link in links(page):
            parts = urlsplit(urljoin(base, link))
            if parts.netloc == "localhost" and parts.scheme == "http":
                waiting.append(parts.path + (f"?{parts.query}" if parts.query else ""))
    return seen


@pytest.fixture(scope="module")
def lively(tmp_path_factory):
    """Give the file of an archive with edits, securities, a hostile title and gone pages."""
    path = tmp_path_factory.mktemp("lively") / "archive.db"
    texts = [*many(8), (HOSTILE, f"{HOSTILE} 石门")]
    with closing(filled(path, texts, media="虚构日报/晨报")) as database:
        edit(database, 1, "石门水泥否认上调，晨钟证券点评。", 60, "sh600001", "sz000002")
        edit(database, 1, "石门水泥终于上调。", 61, "sh600001")
        edit(database, 2, "石门水泥停产。", 70, "sh600001", "hk00001")
    return path


@pytest.mark.parametrize("number", [0, 1, 120])
def test_every_link_of_every_table_leads_somewhere(tmp_path, number):
    """Into the tables, and from each of Datasette's pages there; an archive's own language apart."""
    path = tmp_path / "archive.db"
    filled(path, many(number), media="虚构日报").close()
    with browsing(path, at=NOW) as ask:
        seen = crawl(ask, ENGLISH, first="/tables/archive", most=120)
    assert {address: status for address, status in seen.items() if status != 200} == {}
    assert len(seen) > 60


def test_a_large_table_is_sorted_by_its_key_alone(lively):
    """By anything else its second page reads every row: with some thousand articles, for too long."""
    with browsing(lively, at=NOW) as ask:
        for name in ("articles", "revisions", "sightings", "changes", "feeds"):
            page = ask(f"/tables/archive/{name}")
            by = set(re.findall(r"_sort(?:_desc)?=(\w+)", page.text))
            expected = {"articles": {"id"}, "revisions": {"sequence"}}.get(name, set())
            assert by == expected if name != "feeds" else len(by) > 5, name
        assert ask("/tables/archive/articles.json").json()["rows"][0][0] == 9


@pytest.mark.parametrize("headers", [ENGLISH, CHINESE], ids=["English", "Chinese"])
@pytest.mark.parametrize("number", [0, 1, 120])
def test_every_link_of_every_page_leads_somewhere(tmp_path, number, headers):
    """From the front page on, those into the tables too; of an archive that is empty, small, more."""
    path = tmp_path / "archive.db"
    filled(path, many(number), media="虚构日报").close()
    with browsing(path, at=NOW) as ask:
        seen = crawl(ask, headers, most=150)
    assert {address: status for address, status in seen.items() if status != 200} == {}
    assert {"/", "/search", "/edits", "/tables/archive", "/search.atom"} <= seen.keys()
    assert len(seen) > (100 if number == 120 else 8)


@pytest.mark.parametrize("headers", [ENGLISH, CHINESE], ids=["English", "Chinese"])
def test_every_link_of_edits_and_securities_leads_somewhere(lively, headers):
    """With names that an address has to write otherwise."""
    with browsing(lively, at=NOW) as ask:
        seen = crawl(ask, headers)
    assert {address: status for address, status in seen.items() if status != 200} == {}
    assert any(address.startswith("/security/sh600001") for address in seen)
    assert any(address.startswith("/medium/") for address in seen)


@pytest.mark.parametrize("name", ["a b", "档案", "x.y", "_internal-2", "-"])
def test_the_tables_are_found_whatever_the_file_is_called(tmp_path, name):
    """The header led to the first of Datasette's databases, which nobody may see."""
    path = tmp_path / f"{name}.db"
    filled(path, many(1)).close()
    with browsing(path) as ask:
        (tables,) = {link for link in links(ask("/")) if link.startswith("/tables/")}
        assert ask(tables).status_code == 200
        assert "articles" in ask(tables).text


def test_a_switch_is_remembered(lively):
    """By a cookie that nothing but this archive is sent."""
    with browsing(lively) as ask:
        assert '<html lang="zh-CN">' in ask("/", headers=CHINESE).text
        page = ask("/?lang=en", headers=CHINESE)
        assert '<html lang="en">' in page.text
        cookie = page.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=Lax" in cookie
        after = ask("/", headers=CHINESE | {"cookie": cookie.partition(";")[0]})
        assert after.headers["content-language"] == "en"
        assert "set-cookie" not in after.headers


def test_a_hostile_title_and_text_are_text_in_every_view(lively):
    """In lists, on pages, in feeds: no element and no handler of theirs."""
    with browsing(lively, at=NOW) as ask:
        found = ask(f"/search.json?q={quote('alert')}").json()["articles"]
        (article,) = (each["id"] for each in found)
        for address in ("/", "/search", "/search?q=alert", f"/article/{article}"):
            page = ask(address)
            assert "<script>" not in page.text
            assert "<img" not in page.text
            assert "49" not in page.text.partition("<main")[2].partition("alert")[2][:60]
        for address in ("/search.atom?q=alert", "/edits.atom"):
            ET.fromstring(ask(address).text)
        for way in ("q", "media", "symbol", "feed", "category", "origin", "day", "order", "lang"):
            page = ask("/search", params={way: HOSTILE})
            assert page.status_code in {200, 400}
            assert "<script>" not in page.text
        assert "\\<script\\>" in ask(f"/article/{article}.md").text


@pytest.mark.parametrize(
    ("query", "number"),
    [
        ("", 9),
        ("media=虚构日报", 2),
        ("symbol=sh600001", 2),
        ("symbol=hk00001", 1),
        ("feed=新浪财经－國內", 9),
        ("feed=别的", 0),
        ("category=金融", 9),
        ("category=金", 0),
        ("origin=page", 9),
        ("origin=import", 0),
        ("since=2024-03-01&until=2024-03-01", 9),
        ("since=2024-03-02", 0),
        ("order=edited", 2),
        ("q=石门&order=edited", 2),
        ("q=石门", 9),
    ],
)
def test_filters_say_which_articles_are_meant(lively, query, number):
    """And a list says how many there are, in each form."""
    with browsing(lively) as ask:
        assert ask(f"/search.json?{query}").json()["count"] == number
        assert len(list(csv.DictReader(io.StringIO(ask(f"/search.csv?{query}").text)))) == number
        feed = ET.fromstring(ask(f"/search.atom?{query}").text)
        assert len(feed.findall(f"{ATOM}entry")) == number
        assert ask(f"/search?{query}").text.count('<li><a href="/article/') == number


def test_lists_are_sorted_by_what_is_asked_for_and_badged(lively):
    """The last edit first; what was edited says so."""
    with browsing(lively) as ask:
        found = ask("/search.json?order=edited").json()["articles"]
        assert [(each["id"], each["edits"]) for each in found] == [(2, 1), (1, 2)]
        page = ask("/search?order=edited").text
        assert "edited 2 times" in page
        assert page.index("/article/2") < page.index("/article/1")
        assert ask("/search?since=yesterday").status_code == 400


def test_a_list_keeps_its_place_while_articles_come(tmp_path):
    """The second page goes on where the first ended, whatever was archived meanwhile."""
    path = tmp_path / "archive.db"
    with closing(filled(path, many(60))) as database, browsing(path) as ask:
        first = ask("/search.json").json()
        assert (first["count"], first["more"]) == (60, True)
        further = next(link for link in links(ask("/search")) if "page=2" in link)
        from tools.filling import save_articles

        with database.transaction() as connection:
            new = [arrival_of(number, f"新来第{number}号", "正文") for number in range(60, 75)]
            save_articles(connection, new)
        second = ask(further.replace("/search?", "/search.json?")).json()
        ids = [each["id"] for each in first["articles"] + second["articles"]]
        assert sorted(ids) == list(range(1, 61))
        for damaged in (
            "page=-1",
            "page=x",
            "page=99999999999999999999",
            "upto=x",
            f"upto={2**70}",
        ):
            assert ask(f"/search?{damaged}").status_code == 200


def test_a_security_has_a_page(lively):
    """Names, articles, who is named with it; by its code or its name."""
    with browsing(lively, at=NOW) as ask:
        page = ask("/security/sh600001").text
        assert "证券600001" in page
        assert "/security/hk00001" in page
        assert "2 articles" in page
        assert re.findall(r"<title>(2024-.*?)</title>", page) == ["2024-03-01: 2"]
        moved = ask("/security/600001")
        assert (moved.status_code, moved.headers["location"]) == (302, "/security/sh600001")
        for nobody in ("sh600999", "nothing", "%00", "a/b", "x" * 90):
            assert ask(f"/security/{nobody}").status_code == 404


def test_a_medium_has_a_page(lively):
    """Whatever its name is made of."""
    with browsing(lively, at=NOW) as ask:
        assert "7 articles" in ask(f"/medium/{quote('虚构日报/晨报')}").text
        assert "2 articles" in ask(f"/medium/{quote('虚构日报')}").text
        assert ask("/medium/nobody").status_code == 404


def test_the_edits_of_a_day_are_listed_with_what_changed(lively):
    """The last one first; the day begins at midnight in China; with a feed."""
    with browsing(lively, at=NOW + timedelta(days=2)) as ask:
        page = ask("/edits?day=2024-03-03").text
        assert page.count('class="edit"') == 2
        assert "<ins>" in page
        assert ask("/edits").text.count('class="edit"') == 1, "the last day that has one"
        assert ask("/edits?day=2024-03-02").text.count('class="edit"') == 0
        assert ask("/edits?day=never").status_code == 400
        assert ask("/edits?day=0001-01-01").status_code == 200
        feed = ET.fromstring(ask("/edits.atom").text)
        summaries = [each.findtext(f"{ATOM}summary") for each in feed.iter(f"{ATOM}entry")]
        assert len(summaries) == 3
        assert "停产" in summaries[0]


def test_the_chart_has_a_gap_for_each_day_without_articles(lively):
    """Days are where they are in time, months are named, an old archive is not shown beside today."""
    with browsing(lively, at=NOW) as ask:
        page = ask("/").text
        assert re.findall(r"<title>(2024.*?)</title>", page) == [
            "2024-03-01: 9",
            "2024-03-03: 2 edits",
            "2024-03-04: 1 edit",
        ]
        assert ">Feb</text>" in page
        assert 'class="today"' in page
        assert "2 edits" in page.partition("<details>")[0]
    with browsing(lively, at=NOW + timedelta(days=1000)) as ask:
        page = ask("/").text
        assert "2024-03-01: 9" in page
        assert 'class="today"' not in page
        assert "2024-03-01: 9" not in ask("/?until=2025-01-01").text
        assert ask("/?until=0001-01-02").status_code == 200


def test_a_citation_and_markdown_say_what_it_is_and_prove_its_text(lively):
    """Title, medium, times, id and hash."""
    with browsing(lively) as ask:
        text = ask("/article/1.md").text
        assert text.startswith("# 第0号石门水泥快讯\n")
        for part in ("虚构日报", "archive id 1, revision 3", "sha256 ", "first seen 2024-03-01T"):
            assert part in text
        assert ask("/article/999.md").status_code == 404


@pytest.mark.parametrize("strips", [True, False], ids=["stripped", "passed on"])
def test_it_is_shown_below_a_prefix(lively, strips):
    """Behind a proxy that strips it or passes it on, tables and cookies included."""
    with browsing(lively, prefix="/archive", at=NOW) as inner:

        def ask(address, **more):
            assert address.startswith("/archive/"), "a proxy gets nothing else"
            return inner(address[len("/archive") :] if strips else address, **more)

        seen = crawl(ask, ENGLISH, first="/archive/", most=80)
        assert {address: status for address, status in seen.items() if status != 200} == {}
        assert "/archive/tables/archive" in seen
        assert ask("/archive/tables/archive/articles").status_code == 200
        assert '"/archive/article/1"' in ask("/archive/tables/archive/articles").text
        assert "Path=/archive/;" in ask("/archive/?lang=zh").headers["set-cookie"]
        feed = ET.fromstring(ask("/archive/edits.atom").text)
        assert feed.findtext(f"{ATOM}id") == "http://localhost/archive/edits.atom"


def test_a_public_archive_has_no_sql_and_no_feeds_addresses(lively):
    """Nor what failed feeds answered; any name leads there, and one reader is not all."""
    with browsing(lively, is_public=True, hosts=frozenset(), at=NOW) as ask:
        page = ask("/", headers={"host": "news.example"})
        assert page.status_code == 200
        assert "rsshub" not in page.text
        assert "/tables" not in page.text
        for address in ("/tables/archive?sql=select+1", "/archive.json?sql=select+1", "/-/plugins"):
            assert ask(address).status_code == 404
        statuses = [ask("/style/page.css").status_code for _ in range(80)]
        assert 429 in statuses
        assert ask("/").headers["retry-after"] == "1"


def test_a_reader_waits_and_others_do_not():
    """A bucket of requests for each, of IPv6 for each network; as many readers as are counted."""
    now = [0.0]
    limit = RateLimit(at_once=3, a_second=2.0, clock=lambda: now[0])
    assert [limit.wait("192.0.2.1") for _ in range(4)] == [0, 0, 0, 0.5]
    assert limit.wait("192.0.2.2") == 0
    now[0] = 0.5
    assert [limit.wait("192.0.2.1") for _ in range(2)] == [0, 0.5]
    assert [limit.wait(f"2001:db8::{number}") for number in range(4)][-1] > 0
    for number in range(MOST_READERS + 5):
        limit.wait(f"reader {number}")
    assert limit.wait("192.0.2.1") == 0, "forgotten"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_nothing_is_written(lively, method):
    """Whatever is asked of our pages."""
    import asyncio

    import httpx

    from ingestor.browse.application import BrowsedArchive, Pages
    from ingestor.browse.pages import ROUTES
    from ingestor.clock import Clock
    from ingestor.store.db.database import Database

    async def asked() -> int:
        with closing(Database(f"sqlite:///{lively}", for_reading=True)) as database:
            pages = Pages(BrowsedArchive(database, Clock()), ROUTES, None)
            transport = httpx.ASGITransport(pages)
            async with httpx.AsyncClient(
                transport=transport, base_url="http://localhost"
            ) as client:
                return (await client.request(method, "/search")).status_code

    assert asyncio.run(asked()) == 405


@pytest.mark.slow
@pytest.mark.every_store
def test_the_pages_are_over_either_store(tmp_path, store_url):
    """PostgreSQL too: all but the tables."""
    place = store_url or tmp_path / "archive.db"
    with closing(filled(place, many(5), media="虚构日报")) as database:
        edit(database, 1, "石门水泥否认上调。", 60, "sh600001")
    with browsing(place, at=NOW) as ask:
        seen = crawl(ask, CHINESE, most=60)
        assert {address: status for address, status in seen.items() if status != 200} == {}
        assert ask("/search.json?q=石门&order=edited").json()["count"] == 1
        assert ask("/search.json?category=金融&origin=page").json()["count"] == 5
        assert ask("/search?q=%00石门&media=%00").status_code == 200
        assert ask("/security/sh600001").status_code == 200
        assert ("/tables/archive" in ask("/").text) == (not store_url)


@pytest.mark.parametrize(
    ("address", "status", "says"),
    [
        ("/article/999", 404, "没有这篇文章"),
        ("/article/99999999999999999999999", 404, "没有这个页面"),
        ("/article/1?revision=77", 404, "没有这篇文章"),
        ("/article/1/raw/99", 404, "没有这次查看"),
        ("/search?page=-1", 200, "9 篇文章"),
        ("/search?page=99999999999999", 200, "9 篇文章"),
        ("/search?since=2024-05-01&until=2024-01-01", 200, "没有符合全部条件"),
        ("/search?since=2024-13-01", 400, "这里没有"),
        ("/search?upto=garbage&before=-1", 200, "9 篇文章"),
        ("/search?feed=nobody", 200, "没有符合全部条件"),
        (f"/search?q={'x' * 9_000}", 400, "这里没有"),
        (f"/search?media={'x' * 10_001}", 414, "没有这个页面"),
        ("/search?size=1000&" + "&".join(f"a{at}=1" for at in range(900)), 200, "9 篇文章"),
        ("/%00", 404, "没有这个页面"),
        ("/%FF", 404, "没有这个页面"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_whatever_is_asked_is_answered_by_a_page(lively, address, status, says):
    """Of a light weight, in the reader's language, with the status that programs go by."""
    with browsing(lively, at=NOW) as ask:
        page = ask(address, headers=CHINESE)
        assert (page.status_code, says in page.text) == (status, True)
        assert len(page.content) < 100_000
        assert ask(address, headers=ENGLISH).status_code == status


def test_a_page_of_a_list_is_short_and_a_file_of_it_long(tmp_path):
    """How many articles come at once is for programs."""
    path = tmp_path / "archive.db"
    filled(path, many(60)).close()
    with browsing(path, at=NOW) as ask:
        assert len(ask("/search.json?size=60").json()["articles"]) == 60
        assert ask("/search?size=60").text.count("<li><a href=") - ask("/search?size=1").text.count("<li><a href=") == 0  # fmt: skip


def test_the_front_page_is_remembered_until_somebody_commits(tmp_path):
    """And another day of its chart is another page."""
    path = tmp_path / "archive.db"
    with closing(filled(path, many(3))) as database, browsing(path, at=NOW) as ask:
        assert ask("/", headers=ENGLISH).text.count("3 articles") >= 1
        with noted(Engine) as raw:
            assert "3 articles" in ask("/", headers=ENGLISH).text
            assert raw == []
            assert "3 articles" in ask("/?until=2024-02-01", headers=ENGLISH).text
            assert raw
        with database.transaction() as connection:
            save_articles(connection, [arrival_of(3, "新", "新的一篇。")])
        assert "4 articles" in ask("/", headers=ENGLISH).text


def test_a_feed_says_that_it_is_utf_8(lively):
    """As it is sent, whatever the locale of the machine is."""
    with browsing(lively, at=NOW) as ask:
        for address in ("/search.atom", "/edits.atom"):
            assert ask(address).text.startswith('<?xml version="1.0" encoding="utf-8"?>\n<feed ')
