"""Sina's channels by their names: which numbers its interfaces know them by.

The table is ``channels.tsv`` beside this file; each line of it names its source.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from ingestor.text.normalize import normalize

TABLE = Path(__file__).with_name("channels.tsv")

NAME_PREFIX = "新浪财经－"
"""What the name of a feed begins with that is named after its channel, as RSSHub names them."""

_RSSHUB = re.compile(
    r"/sina/(finance/china|finance/rollnews|rollnews|zhibo)(?:/(\d{1,9}))?(?:/\d+)?/?$"
)
_RSSHUB_PLACES: Mapping[str, tuple[str, int]] = {
    "finance/china": ("pageid=155 lid={}", 1686),
    "finance/rollnews": ("pageid=384 lid={}", 2519),
    "rollnews": ("pageid=153 lid={}", 2509),
    "zhibo": ("zhibo_id={} tag=0", 152),
}
"""RSSHub's routes (lib/routes/sina): what they ask for, and the channel where none is given."""


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel of Sina's."""

    kind: str
    """The kind of feed that reads it: ``sina-roll`` or ``sina-live``."""
    section: str
    """The page, or the list, that it is a part of."""
    name: str
    numbers: str
    """As they stand in the table: ``pageid=155 lid=1687``, ``zhibo_id=152 tag=0``."""
    note: str
    source: str

    @property
    def options(self) -> dict[str, int]:
        """Return its numbers by the keys of the configuration."""
        pairs = (pair.split("=") for pair in self.numbers.split())
        return {key: int(number) for key, number in pairs}

    @property
    def full_name(self) -> str:
        """Return what no other channel of its kind is called."""
        return f"{self.section}/{self.name}"


@cache
def channels() -> tuple[Channel, ...]:
    """Return all known channels, in the order of the table."""
    lines = TABLE.read_text("utf-8").splitlines()
    rows = [line.split("\t") for line in lines if line and not line.startswith("#")]
    return tuple(Channel(*row) for row in rows[1:])


@cache
def shortest_name(channel: Channel) -> str:
    """Return the shortest name that means this channel and no other one."""
    first = next(each for each in channels() if each.name == channel.name)
    return channel.name if first == channel else channel.full_name


def channel_named(name: str, kind: str = "") -> Channel:
    """Return the channel of a name, of this ``kind`` where one is given.

    Raises ``ValueError``, which names the nearest ones, where there is none.
    """
    known = [channel for channel in channels() if channel.kind == kind or not kind]
    names_of = [(channel.name, channel) for channel in known]
    for called, channel in names_of + [(channel.full_name, channel) for channel in known]:
        if _key(called) == _key(name):
            return channel
    names = {_key(channel.name): channel.name for channel in reversed(known)}
    near = difflib.get_close_matches(_key(name), names, n=3, cutoff=0.3)
    near += [key for key in names if key not in near and _key(name) and _key(name) in key]
    hint = ", ".join(f'"{names[key]}"' for key in near[:3])
    meant = f"; did you mean {hint}?" if hint else ""
    raise ValueError(f'there is no channel "{name}"{meant} (`ingest feed channels` has them all)')


def channel_of_rsshub(url: str) -> Channel | None:
    """Return the channel that an RSSHub serves at an address and a kind of ours reads itself.

    ``None``: there is none. One that the table does not know has a name of numbers.
    """
    parts = urlsplit(url)
    route = _RSSHUB.search(parts.path)
    if not route or (parts.hostname or "").endswith("sina.com.cn"):
        return None
    numbers, usual = _RSSHUB_PLACES[route[1]]
    asked = numbers.format(int(route[2] or usual))
    kind = "sina-live" if route[1] == "zhibo" else "sina-roll"
    known = [channel for channel in channels() if channel.numbers == asked]
    return known[0] if known else Channel(kind, "", "", asked, "", "")


def _key(name: str) -> str:
    return re.sub(r"\s", "", normalize(name)).replace("×", "x")
