"""What every contender is told, and how it says that it did its work."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Order:
    """What a contender is to do."""

    urls: list[str]
    proxy: str
    connections: int
    folder: Path
    processes: int = 1


def order() -> Order:
    """Read the order from the file that is named on the command line."""
    told = json.loads(Path(sys.argv[1]).read_text())
    return Order(**told | {"folder": Path(told["folder"])})


def report(done: int) -> None:
    """Say how many of the addresses were worked off."""
    print(json.dumps({"done": done}))
