"""Articles per day as bars of an inline SVG. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 720, 120
"""Of the drawing, in its own units; the page scales it."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A day's bar."""

    day: str
    articles: int
    x: float
    y: float
    width: float
    height: float


def bars(days: Sequence[tuple[str, int]]) -> list[Bar]:
    """Return a bar for each day and its number of articles; the largest fills the height."""
    most = max((count for _, count in days), default=0)
    if not most:
        return []
    # A bar of an archive of few days is no wall.
    step = min(WIDTH / len(days), WIDTH / 20)
    drawn = []
    for number, (day, count) in enumerate(days):
        height = round(HEIGHT * count / most, 1)
        x = round(number * step, 1)
        drawn.append(Bar(day, count, x, HEIGHT - height, round(step * 0.8, 1), height))
    return drawn
