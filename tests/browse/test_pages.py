"""``ingest browse``: Datasette over the live file, with pages of our own."""

from __future__ import annotations

import re
import resource
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace

import httpx
import pytest

from tools.filling import filled
from tools.living import LONGEST
from tools.made_up_sina import finance_page, made_up, publish

pytest.importorskip("datasette", reason="the extra [browse] is not installed")

from tests.browse.asking import browsing


@pytest.fixture(scope="module")
def ask(tmp_path_factory):
    """Give a browser over five made-up articles."""
    path = tmp_path_factory.mktemp("browse") / "archive.db"
    texts = [
        ("石门水泥提价", "石门水泥上调出厂价，电信诈骗与此无关。"),
        ("海棠证券年报", "营收增长，５Ｇ业务起步。"),
        ("<b>粗体</b> & {{ 7 * 7 }}", "电信 诈骗 分开写。"),
        ("白鹭银行", "存款增加。"),
        ("竹溪食品", "电信诈骗案的一名被告曾是员工。"),
    ]
    filled(path, texts, media="虚构日报").close()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            "INSERT INTO symbols VALUES (1, 'sh600001', 1, NULL, 'sh', '年石门水泥')"
        )
        connection.execute(
            "INSERT INTO securities VALUES ('sh600001', '2024-03-11T00:00:00Z',"
            " '2024-03-11T00:00:00Z', 'sh', '石门水泥', '2024-03-11T00:00:00Z', 1)"
        )
    with browsing(path) as asking:
        yield asking


@pytest.fixture(scope="module")
def edited(tmp_path_factory):
    """Give a browser over an article with a picture, a link and an edit."""
    from tools.fake_internet import FakeInternet
    from tools.running import Site

    with FakeInternet() as net:
        site = Site(tmp_path_factory.mktemp("edited"), net)
        site.configure()
        one = made_up(1)
        publish(net, [one])
        site.run("--once")
        first, *rest = one.paragraphs
        text = first.replace("。", "，更正。", 1) + '<a href="https://elsewhere.example/">链接</a>'
        net.serve(one.url, finance_page(replace(one, paragraphs=(text, *rest))))
        site.make_due()
        site.run("--once")
    with browsing(site.folder / "archive.db") as asking:
        yield asking


def titles(page) -> list[str]:
    found = re.findall(r'<li><a href="/article/\d+">(.*?)</a>', page.text)
    return [re.sub(r"</?mark>", "", one) for one in found]


def test_the_front_page_has_a_bar_a_day_the_feeds_and_the_newest(ask):
    """Five articles, all on one day in China."""
    page = ask("/")
    assert page.status_code == 200
    assert re.findall(r"<title>(2024-.*?)</title>", page.text) == ["2024-03-01: 5"]
    assert "新浪财经－國內" in page.text
    assert titles(page)[0] == "竹溪食品"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("诈骗", {"石门水泥提价", "竹溪食品", "&lt;b&gt;粗体&lt;/b&gt; &amp; {{ 7 * 7 }}"}),
        ("电信诈骗", {"石门水泥提价", "竹溪食品"}),
        ("5g", {"海棠证券年报"}),
        ("诈", {"石门水泥提价", "竹溪食品", "&lt;b&gt;粗体&lt;/b&gt; &amp; {{ 7 * 7 }}"}),
        ("电信诈骗 -被告", {"石门水泥提价"}),
        ("5G OR 被告 -粗体", {"海棠证券年报", "竹溪食品"}),
        ("没有这个词", set()),
    ],
)
def test_a_search_finds_chinese_words_of_any_length(ask, query, expected):
    """What stands in a title is text, not HTML and not a template."""
    assert set(titles(ask(f"/search?q={query}"))) == expected


def test_a_snippet_marks_what_was_searched_for(ask):
    """As the text writes it."""
    assert "<mark>５Ｇ</mark>业务" in ask("/search?q=5G").text


