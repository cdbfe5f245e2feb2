"""Many writers at once on PostgreSQL: nothing twice, nothing half, nothing out of order.

Where a test needs two transactions at one moment it holds one open and waits until the server
says that the other one waits for it; nothing depends on how fast the machine is.
"""

import random
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import timedelta
from threading import Barrier

import pytest

from ingestor.identity import entry_keys
from ingestor.model import Body, Entry, Picture
from ingestor.store import entries, feeds, images, revisions
from ingestor.store.db import locks
from ingestor.store.db.database import Database
from ingestor.store.images import DueImage
from tools.filling import FEED, FIRST, arrival_of, filled, save_articles
from tools.living import LONGEST
from tools.retold import phrased, text

WRITERS = 4
FEEDS = [replace(FEED, name=f"f{number}") for number in range(WRITERS)]
OTHERWISE = "https://finance.sina.cn/a/"
DICE = random.Random(3)
STORY = text(DICE, 600)


@pytest.fixture
def archive(postgresql_url):
    """Give an archive on PostgreSQL with a few feeds."""
    with closing(filled(postgresql_url, [])) as database:
        hour = timedelta(hours=1)
        with database.transaction() as connection:
            feeds.register(connection, FEEDS, every=hour, slowest=hour)
        yield database


@pytest.fixture
def others():
    """Give threads to work in."""
    with ThreadPoolExecutor(WRITERS) as pool:
        yield pool


def ids(archive) -> list[int]:
    with archive.reading() as connection:
        known = feeds.ids(connection)
    return [known[feed.name] for feed in FEEDS]


def asked(archive, sql: str) -> list[tuple]:
    with archive.reading() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(sql)]


def at_once(pool, *works: Callable[[], object]) -> list[object]:
    """Do things in threads that all begin at one moment; return what came out."""
    barrier = Barrier(len(works))

    def begin(work):
        barrier.wait(timeout=LONGEST)
        return work()

    return [one.result(timeout=LONGEST) for one in [pool.submit(begin, work) for work in works]]


def wait_until_blocked(archive: Database, number: int = 1) -> None:
    """Wait until so many sessions of this database wait for a lock."""
    blocked = (
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND cardinality(pg_blocking_pids(pid)) > 0"
    )
    end = time.monotonic() + LONGEST
    while asked(archive, blocked) != [(number,)]:
        assert time.monotonic() < end, "nobody waits"


@contextmanager
def held(archive: Database, *arrivals):
    """Save arrivals in a transaction that stays open for the block."""
    with archive.transaction() as connection:
        save_articles(connection, arrivals)
        yield connection


def save(archive: Database, *arrivals) -> list[str]:
    with archive.transaction() as connection:
        return [one.outcome for one in save_articles(connection, arrivals)]


def test_an_article_that_several_save_at_once_is_one(archive, others):
    """In batches of the same articles in different orders: one each, with every sighting."""
    for first in range(0, 60, 10):
        batches = []
        for feed_id in ids(archive):
            batch = [
                arrival_of(number, f"题{number}", f"文章{number}", feed_id=feed_id)
                for number in range(first, first + 10)
            ]
            DICE.shuffle(batch)
            batches.append(batch)
        at_once(others, *(lambda batch=batch: save(archive, *batch) for batch in batches))
    assert asked(archive, "SELECT count(*), count(DISTINCT url) FROM articles") == [(60, 60)]
    assert asked(archive, "SELECT count(*) FROM sightings") == [(60 * WRITERS,)]
    assert asked(archive, "SELECT count(*) FROM revisions") == [(60,)]
    assert asked(archive, "SELECT count(*) FROM articles_fts") == [(60,)]


def test_one_that_is_known_by_another_address_is_waited_for(archive, others):
    """Its document id is the same: the second worker finds what the first one made."""
    first, other = (arrival_of(1, "题", "文章", feed_id=one) for one in ids(archive)[:2])
    twin = replace(other, article=replace(other.article, url="https://finance.sina.cn/a/1.html"))
    with held(archive, first):
        late = others.submit(save, archive, twin)
        wait_until_blocked(archive)
        assert asked(archive, "SELECT * FROM articles") == []
    assert late.result(timeout=LONGEST) == ["unchanged"]
    assert asked(archive, "SELECT count(*) FROM aliases") == [(1,)]


def test_two_edits_of_one_article_are_two_revisions(archive, others):
    """Whichever comes first, the other one is compared with what it wrote."""
    (feed_id,) = ids(archive)[:1]
    save(archive, arrival_of(1, "题", "原文", feed_id=feed_id))

    def look(content: str) -> None:
        arrival = arrival_of(1, "题", content, feed_id=feed_id)
        with archive.transaction() as connection:
            revisions.revise(connection, 1, arrival)

    at_once(others, *(lambda one=one: look(f"改动{one}") for one in range(WRITERS)))
    assert asked(archive, "SELECT revision FROM revisions ORDER BY sequence") == [
        (number,) for number in range(1, WRITERS + 2)
    ]
    assert asked(
        archive,
        "SELECT a.content_text = r.content_text FROM articles a"
        " JOIN revisions r ON r.article_id = a.id AND r.revision = a.revision",
    ) == [(True,)]


