"""A list of articles, or of edits, for programs: CSV, JSON and Atom (RFC 4287). Pure."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from xml.etree import ElementTree as ET

from ingestor.api.lists import FoundList, ListedArticle
from ingestor.browse.views import EditEntry
from ingestor.text.dates import iso_utc
from ingestor.text.diff import Change
from ingestor.text.sanitize import spreadsheet_cell, visible

_ATOM = "http://www.w3.org/2005/Atom"

COLUMNS = (
    "id", "date", "published_at", "first_seen_at", "title", "media", "url", "origin", "edits",
    "edited_at", "gone_at", "symbols",
)  # fmt: skip
"""Of an article in CSV and JSON, in their order."""


@dataclass(frozen=True, slots=True)
class AtomEntry:
    """An entry of a feed."""

    address: str
    """Of our page: it names the entry for ever."""
    title: str
    updated: datetime
    published: datetime | None
    author: str
    summary: str


def as_csv(found: FoundList) -> str:
    """Return a list as CSV with a line of names; no cell is run by a spreadsheet."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for article in found.articles:
        values = _values(article)
        values["symbols"] = " ".join(code for code, _ in article.securities)
        writer.writerow([_cell(values[name]) for name in COLUMNS])
    return text.getvalue()


def as_json(found: FoundList) -> str:
    """Return a list as JSON: how many there are, up to where it goes, and the articles."""
    whole = {
        "count": found.count,
        "all_counted": found.all_counted,
        "upto": found.upto,
        "more": found.more,
        "articles": [_values(article) for article in found.articles],
    }
    return json.dumps(whole, ensure_ascii=False, indent=1)


def _values(article: ListedArticle) -> dict[str, object]:
    values: dict[str, object] = {name: getattr(article, name, None) for name in COLUMNS}
    for name, value in values.items():
        if isinstance(value, datetime):
            values[name] = iso_utc(value)
    return values | {"symbols": [code for code, _ in article.securities]}


def _cell(value: object) -> object:
    return spreadsheet_cell(value) if isinstance(value, str) else value


def article_entries(
    articles: Sequence[ListedArticle], address: Callable[[int], str]
) -> list[AtomEntry]:
    """Return articles as entries of a feed; an edit makes one new again."""
    return [
        AtomEntry(
            address(article.id),
            article.title,
            article.edited_at or article.first_seen_at,
            article.published_at,
            article.media,
            article.text[:500],
        )
        for article in articles
    ]


def edit_entries(edits: Sequence[EditEntry], address: Callable[[int], str]) -> list[AtomEntry]:
    """Return edits as entries of a feed, each with what went and what came."""
    return [
        AtomEntry(
            f"{address(edit.article.id)}?revision={edit.article.revision}",
            edit.article.title,
            edit.article.known_from,
            edit.article.published_at,
            edit.article.media,
            "\n".join(map(_written, edit.changes)),
        )
        for edit in edits
    ]


def _written(change: Change) -> str:
    signs = {"went": ("[-", "-]"), "came": ("{+", "+}"), "stayed": ("", "")}
    parts = (
        stretch.text.join(signs[stretch.fate]) if change.mark == "~" else stretch.text
        for stretch in change.stretches
    )
    return f"{change.mark} {''.join(parts)}"


def as_atom(title: str, own: str, page: str, entries: Sequence[AtomEntry]) -> str:
    """Return a feed; ``own`` is its address, ``page`` that of the page that shows the same."""
    ET.register_namespace("", _ATOM)
    feed = ET.Element(f"{{{_ATOM}}}feed")
    newest = max((entry.updated for entry in entries), default=datetime(1970, 1, 1, tzinfo=UTC))
    _add(feed, "title", title)
    _add(feed, "id", own)
    _add(feed, "updated", iso_utc(newest))
    _add(feed, "link", rel="self", href=own, type="application/atom+xml")
    _add(feed, "link", rel="alternate", href=page, type="text/html")
    for entry in entries:
        element = _add(feed, "entry")
        _add(element, "title", entry.title)
        _add(element, "id", entry.address)
        _add(element, "link", rel="alternate", href=entry.address, type="text/html")
        _add(element, "updated", iso_utc(entry.updated))
        if entry.published:
            _add(element, "published", iso_utc(entry.published))
        _add(_add(element, "author"), "name", entry.author or "–")
        _add(element, "summary", entry.summary)
    # Written out: the library would name the encoding of this machine's locale.
    return f'<?xml version="1.0" encoding="utf-8"?>\n{ET.tostring(feed, encoding="unicode")}'


def _add(parent: ET.Element, name: str, text: str = "", **attributes: str) -> ET.Element:
    element = ET.SubElement(parent, f"{{{_ATOM}}}{name}", attributes)
    # XML has no words for most control characters.
    element.text = visible(text) or None
    return element
