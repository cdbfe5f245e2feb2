"""What the pages of ``ingest browse`` show, read from the archive in one transaction each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from ingestor.api import lists, subjects
from ingestor.api.lists import FoundList, ListedArticle, ListOrder, ListRequest
from ingestor.api.subjects import SeenEdit
from ingestor.browse.chart import DAYS, DayChart, day_chart, last_shown
from ingestor.errors import UsageError
from ingestor.policy import MOVES_IN_A_ROW
from ingestor.store import overview
from ingestor.store.doubts import doubted_feeds
from ingestor.store.filters import Filters, symbol_called
from ingestor.store.overview import FeedHealth, feed_state, late_feeds
from ingestor.store.search.hits import marks, snippet
from ingestor.store.stored_articles import ArticleRevision
from ingestor.text.dates import SHANGHAI, is_day
from ingestor.text.diff import Change, changes
from ingestor.text.sanitize import redact, shortened

NEWEST_SHOWN = 20
EDITED_SHOWN = 5
EDITS_A_PAGE = 20

HITS_A_PAGE = 50
LARGEST_PAGE = 1_000
"""Articles of a list that a program may ask for at once (``size``)."""

CHANGES_SHOWN = 8
"""Changed paragraphs of an edit in a list; the article's page has all."""

CHARACTERS_SHOWN = 200
"""Of one stretch of a change in a list."""

LARGEST_ID = 2**63 - 1
"""The database's integers end there."""

LIST_FILTERS = ("media", "symbol", "feed", "category", "origin", "day", "since", "until")
"""What narrows a list down, as its address names it."""

Pieces = list[tuple[bool, str]]
"""A text in pieces, each with whether it was searched for."""


@dataclass(frozen=True, slots=True)
class ListEntry:
    """An article in a list, with its words marked."""

    article: ListedArticle
    title: Pieces
    snippet: Pieces


@dataclass(frozen=True, slots=True)
class EditEntry:
    """An edit in a list."""

    article: ArticleRevision
    """After the edit."""
    changes: list[Change]
    more: int
    """Changed paragraphs that are not shown."""


@dataclass(frozen=True, slots=True)
class FeedEntry:
    """A feed in the table of feeds."""

    feed: FeedHealth
    state: str
    reason: str
    delay: timedelta | None
    """Between an article's publication and its announcement, as a rule."""


def front(connection: Connection, now: datetime, until: str) -> dict[str, Any]:
    """Return the numbers, the chart, the feeds' health, what was edited and what is new.

    ``until`` is the last day of the chart, ``""``: the latest.
    """
    today = now.astimezone(SHANGHAI).date()
    totals = overview.totals(connection)
    latest = str(totals["last_day"] or "")
    day = min(latest, today.isoformat())
    edited = subjects.edits_of(connection, today, limit=EDITED_SHOWN)
    return {
        "totals": totals,
        "chart": _chart(connection, Filters(), today, asked=until, latest=latest),
        "feeds": _feeds(connection, now),
        "today": today.isoformat(),
        "edited": [_edit_entry(edit) for edit in edited],
        "named": subjects.most_named(connection, day),
        "named_day": day,
        "entries": entries(lists.newest_articles(connection, NEWEST_SHOWN), ()),
    }


def _chart(
    connection: Connection, filters: Filters, today: date, *, asked: str, latest: str
) -> DayChart:
    """Return the chart of the articles that are meant; of all it has edits and doubts too."""
    last = last_shown(asked, latest, today)
    first = last - timedelta(days=DAYS - 1)
    within = replace(filters, since=first.isoformat(), until=last.isoformat())
    counts = subjects.day_counts(connection, within)
    edits: Mapping[str, int] = {}
    doubts: Mapping[str, int] = {}
    if filters == Filters():
        edits = subjects.edit_counts(connection, first, last)
        doubts = subjects.doubt_counts(connection, first, last)
    return day_chart(last, today, articles=counts, edits=edits, doubts=doubts)


def _feeds(connection: Connection, now: datetime) -> list[FeedEntry]:
    late, doubted = late_feeds(connection, now), doubted_feeds(connection, now)
    delays = subjects.delays(connection)
    return [
        FeedEntry(
            feed,
            feed_state(feed, late=feed.name in late, doubted=feed.name in doubted),
            redact(
                feed.stopped
                or feed.last_error
                or doubted.get(feed.name, "")
                or late.get(feed.name, "")
            ),
            delays.get(feed.name),
        )
        for feed in overview.feed_health(connection, MOVES_IN_A_ROW, counted=False)
    ]


def results(connection: Connection, asked: Mapping[str, str]) -> FoundList:
    """Return a page of what a query and its filters find.

    ``asked`` holds q, :data:`LIST_FILTERS`, order, page, size and upto, each of which may be
    missing. Raises :class:`UsageError` for what cannot be understood.
    """
    words = asked.get("q", "").strip()
    usual = ListOrder.RELEVANCE if words else ListOrder.NEWEST
    order = asked.get("order", "") or usual
    if order not in list(ListOrder) or (order == ListOrder.RELEVANCE and not words):
        order = usual
    upto = asked.get("upto", "")
    request = ListRequest(
        query=words,
        filters=_filters(connection, asked),
        order=ListOrder(order),
        page=max(1, _number(asked.get("page", ""), 10**6, 1)),
        size=max(1, _number(asked.get("size", ""), LARGEST_PAGE, HITS_A_PAGE)),
        upto=_number(upto, LARGEST_ID, 0) if upto.isdecimal() else None,
    )
    return lists.found(connection, request)


