"""No page goes through a large table: how SQLite goes about each of its statements."""

import sqlite3
from contextlib import closing

import pytest
from sqlalchemy import Engine

pytest.importorskip("datasette", reason="the extra [browse] is not installed")

from benchmarks.browse import PAGES, add_edits
from benchmarks.filling import LAST_DAY, feed_name, fill, symbol
from ingestor.api.selection import WayBounds, newest
from ingestor.store.db.database import Database
from ingestor.store.filters import Filters
from tests.browse.asking import browsing
from tests.support.plans import large_scans, noted

pytestmark = pytest.mark.slow

NEVER_ANNOUNCED = ("articles", "ix_articles_unannounced")
"""What was imported: an index has that alone, by its categories."""

COUNTED = {
    ("articles", "ix_articles_published_at"),
    ("articles", "ix_articles_first_seen_at"),
    ("revisions", "sqlite_autoindex_revisions_1"),
}
"""How many there are of all: SQLite asks the leaves of the smallest index how much they hold."""

IN_ORDER = {
    ("articles", "ix_articles_date_published_at"),
    ("revisions", "ix_revisions_edits"),
}
"""Indexes that lists go along, the latest first, until they have enough."""

ADDRESSES = [
    *(address for addresses in PAGES.values() for address in addresses),
    "/edits.atom",
    "/article/77/look/77",
    "/search?symbol=sh600001&order=edited",
    "/search?media=青石网&since=2026-10-01&until=2026-10-20",
    "/search?category=没有这个",
    f"/search?category={feed_name(9)}&feed={feed_name(1)}",
    "/search?category=没有这个&origin=feed&since=2026-10-01",
    f"/search?symbol=sh600001&media=青石网&feed={feed_name(2)}&origin=page&until=2026-10-20",
    "/search?order=edited&category=没有这个",
    f"/search?order=edited&feed={feed_name(1)}&media=青石网",
    "/?until=2026-09-01",
]

FILTERS = {
    "of a category": Filters(category=feed_name(9)),
    "of an origin": Filters(origin="import"),
    "of a feed and a category": Filters(feeds=(feed_name(1),), category=feed_name(2)),
    "of a security, a medium and days": Filters(
        symbol=symbol(1), media="青石网", since="2026-10-01", until="2026-10-30"
    ),
}

WAYS = {
    "the days first": WayBounds(few=0, latest=50, walked=0),
    "along the days": WayBounds(few=0, latest=50, walked=10**6),
    "by the rarest": WayBounds(),
}


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    """Give the file of an archive of 2,000 made-up articles, some of them edited."""
    path = tmp_path_factory.mktemp("plans") / "archive.db"
    fill(path, 2_000)
    add_edits(path)
    with closing(sqlite3.connect(path)) as connection, connection:
        # SQLite is told that there is a thousand times as much: little it rather reads whole.
        rows = connection.execute("SELECT rowid, stat FROM sqlite_stat1").fetchall()
        for row, stat in rows:
            first, *rest = stat.split()
            more = " ".join([f"{first}000", *rest])
            connection.execute("UPDATE sqlite_stat1 SET stat = ? WHERE rowid = ?", (more, row))
    return path


def ends_early(scan) -> bool:
    """Whether a scan goes along a list's order, and stops where a page is full."""
    sorted_whole = "USE TEMP B-TREE FOR ORDER BY" in scan.plan
    return (scan.table, scan.index) in IN_ORDER and "LIMIT" in scan.statement and not sorted_whole


def scans(archive, raw):
    """Return the scans of statements that take longer the more there is."""
    with closing(Database(f"sqlite:///{archive}")) as database, database.reading() as connection:
        return [
            (scan.table, scan.index, scan.statement)
            for scan in large_scans(connection, raw)
            if (scan.table, scan.index) not in {*COUNTED, NEVER_ANNOUNCED} and not ends_early(scan)
        ]


@pytest.mark.parametrize("address", ADDRESSES)
def test_no_page_goes_through_a_large_table(archive, address):
    """Each statement finds its rows by an index, or goes along one in the page's own order."""
    number = address.replace("90000", "1900").replace("4001", "1401")
    with noted(Engine) as raw, browsing(archive, at=LAST_DAY) as ask:
        assert ask(number).status_code == 200
    assert raw
    assert scans(archive, raw) == []


@pytest.mark.parametrize("filters", FILTERS.values(), ids=FILTERS)
@pytest.mark.parametrize("bounds", WAYS.values(), ids=WAYS)
def test_no_way_to_a_list_goes_through_a_large_table(archive, bounds, filters):
    """Whether what is asked for is met on the way through the days, or is looked up."""
    with (
        closing(Database(f"sqlite:///{archive}", for_reading=True)) as database,
        database.reading() as connection,
        noted(Engine) as raw,
    ):
        newest(connection, filters, 2_000, first=0, limit=1_000, bounds=bounds)
    assert scans(archive, raw) == []


def test_a_statement_that_goes_through_a_table_is_found(archive):
    """So that the test above can fail: sorted by what no index has, and grouped as a whole."""
    raw = [
        ("SELECT id FROM articles ORDER BY title LIMIT 20", ()),
        ("SELECT feed_id, count(*) FROM sightings GROUP BY feed_id", ()),
        ("SELECT id FROM articles ORDER BY date DESC, published_at DESC LIMIT 20", ()),
    ]
    assert [(table, index) for table, index, _ in scans(archive, raw)] == [
        ("articles", None),
        ("sightings", "ix_sightings_feed_id_article_id"),
    ]
