r"""How well the securities of a text are found: precision and recall, beside a plain pattern.

The lines are ``tests/quality/mentions.tsv``: a text, a TAB, the symbols that it names. A tab and
the end of a line within a text are written ``\t`` and ``\n``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ingestor.text.mentions import mentions
from ingestor.text.securities import normalised
from tools import ROOT

LABELLED = ROOT / "tests" / "quality" / "mentions.tsv"

Find = Callable[[str], set[str]]


@dataclass(frozen=True, slots=True)
class Line:
    """A text, and the symbols that people find in it."""

    text: str
    symbols: frozenset[str]


def lines() -> Iterator[Line]:
    """Yield the labelled lines."""
    for line in LABELLED.read_text("utf-8").splitlines():
        text, _, symbols = line.rpartition("\t")
        yield Line(text.replace("\\t", "\t").replace("\\n", "\n"), frozenset(symbols.split()))


def ours(text: str) -> set[str]:
    """Return the symbols that the program finds."""
    return {security.symbol for security in mentions(text)}


_PLAIN = re.compile(
    r"[(（](?:(?:SH|SZ|BJ)?[.:]?(\d{6})(?:\.(?:SH|SZ|BJ))?|(\d{4,5})\.HK|([A-Z]{1,5}))[)）]"
)


def plain(text: str) -> set[str]:
    """Return what most programs look for: a code alone in brackets, its market by its first digit."""
    found = set()
    for digits, hong_kong, american in _PLAIN.findall(text):
        code = digits or (f"hk{hong_kong:0>5}" if hong_kong else f"us:{american}")
        if security := normalised(code):
            found.add(security.symbol)
    return found


@dataclass(frozen=True, slots=True)
class Score:
    """How well the symbols of all lines are found."""

    precision: float
    recall: float

    @property
    def f1(self) -> float:
        """Return their harmonic mean."""
        return 2 * self.precision * self.recall / (self.precision + self.recall)


def scored(find: Find) -> Score:
    """Return how well something finds the symbols of the labelled lines."""
    right = found = wanted = 0
    for line in lines():
        symbols = find(line.text)
        right += len(symbols & line.symbols)
        found += len(symbols)
        wanted += len(line.symbols)
    return Score(right / found, right / wanted)


def wrong() -> Iterator[str]:
    """Yield what the program gets wrong, a line each, for whoever looks for the reason."""
    for line in lines():
        symbols = ours(line.text)
        if symbols != line.symbols:
            yield f"{line.text!r}: {sorted(symbols)}, not {sorted(line.symbols)}"


def score() -> dict[str, float]:
    """Return our figures by their names."""
    reached = scored(ours)
    return {
        "mentions precision": round(reached.precision, 4),
        "mentions recall": round(reached.recall, 4),
    }


def table() -> str:
    """Return the figures of both as a table in Markdown."""
    rows = ["| securities | precision | recall | F1 |", "|---|---|---|---|"]
    for name, find in (("ingestor", ours), ("a code in brackets", plain)):
        reached = scored(find)
        rows.append(
            f"| {name} | {reached.precision:.3f} | {reached.recall:.3f} | {reached.f1:.3f} |"
        )
    return "\n".join(rows)
