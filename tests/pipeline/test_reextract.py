"""``ingest reextract``: today's rules over the kept pages; what changes is ours, not Sina's."""

import contextlib
import os
import pty
import re
import signal
import subprocess
from dataclasses import dataclass, replace

import pytest

from ingestor.clock import Clock
from ingestor.config import load
from ingestor.pipeline.files import write_files
from ingestor.pipeline.reextract import reextract
from ingestor.store.db.locks import only_run
from ingestor.store.filters import Filters
from ingestor.store.revisions import text_sha256
from ingestor.store.search import index
from tests.faults.driver import InlineWorkers
from tests.faults.laboratory import Driver, assert_sound, copy_of, holdings, points_of, said
from tools.made_up_sina import FEED_URL, finance_page, made_up, publish, rsshub_feed
from tools.running import Site, feed

OLD_TEXT = "旧规则漏掉了大半的正文。"
HISTORY = "SELECT revision, cause, capture_id FROM revisions WHERE article_id = 1 ORDER BY revision"


def read_by_older_rules(site: Site, *article_ids: int) -> None:
    """Let articles be as worse rules had read them, in database and file."""
    database = site.database()
    with database.transaction() as connection:
        run = connection.exec_driver_sql
        for one in article_ids:
            title, text = run(f"SELECT title, content_text FROM articles WHERE id = {one}").one()
            index.of(connection).remove(one, title, text)
            index.of(connection).add([(one, title, OLD_TEXT)])
            columns = (
                f"content_text = '{OLD_TEXT}', content_html = '<p>{OLD_TEXT}</p>',"
                f" content_sha256 = '{text_sha256(OLD_TEXT)}'"
            )
            more = "template = 'generic', file_sha256 = NULL"
            run(f"UPDATE articles SET {columns}, {more} WHERE id = {one}")
            run(f"UPDATE revisions SET {columns} WHERE article_id = {one}")
            run(f"DELETE FROM keywords WHERE article_id = {one}")
    write_files(database, load(site.folder / "config.toml", {}).archive)
    database.close()


def change(site: Site, sql: str) -> None:
    site.change(sql)


@dataclass
class ForkedSite(Site):
    """A site whose runs are forked from a process that has everything imported: they are short."""

    driver: Driver

    def run(self, *arguments):
        """Run ``ingest`` with these arguments."""
        code = self.driver.run(self, *arguments)
        out = (self.folder / "driver.out").read_text("utf-8")
        return subprocess.CompletedProcess(arguments, code, out, said(self))


@pytest.fixture(scope="module")
def driver():
    """Give a process that runs the program, and kills it when asked to."""
    with Driver() as one:
        yield one


@pytest.fixture
def site(tmp_path, net, driver, store_url):
    """Give a user's folder on the fake internet, with one feed configured."""
    # What kills the program looks into SQLite's connections.
    place = Site(tmp_path, net, store=store_url) if store_url else ForkedSite(tmp_path, net, driver)
    place.configure()
    return place


@pytest.fixture
def older(site, net):
    """Give three articles, of which the first is as older rules had read it."""
    publish(net, [made_up(number) for number in range(1, 4)])
    assert site.run("--once").returncode == 0
    site.whole = site.files()
    read_by_older_rules(site, 1)
    return site


def test_what_would_change_is_shown_and_nothing_is_stored(older):
    """Counts by template, and the differences."""
    before = older.files(), holdings(older)
    done = Site.run(older, "reextract", "--dry-run")  # with the real pool
    assert done.returncode == 0, done.stderr
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert "template would change unchanged left unreadable" in lines
    assert "sina-article 1 2 0 0" in lines
    assert "3 articles read again: 1 would change, 0 unreadable, 0 without a kept page" in lines
    assert any(
        line.startswith("article 1, ") and "generic → sina-article" in line for line in lines
    )
    assert f"- {OLD_TEXT}" in lines
    assert any(line.startswith("keywords: - → ") for line in lines)
    assert (older.files(), holdings(older)) == before
    short = older.run("reextract", "--dry-run", "--diffs", "0")
    assert OLD_TEXT not in short.stdout


@pytest.mark.every_store
def test_what_changes_is_a_revision_of_ours(older):
    """The publisher edited nothing: its times stay. File, index and keywords follow the text."""
    kept = "SELECT url, date, path, published_at, updated_at FROM articles ORDER BY id"
    before, ((capture,),) = (
        older.query(kept),
        older.query("SELECT capture_id FROM revisions WHERE article_id = 1"),
    )
    done = Site.run(older, "reextract")
    assert done.returncode == 0, done.stderr
    assert older.query(HISTORY) == [(1, "new", capture), (2, "reextract", capture)]
    assert older.query(kept) == before
    assert older.files() == older.whole
    assert older.query("SELECT template, revision FROM articles ORDER BY id") == [
        ("sina-article", 2),
        ("sina-article", 1),
        ("sina-article", 1),
    ]
    assert older.matching("漏掉") == []
    assert older.query("SELECT count(*) FROM keywords WHERE article_id = 1") != [(0,)]
    assert older.run("verify").stdout.startswith("0 disagreements")
    # What was known before stays known as it was, and is no edit.
    was, now = older.query(
        "SELECT content_text, known_until FROM known_revisions WHERE article_id = 1 ORDER BY revision"
    )
    assert was[0] == OLD_TEXT
    assert (was[1] is not None, now[1]) == (True, None)
    assert older.query("SELECT cause FROM changes ORDER BY sequence DESC LIMIT 1") == [
        ("reextract",)
    ]


