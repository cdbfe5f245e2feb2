"""Horizontal bars as SVG: what a table says, for the eye."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

_WIDTH = 760
_LABEL = 250
_NUMBER = 70
_BAR = 22
_ROW = 30
_OURS = "#c0392b"
_THEIRS = "#95a5a6"

Panel = tuple[str, Sequence[tuple[str, float]]]
"""A heading, and names with their values; the first is ours."""


def bars(panels: Sequence[Panel]) -> str:
    """Return an SVG picture of panels, one above the other; in each the longest bar is full."""
    parts, at = [], 10
    for heading, values in panels:
        parts.append(f'<text x="10" y="{at + 18}" font-weight="bold">{escape(heading)}</text>')
        at += 30
        longest = max(value for _, value in values) or 1
        for number, (name, value) in enumerate(values):
            parts.append(_bar(at, name, value, value / longest, ours=number == 0))
            at += _ROW
        at += 15
    style = 'font-family="sans-serif" font-size="13"'
    size = f'width="{_WIDTH}" height="{at}" viewBox="0 0 {_WIDTH} {at}"'
    body = "\n".join(parts)
    back = f'<rect width="{_WIDTH}" height="{at}" fill="white"/>'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} {style}>\n{back}\n{body}\n</svg>\n'


def _bar(at: int, name: str, value: float, share: float, *, ours: bool) -> str:
    length = max(1.0, share * (_WIDTH - _LABEL - _NUMBER - 20))
    line = at + _BAR - 6
    colour = _OURS if ours else _THEIRS
    return (
        f'<text x="{_LABEL - 10}" y="{line}" text-anchor="end">{escape(name)}</text>'
        f'<rect x="{_LABEL}" y="{at}" width="{length:.1f}" height="{_BAR}" fill="{colour}"/>'
        f'<text x="{_LABEL + length + 8:.1f}" y="{line}">{value:.1f}</text>'
    )
