"""``ingest --once``, end to end: a real process, real sockets, a real SQLite file."""

import json
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from tools.made_up_sina import FEED_URL, demo_articles, finance_page, made_up, publish, rsshub_feed
from tools.running import feed

pytestmark = pytest.mark.every_store

SECOND_FEED = "https://rsshub.example/sina/finance/rollnews"


def numbers(done) -> dict:
    return json.loads(done.stdout)


def test_a_feed_becomes_files(site, net):
    """Ten entries are ten articles, ten files, ten captures, and all is well."""
    publish(net, demo_articles())
    done = site.run("--once", "--json")
    assert done.returncode == 0, done.stderr
    assert numbers(done)["articles_new"] == 10
    assert len(site.files()) == 10
    assert site.query("SELECT count(*) FROM captures WHERE warc_file IS NOT NULL") == [(11,)]
    assert site.query("SELECT DISTINCT origin, template, revision FROM articles") == [
        ("page", "sina-article", 1)
    ]


def test_the_summary_has_the_documented_keys(site, net):
    """Scripts read them."""
    publish(net, [made_up(1)])
    assert list(numbers(site.run("--once", "--json"))) == [
        "feeds",
        "feeds_failed",
        "feeds_unchanged",
        "entries_new",
        "articles_new",
        "articles_revised",
        "articles_unchanged",
        "entries_failed",
        "entries_pending",
        "seconds",
    ]


def test_a_second_run_changes_nothing(site, net):
    """No row, no file touched, one conditional request, no page asked."""
    publish(net, demo_articles())
    site.run("--once")
    rows = site.query("SELECT * FROM articles") + site.query("SELECT * FROM entries")
    times = {path: path.stat().st_mtime_ns for path in (site.folder / "archive").rglob("*")}
    net.forget()
    done = site.run("--once", "--json")
    assert numbers(done) | {"seconds": 0} == dict.fromkeys(numbers(done), 0) | {
        "feeds": 1,
        "feeds_unchanged": 1,
    }
    assert [(one.url, one.status) for one in net.asked()] == [(FEED_URL, 304)]
    assert site.query("SELECT * FROM articles") + site.query("SELECT * FROM entries") == rows
    assert {path: path.stat().st_mtime_ns for path in (site.folder / "archive").rglob("*")} == times


def test_one_article_in_two_feeds_is_one_row_with_two_sightings(site, net):
    """One file, under the first feed's categories, whatever form the second feed's address has."""
    one = made_up(1)
    publish(net, [one])
    other = rsshub_feed([one]).replace(one.url, one.url.replace("https", "http") + "?from=rss#top")
    net.serve(SECOND_FEED, other, content_type="application/xml")
    site.configure(feed(), feed(SECOND_FEED, "滚动"))
    done = site.run("--once", "--json")
    assert done.returncode == 0, done.stderr
    assert site.query("SELECT count(*) FROM articles") == [(1,)]
    assert site.query("SELECT count(*) FROM sightings") == [(2,)]
    assert [path.split("/")[2] for path in site.files()] in (["新浪财经－國內"], ["滚动"])
    assert len(net.asked("doc-")) == 1


def test_the_mobile_twin_is_the_same_article(site, net):
    """Only the document id says so: the folder differs."""
    one = made_up(2)
    publish(net, [one])
    net.serve(one.mobile_url, finance_page(one))
    net.serve(
        SECOND_FEED,
        rsshub_feed([one]).replace(one.url, one.mobile_url),
        content_type="application/xml",
    )
    site.configure(feed(), feed(SECOND_FEED, "手机"))
    site.run("--once")
    assert site.query("SELECT count(*) FROM articles") == [(1,)]
    assert site.query("SELECT count(*) FROM sightings") == [(2,)]


def test_an_address_that_is_used_again_another_day_is_a_second_article(site, net):
    """A daily column: other text, announced for another day."""
    monday = made_up(3)
    tuesday = replace(
        made_up(4),
        document_id=monday.document_id,
        published_at=monday.published_at + timedelta(days=1),
    )
    tuesday_page, url = finance_page(tuesday).replace(tuesday.url, monday.url), monday.url
    publish(net, [monday])
    site.run("--once")
    net.serve(url, tuesday_page)
    net.serve(
        FEED_URL, rsshub_feed([tuesday]).replace(tuesday.url, url), content_type="application/xml"
    )
    done = site.run("--once", "--json")
    assert numbers(done)["articles_new"] == 1, done.stderr
    assert site.query("SELECT url, date FROM articles ORDER BY date") == [
        (url, monday.day),
        (url, tuesday.day),
    ]
    assert len(site.files()) == 2


