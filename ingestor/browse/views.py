"""What the pages of ``ingest browse`` show, read from the archive in one transaction each.

Articles per day are bars of an inline SVG. An article's HTML is as it is stored, but for its
pictures: they are not loaded until they are asked for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

import lxml.html
from lxml.html import HtmlElement
from sqlalchemy import Connection

from ingestor.policy import MOVES_IN_A_ROW
from ingestor.store import overview
from ingestor.store.doubts import doubted_feeds
from ingestor.store.filters import Filters, symbol_called
from ingestor.store.names import securities
from ingestor.store.overview import FeedHealth, late_feeds
from ingestor.store.search.hits import Hit, marks, newest, search, snippet
from ingestor.store.search.query import Order, parse
from ingestor.store.stored_articles import ArticleRevision, current, history
from ingestor.text.dates import SHANGHAI
from ingestor.text.diff import Change, changes
from ingestor.text.sanitize import redact

CHART_DAYS = 90
NEWEST_SHOWN = 20
HITS_A_PAGE = 50
MOST_HITS = 1_000
"""So many articles are counted by medium, security and day, and can be paged through."""

FACET_VALUES = 12

WIDTH, HEIGHT = 720, 120
"""Of the drawing, in its own units; the page scales it."""


@dataclass(frozen=True, slots=True)
class DayBar:
    """A day's bar."""

    day: str
    articles: int
    x: float
    y: float
    width: float
    height: float


def bars(days: Sequence[tuple[str, int]]) -> list[DayBar]:
    """Return a bar for each day and its number of articles; the largest fills the height."""
    largest = max((count for _, count in days), default=0)
    if not largest:
        return []
    # A bar of an archive of few days is no wall.
    step = min(WIDTH / len(days), WIDTH / 20)
    drawn = []
    for number, (day, count) in enumerate(days):
        height = round(HEIGHT * count / largest, 1)
        x = round(number * step, 1)
        drawn.append(DayBar(day, count, x, HEIGHT - height, round(step * 0.8, 1), height))
    return drawn


def page_html(html: str, *, pictures: bool) -> tuple[str, int]:
    """Return cleaned HTML to put into a page, and how many pictures it has.

    Without ``pictures`` each is replaced by its description, so that nothing is asked of other
    machines. Links open without saying where one came from.
    """
    root = lxml.html.fragment_fromstring(html, create_parent="div")
    shown = list(root.iter("img"))
    for picture in shown:
        if pictures:
            picture.set("loading", "lazy")
            picture.set("referrerpolicy", "no-referrer")
        else:
            _replace(picture)
    for link in root.iter("a"):
        link.set("rel", "noopener noreferrer")
    return lxml.html.tostring(root, encoding="unicode"), len(shown)


def _replace(picture: HtmlElement) -> None:
    words = lxml.html.Element("span", {"class": "picture"})
    description = picture.get("alt", "").strip()
    words.text = f"▧ {description}" if description else "▧"
    words.tail = picture.tail
    parent = picture.getparent()
    if parent is not None:
        parent.replace(picture, words)


def front(connection: Connection, now: datetime) -> dict[str, Any]:
    """Return the numbers, the chart, the feeds' health and the newest articles."""
    late, doubted = late_feeds(connection, now), doubted_feeds(connection, now)
    feeds = overview.feed_health(connection, MOVES_IN_A_ROW)
    return {
        "totals": overview.totals(connection),
        "bars": bars(overview.articles_a_day(connection, CHART_DAYS)),
        "width": WIDTH,
        "height": HEIGHT,
        "feeds": [
            {
                "name": feed.name,
                "articles": feed.articles,
                "pending": feed.pending,
                "parked": feed.parked,
                "last_ok": china(feed.last_ok_at),
                "state": _state(feed, late=feed.name in late, doubted=feed.name in doubted),
                "reason": redact(
                    feed.stopped
                    or feed.last_error
                    or doubted.get(feed.name, "")
                    or late.get(feed.name, "")
                ),
            }
            for feed in feeds
        ],
        "articles": _listed(connection, newest(connection, Filters(), NEWEST_SHOWN), ()),
    }


