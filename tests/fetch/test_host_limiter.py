"""How hosts want to be treated: pure arithmetic over handed-in times."""

from datetime import UTC, datetime, timedelta

import pytest

from ingestor.fetch.headers import max_age, retry_after, speaks_for_its_host
from ingestor.fetch.host_limiter import (
    LONGEST_CRAWL_DELAY,
    TROUBLES_IN_A_ROW,
    UNSAID_PAUSE,
    Hosts,
    host_of,
)
from ingestor.model import HostPause, Response

NOW = datetime(2024, 5, 1, 8, 0, tzinfo=UTC)


def answer(status=503, body=b"", url="https://finance.sina.example/a", **headers):
    named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Response(url, url, status, named, body, NOW)


def slow_down(hosts, wait=None):
    hosts.slow_down("a", wait, now=100.0, moment=NOW, reason="HTTP 503")


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://Finance.Sina.example/x", "finance.sina.example"),
        ("http://finance.sina.example:80/x", "finance.sina.example"),
        ("https://finance.sina.example:443/x", "finance.sina.example"),
        ("http://rsshub:1200/sina", "rsshub:1200"),
        ("http://[broken/", ""),
        ("http://a.example:99999/", ""),
    ],
)
def test_a_host_is_one_over_http_and_https(url, host):
    """The pause is the host's, whichever scheme is asked; what is no address has none."""
    assert host_of(url) == host


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("120", 120),
        ("0", 0),
        ("Wed, 01 May 2024 08:10:00 GMT", 600),
        ("Wednesday, 01-May-24 08:10:00 GMT", 600),
        ("Wed, 01 May 2024 07:00:00 GMT", 0),
        ("99999999999999", 86_400),
        ("Fri, 01 May 2099 08:00:00 GMT", 86_400),
        ("soon", None),
        ("-5", None),
        ("", None),
    ],
)
def test_both_forms_of_retry_after_are_read(said, seconds):
    """RFC 9110, 10.2.3, within a day; nonsense says nothing."""
    wait = retry_after(answer(Retry_After=said))
    assert wait == (None if seconds is None else timedelta(seconds=seconds))


def test_retry_after_means_nothing_on_other_answers():
    """Only 429 and 503 ask for fewer requests."""
    assert retry_after(answer(500, Retry_After="60")) is None
    assert retry_after(answer(429, Retry_After="60")) == timedelta(minutes=1)


@pytest.mark.parametrize(
    ("control", "age", "seconds"),
    [
        ("max-age=600", "", 600),
        ("public, Max-Age=600", "100", 500),
        ('max-age="60"', "", 60),
        ("max-age=60", "90", 0),
        ("no-cache, max-age=600", "", None),
        ("s-maxage=600", "", None),
        ("max-age=soon", "", None),
        ("", "", None),
    ],
)
def test_max_age_counts_from_when_the_answer_was_made(control, age, seconds):
    """A cache on the way has used up some of it."""
    fresh = max_age(answer(200, Cache_Control=control, Age=age))
    assert fresh == (None if seconds is None else timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("url", "body", "whole"),
    [
        ("https://rsshub.example/sina/finance/china", b"", False),
        ("https://rss.example/sina", b"<h1>Welcome to RSSHub!</h1>", False),
        ("https://rss.example/sina", b"<title>RSSHub</title>", False),
        ("https://finance.sina.example/rss", b"busy", True),
    ],
)
def test_an_rsshub_route_speaks_for_itself_alone(url, body, whole):
    """Its 503 is about one source, not about the instance (FreshRSS 7870)."""
    assert speaks_for_its_host(answer(503, body, url)) is whole


def test_a_long_pause_is_remembered_and_ends():
    """Until then, and not longer."""
    hosts = Hosts(1.0)
    slow_down(hosts, timedelta(minutes=10))
    until = NOW + timedelta(minutes=10)
    assert hosts.pause("a", NOW) == HostPause(until, "HTTP 503")
    assert hosts.paused(NOW) == {"a": HostPause(until, "HTTP 503")}
    assert hosts.pause("a", until) is None
    assert hosts.paused(until) == {}
    assert hosts.pause("b", NOW) is None


def test_a_short_pause_is_waited_for():
    """A pass need not be given up for seconds."""
    hosts = Hosts(1.0)
    slow_down(hosts, timedelta(seconds=20))
    assert hosts.pause("a", NOW) is None
    assert hosts.turn("a", 100.0) == 20.0
    assert hosts.turn("a", 100.0) == 21.0


def test_answers_that_do_not_say_how_long_slow_down_more_and_more():
    """Twice the pause each time, and after some in a row a real pause; a good answer ends it."""
    hosts = Hosts(1.0)
    waits = []
    for _ in range(TROUBLES_IN_A_ROW - 1):
        slow_down(hosts)
        waits.append(hosts.free_at("a") - 100.0)
    assert waits == [2.0, 4.0, 8.0, 16.0]
    assert hosts.pause("a", NOW) is None
    slow_down(hosts)
    assert hosts.pause("a", NOW) == HostPause(NOW + UNSAID_PAUSE, "HTTP 503")
    well = Hosts(1.0)
    for _ in range(3 * TROUBLES_IN_A_ROW):
        slow_down(well)
        well.answered("a")
    assert well.pause("a", NOW) is None


def test_a_crawl_delay_is_heeded_within_limits():
    """It lengthens our own pause, never shortens it, and ends at a minute."""
    hosts = Hosts(2.0)
    hosts.crawl_delay("a", 5.0)
    hosts.crawl_delay("b", 0.5)
    hosts.crawl_delay("c", 86_400.0)
    for name in "abc":
        hosts.turn(name, 100.0)
    assert [hosts.turn(name, 100.0) for name in "abc"] == [5.0, 2.0, LONGEST_CRAWL_DELAY]


def test_a_pause_of_an_earlier_run_holds():
    """It comes back from the database."""
    known = {"a": HostPause(NOW + timedelta(hours=1), "HTTP 429")}
    hosts = Hosts(0.0, known)
    assert hosts.pause("a", NOW) == known["a"]
    hosts.answered("b")
    assert hosts.paused(NOW) == known
