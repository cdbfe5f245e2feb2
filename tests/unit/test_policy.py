"""The decisions about time: pure arithmetic, as tables of cases."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ingestor import policy
from ingestor.errors import (
    FeedUnreadable,
    Forbidden,
    Gone,
    NoArticle,
    Refused,
    TooLarge,
    Unreachable,
)
from ingestor.model import Feed, FeedState, StatedDate, Validators

NOW = datetime(2024, 5, 1, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)

TROUBLE = {
    Gone: "gone",
    Refused: "refused",
    Unreachable: "broken",
    FeedUnreadable: "broken",
    NoArticle: "permanent",
    Forbidden: "permanent",
    TooLarge: "permanent",
}


@pytest.mark.parametrize(
    ("error", "kind"), TROUBLE.items(), ids=lambda value: getattr(value, "__name__", value)
)
def test_each_error_has_its_rule(error, kind):
    """What is gone is tried less often than what is broken."""
    assert policy.failure_kind(error("x")) == kind


TRIES = {"gone": 2, "refused": 3, "broken": 8, "permanent": 1}


@pytest.mark.parametrize(("kind", "tries"), TRIES.items())
def test_an_entry_is_tried_so_often_and_then_parked(kind, tries):
    """Pending after each failure but the last."""
    states = [
        policy.after_failure(kind, attempt, NOW, chance=0).state for attempt in range(1, tries + 1)
    ]
    assert states == ["pending"] * (tries - 1) + ["parked"]


def test_a_missing_page_is_looked_at_again_a_day_later():
    """It may have been announced before it was published."""
    assert policy.after_failure("gone", 1, NOW, chance=0).next_attempt_at == NOW + DAY


def test_a_broken_page_is_tried_over_three_days_with_growing_waits():
    """Eight tries; each wait is longer than the one before."""
    waits = policy.RETRY_WAITS["broken"]
    assert list(waits) == sorted(waits)
    assert timedelta(days=2.5) < sum(waits, timedelta()) <= timedelta(days=3.1)


def test_chance_spreads_the_waits_by_a_tenth():
    """What failed together does not come back together."""
    early = policy.after_failure("gone", 1, NOW, chance=0).next_attempt_at
    late = policy.after_failure("gone", 1, NOW, chance=0.999).next_attempt_at
    assert timedelta(0) < late - early <= DAY / 10


POLLS = {
    "it answered": (5 * MINUTE, 0, 5 * MINUTE),
    "it failed once": (5 * MINUTE, 1, 10 * MINUTE),
    "it failed thrice": (5 * MINUTE, 3, 40 * MINUTE),
    "it fails for days": (5 * MINUTE, 50, DAY),
    "it fails for ever": (5 * MINUTE, 10_000, DAY),
    "it is asked once a week anyway": (7 * DAY, 4, 7 * DAY),
}


@pytest.mark.parametrize(("interval", "failures", "wait"), POLLS.values(), ids=POLLS)
def test_a_failing_feed_backs_off_to_at_most_a_day(interval, failures, wait):
    """It doubles with each failure in a row, and an answer ends it."""
    due = policy.next_poll(NOW, interval, failures=failures, jitter=MINUTE, chance=0)
    assert due == NOW + wait


def test_jitter_is_added():
    """Feeds spread."""
    due = policy.next_poll(NOW, HOUR, failures=0, jitter=MINUTE, chance=0.5)
    assert due == NOW + HOUR + MINUTE / 2


def state(number: int, due: datetime | None) -> FeedState:
    feed = Feed(str(number), "rss", "https://a.example/", (), "")
    return FeedState(number, feed, Validators(), due, failures=0, interval=HOUR)


def test_feeds_are_due_when_their_time_has_come():
    """New ones first, then the longest due; those of the future not at all."""
    states = [
        state(1, NOW - MINUTE),
        state(2, NOW + MINUTE),
        state(3, None),
        state(4, NOW - HOUR),
        state(5, NOW),
    ]
    assert [one.id for one in policy.due_feeds(states, NOW)] == [3, 4, 1, 5]


CHECKS = {
    "at first": (timedelta(0), HOUR),
    "after the first": (HOUR, 6 * HOUR),
    "after a long stop": (7 * HOUR, DAY),
    "after the last": (DAY, None),
}


@pytest.mark.parametrize(("age", "expected"), CHECKS.values(), ids=CHECKS)
def test_an_article_is_looked_at_again_at_its_times(age, expected):
    """Counted from when it was first seen; missed looks are not made up for."""
    delays = [HOUR, 6 * HOUR, DAY]
    due = policy.next_check(NOW, delays, NOW + age)
    assert due == (NOW + expected if expected else None)


SLOWEST = HOUR
INTERVALS = [
    # interval, news, asked, expected: every is 5 minutes, slowest an hour
    (5 * MINUTE, False, timedelta(0), timedelta(minutes=6, seconds=15)),
    (40 * MINUTE, False, timedelta(0), 50 * MINUTE),
    (55 * MINUTE, False, timedelta(0), HOUR),
    (HOUR, False, timedelta(0), HOUR),
    (HOUR, True, timedelta(0), 30 * MINUTE),
    (5 * MINUTE, True, timedelta(0), 5 * MINUTE),
    (7 * MINUTE, True, timedelta(0), 5 * MINUTE),
    (5 * MINUTE, True, 20 * MINUTE, 20 * MINUTE),
    (5 * MINUTE, False, 3 * DAY, HOUR),
    (3 * DAY, False, timedelta(0), HOUR),
    (timedelta(seconds=7), False, timedelta(0), 5 * MINUTE),
]


@pytest.mark.parametrize(("interval", "news", "asked", "expected"), INTERVALS)
def test_a_feed_is_asked_about_as_often_as_it_has_news(interval, news, asked, expected):
    """Quicker with news, slower without; within the operator's bounds, whatever the feed asks."""
    found = policy.next_interval(
        interval, news=news, asked=asked, every=5 * MINUTE, slowest=SLOWEST
    )
    assert found == expected


