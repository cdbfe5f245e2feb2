"""Looking after an archive: verify, backup, export, copy; and what a comparison of it finds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Concatenate, ParamSpec

from sqlalchemy import Connection

Repair = Callable[[Connection], object]
"""Makes two agree, within a transaction; it returns ``False`` where it could not."""

P = ParamSpec("P")


def by(
    function: Callable[Concatenate[Connection, P], object], *values: P.args, **named: P.kwargs
) -> Repair:
    """Return a repair that calls a function with a connection and, behind it, these values."""
    return lambda connection: function(connection, *values, **named)


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing on which two of database, files and WARC do not agree."""

    line: str
    """What is wrong, for a person."""
    repair: Repair | None = None
    """Makes them agree, within a transaction; ``None`` where only a backup helps."""
    is_known: bool = False
    """It was noted before, and nobody has to look at it again; its ``repair`` takes a note back
    that is right no more."""
    left: str = ""
    """What it is, in the singular, of that an interrupted run left and the next one takes up;
    ``""`` for what no run sees to."""
    done: str = "mended"
    """What ``repair`` did, for a person."""
