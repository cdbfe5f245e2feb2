"""How right it reads: pages, feeds and mentions of our own with the right answer beside each.

Each part is a module with ``score()``, our own figures by name (all between 0 and 1, the more
the better), and ``table()``, what people read, in Markdown. A part is found by its file alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

from tools import ROOT

FOLDER = ROOT / "tests" / "quality"
FIGURES = FOLDER / "figures.json"
"""Our figures of last time; a lower one fails the tests."""

_PARTS = ("pages", "feeds", "mentions")


def parts() -> Iterator[ModuleType]:
    """Yield the parts that there are."""
    for name in _PARTS:
        if find_spec(f"{__name__}.{name}"):
            yield import_module(f"{__name__}.{name}")


def scores() -> dict[str, float]:
    """Return our figures of every part, to four places."""
    return {name: round(value, 4) for part in parts() for name, value in part.score().items()}


def last_time() -> dict[str, float]:
    """Return the figures that were kept, ``{}`` where none were."""
    return json.loads(FIGURES.read_text("utf-8")) if FIGURES.exists() else {}
