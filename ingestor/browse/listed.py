"""A list of articles, or of edits, for programs: CSV, JSON, and the entries of a feed. Pure."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Sequence
from datetime import datetime

from ingestor.api.lists import FoundList, ListedArticle
from ingestor.archive.atom import AtomEntry
from ingestor.browse.views import EditEntry
from ingestor.text.dates import iso_utc
from ingestor.text.diff import Change
from ingestor.text.sanitize import spreadsheet_cell

COLUMNS = (
    "id", "date", "published_at", "first_seen_at", "title", "media", "url", "origin", "edits",
    "edited_at", "gone_at", "symbols",
)  # fmt: skip
"""Of an article in CSV and JSON, in their order."""


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
    return [_edit_entry(edit, address(edit.article.id)) for edit in edits]


def _edit_entry(edit: EditEntry, address: str) -> AtomEntry:
    after, text = edit.article, "\n".join(map(_written, edit.changes))
    there = f"{address}?revision={after.revision}"
    return AtomEntry(
        there, there, after.title, after.known_from, after.published_at, after.media, text
    )


def _written(change: Change) -> str:
    signs = {"went": ("[-", "-]"), "came": ("{+", "+}"), "stayed": ("", "")}
    parts = (
        stretch.text.join(signs[stretch.fate]) if change.mark == "~" else stretch.text
        for stretch in change.stretches
    )
    return f"{change.mark} {''.join(parts)}"
