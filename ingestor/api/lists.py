"""Lists of articles: what a query and filters find, a page at a time that keeps its place.

A list is that of one moment: who asks for its next page says up to where the archive went when he
asked for the first, so that what is written meanwhile moves nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BindParameter, Connection, Select, bindparam, func, select

from ingestor.api.selection import edited, newest
from ingestor.store import overview
from ingestor.store.filters import Filters
from ingestor.store.names import securities
from ingestor.store.schema import (
    IS_BELIEVED,
    IS_EDIT,
    articles,
    feeds,
    revisions,
    sightings,
)
from ingestor.store.search import Order, Query, parse
from ingestor.store.search.hits import Hit, search

MOST_HITS = 1_000
"""So many articles are counted, by what they are of too; with a query's words so many are found."""

FACET_VALUES = 12


class ListOrder(StrEnum):
    """What comes first."""

    RELEVANCE = "relevance"
    NEWEST = "newest"
    """The last publication day first; of a day what says no time comes last."""
    EDITED = "edited"
    """Those that were edited, the last edit first."""


@dataclass(frozen=True, slots=True)
class ListRequest:
    """Which part of which list is wanted."""

    query: str = ""
    """The words, as ``ingest search`` takes them; ``""``: all that the filters mean."""
    filters: Filters = field(default_factory=Filters)
    order: ListOrder = ListOrder.NEWEST
    page: int = 1
    size: int = 50
    upto: int | None = None
    """Up to where the archive went at the first page; ``None``: this is it."""


@dataclass(frozen=True, slots=True)
class ListedArticle:
    """An article in a list."""

    id: int
    url: str
    date: str
    published_at: datetime | None
    first_seen_at: datetime
    title: str
    media: str
    origin: str
    """page, feed or import."""
    gone_at: datetime | None
    text: str
    """Its text, of what was found by words; else its summary."""
    edits: int
    """How often the publisher changed it."""
    edited_at: datetime | None
    """When that was seen last."""
    securities: tuple[tuple[str, str], ...]
    """Code, and what it is called now."""


Facets = dict[str, list[tuple[str, str, int]]]
"""By the name of a filter its most frequent values: value, what it is called, how many."""


@dataclass(frozen=True, slots=True)
class FoundList:
    """A page of a list."""

    articles: tuple[ListedArticle, ...]
    count: int
    """Of all pages."""
    all_counted: bool
    """Whether there are no more than ``count``."""
    upto: int
    """To be said when the next page is asked for."""
    more: bool
    """Whether there is a next page."""
    words: tuple[str, ...]
    """The query's words, normalized: what to mark."""
    facets: Facets


def found(connection: Connection, asked: ListRequest) -> FoundList:
    """Return a page of a list; raise :class:`UsageError` for a query that says nothing."""
    upto = asked.upto if asked.upto is not None else _newest(connection, asked.order)
    first = (asked.page - 1) * asked.size
    texts: dict[int, str] = {}
    words: tuple[str, ...] = ()
    if asked.query:
        query = parse(asked.query)
        words = query.words
        hits = _hits(connection, query, asked, upto)
        ids = [hit.id for hit in hits]
        texts = {hit.id: hit.text for hit in hits[first : first + asked.size]}
        here, count = ids[first : first + asked.size], len(ids)
        beyond = count > first + len(here)
    else:
        select_ids = edited if asked.order is ListOrder.EDITED else newest
        ids = select_ids(connection, asked.filters, upto, first=0, limit=MOST_HITS)
        further = ids[first : first + asked.size + 1]
        if first + asked.size >= MOST_HITS == len(ids):
            further = select_ids(connection, asked.filters, upto, first=first, limit=asked.size + 1)
        here, beyond = further[: asked.size], len(further) > asked.size
        count = len(ids)
    listed = articles_listed(connection, here, texts)
    facets = _facets(connection, ids)
    return FoundList(listed, count, count < MOST_HITS, upto, bool(here) and beyond, words, facets)


def _newest(connection: Connection, order: ListOrder) -> int:
    if order is ListOrder.EDITED:
        return overview.last_sequence(connection)
    return int(connection.execute(select(func.max(articles.c.id))).scalar() or 0)


def _hits(connection: Connection, query: Query, asked: ListRequest, upto: int) -> list[Hit]:
    order = Order.RELEVANCE if asked.order is ListOrder.RELEVANCE else Order.NEWEST
    every = search(connection, query, asked.filters, order=order, limit=MOST_HITS)
    if asked.order is not ListOrder.EDITED:
        return [hit for hit in every if hit.id <= upto]
    edits = last_edits(upto).where(revisions.c.article_id.in_([hit.id for hit in every]))
    last: dict[int, int] = dict(connection.execute(edits).all())
    hits = (hit for hit in every if hit.id in last)
    return sorted(hits, key=lambda hit: last[hit.id], reverse=True)