def test_running_it_again_does_nothing_more(older):
    """An article that says what today's rules read is left alone."""
    older.run("reextract")
    before = holdings(older)
    again = older.run("reextract")
    assert "3 articles read again: 0 changed, 0 unreadable" in again.stdout
    assert holdings(older) == before


def test_a_terminal_shows_a_bar(older):
    """How many of how many; elsewhere there is none."""
    ours, its = pty.openpty()
    process = older.start("reextract", "--dry-run", stderr=its, TERM="xterm")
    os.close(its)
    shown = b""
    with contextlib.suppress(OSError):  # what a terminal whose other end is closed gives
        while part := os.read(ours, 4096):
            shown += part
    os.close(ours)
    assert process.wait() == 0
    assert "3/3" in re.sub(r"\x1b\[[0-9;]*m", "", shown.decode())
    assert "3/3" not in older.run("reextract", "--dry-run").stderr


@pytest.mark.every_store
def test_only_the_wanted_articles_are_read(older):
    """By feed and publication day; a wrong name or day is refused."""
    day = "2024-01-31"
    change(older, f"UPDATE articles SET date = '{day}' WHERE id = 1")
    one_day = older.run("reextract", "--dry-run", "--since", day, "--until", day)
    assert "1 article read again: 1 would" in one_day.stdout
    assert "0 articles read" in older.run("reextract", "--until", "2001-01-01").stdout
    assert (
        "3 articles read" in older.run("reextract", "--dry-run", "--feed", "新浪财经－國內").stdout
    )
    for wrong in (
        ("--feed", "x"),
        ("--since", "y"),
        ("--since", "2024-02-02", "--until", "2024-01-01"),
    ):
        refused = older.run("reextract", *wrong)
        assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)


def test_a_page_that_no_rule_reads_leaves_its_article_as_it_was(older):
    """Exit 1 and a line; what has no kept page is counted."""
    change(
        older,
        "UPDATE captures SET sha256 = 'x' WHERE id = (SELECT capture_id FROM revisions WHERE article_id = 1)",
    )
    change(older, "UPDATE revisions SET capture_id = NULL WHERE article_id = 2")
    done = older.run("reextract")
    assert done.returncode == 1
    assert "article 1: " in done.stderr
    assert "2 articles read again: 0 changed, 1 unreadable, 1 without a kept page" in done.stdout
    assert older.query("SELECT content_text FROM articles WHERE id = 1") == [(OLD_TEXT,)]
    assert older.query("SELECT count(*) FROM revisions") == [(3,)]


@pytest.mark.every_store
def test_a_page_that_is_kept_as_a_revisit_is_read(site, net):
    """An edit that was taken back: the newest capture refers to the first one's body."""
    one = made_up(1)
    site.configure(schedule='recheck = ["1h", "2h", "3h"]')
    publish(net, [one])
    site.run("--once")
    for page in (replace(one, title="改过的标题"), one):
        net.serve(page.url, finance_page(page))
        site.make_due()
        site.run("--once")
    assert [row[:2] for row in site.query(HISTORY)] == [(1, "new"), (2, "edit"), (3, "edit")]
    lengths = site.query("SELECT warc_length FROM captures WHERE url LIKE '%doc-%' ORDER BY id")
    assert lengths[2][0] < lengths[0][0] / 2
    assert site.run("verify").stdout.startswith("0 disagreements")
    text = site.query("SELECT content_text FROM articles")
    change(site, f"UPDATE articles SET media = '{OLD_TEXT}'")
    assert site.run("reextract").returncode == 0
    assert site.query(HISTORY)[3][1] == "reextract"
    assert site.query("SELECT content_text FROM articles") == text
    assert site.query("SELECT media FROM articles") == [(one.media,)]


@pytest.fixture
def seen_twice(site, net):
    """Give an article whose page was the same at a second look, a run and a WARC file later."""
    publish(net, [made_up(1)])
    site.run("--once")
    change(site, "UPDATE articles SET etag = '', last_modified = ''")
    site.make_due()
    site.run("--once")
    first, second = site.query(
        "SELECT warc_file, warc_length FROM captures WHERE url LIKE '%doc-%' ORDER BY id"
    )
    assert second[1] < first[1]
    site.first_file = site.folder / "warc" / first[0]
    return site


def test_a_revisit_whose_capture_lost_it_is_found_again(seen_twice):
    """By what it refers to, for it has no body to be known by."""
    places = "SELECT id, warc_file, warc_offset, warc_length FROM captures"
    before = seen_twice.query(places)
    change(seen_twice, "UPDATE captures SET warc_file = NULL WHERE id = 3")
    found = seen_twice.run("verify", "--repair")
    assert "no capture points to it" in found.stdout
    assert seen_twice.query(places) == before
    assert seen_twice.run("verify").stdout.startswith("0 disagreements")


