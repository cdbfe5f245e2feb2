"""``ingest stats``: counts by day, week and month, by medium, security and feed."""

import csv
import io
import json
from contextlib import closing
from dataclasses import replace
from datetime import timedelta

import pytest

from ingestor.model import Article, Body, Feed, Security
from ingestor.store import ArticleUpsert, feeds
from tools.filling import FEED, FIRST, filled, save_articles

CEMENT = Security("sh", "sh600001", "石门水泥")
BANK = Security("sz", "sz000002", "望江银行")

ARTICLES = [
    # Day of March, medium, securities.
    (1, "甲报", (CEMENT,)),
    (1, "甲报", (CEMENT, BANK)),
    (1, "乙报", ()),
    (4, "", (BANK,)),
    (32, "=1+1", (CEMENT,)),
]


def save(database, number, day, media, /, *named, **more):
    moment = FIRST + timedelta(days=day - 1)
    body = Body("<p>x</p>", f"正文{number}", (), named)
    url = f"https://a.example/{number}"
    article = Article(url, f"x{number}", f"第{number}篇", moment, body, media=media)
    upsert = ArticleUpsert(article, "作者", FEED.categories, "page", moment, feed_id=1)
    with database.transaction() as connection:
        save_articles(connection, [replace(upsert, **more)])


@pytest.fixture
def counted(site):
    """Give a site with five articles of four days, one of them in two feeds."""
    with closing(filled(site.store or site.folder / "archive.db", [])) as database:
        other = Feed("另一源", "rss", "https://b.example/", ("金融",), "作者")
        hour = timedelta(hours=1)
        with database.transaction() as connection:
            feeds.register(connection, [FEED, other], every=hour, slowest=hour)
        for number, (day, media, named) in enumerate(ARTICLES):
            save(database, number, day, media, *named)
        save(database, 0, 1, "甲报", CEMENT, feed_id=2)
        yield site


def rows(site, *asked):
    done = site.run("stats", *asked)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return [tuple(line.split("\t")) for line in done.stdout.splitlines()]


@pytest.mark.every_store
def test_days_without_an_article_are_counted_too(counted):
    """From the first day to the last, or between those that are asked for."""
    every = rows(counted)
    assert every[:5] == [
        ("2024-03-01", "3"), ("2024-03-02", "0"), ("2024-03-03", "0"), ("2024-03-04", "1"),
        ("2024-03-05", "0"),
    ]  # fmt: skip
    assert (len(every), every[-1]) == (32, ("2024-04-01", "1"))
    assert rows(counted, "--by", "week") == [
        ("2024-W09", "3"), ("2024-W10", "1"), ("2024-W11", "0"), ("2024-W12", "0"),
        ("2024-W13", "0"), ("2024-W14", "1"),
    ]  # fmt: skip
    assert rows(counted, "--by", "month") == [("2024-03", "4"), ("2024-04", "1")]
    assert rows(counted, "--since", "2024-03-03", "--until", "2024-03-05") == [
        ("2024-03-03", "0"), ("2024-03-04", "1"), ("2024-03-05", "0"),
    ]  # fmt: skip
    assert rows(counted, "--symbol", "石门水泥", "--until", "2024-03-02") == [
        ("2024-03-01", "2"), ("2024-03-02", "0"),
    ]  # fmt: skip


@pytest.mark.every_store
def test_names_are_counted_the_most_first(counted):
    """Securities by code and name; an article counts for each of its feeds."""
    assert rows(counted, "--of", "media") == [
        ("甲报", "2"), ("(none)", "1"), ("=1+1", "1"), ("乙报", "1"),
    ]  # fmt: skip
    assert rows(counted, "--of", "symbol") == [
        ("sh600001", "石门水泥", "3"), ("sz000002", "望江银行", "2"),
    ]  # fmt: skip
    assert rows(counted, "--of", "feed") == [(FEED.name, "5"), ("另一源", "1")]
    assert rows(counted, "--of", "feed", "--feed", "另一源", "--media", "甲报") == [
        ("另一源", "1"), (FEED.name, "1"),
    ]  # fmt: skip
    assert rows(counted, "--of", "symbol", "--symbol", "sz000002") == [
        ("sz000002", "望江银行", "2"), ("sh600001", "石门水泥", "1"),
    ]  # fmt: skip
    assert rows(counted, "--by", "month", "--of", "symbol", "--limit", "1") == [
        ("2024-03", "sh600001", "石门水泥", "2"), ("2024-04", "sh600001", "石门水泥", "1"),
    ]  # fmt: skip


