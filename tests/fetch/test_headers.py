"""What an answer says about when to come back, and for whom."""

from datetime import UTC, datetime, timedelta

import pytest

from ingestor.fetch.headers import max_age, retry_after, speaks_for_its_host
from ingestor.model import Response

NOW = datetime(2024, 5, 1, 8, 0, tzinfo=UTC)


def answer(status=503, body=b"", url="https://finance.sina.example/a", **headers):
    named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Response(url, url, status, named, body, NOW)


@pytest.mark.parametrize(
    ("written", "seconds"),
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
def test_both_forms_of_retry_after_are_read(written, seconds):
    """RFC 9110, 10.2.3, within a day; nonsense says nothing."""
    wait = retry_after(answer(Retry_After=written))
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
