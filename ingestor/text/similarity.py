"""Are two texts copies of one, or the same story told again with edits? Pure.

**Copies** of one article (of one without an address) differ in leftovers (an editor's line, an
advertisement), in white space, in punctuation that became a file name, and in small edits. They
are compared by their n-grams of four characters, punctuation left out. In 24,976 pairs of real
articles of one season, copies share 0.92 of the shorter text's n-grams and more, other articles
0.75 and less.

**A story** is syndicated under other addresses. A text becomes a MinHash of its n-grams, by one
permutation (Li, Owen, Zhang 2012: one hash an n-gram, the least of each bucket) and densified by
rotation (Shrivastava, Li 2014). Three buckets make a band. Texts that share a band are candidates,
found by an index; whether they are the same story is then decided by their words. Measured:
docs/querying.md, "How well it is found".
"""

from __future__ import annotations

import re
import struct
import sys
from array import array
from bisect import bisect_left
from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b
from itertools import pairwise
from typing import Literal
from zlib import crc32

from ingestor.text.normalize import normalize

Likeness = Literal["same", "other", "unsure"]

SAME_SHARE = 0.85
"""From this share of the shorter text's n-grams on, it is the same text …"""

LEAST_LENGTH = 0.5
"""… if it is at least this part of the longer one: a news flash and the report that contains it
are not for a program to tell apart."""

OTHER_SHARE = 0.3
"""Below this share it is another text; 99 of 100 pairs share less than 0.1."""

MOST_CHARACTERS = 50_000
"""How much of a text is compared: more than any real article has."""

_NGRAM_CHARACTERS = 4
_WORDS = re.compile(r"[^\W_]+")
_ALPHABETIC = re.compile("[a-z\u00df-\u024f\u0370-\u052f]{2,}")
_FIRST_SIGN, _SIGNS = 0x2_0000, 0xA000
"""Characters that stand for words: of Unicode's CJK extension B, which no news is written in."""


def title_key(title: str) -> str:
    """Return a title as it is compared: its letters and digits, normalized.

    What makes a title a file name changes only its punctuation.
    """
    return _alphanumerics(title)


def likeness(first: str, second: str) -> Likeness:
    """Return whether two texts are copies of one, two, or something between."""
    fewer, others = sorted((ngrams(first), ngrams(second)), key=len)
    if fewer == others and (fewer or first == second):
        return "same"
    if not fewer:
        return "unsure"
    share = len(fewer & others) / len(fewer)
    if share < OTHER_SHARE:
        return "other"
    whole = len(fewer) >= LEAST_LENGTH * len(others)
    return "same" if share >= SAME_SHARE and whole else "unsure"


def ngrams(text: str) -> set[str]:
    """Return the n-grams of a text: four letters or digits, normalized, without punctuation."""
    return runs(alphanumerics(text))


def runs(characters: str) -> set[str]:
    """Return the runs of four characters; of fewer the whole."""
    count = max(1, len(characters) - _NGRAM_CHARACTERS + 1) if characters else 0
    return {characters[at : at + _NGRAM_CHARACTERS] for at in range(count)}


def alphanumerics(text: str) -> str:
    """Return the letters and digits of as much of a text as is compared, normalized."""
    return _alphanumerics(text[:MOST_CHARACTERS])


# A page's text is asked several times while it is judged, and for its story.
@lru_cache(maxsize=16)
def _alphanumerics(text: str) -> str:
    return "".join(_WORDS.findall(normalize(text)))


# As above: what is known is compared with each page that comes.
@lru_cache(maxsize=16)
def words_as_signs(text: str) -> str:
    """Return what :func:`alphanumerics` does, each word of an alphabet as two signs of its own.

    Any two English texts share most of their pairs and many of their runs of letters; what they
    share of their words tells whether they have to do with each other, as characters do in Chinese.
    """
    normalized = normalize(text[:MOST_CHARACTERS])
    return "".join(_WORDS.findall(_ALPHABETIC.sub(_sign, normalized)))


def _sign(word: re.Match[str]) -> str:
    return 2 * chr(_FIRST_SIGN + crc32(word[0].encode()) % _SIGNS)