def test_a_query_that_says_nothing_is_explained(ask):
    """Never an error page of the server."""
    page = ask("/search?q=-茅台")
    assert (page.status_code, "only says what is not wanted" in page.text) == (400, True)
    page = ask("/search?q=OR 茅台")
    assert (page.status_code, "OR stands between two words" in page.text) == (400, True)
    assert "is no code" in ask("/search?symbol=茅").text


def test_facets_count_and_narrow_down(ask):
    """By medium, security and day."""
    page = ask("/search?q=诈骗").text
    assert "石门水泥 sh600001</a> 1" in page
    assert titles(ask("/search?q=诈骗&symbol=600001")) == ["石门水泥提价"]
    assert titles(ask("/search?q=诈骗&symbol=石门水泥")) == ["石门水泥提价"]
    assert "虚构日报</a> 3" in page
    assert "1 March 2024</a> 3" in page
    assert titles(ask("/search?q=诈骗&media=别人")) == []
    assert titles(ask("/search?day=2024-03-02")) == []
    assert len(titles(ask("/search?day=2024-03-01&media=虚构日报"))) == 5


@pytest.mark.slow
def test_an_article_loads_nothing_of_others_until_it_is_asked_to(edited):
    """Its picture is a link to a page that has it; only that page's policy allows it."""
    page = edited("/article/1")
    assert page.status_code == 200
    assert "<img" not in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "https:" not in page.headers["content-security-policy"]
    assert page.headers["referrer-policy"] == "no-referrer"
    assert "pictures=1" in page.text
    assert 'rel="noopener noreferrer"' in page.text.partition("elsewhere.example")[2]
    page = edited("/article/1?pictures=1")
    assert "<img" in page.text
    assert "https:" in page.headers["content-security-policy"]


@pytest.mark.slow
def test_an_article_shows_its_revisions_and_what_changed(edited):
    """And each revision as it was."""
    page = edited("/article/1").text
    assert "2 revisions" in page
    assert re.search(r"<ins>，?更正[，。]?</ins>", page)
    assert "更正" not in edited("/article/1?revision=1").text.partition("</article>")[0]
    assert "更正" in edited("/article/1?revision=2").text.partition("</article>")[0]


@pytest.mark.slow
def test_an_article_that_is_not_there_is_no_error_of_ours(edited):
    """Nor a revision, nor a number that no integer of SQLite holds."""
    huge = "9" * 5_000
    for address in ("99", "1?revision=9", f"{2**64}", f"{2**63}", huge, f"1?revision={huge}"):
        assert edited(f"/article/{address}").status_code == 404


def test_datasettes_tables_say_what_their_columns_mean(ask):
    """And lead from an id to the article; queries cannot write."""
    page = ask("/archive/articles").text
    assert "Publication day in Asia/Shanghai" in page
    assert '<a href="/article/1">石门水泥提价</a>' in page
    assert "&lt;b&gt;粗体&lt;/b&gt;" in page
    assert '<a href="/article/1">1</a>' in ask("/archive?sql=select+1+as+article_id").text
    assert "connect-src 'self'" in ask("/archive").headers["content-security-policy"]
    answer = ask("/archive.json?sql=delete+from+articles")
    assert (answer.status_code, answer.json()["ok"]) == (400, False)


def test_what_is_found_is_paged_through(tmp_path):
    """Fifty a page, each article once, with the way to the next page and back."""
    path = tmp_path / "archive.db"
    filled(path, [(f"第{number}号", "银行") for number in range(60)]).close()
    with browsing(path) as asking:
        pages = [asking(f"/search?q=银行&order=newest&page={number}") for number in (1, 2, 3)]
        assert [len(titles(one)) for one in pages] == [50, 10, 0]
        assert titles(pages[0])[0] == "第59号"
        assert titles(pages[1])[-1] == "第0号"
        assert ["page=2" in pages[0].text, "page=3" in pages[1].text] == [True, False]
        assert asking(f"/search?page={'9' * 5000}").status_code == 200


