"""Two revisions side by side, for a terminal: what went is red, what came is green.

A changed paragraph is shown once, with what went as ``[-…-]`` and what came as ``{+…+}``
inside it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import typer

from ingestor.text.diff import Change, Stretch, changes

_COLOURS = {"went": "red", "came": "green"}


def differences(before: Sequence[str], after: Sequence[str], *, colours: bool) -> Iterator[str]:
    """Yield a line for each paragraph that went (``-``), came (``+``) or changed (``~``)."""
    for one in changes(before, after):
        yield _line(one, colours=colours)


def _line(change: Change, *, colours: bool) -> str:
    if change.mark != "~":
        (whole,) = change.stretches
        return _painted(f"{change.mark} {whole.text}", whole, colours=colours)
    return "~ " + "".join(
        _painted(_bracketed(one), one, colours=colours) for one in change.stretches
    )


def _bracketed(one: Stretch) -> str:
    if one.fate == "stayed":
        return one.text
    return f"[-{one.text}-]" if one.fate == "went" else f"{{+{one.text}+}}"


def _painted(text: str, one: Stretch, *, colours: bool) -> str:
    colour = _COLOURS.get(one.fate)
    return typer.style(text, fg=colour) if colours and colour else text
