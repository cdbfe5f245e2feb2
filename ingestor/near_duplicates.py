"""Is it the same story, told again with edits? Syndicated copies under other addresses. Pure.

A text becomes a MinHash of its runs of four characters, by one permutation (Li, Owen, Zhang 2012:
one hash a run, the least of each bucket) and densified by rotation (Shrivastava, Li 2014). Three
buckets make a band. Texts that share a band are candidates, found by an index; whether they are
the same story is then decided by their words. Measured: docs/querying.md, "How well it is found".
"""

from __future__ import annotations

import re
from hashlib import blake2b

from ingestor.likeness import LEAST_LENGTH, character_runs

BANDS = 24
_ROWS = 3
_BUCKETS = BANDS * _ROWS

LEAST_RUNS = 20
"""Shorter texts are headlines, which say too little to be copies of one another."""

SAME_STORY_SHARE = 0.5
"""Of the shorter text's runs that the longer one has: ten characters of a hundred, each edited by
itself, leave 0.65 of them, twenty in phrases 0.7."""

SAME_NUMBERS_SHARE = 0.6
"""Of the shorter text's numbers: reports of one template differ in little else …"""

LEAST_NUMBERS = 4
"""… and fewer numbers than this do not tell."""

_NUMBER = re.compile(r"\d+(?:\.\d+)?")


def bands(text: str) -> tuple[int, ...]:
    """Return the bands of a text, signed 64-bit integers; ``()`` for one that is too short."""
    runs = character_runs(text)
    if len(runs) < LEAST_RUNS:
        return ()
    least: list[int | None] = [None] * _BUCKETS
    for run in runs:
        hashed = int.from_bytes(blake2b(run.encode("utf-8", "replace"), digest_size=8).digest())
        value, bucket = divmod(hashed, _BUCKETS)
        known = least[bucket]
        if known is None or value < known:
            least[bucket] = value
    full = _densified(least)
    return tuple(_band(at, full[at * _ROWS : (at + 1) * _ROWS]) for at in range(BANDS))


def is_same_story(first: str, second: str) -> bool:
    """Return whether one text is the other with edits, or a good part of it."""
    # The numbers first: they cost little, and tell the reports of one template apart.
    if not _same_numbers(first, second):
        return False
    runs, others = sorted((character_runs(first), character_runs(second)), key=len)
    if len(runs) < max(LEAST_RUNS, LEAST_LENGTH * len(others)):
        return False
    return len(runs & others) >= SAME_STORY_SHARE * len(runs)


def _same_numbers(first: str, second: str) -> bool:
    figures, more = sorted((set(_NUMBER.findall(first)), set(_NUMBER.findall(second))), key=len)
    return len(figures) < LEAST_NUMBERS or (
        len(figures & more) >= SAME_NUMBERS_SHARE * len(figures)
    )


def _densified(least: list[int | None]) -> list[int]:
    """Give an empty bucket the value of the next full one, marked with the distance to it."""
    filled: list[int] = []
    for at in range(_BUCKETS):
        distance = next(step for step in range(_BUCKETS) if least[at - _BUCKETS + step] is not None)
        filled.append((least[at - _BUCKETS + distance] or 0) + distance * (1 << 58))
    return filled


def _band(number: int, values: list[int]) -> int:
    written = ":".join(map(str, (number, *values))).encode()
    return int.from_bytes(blake2b(written, digest_size=8).digest(), signed=True)