def last_edits(upto: int) -> Select[Any]:
    """Select the articles that were edited, each with the sequence of its last edit."""
    return (
        select(revisions.c.article_id, func.max(revisions.c.sequence).label("last"))
        .where(IS_EDIT, revisions.c.sequence <= upto)
        .group_by(revisions.c.article_id)
    )


_LISTED = articles.c[
    "id", "url", "date", "published_at", "first_seen_at", "title", "media", "origin", "gone_at",
    "summary",
]  # fmt: skip


_IDS: BindParameter[int] = bindparam("ids", expanding=True)
_ROWS = select(*_LISTED).where(articles.c.id.in_(_IDS))
_EDITS = (
    select(revisions.c.article_id, func.count(), func.max(revisions.c.seen_at))
    .where(revisions.c.article_id.in_(_IDS), IS_EDIT)
    .group_by(revisions.c.article_id)
)
_KINDS = select(*articles.c["media", "date", "origin", "categories"]).where(articles.c.id.in_(_IDS))
_ANNOUNCED = (
    select(sightings.c.feed_id, func.count())
    .where(sightings.c.article_id.in_(_IDS))
    .group_by(sightings.c.feed_id)
)


def articles_listed(
    connection: Connection, ids: Sequence[int], texts: dict[int, str] | None = None
) -> tuple[ListedArticle, ...]:
    """Return articles of these ids, in their order; ``texts`` to show in place of summaries."""
    named = securities.of_articles(connection, ids)
    edits_of = _edits(connection, ids)
    rows = {row.id: row for row in connection.execute(_ROWS, {"ids": list(ids)})}
    listed = []
    for article_id in ids:
        values: dict[str, Any] = dict(rows[article_id]._mapping)  # noqa: SLF001 - SQLAlchemy's documented name
        summary = values.pop("summary")
        text = (texts or {}).get(article_id, summary)
        edits, last = edits_of.get(article_id, (0, None))
        codes = tuple(named.get(article_id, ()))
        values |= {"text": text, "edits": edits, "edited_at": last, "securities": codes}
        listed.append(ListedArticle(**values))
    return tuple(listed)


def newest_articles(connection: Connection, limit: int) -> tuple[ListedArticle, ...]:
    """Return the articles that were published last."""
    upto = _newest(connection, ListOrder.NEWEST)
    return articles_listed(connection, newest(connection, Filters(), upto, first=0, limit=limit))


def _edits(connection: Connection, ids: Collection[int]) -> dict[int, tuple[int, datetime | None]]:
    rows = connection.execute(_EDITS, {"ids": list(ids)})
    return {of: (number, last) for of, number, last in rows}


def _facets(connection: Connection, ids: Sequence[int]) -> Facets:
    """Return the most frequent values among these articles."""
    these = {"ids": list(ids)}
    rows = connection.execute(_KINDS, these).all()
    # Names by themselves: SQLite would ask for every article of every feed.
    names = dict(connection.execute(select(feeds.c.id, feeds.c.name)).all())
    by_feed = {names[of]: number for of, number in connection.execute(_ANNOUNCED, these)}
    days = Counter(row.date for row in rows)
    latest = sorted(days, reverse=True)[:FACET_VALUES]
    codes = overview.symbol_counts(connection, ids, FACET_VALUES)
    return {
        "media": _most(row.media for row in rows if row.media),
        "symbol": [(code, f"{name} {code}".strip(), count) for code, name, count in codes],
        "feed": _most(by_feed),
        "category": _most(_lines(Counter(row.categories for row in rows))),
        "origin": _most(row.origin for row in rows),
        "day": [(day, day, days[day]) for day in latest],
    }


def _lines(texts: Counter[str]) -> Counter[str]:
    """Return how often lines are there, of texts that are so often there."""
    lines: Counter[str] = Counter()
    for text, number in texts.items():
        lines.update({line: number * often for line, often in Counter(text.splitlines()).items()})
    return lines


def _most(names: Iterable[str] | Mapping[str, int]) -> list[tuple[str, str, int]]:
    return [(name, name, count) for name, count in Counter(names).most_common(FACET_VALUES)]


def neighbours(connection: Connection, article_id: int) -> tuple[int | None, int | None]:
    """Return the articles published before and after one, ``None`` where there is none."""
    at = select(articles.c.published_at).where(articles.c.id == article_id).scalar_subquery()
    published, number = articles.c.published_at, articles.c.id
    query = select(number).where(IS_BELIEVED).limit(1)
    # Two statements each: an index answers one, but no "or".
    before, after = (
        query.order_by(published.desc(), number.desc()),
        query.order_by(published, number),
    )

    def first(*queries: Select[Any]) -> int | None:
        """Return the first answer to one of these."""
        ids = (connection.execute(query).scalar() for query in queries)
        return next((article_id for article_id in ids if article_id is not None), None)

    return (
        first(before.where(published == at, number < article_id), before.where(published < at)),
        first(after.where(published == at, number > article_id), after.where(published > at)),
    )
