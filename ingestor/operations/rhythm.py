"""Is a feed late, by its own rhythm? Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise

FEWEST_ARTICLES = 6
"""With fewer, a feed has no rhythm yet, and nothing is said of it."""

SHORTEST_SILENCE = timedelta(hours=12)
"""A night is no trouble, also for a feed whose known articles all came within one day."""

LATE_POLLS = 3
"""Intervals without an answer after which it is not chance any more."""

GRACE = timedelta(minutes=10)
"""On top of that: a pass over many feeds takes its time."""


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
