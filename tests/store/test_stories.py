"""Copies of one story under other addresses: found, grouped, and never dropped."""

import json
import random
from dataclasses import replace
from datetime import timedelta
from itertools import combinations

import pytest

from ingestor.model import Article, Body
from ingestor.store import ArticleUpsert, revisions, stories
from ingestor.text.similarity import bands, is_same_story
from tests.support.shared import shared
from tools.filling import FEED, FIRST, filled
from tools.made_up_sina import made_up, publish
from tools.retold import made_set, measured, phrased, text

pytestmark = pytest.mark.every_store

DICE = random.Random(7)
ONE, OTHER, THIRD = (text(DICE, 600) for _ in range(3))
LONG = tuple(f"　　{line}" for line in ONE.split("。") if line)
COPY = phrased(DICE, ONE, 0.1)
EDITED = phrased(DICE, ONE, 0.02)
OTHER_COPY = phrased(DICE, OTHER, 0.05)
"""All drawn here: the texts are the same, whichever tests run, in whatever order."""


@pytest.fixture
def archive(tmp_path, store_url):
    """Give an archive with a story, another one, and a copy of the first."""
    database = filled(store_url or tmp_path / "a.db", [("甲", ONE), ("乙", OTHER), ("丙", COPY)])
    yield database
    database.close()


def edit(database, article_id, content):
    """Let the publisher change an article's text."""
    moment = FIRST + timedelta(days=2)
    url = f"https://finance.sina.com.cn/a/{article_id - 1}.shtml"
    article = Article(url, f"doc{article_id - 1}", "改", moment, Body("<p>x</p>", content))
    arrival = ArticleUpsert(article, "作者", FEED.categories, "page", moment, feed_id=1)
    with database.transaction() as connection:
        assert revisions.revise(connection, article_id, arrival).outcome == "revised"


def grouped(database):
    with database.reading() as connection:
        rows = connection.exec_driver_sql("SELECT story_id, article_id FROM stories ORDER BY 2")
        return [tuple(row) for row in rows]


def test_a_copy_joins_the_story_of_what_it_copies(archive):
    """The others are stories of their own; all articles are there."""
    assert grouped(archive) == [(1, 1), (2, 2), (1, 3)]
    with archive.reading() as connection:
        rows = connection.exec_driver_sql(
            "SELECT article_id, articles, title FROM articles_by_story ORDER BY article_id"
        ).all()
    assert [tuple(row) for row in rows] == [(1, 2, "甲"), (2, 1, "乙"), (3, 2, "丙")]


def test_an_edit_that_leaves_the_story_as_it_is_changes_nothing(archive):
    """Also that of the article after which it is named."""
    edit(archive, 1, EDITED)
    assert grouped(archive) == [(1, 1), (2, 2), (1, 3)]


def test_an_article_that_tells_another_story_now_leaves(archive):
    """To a story of its own, or to that which it now tells; what stays has a name still."""
    edit(archive, 1, THIRD)
    assert grouped(archive) == [(1, 1), (2, 2), (3, 3)]
    edit(archive, 3, OTHER_COPY)
    assert grouped(archive) == [(1, 1), (2, 2), (2, 3)]


def test_the_text_that_was_replaced_is_forgotten(archive):
    """Nobody joins an article for what it said before."""
    edit(archive, 1, THIRD)
    with archive.reading() as connection:
        query = "SELECT band FROM story_bands WHERE article_id = 1"
        left = set(connection.exec_driver_sql(query).scalars())
    assert left == set(bands(THIRD))


def test_an_article_can_show_two_stories_to_be_one(tmp_path):
    """Two excerpts have little in common, until the whole comes."""
    half, most = len(ONE) * 55 // 100, len(ONE) * 35 // 100
    texts = [("上", ONE[:half]), ("下", ONE[most:]), ("全", ONE)]
    database = filled(tmp_path / "a.db", texts[:2])
    assert grouped(database) == [(1, 1), (2, 2)]
    database.close()
    database = filled(tmp_path / "b.db", texts)
    assert grouped(database) == [(1, 1), (1, 2), (1, 3)]
    database.close()


