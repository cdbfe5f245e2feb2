"""Large archives: the made-up ones are real ones, searches find all, nothing reads a whole table."""

import random
import re
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import product

import pytest

from benchmarks.filling import FEEDS, LAST_DAY, fill, symbol
from benchmarks.growth import compare, report
from benchmarks.made_texts import Writer
from ingestor.model import Article, Body, Feed
from ingestor.store import (
    ArticleUpsert,
    articles,
    audit,
    captures,
    entries,
    feeds,
    overview,
    rechecks,
    stored_articles,
    stories,
)
from ingestor.store.db.database import Database
from ingestor.store.filters import Filters
from ingestor.store.overview import late_feeds
from ingestor.store.search import Order, index, parse
from ingestor.store.search.candidates import USUAL, Bounds
from ingestor.store.search.hits import search
from ingestor.text.normalize import normalize
from tests.support.plans import large_scans, noted
from tools.filling import filled, save_articles

pytestmark = pytest.mark.slow

COUNT = 300
NOW = LAST_DAY + timedelta(hours=3)

WAYS = {
    "as usual": USUAL,
    "inside the database": Bounds(listed=0),
    "day by day": Bounds(listed=0, many=0, days_of=20, most_days_of=80, close=5),
}
"""Each way of meeting articles in order, also where another would be quicker."""


@cache
def writer() -> Writer:
    """Return the one for all tests: it takes a third of a second to learn its words."""
    return Writer()


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    path = tmp_path_factory.mktemp("growth") / "archive.db"
    fill(path, COUNT)
    database = Database(f"sqlite:///{path}")
    yield database
    database.close()


def test_a_filled_archive_is_one(archive):
    """The checks of `ingest verify` find nothing, and every table that saving fills is filled."""
    with archive.reading() as connection:
        assert list(audit.all_damages(connection)) == []
        assert list(audit.contradictions(connection)) == []
        assert index.of(connection).unindexed() == 0
        assert stories.missing(connection) == 0
        assert overview.totals(connection)["articles"] == COUNT
        assert sum(one.articles for one in overview.feed_health(connection, 3)) == COUNT
        for table in ("captures", "revisions", "entries", "aliases", "keywords", "symbols"):
            count = connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one()
            assert count >= COUNT / 2, table


def test_filling_again_fills_the_same(archive, tmp_path):
    """So that what was kept can be used again."""
    fill(tmp_path / "again.db", COUNT)
    again = Database(f"sqlite:///{tmp_path / 'again.db'}")
    query = "SELECT group_concat(content_sha256 || published_at) FROM articles"
    with again.reading() as other, archive.reading() as connection:
        first, second = (one.exec_driver_sql(query).scalar() for one in (connection, other))
        assert first == second
    again.close()


def asked():
    """Words of every kind, with the filters that narrow them down, of the made-up texts."""
    dice = random.Random(1)
    texts = ["".join(writer().text(number).paragraphs) for number in range(0, COUNT, 100)]
    words = ["公司", "的", "，", "公司 的", "市场 -公司", "2.", "%，"]
    for text in texts:
        at = dice.randrange(len(text) - 12)
        words += [text[at : at + length] for length in (1, 2, 3, 5)]
        words += re.findall(r"\d+\.\d+%", text)[:1]
    day = LAST_DAY.date()
    narrowed = [
        Filters(),
        Filters(since=(day - timedelta(days=1)).isoformat()),
        Filters(until=(day - timedelta(days=1)).isoformat()),
        Filters(symbol=symbol(0)),
        Filters(feeds=("新浪财经－第1频道", "新浪财经－第2频道")),
    ]
    return [(word, one) for word in words if word.strip(' "-') for one in narrowed]


def scanned(connection, query, filters):
    """Return what a scan finds: ids by publication, the first ones first."""
    sql = (
        "SELECT a.id, a.title, a.content_text FROM articles a WHERE a.date >= ? AND a.date <= ?"
        " AND (? = '' OR EXISTS (SELECT 1 FROM symbols WHERE article_id = a.id AND symbol = ?))"
        " AND (? = 0 OR EXISTS (SELECT 1 FROM sightings WHERE article_id = a.id AND feed_id IN (1, 2)))"
        " ORDER BY a.date, a.published_at, a.id"
    )
    until = filters.until or "9999"
    values = (filters.since, until, filters.symbol, filters.symbol, len(filters.feeds))
    rows = connection.exec_driver_sql(sql, values)
    return [row[0] for row in rows if query.accepts(normalize(row[1]), normalize(row[2]))]


@pytest.mark.parametrize("way", WAYS)
def test_each_way_of_searching_finds_what_a_scan_finds(archive, way):
    """In both orders of publication all of it, by relevance too; and no more than is wanted."""
    with archive.reading() as connection:
        for words, filters in asked():
            query, found = parse(words), {}
            expected = scanned(connection, query, filters)
            for order, limit in product(Order, (COUNT, 3)):
                hits = search(
                    connection, query, filters, order=order, limit=limit, bounds=WAYS[way]
                )
                found[order, limit] = [hit.id for hit in hits]
            assert found[Order.OLDEST, COUNT] == expected, words
            assert found[Order.NEWEST, COUNT] == expected[::-1], words
            assert sorted(found[Order.RELEVANCE, COUNT]) == sorted(expected), words
            assert found[Order.OLDEST, 3] == expected[:3], words
            assert found[Order.NEWEST, 3] == expected[::-1][:3], words
            assert len(found[Order.RELEVANCE, 3]) == min(3, len(expected)), words


