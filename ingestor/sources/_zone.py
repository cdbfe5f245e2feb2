"""A feed that reads its source's zone wrongly: it shows it itself, and is set right. Pure.

RSSHub in a container that runs in UTC takes Beijing's 19:22 for Greenwich's: an item is then
younger than the feed that announces it. A feed that was built at 11:30 has no item of 19:22, but
may well have one of 11:22, eight hours before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import pairwise
from math import ceil
from statistics import median_high

from ingestor.identity import publication_day
from ingestor.model import Entry, FeedDocument, Response
from ingestor.text.dates import CLOCK_SKEW, SHANGHAI
from ingestor.text.written_dates import address_day, parse_date

HOUR = timedelta(hours=1)

MOST_HOURS = 14
"""No place is farther from Greenwich (the Line Islands): more is another fault."""

ONE_BUILD = timedelta(days=1)
"""How long a feed that is alive may go on saying when it was built last."""


def with_zone_set_right(
    document: FeedDocument, response: Response, built_at: datetime | None
) -> FeedDocument:
    """Return the feed with its times set right, if it shows that they are whole hours too late.

    ``built_at`` is when the feed says that it was made, if it does. The shift is the least with
    which no item is younger than that and than the answer; it is the same for all items.
    """
    claims = list(_claims(document.entries))
    newest = max((moment for moment, _ in claims), default=None)
    if newest is None:
        return document
    made_at = min(_clocks(response, built_at, newest), default=newest)
    if newest <= made_at + CLOCK_SKEW:
        return document
    shift = ceil((newest - made_at) / HOUR) * HOUR
    if shift > MOST_HOURS * HOUR or not _explains(shift, claims, made_at):
        return document
    entries = tuple(_earlier(entry, shift) for entry in document.entries)
    return replace(document, entries=entries, zone_shift=shift)


def _clocks(response: Response, built_at: datetime | None, newest: datetime) -> Iterator[datetime]:
    """Yield the moments before which all items were published, as far as that is known.

    Some feeds are built but once a day, and say so by a midnight, or by items that came since:
    younger than what the feed says, and not than the answer of the same day.
    """
    answered_at = parse_date(response.header("date"))
    if answered_at:
        yield answered_at
    if built_at is None or not all(any(_clock(built_at, zone)) for zone in (UTC, SHANGHAI)):
        return
    now = answered_at or response.fetched_at
    if newest > now or now - built_at > ONE_BUILD:
        yield built_at


def _clock(moment: datetime, zone: tzinfo) -> tuple[int, ...]:
    return moment.astimezone(zone).timetuple()[3:6]


def _claims(entries: Iterable[Entry]) -> Iterator[tuple[datetime, str]]:
    """Yield the moments that were told in some zone, each with its item's address."""
    for entry in entries:
        if entry.published_at and _has_zone(entry):
            yield entry.published_at, entry.url


def _has_zone(entry: Entry) -> bool:
    """Whether an item's time was told in some zone: not as Unix seconds, nor from now."""
    return not (entry.is_relative or entry.date_text.isdecimal())


def _explains(shift: timedelta, claims: list[tuple[datetime, str]], made_at: datetime) -> bool:
    """Whether times are read wrongly, rather than right and still to come: a planned article's.

    The days in the items' addresses decide, where they differ. Else one item that is younger
    than the feed, beside older ones, is a planned one, unless it follows the one before it as soon
    as they follow each other: a slow feed has no second one within the hours that it is late.
    """
    claimed, set_right = _on_their_day(claims, timedelta(0)), _on_their_day(claims, shift)
    if claimed != set_right:
        return set_right > claimed
    younger = sum(moment > made_at for moment, _ in claims)
    return younger > 1 or len(claims) == 1 or _is_next(sorted(moment for moment, _ in claims))


def _is_next(moments: list[datetime]) -> bool:
    """Whether the last of these comes no later than they come in the median."""
    *pauses, last = [after - before for before, after in pairwise(moments)]
    return len(pauses) > 0 and last <= median_high(pauses)


def _on_their_day(claims: list[tuple[datetime, str]], shift: timedelta) -> int:
    """Return how many items are of the day in their address, with so much less."""
    return sum(
        publication_day(moment - shift) == publication_day(day)
        for moment, url in claims
        if (day := address_day(url))
    )


def _earlier(entry: Entry, shift: timedelta) -> Entry:
    if entry.published_at is None or not _has_zone(entry):
        return entry
    return replace(entry, published_at=entry.published_at - shift, zone_shift=shift)