def test_real_copies_are_found_and_nothing_else():
    """All thirteen of 24,976 pairs that have enough in common, by their headlines one story each."""
    texts = [path.read_text("utf-8") for path in sorted(shared("sina", "texts").glob("*.txt"))]
    with_bands = [(one, set(bands(one))) for one in texts]
    found = [
        (first, second)
        for (first, some), (second, others) in combinations(with_bands, 2)
        if some & others and is_same_story(first, second)
    ]
    assert len(found) == 13


def test_what_reads_alike_much_later_is_a_report_that_recurs(tmp_path):
    """Copies come within days: the same words after a week and more are no copy."""
    between = [(f"间{number}", "短") for number in range(24 * 8)]
    database = filled(tmp_path / "a.db", [("甲", ONE), *between, ("丙", COPY)])
    found = grouped(database)
    database.close()
    assert found[0] == (1, 1)
    assert found[-1] == (24 * 8 + 2, 24 * 8 + 2)


def test_reports_that_differ_in_their_numbers_are_two(tmp_path):
    """Of one template, on one day: the market's close here and there."""
    template = "{}收报{}点，涨{}%，成交{}亿元，北向资金净流入{}亿元，两市共有{}只股票上涨，领涨的行业是银行。"
    first = template.format("早盘", 3012.5, 0.31, 4120, 12.8, 2310)
    second = template.format("早盘", 2987.1, 0.77, 3975, 45.2, 1904)
    assert is_same_story(first, first.replace("早盘", "今早"))
    assert not is_same_story(first, second)


def test_bands_are_the_same_everywhere():
    """They are compared with those that another machine, and another Python, wrote years before."""
    assert bands(ONE[:200] + "1.5%，😀")[:3] == (
        8990367550839032647,
        -5604256398980782738,
        -5886229095883960390,
    )


def test_articles_in_no_story_are_grouped_again(archive):
    """``ingest verify`` says how many there are, and --repair groups them as they were."""
    with archive.transaction() as connection:
        before = stories_of(connection)
        connection.exec_driver_sql("DELETE FROM story_bands")
        connection.exec_driver_sql("DELETE FROM stories")
        assert stories.missing(connection) == 3
        stories.group_missing(connection)
        assert stories_of(connection) == before


def stories_of(connection):
    query = "SELECT article_id, story_id FROM stories ORDER BY article_id"
    return list(map(tuple, connection.exec_driver_sql(query)))


def test_what_is_too_short_is_nobodys_copy(tmp_path):
    """Two headlines with the same words may be of two days."""
    assert bands("央行开展逆回购操作") == ()
    database = filled(
        tmp_path / "a.db", [("甲", "央行开展逆回购操作"), ("乙", "央行开展逆回购操作")]
    )
    assert grouped(database) == [(1, 1), (2, 2)]
    database.close()


@pytest.mark.parametrize(("share", "least"), [(0.05, 0.97), (0.1, 0.95), (0.2, 0.85)])
@pytest.mark.slow
def test_copies_with_edits_are_found(tmp_path, share, least):
    """A made set: precision first, and the recall that docs/querying.md promises."""
    precision, recall = measured(tmp_path / "a.db", list(made_set(3, 60, phrased, share)))
    assert precision >= 0.99
    assert recall >= least


def test_show_names_the_other_articles_of_the_story(site, net):
    """On a line to paste, and for programs; an archive from before is mended by verify."""
    one = replace(made_up(1), paragraphs=LONG)
    two = replace(made_up(2), paragraphs=LONG)
    publish(net, [one, two])
    site.run("--once")
    ((media, title),) = site.query("SELECT media, title FROM articles WHERE id = 2")
    assert f"same story ingest show 2 ({media}: {title})" in site.run("show", "1").stdout
    site.change("DELETE FROM stories")
    site.change("DELETE FROM story_bands")
    assert "same story" not in site.run("show", "1").stdout
    found = site.run("verify")
    assert found.returncode == 1
    assert "stories: 2 articles" in found.stdout + found.stderr
    assert site.run("verify", "--repair").returncode == 0
    shown = json.loads(site.run("show", "2", "--json").stdout)
    assert [copy["id"] for copy in shown["copies"]] == [1]