@pytest.mark.every_store
@pytest.mark.parametrize("way", WAYS)
def test_each_way_is_the_same_on_either_database(store_url, tmp_path, way):
    """PostgreSQL answers as SQLite does."""
    made = [writer().text(number) for number in range(40)]
    texts = [(one.title, "\n".join(one.paragraphs)) for one in made]
    database = filled(store_url or tmp_path / "archive.db", texts)
    bounds = WAYS[way]
    with database.reading() as connection:
        for words in ("公司", "的", "市场 的", texts[7][1][20:24], texts[9][1][30:32]):
            query = parse(words)
            expected = [
                number
                for number, one in enumerate(texts, start=1)
                if query.accepts(*map(normalize, one))
            ]
            for order, limit in product(Order, (40, 2)):
                hits = search(connection, query, Filters(), order=order, limit=limit, bounds=bounds)
                found = [hit.id for hit in hits]
                if order is Order.RELEVANCE:
                    assert set(found) <= set(expected)
                    assert len(found) == min(limit, len(expected))
                else:
                    ordered = expected if order is Order.OLDEST else expected[::-1]
                    assert found == ordered[:limit], (words, order)
    database.close()


COUNTED_BY_STATUS = {
    ("sightings", "ix_sightings_feed_id_article_id"),
    ("articles", "ix_articles_published_at"),
    ("articles", "ix_articles_first_seen_at"),
    ("revisions", "sqlite_autoindex_revisions_1"),
}
"""Counts that are shown to people: an index is read, of some twenty bytes an article."""


def whole_tables(database, work):
    """Return what statements of ``work`` go through whole: table, index, statement."""
    with noted(database.engine) as raw, database.rehearsal() as connection:
        work(connection)
    with database.reading() as connection:
        return {(scan.table, scan.index, scan.statement) for scan in large_scans(connection, raw)}


def a_pass(connection):
    """Do what the daemon does again and again."""
    arrivals = [arrival(number) for number in range(16)]
    save_articles(connection, arrivals)
    save_articles(connection, [arrival(1, "改过的文字。" * 30)])
    first = arrivals[0].article
    articles.known_under(connection, first.url, first.document_id, "2026-11-01")
    articles.from_page(connection, first.document_id)
    every = [number + 1 for number in range(FEEDS)]
    entries.due(connection, NOW, feed_ids=every, limit=100)
    entries.count(connection, "pending")
    rechecks.due(connection, NOW, 200)
    stored_articles.due_files(connection, 50)
    captures.asked_before(connection, [first.url])
    captures.earlier(connection, first.url, "0" * 64)
    feeds.states(connection, [Feed("新浪财经－第1频道", "rss", "https://x.example/", (), "")])
    overview.health_snapshot(connection, NOW)


def a_look(connection):
    """Ask what people ask for."""
    overview.feed_health(connection, 3)
    overview.parked(connection, 10)
    late_feeds(connection, NOW)
    stored_articles.history(connection, 5)
    stored_articles.ids_of(connection, "https://finance.sina.com.cn/a.shtml", "a")


def arrival(number, text=""):
    moment = datetime(2026, 11, 1, 3, number, tzinfo=UTC)
    made = writer().text(10_000 + number)
    body = Body("<p>x</p>", text or "\n".join(made.paragraphs))
    url = f"https://finance.sina.com.cn/china/gncj/2026-11-01/doc-ix{number:07d}.shtml"
    aliases = (f"https://finance.sina.cn/china/gnxw/2026-11-01/detail-ix{number:07d}.d.html",)
    article = Article(url, f"x{number:07d}", made.title, moment, body, aliases=aliases)
    return ArticleUpsert(
        article, "新浪财经", ("金融",), "page", moment, number % FEEDS + 1, guid=url
    )


def test_no_statement_of_a_pass_goes_through_a_table(archive):
    """What is done for an article, or every second, costs the same however many there are."""
    assert whole_tables(archive, a_pass) == set()


def test_what_people_ask_for_goes_through_no_table(archive):
    """Status counts, in an index."""
    found = whole_tables(archive, a_look)
    assert {(table, index) for table, index, _ in found} <= COUNTED_BY_STATUS, found


def test_status_counts_in_indexes_alone(archive):
    """The whole of an archive in four numbers."""
    found = whole_tables(archive, overview.totals)
    assert {(table, index) for table, index, _ in found} <= COUNTED_BY_STATUS, found


def test_the_rule_finds_a_table_that_is_gone_through(archive):
    """A check that cannot fail holds nothing."""

    def wrong(connection):
        connection.exec_driver_sql("SELECT id FROM articles WHERE editor = 'x'").all()

    assert {(table, index) for table, index, _ in whole_tables(archive, wrong)} == {
        ("articles", None)
    }


def test_growth_is_measured_at_the_smallest_size(tmp_path):
    """Every figure is there, and the filled archive is kept as it was for the next time."""
    [small] = compare([40], 2, 1, queries=1, keep=tmp_path / "kept")
    assert small.articles == 40
    assert 0 < small.saving.cpu <= small.saving.pass_cpu
    assert small.searches[-1].kind == "all"
    assert small.folders["WARC"] < small.folders["pages as they came"]
    assert small.database["database"] > 0
    assert "| bytes an article |" in report([small])
    kept = Database(f"sqlite:///{tmp_path / 'kept' / '40.db'}")
    with kept.reading() as connection:
        assert overview.totals(connection)["articles"] == 40
    kept.close()
