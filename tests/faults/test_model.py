"""Any mixture of feeds, edits, failures and kills, against a model of ten lines."""

import atexit
import tempfile
from dataclasses import replace
from functools import cache
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tests.faults.laboratory import DOUBLES, SOAK, Driver, said
from tools.fake_internet import FakeInternet
from tools.made_up_sina import FEED_URL, finance_page, made_up, rsshub_feed
from tools.running import Site, feed

FEEDS = (FEED_URL, "https://rsshub.example/sina/finance/rollnews")
NUMBERS = st.integers(1, 5)
FEED = st.sampled_from(FEEDS)
STEP = 30 * 3600
"""Seconds between two runs: longer than any wait before a page is tried again."""

MOST_FAILURES = 5
"""Runs that a page fails for at most; after eight tries it would be parked."""


@cache
def driver() -> Driver:
    """Return one for all examples: it takes a second or two to import everything."""
    started = Driver().__enter__()
    atexit.register(started.__exit__)
    return started


class Archive(RuleBasedStateMachine):
    """The world: what the feeds say and the pages hold. The model: what must be archived."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.net = FakeInternet().__enter__()
        self.site = Site(Path(self.folder.name), self.net)
        self.site.configure(
            feed(), feed(FEEDS[1], "二"), schedule='recheck = ["20h", "44h", "68h", "92h"]'
        )
        self.listed: dict[str, list[int]] = {url: [] for url in FEEDS}
        self.titles: dict[int, list[str]] = {}
        self.broken: dict[int, int] = {}
        self.runs = 0
        self.archived: set[int] = set()
        self.sighted: set[tuple[int, str]] = set()
        self.announced: set[tuple[int, str]] = set()
        for number in range(1, 6):
            self.show(number, made_up(number).title)
        self.tell()

    def teardown(self) -> None:
        self.net.__exit__(None)
        self.folder.cleanup()

    def show(self, number: int, title: str) -> None:
        self.titles.setdefault(number, []).append(title)
        one = replace(made_up(number), title=title)
        self.net.serve(one.url, finance_page(one))
        self.broken.pop(number, None)

    def tell(self) -> None:
        for url, numbers in self.listed.items():
            articles = [replace(made_up(one), title=self.titles[one][-1]) for one in numbers]
            self.net.serve(url, rsshub_feed(articles, full=False))

    @rule(number=NUMBERS, url=FEED)
    def announce(self, number, url):
        """Let a feed gain an entry, or repeat one that it has."""
        self.listed[url].insert(0, number)
        self.tell()

    @rule(number=NUMBERS, url=FEED)
    def withdraw(self, number, url):
        """Let a feed lose an entry."""
        self.listed[url] = [one for one in self.listed[url] if one != number]
        self.tell()

    @rule(number=NUMBERS)
    def edit(self, number):
        """Let a page change, and come back if it had failed."""
        self.show(number, f"{made_up(number).title}，第{len(self.titles[number]) + 1}版")
        self.tell()

    @rule(number=NUMBERS)
    def fail(self, number):
        """Let a page fail until it is edited."""
        self.net.fail(made_up(number).url, "500")
        self.broken.setdefault(number, 0)

    @rule(point=st.integers(1, 24))
    def killed(self, point):
        """Let a run die somewhere, or end before that."""
        self.run(point)
        self.run(0)

    @rule()
    def whole(self):
        """Let a run end well."""
        self.run(0)

    def run(self, point: int) -> None:
        self.runs += 1
        for number, failures in list(self.broken.items()):
            self.broken[number] = failures + 1
            if failures >= MOST_FAILURES:
                self.show(number, self.titles[number][-1])
        code = driver().run(self.site, "--once", kill_at=point, clock_shift=self.runs * STEP)
        # The model: what a feed announced is written down, what could be read is archived.
        if code != -9:
            now = {(number, url) for url in FEEDS for number in self.listed[url]}
            self.announced |= now
            readable = {number for number, _ in self.announced} - set(self.broken)
            self.archived |= readable
            self.sighted |= {one for one in self.announced if one[0] in self.archived}
            assert code == (1 if {number for number, _ in self.announced} - self.archived else 0)
            self.compare()

    def compare(self) -> None:
        rows = dict(self.site.query("SELECT document_id, title FROM articles"))
        assert set(rows) == {made_up(one).document_id for one in self.archived}, said(self.site)
        for number in self.archived:
            shown = self.site.query(
                "SELECT r.title FROM revisions r JOIN articles a ON a.id = r.article_id "
                f"WHERE a.document_id = '{made_up(number).document_id}' ORDER BY r.revision"
            )
            titles = [title for (title,) in shown]
            # Every revision is one that the page had, in that order; the last is the article.
            versions = iter(self.titles[number])
            assert all(title in versions for title in titles)
            assert titles[-1] == rows[made_up(number).document_id]
        found = self.site.query(
            "SELECT a.document_id, f.url FROM sightings s JOIN articles a ON a.id = s.article_id JOIN feeds f ON f.id = s.feed_id"
        )
        assert set(found) == {(made_up(one).document_id, url) for one, url in self.sighted}

    @invariant()
    def nothing_is_there_twice(self):
        """Look for doubles, whatever happened."""
        if not (self.site.folder / "archive.db").exists():
            return
        if self.site.query("SELECT count(*) FROM sqlite_master WHERE name = 'entries'") == [(1,)]:
            assert all(self.site.query(sql) == [] for sql in DOUBLES.values())


TestArchive = Archive.TestCase
TestArchive.settings = settings(
    max_examples=100 if SOAK else 6, stateful_step_count=16, deadline=None
)