def test_batches_that_edit_the_same_articles_do_not_stop_each_other(archive, others):
    """In opposite orders, and known by nothing in common but the articles themselves."""
    (feed_id,) = ids(archive)[:1]
    known = [arrival_of(one, f"题{one}", "原文", feed_id=feed_id) for one in range(2)]
    save(archive, *(replace(one, announced_as=OTHERWISE + one.article.url[-7:]) for one in known))
    with held(archive, arrival_of(0, "改0", "正", feed_id=feed_id)) as connection:
        backwards = [named_otherwise(one, feed_id, "反") for one in (1, 0)]
        late = others.submit(save, archive, *backwards)
        wait_until_blocked(archive)
        edit = arrival_of(1, "改1", "正", feed_id=feed_id)
        assert revisions.revise(connection, 2, edit).outcome == "revised"
    assert late.result(timeout=LONGEST) == ["revised", "revised"]
    assert asked(archive, "SELECT count(*) FROM articles") == [(2,)]
    assert asked(archive, "SELECT revision FROM articles") == [(3,), (3,)]


def named_otherwise(number: int, feed_id: int, content: str):
    """Return an arrival of the same article, under its other address alone."""
    arrival = arrival_of(number, f"另{number}", content, feed_id=feed_id)
    url = OTHERWISE + arrival.article.url[-7:]
    article = replace(arrival.article, url=url, document_id="")
    return replace(arrival, article=article)


def test_copies_that_come_at_the_same_time_are_one_story(archive, others):
    """Syndicated news come from several feeds in the same minute."""
    dice = random.Random(5)
    versions = [phrased(dice, STORY, 0.05) for _ in range(WRITERS)]
    arrivals = [
        arrival_of(number, f"题{number}", version, feed_id=feed_id)
        for (number, version), feed_id in zip(enumerate(versions), ids(archive), strict=True)
    ]
    at_once(others, *(lambda one=one: save(archive, one) for one in arrivals))
    assert asked(archive, "SELECT count(*), count(DISTINCT story_id) FROM stories") == [
        (WRITERS, 1)
    ]


def test_revisions_become_visible_in_the_order_of_their_numbers(archive, others):
    """Who asks for those above the last that he saw misses none: a later one waits its turn."""
    one, other = (arrival_of(number, f"题{number}", f"文{number}") for number in (1, 2))
    with held(archive, one):
        late: Future = others.submit(save, archive, other)
        wait_until_blocked(archive)
        assert asked(archive, "SELECT sequence FROM changes") == []
    assert late.result(timeout=LONGEST) == ["new"]
    assert asked(archive, "SELECT url FROM changes ORDER BY sequence") == [
        (one.article.url,),
        (other.article.url,),
    ]


def test_a_picture_that_is_kept_meanwhile_is_shown_by_every_article(archive, others):
    """The article that is just being saved shows it too."""
    body = Body("<p>1</p>", "文", pictures=(Picture("https://n.sinaimg.cn/1.jpg", ""),))
    arrival = arrival_of(1, "题", "文")
    arrival = replace(arrival, article=replace(arrival.article, body=body))

    def keep() -> None:
        with archive.transaction() as connection:
            locks.lock_revisions(connection)
            images.downloaded(connection, DueImage("https://n.sinaimg.cn/1.jpg", 0), "1.jpg")

    with held(archive, arrival):
        late = others.submit(keep)
        wait_until_blocked(archive)
    late.result(timeout=LONGEST)
    assert asked(archive, "SELECT path FROM images") == [("1.jpg",)]


def test_what_a_feed_announces_is_written_down_once(archive, others):
    """Also when two workers should poll it at one time."""
    feed, feed_id = FEEDS[0], ids(archive)[0]
    found = [Entry(str(n), f"https://a.example/{n}", str(n), FIRST) for n in range(20)]

    def announce() -> int:
        with archive.transaction() as connection:
            return entries.announce(
                connection, feed_id, feed, found, keys=entry_keys(feed, found), now=FIRST
            )

    assert sorted(at_once(others, *[announce] * WRITERS)) == [0] * (WRITERS - 1) + [20]


def test_workers_that_start_together_register_the_feeds_once(postgresql_url, others):
    """Each of them makes the table agree with its configuration."""
    hour = timedelta(hours=1)
    with closing(Database(postgresql_url)) as database:

        def register() -> None:
            with database.transaction() as connection:
                feeds.register(connection, FEEDS, every=hour, slowest=hour)

        at_once(others, *[register] * WRITERS)
        assert asked(database, "SELECT count(*) FROM feeds") == [(len(FEEDS),)]
