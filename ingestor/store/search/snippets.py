"""Where a query's words stand in a text, and the part of the text around them. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ingestor.text.normalize import normalize

BEFORE = 24
"""Characters shown before the first word that was found."""

LENGTH = 96
"""Characters of a snippet."""


@dataclass(frozen=True, slots=True)
class Snippet:
    """A part of a text, in one line."""

    text: str
    marks: tuple[tuple[int, int], ...]
    """Where words of the query stand in it: first character, and the one behind the last."""


def marks(text: str, words: tuple[str, ...]) -> tuple[tuple[int, int], ...]:
    """Return where normalized words stand in a text, in its own characters, without overlaps."""
    normalized, origin = _normalized(text)
    spans = sorted(
        (origin[at.start()], origin[at.end() - 1] + 1)
        for word in words
        for at in re.finditer(re.escape(word), normalized)
    )
    merged: list[tuple[int, int]] = []
    for start, end in spans:
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return tuple(merged)


def snippet(text: str, words: tuple[str, ...]) -> Snippet:
    """Return the part of a text with the first word that is found in it, else its beginning."""
    line = re.sub(r"\s", " ", text)
    spans = marks(line, words)
    start = max(0, spans[0][0] - BEFORE) if spans else 0
    end = min(len(line), start + LENGTH)
    front, back = "…" if start else "", "…" if end < len(line) else ""
    inside = tuple(
        (max(first, start) - start + len(front), min(last, end) - start + len(front))
        for first, last in spans
        if first < end
    )
    return Snippet(f"{front}{line[start:end]}{back}", inside)


def _normalized(text: str) -> tuple[str, list[int]]:
    """Return a text normalized character by character, and where each of its characters was."""
    parts, origin = [], []
    for number, character in enumerate(text):
        part = normalize(character)
        parts.append(part)
        origin += [number] * len(part)
    return "".join(parts), origin
