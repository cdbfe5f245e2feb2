"""Killed at any moment, the next start picks up exactly where it stopped."""

import itertools
import random
import shutil
import signal
from dataclasses import dataclass, replace

import pytest

from ingestor.archive.warc import reader
from ingestor.archive.warc.reader import Record
from tests.faults.laboratory import (
    SOAK,
    assert_nothing_is_damaged,
    assert_sealed,
    assert_sound,
    copy_of,
    holdings,
    output,
    points_of,
    said,
)
from tests.support import several_pages
from tools.living import LONGEST
from tools.made_up_sina import FEED_URL, finance_page, made_up, publish, rsshub_feed
from tools.running import Site, feed

SECOND = "https://rsshub.example/sina/finance/rollnews"
KILLS = {"sqlite": 600, "postgresql": 150} if SOAK else {"sqlite": 8, "postgresql": 3}
"""At random moments."""

VERIFIED = 5
"""Every so many kills, the archive is compared as the kill left it."""

STEPS = {"sqlite": 1, "postgresql": 2} if SOAK else {"sqlite": 3, "postgresql": 7}
"""Every so many points: fewer where runs take longer. Befores and afters take turns: an odd step
meets both."""

ARTICLES = [made_up(number) for number in range(1, 8)]


def step_of(site: Site) -> int:
    """Return how far apart the points are at which runs are killed."""
    return STEPS["postgresql" if site.store else "sqlite"]


def prepare(site: Site) -> None:
    """Two feeds that overlap; one page is missing, and its feed carries the text."""
    publish(site.net, ARTICLES[:5])
    site.net.serve(SECOND, rsshub_feed(ARTICLES[3:]))
    for one in ARTICLES[5:]:
        site.net.serve(one.url, finance_page(one))
    site.net.fail(ARTICLES[4].url, "404")
    site.configure(feed(), feed(SECOND, "二"), schedule='recheck = ["1h"]')


def edit(site: Site) -> None:
    """Let two pages change, a new article come, and the time for a second look too."""
    for number in (0, 1):
        edited = replace(ARTICLES[number], title=f"更正后的标题{number}")
        site.net.serve(edited.url, finance_page(edited))
    more = made_up(20)
    site.net.serve(more.url, finance_page(more))
    site.net.serve(FEED_URL, rsshub_feed([more, *ARTICLES[:5]]))
    site.make_due()


@pytest.mark.every_store
def test_a_kill_at_any_point_loses_and_doubles_nothing(driver, site, tmp_path, figures):
    """Around every commit, fsync and rename that changes what lies on the disk, and in every record."""
    prepare(site)
    kills = 0
    first = copy_of(site, tmp_path / "first")
    driver.run(first, "--once")
    kills += killed_everywhere(driver, site, first, tmp_path / "a")
    edit(first)
    second = copy_of(first, tmp_path / "second")
    driver.run(second, "--once")
    assert second.query("SELECT count(*) FROM revisions WHERE cause = 'edit'") == [(2,)]
    kills += killed_everywhere(driver, first, second, tmp_path / "b", also=[first.files()])
    assert kills * step_of(site) >= 50
    figures(f"{kills} kills at points that change the disk: nothing lost, nothing twice")


def killed_everywhere(driver, before: Site, after: Site, folder, *, also=()) -> int:
    """Begin again from ``before`` for each point of the run that led to ``after``.

    What arrives close together is written together, so that a slow moment adds a point or
    two: the end is the run that has no such point any more.
    """
    expected, files, kills = holdings(after), after.files(), 0
    assert {"after commit", "after rename", "in the middle of a WARC record"} <= set(
        points_of(after)
    )
    for number in itertools.count(1, step_of(before)):
        victim = copy_of(before, folder / str(number))
        code = driver.run(victim, "--once", kill_at=number)
        name = f"killed at point {number}"
        if killed := code == -signal.SIGKILL:
            kills += 1
            assert_sound(victim, [files, *also])
            if number % VERIFIED == 1:
                assert_nothing_is_damaged(driver, victim, name)
            driver.run(victim, "--once")
        else:
            assert code == 0, f"{name}: {said(victim)}"
            assert len(points_of(victim)) < number
        assert victim.files() == files, f"{name}: {said(victim)}"
        assert holdings(victim) == expected, name
        assert_sealed(victim)
        assert driver.run(victim, "verify") == 0, name + output(victim)
        if not killed:
            break
    return kills


