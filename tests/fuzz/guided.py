"""Fuzzing guided by coverage: ``python -m tests.fuzz.guided TARGET SECONDS`` (see ``make fuzz``).

The nasty feeds and pages are where it begins. A finding stops it, with its traceback, and its
input is left in ``.fuzz/``.
"""

from __future__ import annotations

import atexit
import json
import os
import shutil
import sys
import tempfile
from functools import cache
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["ingestor", "feedparser", "w3lib", "readability"]):
    from tests.fuzz import properties
from ingestor.store.db.database import Database
from tests.hostile import nasty_feeds, nasty_pages
from tests.hostile.nasty_pages import KEPT, finance
from tools.filling import filled

TYPES = ("", "text/html; charset=gbk", "text/xml; charset=utf-8", "text/html; charset=iso-8859-1")
MOST_BYTES = 8_192
LIVE = b"\1"
"""The first byte of a live feed, for the target ``sina``."""


def decode(data: bytes) -> None:
    """Read the first byte as a choice of header, the rest as a body."""
    properties.decoding(data[1:], _type(data))


def feed(data: bytes) -> None:
    """Read a feed: RSS, Atom, or whatever it is."""
    properties.feed(data[1:], _type(data))


def sina(data: bytes) -> None:
    """Read what an interface of Sina's answers; which, says the first byte."""
    kind = "sina-live" if data[:1] == LIVE else "sina-roll"
    properties.feed(data[1:], "application/json", kind)


def robots(data: bytes) -> None:
    """Read a robots.txt."""
    properties.robots(data[1:], _type(data))


def query(data: bytes) -> None:
    """Search for something."""
    with _archive().reading() as connection:
        properties.query(data.decode("utf-8", "replace"), connection)


@cache
def _archive() -> Database:
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder)
    return filled(folder / "archive.db", [("石门水泥提价", "电信诈骗与此无关，５Ｇ起步。")])


def page(data: bytes) -> None:
    """Read a page."""
    properties.page(data[1:], _type(data))


def front_matter(data: bytes) -> None:
    """Cut text into the values of a file."""
    title, name, word, html, *_ = [*data.decode("utf-8", "surrogateescape").split("\0"), *"    "]
    properties.front_matter(title, name, (word,), html)


TARGETS = {
    "decode": decode,
    "feed": feed,
    "sina": sina,
    "page": page,
    "front-matter": front_matter,
    "robots": robots,
    "query": query,
    "post": properties.post,
}


ROLL = {
    "status": {"code": 0},
    "total": 2,
    "data": [
        {
            "docid": "a1",
            "title": "甲",
            "url": "https://a.cn/1",
            "ctime": "1700000000",
            "intro": "乙",
        }
    ],
}
ROLL_FAILED = {"status": {"code": 11, "msg": "x"}, "data": []}
LIVE_LIST = {
    "status": {"code": 0},
    "data": {
        "feed": {
            "list": [
                {
                    "id": 1,
                    "rich_text": "【甲】乙",
                    "create_time": "2024-03-11 08:00:00",
                    "ext": "{}",
                }
            ]
        }
    },
}
"""What the interfaces answer, cut to what is read of it."""

WHOLE = {"front-matter", "query", "post"}
"""Targets whose first byte chooses nothing."""


def _type(data: bytes) -> str:
    return TYPES[data[0] % len(TYPES)] if data else ""


def seeds(target: str) -> list[bytes]:
    """Return where a target begins."""
    feeds = [one for one, _ in (*nasty_feeds.REFUSED.values(), *nasty_feeds.TAKEN.values())]
    pages = [finance(f"<p>{KEPT}</p>{attack}") for attack in nasty_pages.BODIES.values()]
    pages += [finance(f"<p>{KEPT}</p>", **head) for head in nasty_pages.HEADS.values()]
    values = [
        f"{head.get('title', 'x')}\0'a: b\0- c\0{KEPT}" for head in nasty_pages.HEADS.values()
    ]
    begun = {
        "feed": feeds,
        "sina": [json.dumps({"result": result}) for result in (ROLL, ROLL_FAILED, LIVE_LIST)],
        "page": pages,
        "front-matter": values,
        "robots": ["User-agent: *\nDisallow: /a*$\nCrawl-delay: 2"],
        "query": ['茅台 "5G 芯片" -广告'],
        "post": [f"---\ntitle: {KEPT}\ndate: 2024-03-11\ntags: [a, b]\n---\n<p>{KEPT}</p>"],
    }
    chosen = begun.get(target, [*feeds, *pages])
    every = [one if isinstance(one, bytes) else one.encode("utf-8", "replace") for one in chosen]
    firsts = [b""] if target in WHOLE else [b"\0", LIVE] if target == "sina" else [b"\0"]
    return [first + one for one in every if len(one) < MOST_BYTES for first in firsts]


def main() -> None:
    """Fuzz one target for some seconds."""
    target, seconds = sys.argv[1:]
    folder = Path(".fuzz") / target
    folder.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(seeds(target)):
        (folder / f"seed-{number}").write_bytes(seed)
    options = {
        "max_total_time": seconds,
        # CI has the same one each time: it tests the change, not the luck of the day.
        "seed": os.environ.get("FUZZ_SEED", "0"),
        "max_len": MOST_BYTES,
        "timeout": 30,
        "rss_limit_mb": 4096,
        "artifact_prefix": f".fuzz/{target}-",
        "print_final_stats": 1,
        "verbosity": 0,
    }
    arguments = [f"-{name}={value}" for name, value in options.items()]
    atheris.Setup([sys.argv[0], *arguments, str(folder)], TARGETS[target])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