FAILING_FEEDS = {
    "an HTML page": (
        "<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head></html>",
        "an HTML page (title",
    ),
    "empty": ("", "an empty body"),
    "cut off": (rsshub_feed([made_up(1)])[:-300], "cut off after item 0"),
    "JSON that is no feed": ('{"error": 1}', "no JSON Feed"),
}


@pytest.mark.parametrize(("body", "said"), FAILING_FEEDS.values(), ids=FAILING_FEEDS)
def test_what_is_no_feed_is_said_and_loses_nothing(site, net, body, said):
    """Exit 1 and a line; when the feed is whole again, its entries come in."""
    publish(net, [made_up(1), made_up(2)])
    whole = net.pages.copy()
    net.serve(FEED_URL, body, content_type="application/xml")
    done = site.run("--once", "--json")
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert site.query("SELECT etag, body_sha256, failures FROM feeds") == [("", "", 1)]
    net.pages = whole
    assert numbers(site.run("--once", "--json"))["articles_new"] == 2


@pytest.mark.parametrize("how", ["500", "404", "403", "reset", "cut", "hang"])
def test_a_feed_that_fails_is_said(site, net, how):
    """Whatever the network does: a line that names the feed, exit 1."""
    site.configure(fetch='timeout = "1s"' if how == "hang" else "")
    net.fail(FEED_URL, how)
    done = site.run("--once")
    assert done.returncode == 1
    assert done.stderr.count('"event": "feed_failed"') == 1
    assert done.stderr.count("新浪财经－國內") == 1
    assert "Traceback" not in done.stderr


FAILING_PAGES = {
    "404": "404",
    "removed": "<html><body><h1>页面没有找到</h1></body></html>",
    "empty": "",
    "binary": b"%PDF-1.7 " + bytes(range(256)),
    "without an article": "<html><body><p>菜单</p></body></html>",
}


def break_page(net, url, how):
    if isinstance(how, str) and how.isdigit():
        net.fail(url, how)
    else:
        net.serve(url, how)


GONE_OR_NO_PAGE = {kind: how for kind, how in FAILING_PAGES.items() if kind != "without an article"}
"""Asked again at most once; a page that only shows no article is asked again for days."""


@pytest.mark.parametrize("how", GONE_OR_NO_PAGE.values(), ids=GONE_OR_NO_PAGE)
def test_a_page_that_fails_is_archived_from_the_feeds_text(site, net, how):
    """Marked so, and nothing has failed."""
    one = made_up(1)
    publish(net, [one])
    break_page(net, one.url, how)
    done = site.run("--once", "--json")
    assert done.returncode == 0, done.stderr
    assert site.query("SELECT title, origin, template FROM articles") == [
        (one.title, "feed", "feed")
    ]
    (text,) = site.files().values()
    assert "扫二维码" not in text


@pytest.mark.parametrize("how", FAILING_PAGES.values(), ids=FAILING_PAGES)
def test_a_page_that_fails_without_a_text_in_the_feed_is_kept_in_the_queue(site, net, how):
    """Exit 1, a line with the reason, and the entry is pending or parked, never gone."""
    one = made_up(1)
    publish(net, [one], full=False)
    break_page(net, one.url, how)
    done = site.run("--once")
    assert done.returncode == 1
    assert one.url in done.stderr
    ((state, error),) = site.query("SELECT state, error FROM entries")
    again = {FAILING_PAGES[kind] for kind in ("404", "removed", "empty", "without an article")}
    assert state == ("pending" if how in again else "parked")
    assert error
    assert site.run("status").returncode == (1 if state == "parked" else 0)


def test_a_parked_entry_gets_another_chance(site, net):
    """`ingest retry` makes it due, and the next pass takes it."""
    one = made_up(1)
    publish(net, [one], full=False)
    net.serve(one.url, FAILING_PAGES["binary"])
    site.run("--once")
    net.serve(one.url, finance_page(one))
    assert "1 parked" in site.run("retry").stdout
    assert numbers(site.run("--once", "--json"))["articles_new"] == 1


