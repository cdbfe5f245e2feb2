"""Which articles filters mean: by whatever way they are found, they are the same, in one order."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from itertools import product

import pytest

from benchmarks.browse import add_edits
from benchmarks.filling import feed_name, fill, symbol
from ingestor.api.selection import USUAL, WayBounds, edited, newest
from ingestor.store.db.database import Database
from ingestor.store.filters import Filters

ALL = 600
WAYS = {
    "usual": USUAL,
    "by the rarest": WayBounds(few=ALL),
    "along the days": WayBounds(few=0, latest=20, walked=ALL, most_sorted=ALL),
    "the days first": WayBounds(few=0, latest=20, walked=0, most_sorted=ALL),
    "all days": WayBounds(few=0, latest=20, most_sorted=0),
}
CHOICES = {
    "symbol": ("", symbol(1), symbol(40), "sh999999"),
    "media": ("", "青石网", "罕见之声"),
    "feeds": ((), (feed_name(1),), (feed_name(9), feed_name(2)), ("没有",)),
    "category": ("", "罕见栏目", "金融", feed_name(2), "金"),
    "origin": ("", "page", "feed", "import"),
    "since": ("", "2026-10-31"),
    "until": ("", "2026-10-31"),
}


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    """Give an archive in which some things hardly occur, some articles never were any."""
    path = tmp_path_factory.mktemp("selection") / "archive.db"
    fill(path, ALL)
    add_edits(path)
    with closing(sqlite3.connect(path)) as connection, connection:
        for change in (
            "categories = '罕见栏目' WHERE id % 97 = 5",
            "origin = 'feed' WHERE id % 7 = 3",
            "origin = 'import', feed_id = NULL WHERE id % 60 = 8",
            "media = '罕见之声' WHERE id % 110 = 9",
            "published_at = NULL WHERE id % 50 = 1",
            "doubted_at = '2026-11-02T00:00:00Z' WHERE id % 45 = 2",
        ):
            connection.execute(f"UPDATE articles SET {change}")
        connection.execute("DELETE FROM sightings WHERE article_id % 60 = 8")
    with closing(Database(f"sqlite:///{path}", for_reading=True)) as database:
        yield database


def expected(connection, filters: Filters) -> list[int]:
    """Return what a look at every article finds, one after the other."""
    rows = connection.exec_driver_sql(
        "SELECT id, date, published_at, media, origin, categories, feed_id FROM articles"
        " WHERE doubted_at IS NULL ORDER BY date DESC, published_at DESC NULLS LAST, id DESC"
    ).all()
    named = set(connection.exec_driver_sql("SELECT article_id, symbol FROM symbols").all())
    seen = set(
        connection.exec_driver_sql(
            "SELECT article_id, name FROM sightings JOIN feeds ON feeds.id = feed_id"
        ).all()
    )
    return [
        row.id
        for row in rows
        if filters.since <= row.date <= (filters.until or "9999")
        and filters.media in {"", row.media}
        and filters.origin in {"", row.origin}
        and (not filters.category or filters.category in row.categories.splitlines())
        and (not filters.symbol or (row.id, filters.symbol) in named)
        and (
            not filters.feeds
            or any((row.id, name) in seen for name in filters.feeds)
            or (row.feed_id is None and row.categories.splitlines()[-1] in filters.feeds)
        )
    ]


@pytest.mark.parametrize("bounds", WAYS.values(), ids=WAYS)
def test_every_way_finds_the_same_articles_in_the_same_order(archive, bounds):
    """Of any combination of filters; a page begins where the one before it ended."""
    every = [dict(zip(CHOICES, values, strict=True)) for values in product(*CHOICES.values())]
    with archive.reading() as connection:
        for values in random.Random(3).sample(every, 150):
            filters = Filters(**values)
            meant = expected(connection, filters)
            pages = [
                newest(connection, filters, ALL, first=first, limit=size, bounds=bounds)
                for first, size in ((0, 30), (30, 5), (35, ALL))
            ]
            assert pages == [meant[:30], meant[30:35], meant[35:]], filters


def test_what_came_later_moves_nothing(archive):
    """With the largest id that counts, a page is what it was."""
    filters = Filters(origin="feed")
    with archive.reading() as connection:
        meant = [each for each in expected(connection, filters) if each <= 400]
        for bounds in WAYS.values():
            assert newest(connection, filters, 400, first=0, limit=ALL, bounds=bounds) == meant


def test_edited_articles_come_by_their_last_edit(archive):
    """Each once, whichever filters there are."""
    with archive.reading() as connection:
        last = dict(
            connection.exec_driver_sql(
                "SELECT article_id, max(sequence) FROM revisions WHERE cause = 'edit'"
                " GROUP BY article_id"
            ).all()
        )
        for values in ({}, {"media": "青石网"}, {"category": "罕见栏目"}, {"feeds": (feed_name(1),)},
                       {"symbol": symbol(1), "origin": "page"}, {"since": "2026-10-31"}):  # fmt: skip
            filters = Filters(**values)
            meant = [each for each in expected(connection, filters) if each in last]
            meant.sort(key=lambda each: -last[each])
            assert edited(connection, filters, 10**6, first=0, limit=ALL) == meant, values
            assert edited(connection, filters, 10**6, first=1, limit=2) == meant[1:3], values
