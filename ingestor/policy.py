"""Decisions about time: when to poll, to retry, to look again, and when to worry. Pure.

==========================  ========================================================
a feed                      ``due_feeds``, ``next_interval``, ``next_poll``,
                            ``asked_at``, ``after_redirect``
a feed that went quiet      ``longest_silence``, ``quiet_since``, ``is_unanswered``
an entry that failed        ``failure_kind``, ``after_failure``
an article                  ``believed_publication``, ``next_check``
a hit of a watch            ``next_delivery``
==========================  ========================================================

Every function is handed ``now`` and, where chance takes part, a number drawn by the caller; none
reads a clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Literal

from ingestor.errors import (
    Forbidden,
    Gone,
    IngestorError,
    NoArticle,
    NoPage,
    Refused,
    TooLarge,
    TooSlow,
    WorkerDied,
)
from ingestor.identity import publication_day
from ingestor.model import FeedState, Publication, StatedDate
from ingestor.text.dates import CLOCK_SKEW

LONGEST_WAIT = timedelta(days=1)
"""A failing feed is asked at least this often: it recovers without anybody's help."""

MOVES_IN_A_ROW = 3
"""Redirects for good before an address is taken for the new one: one may be a slip."""

FEWEST_ARTICLES = 6
"""With fewer, a feed has no publication interval yet, and nothing is said of it."""

SHORTEST_SILENCE = timedelta(hours=12)
"""A night is no staleness, also for a feed whose known articles all came within one day."""

LATE_POLLS = 3
"""Intervals without an answer after which it is not chance any more."""

GRACE = timedelta(minutes=10)
"""On top of that: a pass over many feeds takes its time."""

FIRST_DELIVERY_WAIT = timedelta(seconds=10)
"""A receiver that is restarted is back by then."""

LONGEST_DELIVERY_WAIT = timedelta(hours=6)

FailureKind = Literal["gone", "refused", "broken", "permanent"]

RETRY_WAITS: dict[FailureKind, tuple[timedelta, ...]] = {
    # A page may be announced before it is published: a second look a day later.
    "gone": (timedelta(days=1),),
    # Refusals are rarely lifted within minutes, and asking on is impolite.
    "refused": (timedelta(hours=1), timedelta(hours=12)),
    # Eight tries over three days: an outage over a week-end is survived.
    "broken": (
        timedelta(minutes=5),
        timedelta(minutes=30),
        *(timedelta(hours=hours) for hours in (2, 6, 12, 24, 27)),
    ),
    # The same bytes will not become an article by being read again.
    "permanent": (),
}
"""The wait after each failed try; an entry that fails once more is parked."""


def due_feeds(states: Sequence[FeedState], now: datetime) -> list[FeedState]:
    """Return the feeds whose time has come, the longest due first; never a stopped one."""
    due = [
        state
        for state in states
        if not state.stopped and (state.next_poll_at is None or state.next_poll_at <= now)
    ]
    return sorted(
        due, key=lambda state: (state.next_poll_at is not None, state.next_poll_at or now)
    )


def next_interval(
    interval: timedelta, *, news: bool, asked: timedelta, every: timedelta, slowest: timedelta
) -> timedelta:
    """Return the time between two polls of a feed that answered, in whole seconds.

    It halves with news and grows by a quarter without: so it comes to rest where about one poll
    in four brings something, however often the feed publishes, and is short again with its first
    news. ``asked`` is the least that the feed itself asks for; ``every`` and ``slowest`` are the
    operator's bounds, and hold against the feed too.
    """
    wanted = max(interval / 2 if news else interval * 5 / 4, asked, every)
    return timedelta(seconds=round(min(wanted, max(slowest, every)).total_seconds()))


def next_poll(
    now: datetime, interval: timedelta, *, failures: int, jitter: timedelta, chance: float
) -> datetime:
    """Return when a feed is due again after ``failures`` failed polls in a row (0: none)."""
    # Beyond 2^20 intervals the bound decides anyway; an endless outage must not overflow.
    wait = min(interval * 2 ** min(failures, 20), max(LONGEST_WAIT, interval))
    due: datetime = now + wait + jitter * chance
    return due


def asked_at(state: FeedState) -> str:
    """Return the address at which a feed is asked: its own, or where it moved for good."""
    moved = state.moved_to and state.moved_polls >= MOVES_IN_A_ROW
    return state.moved_to if moved else state.feed.url


