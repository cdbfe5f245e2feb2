"""robots.txt over time: kept, asked again conditionally, and outliving an outage."""

from datetime import UTC, datetime

import pytest

from ingestor.errors import Refused, Unreachable
from ingestor.fetch.robots import FAILED_SECONDS, KEPT_SECONDS, SHORTEST_SECONDS, Robots
from ingestor.model import Response

PAGE = "https://finance.sina.example/a.shtml"
RULES = b"User-agent: *\nDisallow: /private\nCrawl-delay: 3\n"


class Site:
    """A site's robots.txt, a clock, and what was asked and told."""

    def __init__(self):
        self.now = 1000.0
        self.status, self.body, self.headers = 200, RULES, ()
        self.asked, self.delays = [], []
        self.robots = Robots(self.get, "ingestor", lambda: self.now, self.delay)

    def get(self, request):
        self.asked.append(dict(request.headers))
        if self.status == 0:
            raise Unreachable("no such host")
        moment = datetime(2024, 5, 1, tzinfo=UTC)
        return Response(request.url, request.url, self.status, self.headers, self.body, moment)

    def is_asked_for(self, url):
        """Check a page; return whether the file was asked for."""
        asked, known = len(self.asked), self.robots.is_known(url)
        self.robots.check(url)
        assert known == (len(self.asked) == asked)
        return not known

    def delay(self, origin, seconds):
        self.delays.append((origin, seconds))


@pytest.fixture
def origin():
    return Site()


def test_it_is_asked_for_once_a_day_and_then_conditionally(origin):
    """304 renews what is known; the crawl delay is told once."""
    origin.headers = (("ETag", '"1"'), ("Last-Modified", "Wed, 01 May 2024 00:00:00 GMT"))
    assert origin.is_asked_for(PAGE)
    assert not origin.is_asked_for(PAGE)
    assert origin.delays == [("https://finance.sina.example", 3.0)]
    origin.now += KEPT_SECONDS
    origin.status, origin.body = 304, b""
    assert origin.is_asked_for(PAGE)
    assert origin.asked == [
        {},
        {"If-None-Match": '"1"', "If-Modified-Since": "Wed, 01 May 2024 00:00:00 GMT"},
    ]
    with pytest.raises(Refused):
        origin.robots.check("https://finance.sina.example/private/x")


@pytest.mark.parametrize(
    ("control", "kept"),
    [
        ("max-age=7200", 7200.0),
        ("max-age=0", SHORTEST_SECONDS),
        ("max-age=9999999", KEPT_SECONDS),
        ("no-store", KEPT_SECONDS),
    ],
)
def test_its_own_expiry_counts_within_limits(origin, control, kept):
    """Between an hour and a day (RFC 9309, 2.4)."""
    origin.headers = (("Cache-Control", control),)
    origin.robots.check(PAGE)
    origin.now += kept - 1
    assert not origin.is_asked_for(PAGE)
    origin.now += 1
    assert origin.is_asked_for(PAGE)


@pytest.mark.parametrize("status", [0, 500, 503, 429])
def test_an_outage_forbids_everything_until_rules_are_known(origin, status):
    """RFC 9309, 2.3.1.4; asked again after some minutes."""
    origin.status = status
    for _ in range(3):
        with pytest.raises(Unreachable):
            origin.robots.check(PAGE)
    assert len(origin.asked) == 1
    origin.now += FAILED_SECONDS
    origin.status = 200
    assert origin.is_asked_for(PAGE)


@pytest.mark.parametrize("status", [0, 500, 429])
def test_known_rules_outlive_an_outage(origin, status):
    """What it allowed and forbade yesterday holds."""
    origin.robots.check(PAGE)
    origin.now += KEPT_SECONDS
    origin.status = status
    assert origin.is_asked_for(PAGE)
    with pytest.raises(Refused):
        origin.robots.check("https://finance.sina.example/private/x")


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_a_site_without_the_file_has_no_rules(origin, status):
    """RFC 9309, 2.3.1.3."""
    origin.status = status
    assert origin.is_asked_for("https://finance.sina.example/private/x")
