"""What changed between two revisions of a text, paragraph by paragraph. Pure.

A Chinese paragraph is one long line. A changed one is therefore one change, with what went
and what came inside it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

from ingestor.text.sanitize import one_line

CONTEXT_CHARACTERS = 30
"""How much of an unchanged stretch is shown beside what changed in a paragraph."""

_LEAST_LIKENESS = 0.3
"""Paragraphs less alike than this are not an edit of each other."""

Fate = Literal["went", "came", "stayed"]


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a paragraph, on one line; a long one that stayed is shortened."""

    fate: Fate
    text: str


@dataclass(frozen=True, slots=True)
class Change:
    """A paragraph that went (``-``), came (``+``) or changed (``~``)."""

    mark: Literal["-", "+", "~"]
    stretches: tuple[Stretch, ...]


def changes(before: Sequence[str], after: Sequence[str]) -> Iterator[Change]:
    """Yield each change from the paragraphs ``before`` to those ``after``, in order."""
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    for kind, old_start, old_end, new_start, new_end in matcher.get_opcodes():
        if kind == "equal":
            continue
        old, new = list(before[old_start:old_end]), list(after[new_start:new_end])
        while old and new and _alike(old[0], new[0]):
            yield Change("~", tuple(_inside(one_line(old.pop(0)), one_line(new.pop(0)))))
        yield from (Change("-", (Stretch("went", one_line(line)),)) for line in old)
        yield from (Change("+", (Stretch("came", one_line(line)),)) for line in new)


def _alike(old: str, new: str) -> bool:
    return SequenceMatcher(None, old, new, autojunk=False).ratio() >= _LEAST_LIKENESS


def _inside(old: str, new: str) -> Iterator[Stretch]:
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    for kind, old_start, old_end, new_start, new_end in matcher.get_opcodes():
        if kind == "equal":
            yield Stretch("stayed", _shortened(old[old_start:old_end]))
            continue
        if old_end > old_start:
            yield Stretch("went", old[old_start:old_end])
        if new_end > new_start:
            yield Stretch("came", new[new_start:new_end])


def _shortened(text: str) -> str:
    if len(text) <= 2 * CONTEXT_CHARACTERS:
        return text
    return f"{text[:CONTEXT_CHARACTERS]}…{text[-CONTEXT_CHARACTERS:]}"