def after_redirect(state: FeedState, moved_to: str) -> tuple[str, int]:
    """Return where a feed has moved to and how many polls in a row said so, this one included.

    ``moved_to`` is where this poll was redirected for good, ``""`` if it was not. A feed that
    is asked at its new address stays there while that answers.
    """
    if asked_at(state) != state.feed.url:
        return state.moved_to, state.moved_polls
    if not moved_to:
        return "", 0
    return moved_to, state.moved_polls + 1 if moved_to == state.moved_to else 1


def longest_silence(published: Sequence[datetime]) -> timedelta | None:
    """Return how long a feed may announce nothing: three times its longest pause so far.

    ``published`` are the moments of its latest articles, in any order; ``None``: too few.
    """
    moments = sorted(published)
    if len(moments) < FEWEST_ARTICLES:
        return None
    pauses = (after - before for before, after in pairwise(moments))
    return max(3 * max(pauses), SHORTEST_SILENCE)


def quiet_since(
    last_new_at: datetime | None, silence: timedelta | None, now: datetime
) -> datetime | None:
    """Return since when a feed announced nothing, if that is longer than it ever was."""
    if last_new_at is None or silence is None or now - last_new_at <= silence:
        return None
    return last_new_at


def is_unanswered(last_ok_at: datetime | None, interval: timedelta, now: datetime) -> bool:
    """Return whether a feed that once answered has not done so for several intervals."""
    return last_ok_at is not None and now - last_ok_at > LATE_POLLS * interval + GRACE


@dataclass(frozen=True, slots=True)
class Retry:
    """What becomes of an entry after a failed try."""

    state: Literal["pending", "parked"]
    next_attempt_at: datetime | None


def failure_kind(error: IngestorError) -> FailureKind:
    """Return how an error is retried: a key of :data:`RETRY_WAITS`."""
    match error:
        case Gone():
            return "gone"
        case Refused():
            return "refused"
        case NoPage():
            return "broken"
        case NoArticle() | Forbidden() | TooLarge() | TooSlow() | WorkerDied():
            return "permanent"
    return "broken"


def after_failure(kind: FailureKind, attempts: int, now: datetime, *, chance: float) -> Retry:
    """Decide about an entry that has now been tried ``attempts`` times, the last included.

    ``chance`` in [0, 1) spreads the waits by up to a tenth, so that entries that failed
    together do not come back together.
    """
    waits = RETRY_WAITS[kind]
    if attempts > len(waits):
        return Retry("parked", None)
    return Retry("pending", now + waits[attempts - 1] * (1 + chance / 10))


def next_delivery(
    now: datetime, attempts: int, *, asked: timedelta | None, chance: float
) -> datetime:
    """Return when a hit is tried again after so many failed deliveries, ``asked`` its receiver's.

    From ten seconds to six hours, for as long as it takes: no hit is given up.
    """
    wait = min(FIRST_DELIVERY_WAIT * 3 ** min(attempts - 1, 20), LONGEST_DELIVERY_WAIT)
    due: datetime = now + max(wait, asked or wait) * (1 + chance / 10)
    return due


def believed_publication(
    stated: Sequence[StatedDate], announced_at: datetime | None, looked_at: datetime | None
) -> Publication:
    """Decide when an article was published: by the first witness that can be believed.

    ``stated`` are the page's (:attr:`Article.stated_dates`), ``announced_at`` the feed's; a date
    near the title comes after it. A time later than ``looked_at``, the moment of the look, and
    :data:`CLOCK_SKEW` is not believed (``None``: every time is). A day alone takes its time from
    the next witness of that day, and is its midnight in China where there is none.
    """
    announced = [StatedDate("feed", announced_at)] if announced_at else []
    near = [date for date in stated if date.witness == "near-title"]
    every = (*(date for date in stated if date not in near), *announced, *near)
    believed = [date for date in every if not looked_at or date.moment <= looked_at + CLOCK_SKEW]
    if not believed:
        return Publication(None, "", every)
    first = believed[0]
    if first.is_day:
        day = publication_day(first.moment)
        timed = (date for date in believed if not date.is_day)
        first = next((date for date in timed if publication_day(date.moment) == day), first)
    return Publication(first.moment, first.witness, every)


def next_check(
    first_seen_at: datetime, delays: Sequence[timedelta], now: datetime
) -> datetime | None:
    """Return when to look at an article again after ``now``, or ``None`` for no more.

    ``delays`` count from when the article was first seen. Looks that were missed while the
    program did not run are not made up for one by one: the next one finds the same edits.
    """
    moments = sorted(first_seen_at + delay for delay in delays)
    return next((moment for moment in moments if moment > now), None)