def pages_in_the_warc(site: Site) -> list[str]:
    """Return the addresses of the pages that lie in WARC files, in whole records."""
    found = (reader.scan(path) for path in (site.folder / "warc").glob("*.warc.gz"))
    records = [record for scanned in found for record in scanned if isinstance(record, Record)]
    return [record.url for record in records if "doc-" in record.url]


def three_articles(site: Site) -> int:
    publish(site.net, ARTICLES[:3], full=False)
    return 3


def an_article_on_three_pages(site: Site) -> int:
    several_pages.publish(site.net, {several_pages.NEW: {1: [2], 2: [1, 3], 3: [2]}})
    site.configure(feed(several_pages.FEED))
    return 1


@pytest.mark.every_store
@pytest.mark.parametrize("announced", [three_articles, an_article_on_three_pages])
def test_what_was_received_is_not_asked_for_again(driver, site, tmp_path, announced):
    """Killed at each point after the first page came: what lies in the WARC is read from there."""
    articles = announced(site)
    received = 0
    for number in itertools.count(1, step_of(site)):
        victim = copy_of(site, tmp_path / str(number))
        if driver.run(victim, "--once", kill_at=number) == 0:
            break
        before = pages_in_the_warc(victim)
        received += len(before)
        site.net.forget()
        assert driver.run(victim, "--once") == 0, said(victim)
        asked = [url for url in before if site.net.asked(url.rpartition("/")[2])]
        assert asked == [], f"killed at point {number}"
        assert victim.query("SELECT count(*) FROM articles WHERE origin = 'page'") == [(articles,)]
        assert len(pages_in_the_warc(victim)) == 3
        looks = "SELECT count(*) FROM captures WHERE url LIKE '%doc-%' AND reading = 'article'"
        assert victim.query(looks) == [(articles,)]
        assert driver.run(victim, "verify") == 0, output(victim)
    assert received >= (1 if site.store else 9 // step_of(site))


@pytest.mark.every_store
def test_kills_at_random_moments_lose_and_double_nothing(driver, site, tmp_path, figures):
    """With its worker processes, again and again until it is through; then from the beginning."""
    publish(site.net, [made_up(number) for number in range(1, 21)])
    # The first run takes longer: the process from which workers are forked has just begun.
    for name in ("first", "reference"):
        reference = copy_of(site, tmp_path / name)
        assert driver.run(reference, "--once", kill_after=LONGEST) == 0, said(reference)
    whole, longest = Whole(reference.files(), holdings(reference)), driver.seconds
    chance, kills, rounds = random.Random(20240311), 0, 0
    while kills < KILLS["postgresql" if site.store else "sqlite"]:
        rounds += 1
        victim = copy_of(site, tmp_path / str(rounds))
        while driver.run(victim, "--once", kill_after=chance.uniform(0.02, 1.0) * longest):
            assert "Traceback" not in said(victim)
            assert_sound(victim, [whole.files])
            kills += 1
        whole.compare(driver, victim)
    figures(f"{kills} kills at random moments of {rounds} archives: nothing lost, nothing twice")


@dataclass(frozen=True, slots=True)
class Whole:
    """An archive that nothing disturbed."""

    files: dict[str, str]
    held: dict[str, list[tuple]]

    def compare(self, driver, site: Site) -> None:
        """Assert that another one is as this, and remove it."""
        assert site.files() == self.files, said(site)
        assert holdings(site) == self.held
        assert driver.run(site, "verify") == 0, output(site)
        shutil.rmtree(site.folder)
