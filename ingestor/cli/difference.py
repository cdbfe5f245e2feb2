"""Two revisions side by side, for a terminal: what went is red, what came is green.

A Chinese paragraph is one long line. A changed one is therefore shown once, with what went
as ``[-…-]`` and what came as ``{+…+}`` inside it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

import typer

from ingestor.text import one_line

CONTEXT_CHARACTERS = 30
"""How much of an unchanged stretch is shown beside what changed in a paragraph."""

_LEAST_LIKENESS = 0.3
"""Paragraphs less alike than this are not an edit of each other."""


def differences(before: Sequence[str], after: Sequence[str], *, colours: bool) -> Iterator[str]:
    """Yield a line for each paragraph that went (``-``), came (``+``) or changed (``~``)."""
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    for kind, old_start, old_end, new_start, new_end in matcher.get_opcodes():
        if kind == "equal":
            continue
        old, new = list(before[old_start:old_end]), list(after[new_start:new_end])
        while old and new and _alike(old[0], new[0]):
            yield f"~ {_inside(old.pop(0), new.pop(0), colours=colours)}"
        yield from (_painted(f"- {one_line(line)}", "red", colours=colours) for line in old)
        yield from (_painted(f"+ {one_line(line)}", "green", colours=colours) for line in new)


def _alike(old: str, new: str) -> bool:
    return SequenceMatcher(None, old, new, autojunk=False).ratio() >= _LEAST_LIKENESS


def _inside(old: str, new: str, *, colours: bool) -> str:
    parts = []
    old, new = one_line(old), one_line(new)
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    for kind, old_start, old_end, new_start, new_end in matcher.get_opcodes():
        if kind == "equal":
            parts.append(_shortened(old[old_start:old_end]))
            continue
        if old_end > old_start:
            went = f"[-{old[old_start:old_end]}-]"
            parts.append(_painted(went, "red", colours=colours))
        if new_end > new_start:
            came = f"{{+{new[new_start:new_end]}+}}"
            parts.append(_painted(came, "green", colours=colours))
    return "".join(parts)


def _shortened(text: str) -> str:
    if len(text) <= 2 * CONTEXT_CHARACTERS:
        return text
    return f"{text[:CONTEXT_CHARACTERS]}…{text[-CONTEXT_CHARACTERS:]}"


def _painted(text: str, colour: str, *, colours: bool) -> str:
    return typer.style(text, fg=colour) if colours else text