def test_a_name_that_was_made_to_lead_here_is_not_answered(ask):
    """A page elsewhere cannot read the archive through its reader's browser."""
    assert ask("/", headers={"host": "evil.example:8001"}).status_code == 400
    assert ask("/archive.json", headers={"host": "localhost.evil.example"}).status_code == 400
    for own in ("localhost:8001", "127.0.0.1:8001", "[::1]:8001", "127.0.0.1"):
        assert ask("/", headers={"host": own}).status_code == 200


MANY = "with recursive n(i) as (select 1 union all select i + 1 from n limit 900)"


@pytest.mark.parametrize(
    "sql",
    [
        "select hex(zeroblob(400000000))",
        "select replace(hex(zeroblob(8000000)), '0', 'aaaa')",
        f"{MANY} select hex(zeroblob(1000000)) from n",
        f"{MANY} select group_concat(hex(zeroblob(7000000))) from n",
    ],
)
def test_a_query_holds_no_more_memory_than_an_archive_needs(ask, sql):
    """Each is refused with its reason; the page after it is as before."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    page = ask("/archive.json", params={"sql": sql})
    assert page.status_code == 400
    assert re.search("too big|larger than|too long", page.text)
    assert ask("/archive.json?sql=select+1").json()["rows"] == [[1]]
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 600_000  # KiB


def browser(site, mode="cors", destination="empty"):
    """Return what a browser says of a request that a page of some site makes."""
    return {"sec-fetch-site": site, "sec-fetch-mode": mode, "sec-fetch-dest": destination}


LINK = browser("cross-site", "navigate", "document")
OLD = {"user-agent": "Mozilla/5.0 (an old one)"}
SQL = "/archive?sql=select+1"


@pytest.mark.parametrize(
    ("address", "headers", "status"),
    [
        (SQL, browser("same-origin"), 200),
        (SQL, browser("none", "navigate", "document"), 200),
        (SQL, {"user-agent": "curl/8"}, 200),
        (SQL, browser("cross-site"), 403),
        (SQL, browser("same-site"), 403),
        (SQL, LINK, 403),
        (SQL, OLD, 403),
        ("/archive/articles.json?_size=max", browser("cross-site"), 403),
        ("/article/1", browser("cross-site", "no-cors", "image"), 403),
        ("/article/1", browser("cross-site", "navigate", "iframe"), 403),
        ("/search?q=诈骗", LINK, 200),
        ("/", OLD, 200),
    ],
)
def test_a_page_of_another_site_runs_no_query(ask, address, headers, status):
    """It can lead its reader to a page of ours, and no further."""
    assert ask(address, headers=headers, follow_redirects=True).status_code == status


def test_it_answers_until_it_is_interrupted_and_warns_who_lets_others_in(site):
    """Its address on standard output, the warning on standard error, exit code 0."""
    site.run("--once")
    with subprocess.Popen(
        [sys.executable, "-m", "ingestor", "browse", "--host", "0.0.0.0", "--port", "0"],
        cwd=site.folder,
        env=site.environment() | {"PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as server:
        address = server.stdout.readline().strip().replace("0.0.0.0", "127.0.0.1")
        page = httpx.get(address, trust_env=False)
        httpx.get(f"{address}nothing/here", trust_env=False)
        server.send_signal(signal.SIGINT)
        more, said = server.communicate(timeout=LONGEST)
    assert (page.status_code, server.returncode) == (200, 0)
    assert more == ""
    assert said == "ingest: everybody who reaches 0.0.0.0 can read the whole archive\n"


def test_without_datasette_a_line_says_how_to_get_it(site):
    """Exit code 2, no traceback."""
    site.run("--once")
    (line,) = site.refusals("browse", without="datasette")
    assert "pip install 'sina-ingestor[browse]'" in line