def results(connection: Connection, asked: Mapping[str, str]) -> dict[str, Any]:
    """Return what a query and its filters find, a page of it, and what there is of each kind.

    ``asked`` holds q, media, symbol, day, order and page, each of which may be missing.
    Raises :class:`UsageError` for a query or filter that cannot be understood.
    """
    words = asked.get("q", "").strip()
    day = asked.get("day", "")
    filters = Filters(
        since=day,
        until=day,
        media=asked.get("media", ""),
        symbol=symbol_called(connection, asked.get("symbol", "")),
    )
    wanted: tuple[str, ...] = ()
    if words:
        query = parse(words)
        wanted = query.words
        order = Order.NEWEST if asked.get("order") == "newest" else Order.RELEVANCE
        hits = search(connection, query, filters, order=order, limit=MOST_HITS)
    else:
        hits = newest(connection, filters, MOST_HITS)
    number = max(1, int(page)) if (page := asked.get("page", "")[:9]).isdecimal() else 1
    first = (number - 1) * HITS_A_PAGE
    return {
        "count": len(hits),
        "all_counted": len(hits) < MOST_HITS,
        "articles": _listed(connection, hits[first : first + HITS_A_PAGE], wanted),
        "page": number,
        "more": len(hits) > first + HITS_A_PAGE,
        "facets": _facets(connection, hits),
    }


def article(
    connection: Connection, article_id: int, *, revision: int | None, pictures: bool
) -> dict[str, Any] | None:
    """Return an article as one of its revisions has it, and all that changed before and after.

    ``None`` when there is no such article or revision.
    """
    every, now = history(connection, article_id), current(connection, article_id)
    asked = (each for each in every if each.revision == revision)
    shown = now if revision is None else next(asked, None)
    if shown is None or now is None:
        return None
    html, count = page_html(shown.content_html, pictures=pictures)
    return {
        "article": now,
        "shown": shown,
        "securities": securities.of_articles(connection, [now.id]).get(now.id, []),
        "html": html,
        "picture_count": count,
        "pictures": pictures,
        "published": china(shown.published_at),
        "first_seen": china(shown.first_seen_at),
        "revisions": [
            {"number": each.revision, "cause": each.cause, "seen": china(each.known_from)}
            for each in every
        ],
        "edits": list(_edits(every)),
    }


def china(moment: datetime | None) -> str:
    """Return a moment as readers in China saw it, ``2024-03-11 09:02``; ``""`` for none."""
    return f"{moment.astimezone(SHANGHAI):%Y-%m-%d %H:%M}" if moment else ""


def _edits(
    every: Sequence[ArticleRevision],
) -> Iterator[tuple[ArticleRevision, ArticleRevision, list[Change]]]:
    for before, after in pairwise(every):
        old, new = ([each.title, *each.content_text.splitlines()] for each in (before, after))
        yield before, after, list(changes(old, new))


def _listed(
    connection: Connection, hits: Sequence[Hit], wanted: tuple[str, ...]
) -> list[dict[str, Any]]:
    named = securities.of_articles(connection, [hit.id for hit in hits])
    return [_shown(hit, wanted) | {"securities": named.get(hit.id, [])} for hit in hits]


def _shown(hit: Hit, wanted: tuple[str, ...]) -> dict[str, Any]:
    part = snippet(hit.text, wanted)
    return {
        "id": hit.id,
        "date": hit.date,
        "published": china(hit.published_at),
        "media": hit.media,
        "title": _pieces(hit.title, marks(hit.title, wanted)),
        "snippet": _pieces(part.text, part.marks),
    }


def _pieces(text: str, spans: tuple[tuple[int, int], ...]) -> list[tuple[bool, str]]:
    """Return a text in pieces, each with whether it was searched for."""
    pieces, at = [], 0
    for start, end in spans:
        pieces += [(False, text[at:start]), (True, text[start:end])]
        at = end
    return [*pieces, (False, text[at:])]


def _facets(connection: Connection, hits: list[Hit]) -> dict[str, list[tuple[str, str, int]]]:
    """Return the most frequent values by filter: value, what it is called, how many."""
    media = Counter(hit.media for hit in hits if hit.media).most_common(FACET_VALUES)
    days = Counter(hit.date for hit in hits)
    latest = sorted(days, reverse=True)[:FACET_VALUES]
    codes = overview.symbol_counts(connection, [hit.id for hit in hits], FACET_VALUES)
    return {
        "media": [(name, name, count) for name, count in media],
        "symbol": [(code, f"{name} {code}".strip(), count) for code, name, count in codes],
        "day": [(day, day, days[day]) for day in latest],
    }


def _state(feed: FeedHealth, *, late: bool, doubted: bool) -> str:
    if not feed.active:
        return "not configured"
    if feed.stopped:
        return "stopped"
    if feed.failures:
        return f"failed {feed.failures}×"
    if doubted:
        return "doubted"
    if late:
        return "late"
    return "ok" if feed.last_ok_at else "never polled"
