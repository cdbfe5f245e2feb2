"""How right feeds are read: ours beside plain feedparser, over made-up feeds with their answers.

Each file of ``tests/quality/feeds`` has its right answer beside it (``NAME.expected.json``): what is
odd about it (``about``), what it announces, and whether it is ``cut`` off, or ``refused`` as none.
"""

from __future__ import annotations

import html
import json
import re
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import feedparser

from ingestor.errors import FeedUnreadable, NoArticle
from ingestor.extract import article_from_entry
from ingestor.model import Entry, Feed, FeedDocument, Response
from ingestor.sources import source
from ingestor.text.dates import iso_utc
from tools import ROOT

FOLDER = ROOT / "tests" / "quality" / "feeds"
POLLED_AT = datetime(2024, 5, 1, 12, 0, tzinfo=UTC)
FIELDS = ("guid", "url", "title", "published_at", "text", "picture")
"""What is compared of each entry."""

Read = dict[str, str]
"""An entry as its fields."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """A made-up feed and its right answer."""

    name: str
    body: bytes
    right: dict[str, Any]

    @property
    def feed(self) -> Feed:
        """The feed as it would be configured, its own text the article."""
        kind, url = self.right.get("kind", "rss"), "https://feeds.example/feed"
        return Feed("labelled", kind, url, ("x", "y"), "z", content="feed")

    @property
    def response(self) -> Response:
        """The answer that brings it."""
        url, kind = self.feed.url, self.right.get("content_type", "")
        headers = (("Content-Type", kind),) if kind else ()
        return Response(url, url, 200, headers, self.body, POLLED_AT)


def labelled_feeds() -> list[Labelled]:
    """Return every feed of the set, by name."""
    answers = sorted(FOLDER.glob("*.expected.json"))
    return [
        Labelled(
            path.name.removesuffix(".expected.json"),
            _body(path),
            json.loads(path.read_text(encoding="utf-8")),
        )
        for path in answers
    ]


def _body(answer: Path) -> bytes:
    stem = answer.name.removesuffix(".expected.json")
    (body,) = (path for ending in ("xml", "json") if (path := FOLDER / f"{stem}.{ending}").exists())
    return body.read_bytes()


def read_by_us(labelled: Labelled) -> FeedDocument | None:
    """Return the feed as we read it, ``None`` where it is refused."""
    try:
        return source(labelled.feed.kind).read(labelled.feed, labelled.response)
    except FeedUnreadable:
        return None


def ours(labelled: Labelled) -> list[Read] | None:
    """Return the entries as we read them, ``None`` where the feed is refused."""
    document = read_by_us(labelled)
    return [_ours(labelled.feed, entry) for entry in document.entries] if document else None


def _ours(feed: Feed, entry: Entry) -> Read:
    try:
        body = article_from_entry(feed, entry).body
        text, picture = body.text, body.pictures[0].url if body.pictures else ""
    except NoArticle:
        text, picture = "", ""
    return {
        "guid": entry.guid,
        "url": entry.url,
        "title": entry.title,
        "published_at": iso_utc(entry.published_at) if entry.published_at else "",
        "text": text,
        "picture": picture,
    }


def feedparsers(labelled: Labelled) -> list[Read] | None:
    """Return the entries as feedparser reads them, ``None`` where it finds no feed or fails."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        try:
            parsed = feedparser.parse(_Stream(labelled.body))
        except (ValueError, ArithmeticError):
            return None
        if not parsed.get("version") and not parsed.entries:
            return None
        return [_feedparsers(entry) for entry in parsed.entries]


class _Stream:
    """Bytes as feedparser takes them: a bare string may be an address to it."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def read(self) -> bytes:
        """Return all of them."""
        return self._body


def _feedparsers(entry: Any) -> Read:
    contents = [part.value for part in entry.get("content", [])] or [entry.get("summary", "")]
    moment = entry.get("published_parsed") or entry.get("updated_parsed")
    picture = re.search(r"<img[^>]*?src=[\"']?([^\"' >]+)", contents[0])
    attached = [part.get("href", "") for part in entry.get("enclosures", [])]
    return {
        "guid": entry.get("id", ""),
        "url": entry.get("link", ""),
        "title": entry.get("title", ""),
        "published_at": iso_utc(datetime(*moment[:6], tzinfo=UTC)) if moment else "",
        "text": _words(contents[0]),
        "picture": picture[1] if picture else next(iter(attached), ""),
    }


def _words(markup: str) -> str:
    lines = re.sub(r"(?i)<br\b[^>]*>|</p>", "\n", markup)
    return html.unescape(re.sub(r"<[^>]+>", "", lines)).strip()


Reader = Callable[[Labelled], list[Read] | None]
READERS: dict[str, Reader] = {"ours": ours, "feedparser": feedparsers}


def score() -> dict[str, float]:
    """Return our figures, each from 0 to 1."""
    return _figures(ours)


def _figures(reader: Reader) -> dict[str, float]:
    """Return the shares: feeds read or refused as is right, their entries, and each field of these.

    A feed that is no feed counts for the first alone. An entry that is missing or too many makes
    the whole feed wrong in the second, and what is missing is wrong in every field.
    """
    right: Counter[str] = Counter()
    of: Counter[str] = Counter()
    for labelled in labelled_feeds():
        read = reader(labelled)
        refused = bool(labelled.right.get("refused"))
        of["feeds read"] += 1
        right["feeds read"] += (read is None) == refused
        if refused:
            continue
        expected = labelled.right["entries"]
        of["feeds entries"] += 1
        right["feeds entries"] += len(read or []) == len(expected)
        for name, is_right in _compared(expected, read or []):
            of[f"feeds {name}"] += 1
            right[f"feeds {name}"] += is_right
    return {name: round(right[name] / total, 4) for name, total in of.items()}


def _compared(expected: list[Read], read: list[Read]) -> Iterator[tuple[str, bool]]:
    """Yield each field of each entry that there should be, and whether it is right.

    Entries are found by their title, or else by their place.
    """
    by_title = {entry["title"]: entry for entry in reversed(read)}
    for place, wanted in enumerate(expected):
        there = read[place] if place < len(read) else {}
        entry = by_title.get(wanted["title"], there)
        yield from ((name, _same(entry.get(name), wanted[name])) for name in FIELDS)


def _same(read: str | None, wanted: str) -> bool:
    return read is not None and read.split() == wanted.split()


def table() -> str:
    """Return the figures of both readers as a Markdown table."""
    figures = {name: _figures(reader) for name, reader in READERS.items()}
    head = f"| {len(labelled_feeds())} feeds | {' | '.join(figures)} |"
    rows = [
        f"| {name.removeprefix('feeds ')} | "
        + " | ".join(f"{of[name]:.3f}" for of in figures.values())
        + " |"
        for name in figures["ours"]
    ]
    return "\n".join([head, f"|---|{'---|' * len(figures)}", *rows])
