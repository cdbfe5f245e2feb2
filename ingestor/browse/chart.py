"""A chart of days as an inline SVG: where it draws what. Pure.

All places are percentages, so that the drawing fits every screen and its letters keep their size.
A day without articles is a gap, as wide as any day.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from ingestor.text.dates import is_day

DAYS = 90
"""Days in a chart."""

_ARTICLES, _BELOW = 68.0, 14.0
"""Of the height: for the bars of articles, and for those of edits and doubts below the axis."""


@dataclass(frozen=True, slots=True)
class DayBar:
    """A day of a chart; what is 0 high is not drawn."""

    day: str
    articles: int
    edits: int
    doubts: int
    x: float
    width: float
    height: float
    """Of the bar of articles, which stands on the axis."""
    edits_height: float
    """Of the bar of edits, which hangs below the axis; that of doubts hangs below it."""
    doubts_height: float

    @property
    def y(self) -> float:
        """Return where the bar of articles begins."""
        return round(_ARTICLES - self.height, 2)


@dataclass(frozen=True, slots=True)
class DayChart:
    """A time axis of :data:`DAYS` days, with what happened on them."""

    first: date
    last: date
    bars: tuple[DayBar, ...]
    """Of every day that has something."""
    months: tuple[tuple[date, float], ...]
    """The first day of each month on the axis, and where it is."""
    today: float | None
    """Where today begins; ``None``: it is not on the axis."""
    largest: int
    """Articles of the highest bar."""
    axis: float = _ARTICLES

    @property
    def before(self) -> date:
        """Return the last day of the chart before this one."""
        return self.first - timedelta(days=1)

    @property
    def after(self) -> date:
        """Return the last day of the chart behind this one."""
        return self.last + timedelta(days=DAYS)


def last_shown(asked: str, latest: str, today: date) -> date:
    """Return the day with which a chart ends: the one asked for, today, or the last with articles.

    Today, where the latest article is on the same axis; an old archive is shown where it is.
    """
    if is_day(asked) and date.min + timedelta(days=2 * DAYS) < date.fromisoformat(asked):
        return min(date.fromisoformat(asked), today)
    if not is_day(latest):
        return today
    newest = min(date.fromisoformat(latest), today)
    return today if today - newest < timedelta(days=DAYS) else newest


def day_chart(
    last: date,
    today: date,
    *,
    articles: Mapping[str, int],
    edits: Mapping[str, int],
    doubts: Mapping[str, int],
) -> DayChart:
    """Return the chart that ends with a day, of counts by day."""
    days = [last - timedelta(days=DAYS - 1 - at) for at in range(DAYS)]
    names = [day.isoformat() for day in days]
    step = 100 / DAYS
    largest = max((articles.get(name, 0) for name in names), default=0)
    below = max((edits.get(name, 0) + doubts.get(name, 0) for name in names), default=0)
    bars = []
    for at, name in enumerate(names):
        counts = articles.get(name, 0), edits.get(name, 0), doubts.get(name, 0)
        if not any(counts):
            continue
        heights = (
            _height(counts[0], largest, _ARTICLES - 6),
            _height(counts[1], below, _BELOW),
            _height(counts[2], below, _BELOW),
        )
        bars.append(DayBar(name, *counts, round(at * step, 2), round(step * 0.8, 2), *heights))
    months = tuple(
        (day, round(at * step, 2)) for at, day in enumerate(days) if day.day == 1 and at < DAYS - 4
    )
    now = round((today - days[0]).days * step, 2) if days[0] <= today <= last else None
    return DayChart(days[0], last, tuple(bars), months, now, largest)


def _height(count: int, largest: int, room: float) -> float:
    # What happened once is still to be seen beside what happened a thousand times.
    return round(max(room * count / largest, 1.5), 2) if count else 0.0
