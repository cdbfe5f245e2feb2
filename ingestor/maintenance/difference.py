"""What ``ingest verify`` finds, and how it is mended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection

Repair = Callable[[Connection], object]


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing on which two of database, files and WARC do not agree."""

    line: str
    """What is wrong, for a person."""
    mend: Repair | None = None
    """Makes them agree, within a transaction; ``None`` where only a backup helps."""
