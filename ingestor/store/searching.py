"""Searching the articles: candidates by the index, confirmed by the text, ranked, in part."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Row, Select, select

from ingestor.store import full_text
from ingestor.store.exports import Filters, chosen
from ingestor.store.schema import articles
from ingestor.store.search import fold
from ingestor.store.search_query import Query

RANKED = 500
"""Of more candidates the newest in the archive are ranked: a common word is no question of rank."""

COUNTED = 10_000
"""So many articles with a word make it common; it is not counted further."""

TITLE_WEIGHT = 5
"""A word in the title counts as much as five in the text."""

_SATURATION, _LENGTH = 1.2, 0.75
"""k1 and b of BM25 (Robertson and Zaragoza, 2009), with the values that it is known for."""


class Order(StrEnum):
    """In which order articles are found."""

    RELEVANCE = "relevance"
    NEWEST = "newest"
    OLDEST = "oldest"


@dataclass(frozen=True, slots=True)
class Hit:
    """An article that was found."""

    id: int
    url: str
    date: str
    published_at: datetime | None
    title: str
    media: str
    path: str
    text: str
    score: float
    """BM25; 0 where the order is another."""


def search(
    connection: Connection, query: Query, filters: Filters, *, order: Order, limit: int
) -> list[Hit]:
    """Return at most ``limit`` articles with every word of the query, the best first.

    Exactly what a scan of all texts, folded in width and case, would find; of very common
    words (see :data:`RANKED`) the order by relevance is among the newest.
    """
    found = _confirmed(connection, query, filters, order)
    if order is Order.RELEVANCE:
        ranked = _ranked(connection, query, list(islice(found, RANKED)))
        return sorted(ranked, key=lambda hit: (-hit.score, -hit.id))[:limit]
    return [_hit(row, 0.0) for row, _, _ in islice(found, limit)]


_Found = tuple[Row[Any], str, str]
"""A row with its folded title and text."""


def _confirmed(
    connection: Connection, query: Query, filters: Filters, order: Order
) -> Iterator[_Found]:
    index = full_text.of(connection)
    wanted = _candidates(index, query, filters, order)
    rows = connection.execute(wanted.execution_options(yield_per=100))
    for row in rows:
        title, content = fold(row.title), fold(row.content_text)
        if query.accepts(title, content):
            yield row, title, content


def _candidates(
    index: full_text.FullText, query: Query, filters: Filters, order: Order
) -> Select[Any]:
    columns = ("id", "url", "date", "published_at", "title", "media", "path", "content_text")
    wanted = chosen(select(*(articles.c[name] for name in columns)), filters)
    wanted, newest = index.narrowed(wanted, query.wanted)
    if order is Order.RELEVANCE:
        return wanted.order_by(newest.desc())
    moment = articles.c.published_at
    if order is Order.OLDEST:
        return wanted.order_by(moment, articles.c.id)
    return wanted.order_by(moment.desc(), articles.c.id.desc())


def _ranked(connection: Connection, query: Query, found: list[_Found]) -> Iterator[Hit]:
    if not found:
        return
    total = full_text.of(connection).total(connection)
    rarity = {word: _rarity(connection, word, total) for word in query.wanted}
    average = sum(len(content) for _, _, content in found) / len(found) or 1.0
    for row, title, content in found:
        length = 1 - _LENGTH + _LENGTH * len(content) / average
        score = 0.0
        for word in query.wanted:
            often = TITLE_WEIGHT * title.count(word) + content.count(word)
            score += rarity[word] * often * (_SATURATION + 1) / (often + _SATURATION * length)
        yield _hit(row, score)


def _rarity(connection: Connection, word: str, total: int) -> float:
    """Return the inverse document frequency of a word, of those that the index knows."""
    having = full_text.of(connection).having(connection, word, COUNTED)
    if having is None:
        return 1.0
    return math.log(1 + (total - having + 0.5) / (having + 0.5))


def _hit(row: Row[Any], score: float) -> Hit:
    return Hit(
        id=row.id,
        url=row.url,
        date=row.date,
        published_at=row.published_at,
        title=row.title,
        media=row.media,
        path=row.path,
        text=row.content_text,
        score=round(score, 4),
    )