def _number(text: str, most: int, otherwise: int) -> int:
    return min(int(text[:19]), most) if text.isdecimal() and text.isascii() else otherwise


def _filters(connection: Connection, asked: Mapping[str, str]) -> Filters:
    days = {name: asked.get(name, "") for name in ("since", "until")}
    if day := asked.get("day", ""):
        days = {"since": day, "until": day}
    for name, value in days.items():
        if value and not is_day(value):
            raise UsageError(f'{name}: "{value[:40]}" is not a day; write it as 2024-01-31')
    feed = asked.get("feed", "")
    return Filters(
        since=days["since"],
        until=days["until"],
        media=asked.get("media", ""),
        symbol=symbol_called(connection, asked.get("symbol", "")),
        feeds=(feed,) if feed else (),
        category=asked.get("category", ""),
        origin=asked.get("origin", ""),
    )


def entries(articles: Sequence[ListedArticle], words: tuple[str, ...]) -> list[ListEntry]:
    """Return articles as a list shows them, these words marked."""
    return [_entry(article, words) for article in articles]


def _entry(article: ListedArticle, words: tuple[str, ...]) -> ListEntry:
    part = snippet(article.text, words)
    title = _pieces(article.title, marks(article.title, words))
    return ListEntry(article, title, _pieces(part.text, part.marks))


def _pieces(text: str, spans: tuple[tuple[int, int], ...]) -> Pieces:
    pieces, at = [], 0
    for start, end in spans:
        pieces += [(False, text[at:start]), (True, text[start:end])]
        at = end
    return [*pieces, (False, text[at:])]


def edits(connection: Connection, now: datetime, asked: Mapping[str, str]) -> dict[str, Any]:
    """Return the edits of a day: the one asked for, else the last one that has any."""
    today = now.astimezone(SHANGHAI).date()
    if not (day := asked.get("day", "")):
        last = subjects.edits_of(connection, None, limit=1)
        at = min(last[0].after.known_from.astimezone(SHANGHAI).date(), today) if last else today
    elif is_day(day):
        at = min(date.fromisoformat(day), today)
    else:
        raise UsageError(f'day: "{day[:40]}" is not a day; write it as 2024-01-31')
    before = asked.get("before", "")
    upto = _number(before, LARGEST_ID, 0) if before.isdecimal() else None
    found = subjects.edits_of(connection, at, limit=EDITS_A_PAGE + 1, before=upto)
    shown = [_edit_entry(edit) for edit in found[:EDITS_A_PAGE]]
    return {
        "day": at.isoformat(),
        "edits": shown,
        "next": shown[-1].article.sequence if len(found) > EDITS_A_PAGE else None,
        "day_before": (at - timedelta(days=1)).isoformat() if at.year > 1 else None,
        "day_after": (at + timedelta(days=1)).isoformat() if at < today else None,
    }


def newest_edits(connection: Connection) -> list[EditEntry]:
    """Return the edits that were seen last, of any day."""
    found = subjects.edits_of(connection, None, limit=HITS_A_PAGE)
    return [_edit_entry(edit) for edit in found]


def _edit_entry(edit: SeenEdit) -> EditEntry:
    every = list(changed(edit.before, edit.after))
    shown = [_short(change) for change in every[:CHANGES_SHOWN]]
    return EditEntry(edit.after, shown, len(every) - len(shown))


def changed(before: ArticleRevision, after: ArticleRevision) -> Iterator[Change]:
    """Yield what changed in title and text from one revision to another."""
    old, new = ([each.title, *each.content_text.splitlines()] for each in (before, after))
    yield from changes(old, new)


def _short(change: Change) -> Change:
    stretches = (
        replace(stretch, text=shortened(stretch.text, CHARACTERS_SHOWN))
        for stretch in change.stretches
    )
    return replace(change, stretches=tuple(stretches))


def security(
    connection: Connection, symbol: str, now: datetime, asked: Mapping[str, str]
) -> dict[str, Any] | None:
    """Return what there is of a security; ``None``: no article names it."""
    names = subjects.names_of(connection, symbol)
    values = _subject(connection, Filters(symbol=symbol), now, asked)
    if values is None and not names:
        return None
    return {
        "symbol": symbol,
        "names": names,
        "name": names[-1].name if names else "",
        "named_with": subjects.named_with(connection, symbol),
        **(values or {"entries": [], "chart": None, "count": 0, "all_counted": True}),
    }


def medium(
    connection: Connection, name: str, now: datetime, asked: Mapping[str, str]
) -> dict[str, Any] | None:
    """Return what there is of a medium; ``None``: no article is by it."""
    if not name or not subjects.has_medium(connection, name):
        return None
    values = _subject(connection, Filters(media=name), now, asked)
    return {"medium": name, **values} if values else None


def _subject(
    connection: Connection, filters: Filters, now: datetime, asked: Mapping[str, str]
) -> dict[str, Any] | None:
    found = lists.found(connection, ListRequest(filters=filters, size=NEWEST_SHOWN))
    if not found.articles:
        return None
    today = now.astimezone(SHANGHAI).date()
    latest = found.articles[0].date
    return {
        "entries": entries(found.articles, ()),
        "chart": _chart(connection, filters, today, asked=asked.get("until", ""), latest=latest),
        "count": found.count,
        "all_counted": found.all_counted,
        "facets": found.facets,
    }