@pytest.mark.every_store
def test_what_never_was_an_article_is_not_counted(counted):
    """Nor is it by the index that counts the days."""
    counted.change("UPDATE articles SET doubted_at = '2024-03-02T00:00:00Z' WHERE id = 4")
    assert ("2024-03-04", "0") in rows(counted)
    assert rows(counted, "--of", "symbol")[1] == ("sz000002", "望江银行", "1")
    assert rows(counted, "--since", "2024-03-04", "--until", "2024-03-04") == [("2024-03-04", "0")]


@pytest.mark.every_store
def test_an_imported_article_counts_for_its_category(counted):
    """It has no feed."""
    with closing(counted.database()) as database:
        save(database, 9, 1, "", feed_id=None, origin="import", categories=("金融", "旧档"))
    assert ("旧档", "1") in rows(counted, "--of", "feed")
    assert rows(counted, "--of", "media", "--feed", "旧档") == [("(none)", "1")]


def test_json_and_csv_have_the_same(counted):
    """Numbers are numbers; a cell that a spreadsheet would run is a text."""
    found = json.loads(counted.run("stats", "--by", "month", "--of", "symbol", "--json").stdout)
    assert found[0] == {"month": "2024-03", "symbol": "sh600001", "name": "石门水泥", "articles": 2}
    head, *body = csv.reader(io.StringIO(counted.run("stats", "--of", "media", "--csv").stdout))
    assert head == ["media", "articles"]
    assert body == [["甲报", "2"], ["", "1"], ["'=1+1", "1"], ["乙报", "1"]]
    assert counted.run("stats", "--csv").stdout.splitlines()[:2] == ["day,articles", "2024-03-01,3"]


def test_a_chart_fits_its_terminal(counted):
    """The longest bar fills it; what there is one of has a bar."""
    shown = counted.run("stats", "--by", "month", "--of", "media", "--chart").stdout.splitlines()
    assert [line.split()[:3] for line in shown][:2] == [
        ["2024-03", "甲报", "2"],
        ["2024-03", "(none)", "1"],
    ]
    assert {line.index("█") for line in shown if "甲" not in line and "乙" not in line} == {17}
    narrow = counted.on_a_terminal("stats", "--chart", COLUMNS="40").splitlines()
    assert max(len(line.rstrip()) for line in narrow) <= 40
    assert narrow[0].count("█") > narrow[3].count("█") > narrow[1].count("█") == 0


def test_on_a_terminal_it_is_a_table(counted):
    """With a heading; what a medium calls itself is no markup."""
    with closing(counted.database()) as database:
        save(database, 9, 1, "[bold]报[/]")
    shown = counted.on_a_terminal("stats", "--of", "media")
    assert "media" in shown.splitlines()[0]
    assert "[bold]报[/]" in shown


def test_a_gap_of_years_is_left_out(counted):
    """There is always an article that claims to be of 1970, or of a day that is none."""
    with closing(counted.database()) as database:
        save(database, 9, 1 - 365 * 54, "")
    every = rows(counted)
    assert (len(every), every[0][1]) == (33, "1")
    counted.change("UPDATE articles SET date = '2024-99-99' WHERE url LIKE '%/9'")
    assert rows(counted)[-1] == ("2024-99-99", "1")
    assert rows(counted, "--by", "month")[-1] == ("2024-99-99", "1")


def test_nothing_is_no_failure_and_what_makes_no_sense_is_one_line(counted):
    """An empty answer is one."""
    assert rows(counted, "--of", "media", "--media", "无") == [("There is no such article.",)]
    assert json.loads(counted.run("stats", "--of", "media", "--media", "无", "--json").stdout) == []
    for wrong in (
        ("--limit", "3"),
        ("--json", "--csv"),
        ("--by", "year"),
        ("--of", "x"),
        ("--feed", "x"),
        ("--since", "x"),
        ("茅台",),
    ):
        done = counted.run("stats", *wrong)
        assert (done.returncode, done.stdout) == (2, ""), wrong


def test_of_an_empty_archive_there_is_nothing(site):
    """And of none there is a line."""
    assert site.run("stats").returncode == 3
    filled(site.folder / "archive.db", []).close()
    assert rows(site) == [("There is no such article.",)]
    assert site.run("stats", "--csv").stdout == "day,articles\n"