def test_a_feed_with_a_longer_rhythm_of_its_own_keeps_it():
    """``every`` of a feed may be longer than ``slowest`` of them all."""
    for news in (True, False):
        found = policy.next_interval(DAY, news=news, asked=timedelta(0), every=DAY, slowest=SLOWEST)
        assert found == DAY


@pytest.mark.parametrize("gap", [30 * MINUTE, 2 * HOUR])
def test_polls_settle_at_the_rhythm_of_the_news(gap):
    """A feed with news every so often is asked two to eight times in between, not thirty."""
    interval, since, polls, news_seen = 5 * MINUTE, timedelta(0), 0, 0
    for _ in range(2_000):
        since += interval
        polls += 1
        news = since >= gap
        news_seen += news
        since = since % gap
        interval = policy.next_interval(
            interval, news=news, asked=timedelta(0), every=MINUTE, slowest=DAY
        )
    assert 2 <= polls / news_seen <= 8


def moved(to="", times=0):
    return replace(state(1, None), moved_to=to, moved_polls=times)


NEW, OTHER = "https://new.example/rss", "https://other.example/rss"
MOVES = [
    # known address and count, this poll's redirect for good, expected
    ("", 0, "", ("", 0)),
    ("", 0, NEW, (NEW, 1)),
    (NEW, 1, NEW, (NEW, 2)),
    (NEW, 2, NEW, (NEW, 3)),
    (NEW, 2, OTHER, (OTHER, 1)),
    (NEW, 2, "", ("", 0)),
    (NEW, 3, "", (NEW, 3)),
    (NEW, 3, OTHER, (NEW, 3)),
]


@pytest.mark.parametrize(("known", "times", "seen", "expected"), MOVES)
def test_an_address_moves_after_three_redirects_in_a_row(known, times, seen, expected):
    """One may be a slip; once moved it stays while the new address answers."""
    assert policy.after_redirect(moved(known, times), seen) == expected


def test_a_moved_feed_is_asked_at_its_new_address():
    """From the third redirect on."""
    asked = [policy.asked_at(moved(NEW, times)) for times in range(4)]
    assert asked[:3] == [state(1, None).feed.url] * 3
    assert asked[3] == NEW


def test_a_stopped_feed_is_never_due():
    """Only `ingest retry` or another address asks it again."""
    assert policy.due_feeds([replace(state(1, None), stopped="HTTP 410")], NOW) == []


LOOK = datetime(2024, 3, 5, 12, 0, tzinfo=UTC)
MORNING = LOOK - 4 * HOUR
FUTURE = LOOK + 7 * 365 * DAY
ITS_DAY = StatedDate("address", datetime(2024, 3, 4, 16, tzinfo=UTC), is_day=True)
OTHER_DAY = StatedDate("address", datetime(2024, 3, 1, 16, tzinfo=UTC), is_day=True)

BELIEVED = {
    "the template before all others": (
        [StatedDate("template", MORNING), StatedDate("structured", MORNING - DAY), OTHER_DAY],
        LOOK,
        ("template", MORNING),
    ),
    "structured data before the feed": (
        [StatedDate("structured", MORNING), OTHER_DAY],
        LOOK,
        ("structured", MORNING),
    ),
    "a page's 2031 is not": (
        [StatedDate("template", FUTURE), StatedDate("structured", MORNING)],
        LOOK,
        ("structured", MORNING),
    ),
    "the feed's time on the day of the address": (
        [StatedDate("template", FUTURE), ITS_DAY],
        MORNING,
        ("feed", MORNING),
    ),
    "the day of the address before a feed of another day": (
        [ITS_DAY],
        MORNING - 3 * DAY,
        ("address", ITS_DAY.moment),
    ),
    "a time near the title on the day of the address": (
        [ITS_DAY, StatedDate("near-title", MORNING)],
        None,
        ("near-title", MORNING),
    ),
    "the feed before a date near the title": (
        [StatedDate("near-title", MORNING)],
        LOOK - HOUR,
        ("feed", LOOK - HOUR),
    ),
    "a date near the title where the feed has none": (
        [StatedDate("near-title", MORNING)],
        None,
        ("near-title", MORNING),
    ),
    "a clock that is a little ahead": (
        [StatedDate("template", LOOK + 15 * MINUTE)],
        MORNING,
        ("template", LOOK + 15 * MINUTE),
    ),
    "a feed's time to come is not": ([], LOOK + 16 * MINUTE, ("", None)),
    "nobody says": ([], None, ("", None)),
}


@pytest.mark.parametrize(("stated", "announced_at", "expected"), BELIEVED.values(), ids=BELIEVED)
def test_the_first_witness_that_can_be_right_is_believed(stated, announced_at, expected):
    """What all of them state stays on record."""
    publication = policy.believed_publication(stated, announced_at, LOOK)
    assert (publication.witness, publication.published_at) == expected
    assert set(publication.stated) >= set(stated)
    assert len(publication.stated) == len(stated) + (announced_at is not None)