def test_a_revisit_of_a_body_that_was_lost_is_said(seen_twice):
    """It holds nothing then; and it is said once, not for ever."""
    seen_twice.first_file.unlink()
    found = seen_twice.run("verify", "--repair")
    assert "refers to a body that is not kept any more" in found.stdout
    again = seen_twice.run("verify")
    assert (again.returncode, again.stdout.splitlines()[-1][:15]) == (0, "0 disagreements")
    assert "1 without a kept page" in seen_twice.run("reextract").stdout


@pytest.mark.every_store
def test_a_second_look_at_the_same_page_by_newer_rules_is_no_edit(older, net):
    """The bytes are those that were kept: it is our reading that changed."""
    change(
        older,
        "UPDATE articles SET etag = '', last_modified = '', next_check_at = '2000-01-01T00:00:00Z' WHERE id = 1",
    )
    times = older.query("SELECT updated_at FROM articles ORDER BY id")
    older.run("--once")
    assert [row[:2] for row in older.query(HISTORY)] == [(1, "new"), (2, "reextract")]
    assert older.query("SELECT updated_at FROM articles ORDER BY id") == times
    assert older.files() == older.whole


def test_what_the_feed_filled_in_stays(site, net):
    """A page without a medium or keywords has those of its entry: that is no difference."""
    one = made_up(1)
    publish(net, [one])
    bare = (
        finance_page(one).replace('name="mediaid"', 'name="x"').replace(">" + one.media + "<", "><")
    )
    net.serve(one.url, bare.replace('property="article:author"', 'property="y"'))
    site.run("--once")
    assert site.query("SELECT media FROM articles") == [(one.media,)]
    assert "1 article read again: 0 would change" in site.run("reextract", "--dry-run").stdout
    change(site, "UPDATE articles SET media = '误读'")
    site.run("reextract")
    assert site.query("SELECT media FROM articles") == [("",)]


@pytest.mark.every_store
def test_a_stop_loses_nothing_and_the_next_run_goes_on(site, net, monkeypatch):
    """What was read is stored; nothing is begun any more."""
    a_transaction, count = 10, 15
    monkeypatch.setattr("ingestor.pipeline.reextract.ARTICLES_A_TRANSACTION", a_transaction)
    publish(net, [made_up(number) for number in range(1, count + 1)])
    site.run("--once")
    read_by_older_rules(site, *range(1, count + 1))
    archive = load(site.folder / "config.toml", {}).archive
    database, clock = site.database(), Clock()

    def go(until: int) -> int:
        seen = 0
        steps = reextract(
            archive, database, InlineWorkers(), clock, filters=Filters(), dry_run=False
        )
        for one in steps:
            seen += one.outcome == "changed"
            if seen >= until:
                clock.stop.set()
        return seen

    first = go(1)
    assert a_transaction <= first < count
    stored = "SELECT count(*) FROM revisions WHERE cause = 'reextract'"
    assert site.query(stored) == [(first,)]
    assert site.query("SELECT count(*) FROM articles WHERE file_sha256 IS NULL") == [(0,)]
    clock.stop.clear()
    assert go(count) == count - first
    assert site.query(stored) == [(count,)]
    database.close()


def test_a_kill_at_any_point_loses_and_doubles_nothing(driver, older, tmp_path):
    """Around each commit, fsync and rename."""
    whole = copy_of(older, tmp_path / "whole")
    assert driver.run(whole, "reextract") == 0, said(whole)
    points = points_of(whole)
    assert {"before commit", "after commit", "after rename"} <= set(points)
    for number in range(1, len(points) + 1):
        victim = copy_of(older, tmp_path / str(number))
        assert driver.run(victim, "reextract", kill_at=number) == -signal.SIGKILL
        assert_sound(victim, [older.files(), whole.files()])
        assert driver.run(victim, "reextract") == 0
        assert victim.files() == whole.files(), points[number - 1]
        assert holdings(victim) == holdings(whole), points[number - 1]


@pytest.mark.every_store
def test_a_running_daemon_is_not_disturbed(older, driver):
    """Only one run writes; looking is allowed."""
    database = older.database()
    with only_run(database):
        refused = older.run("reextract")
        assert (refused.returncode, "in use by process" in refused.stderr) == (75, True)
        assert older.run("reextract", "--dry-run").returncode == 0
    database.close()


def test_an_unchanged_feed_is_kept_as_a_revisit(site, net):
    """A server that knows no 304 sends the same again: kept once, and that it was sent is kept."""
    net.serve(FEED_URL, rsshub_feed([made_up(1)]))
    site.configure(feed(more='content = "feed"\n'))
    for _ in range(2):
        change_validators = "UPDATE feeds SET etag = '', last_modified = '', next_poll_at = NULL"
        assert site.run("--once").returncode == 0
        change(site, change_validators)
    (first, second) = site.query("SELECT sha256, warc_length FROM captures ORDER BY id")
    assert first[0] == second[0]
    assert second[1] < first[1]
    assert site.run("verify").stdout.startswith("0 disagreements")