BANDS = 24
_ROWS = 3
_BUCKETS = BANDS * _ROWS

_NGRAM_BYTES = 8
"""Of four characters in UTF-16."""

_MULTIPLIER = 0x9E37_79B9_7F4A_7C15
"""An odd number of 64 bits, near 2^64 divided by the golden ratio: the upper half of a product's
64 bits hangs on every bit of an n-gram (Dietzfelbinger, Hagerup, Katajainen, Penttonen 1997)."""

_BOUNDS = [-(-(at << 32) // _BUCKETS) for at in range(_BUCKETS + 1)]
"""Where each bucket of hashes begins, and the last one ends."""

LEAST_NGRAMS = 20
"""Shorter texts are headlines, which say too little to be copies of one another."""

SAME_STORY_SHARE = 0.5
"""Of the shorter text's n-grams that the longer one has: ten characters of a hundred, each edited
by itself, leave 0.65 of them, twenty in phrases 0.7."""

SAME_NUMBERS_SHARE = 0.6
"""Of the shorter text's numbers: reports of one template differ in little else …"""

LEAST_NUMBERS = 4
"""… and fewer numbers than this do not tell."""

_NUMBER = re.compile(r"\d+(?:\.\d+)?")


def bands(text: str) -> tuple[int, ...]:
    """Return the bands of a text, signed 64-bit integers; ``()`` for one that is too short.

    They are the same on every machine and in every version of Python.
    """
    packed = _packed_ngrams(alphanumerics(text))
    if len(packed) < LEAST_NGRAMS:
        return ()
    hashes = sorted([ngram * _MULTIPLIER >> 32 & 0xFFFF_FFFF for ngram in packed])
    full = _densified([_first_between(hashes, *bounds) for bounds in pairwise(_BOUNDS)])
    return tuple(_band(at, full[at * _ROWS : (at + 1) * _ROWS]) for at in range(BANDS))


def _packed_ngrams(text: str) -> set[int]:
    """Return the n-grams of a text, each as the number that its UTF-16 makes.

    A number needs no object for each of its characters: that is most of what a text costs here.
    """
    data = text.encode("utf-16-le", "surrogatepass")
    packed: set[int] = set()
    for first in range(0, _NGRAM_BYTES, 2):
        last = first + (len(data) - first) // _NGRAM_BYTES * _NGRAM_BYTES
        part = array("Q", data[first:last])
        if sys.byteorder == "big":
            part.byteswap()
        packed.update(part)
    return packed


def _first_between(hashes: Sequence[int], first: int, beyond: int) -> int | None:
    """Return the least of these sorted hashes from ``first`` on and below ``beyond``, if any."""
    at = bisect_left(hashes, first)
    return hashes[at] if at < len(hashes) and hashes[at] < beyond else None


def is_same_story(first: str, second: str) -> bool:
    """Return whether one text is the other with edits, or a good part of it."""
    # The numbers first: they cost little, and tell the reports of one template apart.
    if not _same_numbers(first, second):
        return False
    fewer, others = sorted((ngrams(first), ngrams(second)), key=len)
    if len(fewer) < max(LEAST_NGRAMS, LEAST_LENGTH * len(others)):
        return False
    return len(fewer & others) >= SAME_STORY_SHARE * len(fewer)


def _same_numbers(first: str, second: str) -> bool:
    figures, more = sorted((set(_NUMBER.findall(first)), set(_NUMBER.findall(second))), key=len)
    return len(figures) < LEAST_NUMBERS or (
        len(figures & more) >= SAME_NUMBERS_SHARE * len(figures)
    )


def _densified(least: Sequence[int | None]) -> list[int]:
    """Give an empty bucket the value of the next full one, which says how far away that is."""
    filled: list[int] = []
    for at in range(_BUCKETS):
        following = (least[at - _BUCKETS + step] for step in range(_BUCKETS))
        filled.append(next(value for value in following if value is not None))
    return filled


def _band(number: int, values: Sequence[int]) -> int:
    written = struct.pack(f"<{1 + _ROWS}I", number, *values)
    return int.from_bytes(blake2b(written, digest_size=8).digest(), "little", signed=True)