def test_robots_are_heeded_for_pages(site, net):
    """A page that robots.txt does not want fetched is not fetched."""
    one = made_up(1)
    publish(net, [one], full=False)
    net.serve(
        "https://finance.sina.com.cn/robots.txt",
        "User-agent: *\nDisallow: /china/",
        content_type="text/plain",
    )
    done = site.run("--once")
    assert done.returncode == 1
    assert "robots.txt" in done.stderr
    assert net.asked("doc-") == []


@pytest.mark.parametrize("how", ["500", "reset"])
def test_an_outage_of_robots_is_no_refusal(site, net, how):
    """The page is not asked, and is tried as often as after any outage."""
    one = made_up(1)
    publish(net, [one], full=False)
    net.fail("https://finance.sina.com.cn/robots.txt", how)
    done = site.run("--once")
    assert done.returncode == 1
    assert "meanwhile" in done.stderr
    assert net.asked("doc-") == []
    ((state, *moments),) = site.query("SELECT state, seen_at, next_attempt_at FROM entries")
    seen, again = map(datetime.fromisoformat, moments)
    assert state == "pending"
    assert timedelta(minutes=4) < again - seen < timedelta(minutes=7)


def test_the_feeds_text_can_be_the_article(site, net):
    """`content = "feed"`: no page is asked for."""
    publish(net, [made_up(1), made_up(2)])
    site.configure(feed(more='content = "feed"'))
    done = site.run("--once", "--json")
    assert numbers(done)["articles_new"] == 2, done.stderr
    assert net.asked("doc-") == []


def test_one_feed_can_be_chosen(site, net):
    """--feed NAME; a name that is not configured is said."""
    publish(net, [made_up(1)])
    site.configure(feed(), feed(SECOND_FEED, "二"))
    assert numbers(site.run("--once", "--json", "--feed", "新浪财经－國內"))["feeds"] == 1
    wrong = site.run("--once", "--feed", "三")
    assert wrong.returncode == 2
    assert "三" in wrong.stderr


def test_extra_front_matter_is_added_when_asked_for(site, net):
    """After the schema's seven keys."""
    publish(net, [made_up(1)])
    site.configure(archive='extra_front_matter = ["link", "media"]\nraw = "off"')
    site.run("--once")
    (text,) = site.files().values()
    assert f"link: '{made_up(1).url}'\nmedia: '晨潮财讯'\n---" in text
    assert not (site.folder / "warc").exists()


@pytest.mark.sqlite_only
def test_a_file_names_securities_when_asked_to(site, net):
    """Codes, and what the article calls each, in the same order; an import reads the file back."""
    publish(net, [demo_articles()[8]])
    site.configure(archive='extra_front_matter = ["symbols", "symbol_names"]\nraw = "off"')
    site.run("--once")
    (text,) = site.files().values()
    assert "symbols: \n - sh600999\nsymbol_names: \n - 石门水泥\n---" in text.replace("'", "")
    assert site.run("export", "tree", "--format", "files").returncode == 0
    (copy,) = (site.folder / "tree").rglob("*.md")
    assert copy.read_text("utf-8") == text
    (site.folder / "archive.db").unlink()
    assert site.run("import", "tree").returncode == 0
    assert site.query("SELECT symbol FROM symbols") == [("sh600999",)]


@pytest.mark.sqlite_only
def test_full_text_is_found_from_the_plain_shell(site, net):
    """Words of two characters as they are typed."""
    publish(net, demo_articles())
    site.run("--once")
    found = site.query(
        "SELECT a.title FROM articles_fts f JOIN articles a ON a.id = f.rowid WHERE articles_fts MATCH '电池' AND a.title LIKE '%数据%'"
    )
    assert found == [("北辰电池分季度数据一览",)]


def test_an_article_without_a_title_is_called_by_its_first_line(site, net):
    """Of a page whose title is only what is not seen, as of a text in a feed."""
    one = replace(made_up(2), title="\u202e\u2066", paragraphs=("　　第一段。", "　　第二段。"))
    publish(net, [one])
    site.run("--once")
    assert site.query("SELECT title FROM articles") == [("第一段。",)]
