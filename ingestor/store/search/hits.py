"""What a search finds: candidates by the index, confirmed by the text, put in order, with snippets.

A snippet is the part of a text around the query's words, and where they stand in it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, islice
from typing import Any

from sqlalchemy import BindParameter, Connection, bindparam, func, select

from ingestor.store.filters import Filters, conditions
from ingestor.store.schema import BELIEVED, articles
from ingestor.store.search import Order, Query, is_plain, normalize_for_plain
from ingestor.store.search.candidates import (
    USUAL,
    Bounds,
    Candidates,
    candidates,
    how_many,
    in_order,
    look_up,
)
from ingestor.text.normalize import normalize

BEFORE = 24
"""Characters shown before the first word that was found."""

LENGTH = 96
"""Characters of a snippet."""


@dataclass(frozen=True, slots=True)
class Snippet:
    """A part of a text, in one line."""

    text: str
    marks: tuple[tuple[int, int], ...]
    """Where words of the query stand in it: first character, and the one behind the last."""


def marks(text: str, words: tuple[str, ...]) -> tuple[tuple[int, int], ...]:
    """Return where normalized words stand in a text, in its own characters, without overlaps."""
    if not words:
        return ()
    normalized, origin = _normalized(text)
    spans = sorted(
        (origin[at.start()], origin[at.end() - 1] + 1)
        for word in words
        for at in re.finditer(re.escape(word), normalized)
    )
    merged: list[tuple[int, int]] = []
    for start, end in spans:
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return tuple(merged)


def snippet(text: str, words: tuple[str, ...]) -> Snippet:
    """Return the part of a text with the first word that is found in it, else its beginning."""
    line = re.sub(r"\s", " ", text)
    spans = marks(line, words)
    start = max(0, spans[0][0] - BEFORE) if spans else 0
    end = min(len(line), start + LENGTH)
    front, back = "…" if start else "", "…" if end < len(line) else ""
    inside = tuple(
        (max(first, start) - start + len(front), min(last, end) - start + len(front))
        for first, last in spans
        if first < end
    )
    return Snippet(f"{front}{line[start:end]}{back}", inside)


def _normalized(text: str) -> tuple[str, list[int]]:
    """Return a text normalized character by character, and where each of its characters was."""
    parts, origin = [], []
    for number, character in enumerate(text):
        part = normalize(character)
        parts.append(part)
        origin += [number] * len(part)
    return "".join(parts), origin


RANKED = 500
"""Of more articles those archived last are ranked: a common word is no question of rank."""

LOOKED_AT = 1_000
"""Candidates that are looked at for that: most of them may not pass a filter."""

COUNTED = 10_000
"""So many articles with a word make it common; it is not counted further."""

READ_AT_FIRST, READ_AT_MOST = 25, 200
"""Texts that are read at a time: no more than are wanted, where nearly all are found."""

TITLE_WEIGHT = 5
"""A word in the title counts as much as five in the text."""

_SATURATION, _LENGTH = 1.2, 0.75
"""k1 and b of BM25 (Robertson and Zaragoza, 2009), with the values that it is known for."""

_LIST: BindParameter[int] = bindparam("ids", expanding=True)
_TOTAL = select(func.max(articles.c.id))
"""How many articles there are: none is ever deleted."""

_DOUBTED = select(articles.c.id).where(~BELIEVED).order_by(articles.c.id.desc())
_SHOWN = articles.c["id", "url", "date", "published_at", "title", "media", "path"]


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
    connection: Connection,
    query: Query,
    filters: Filters,
    *,
    order: Order,
    limit: int,
    bounds: Bounds = USUAL,
) -> list[Hit]:
    """Return at most ``limit`` articles with every word of the query, the best first.

    Exactly what a scan of all texts, normalized in width and case, would find; of very common
    words (see :data:`RANKED`) the order by relevance is among the newest.
    """
    index = look_up(connection, query, bounds)
    ids = candidates(connection, index, filters, order)
    # The index does not have what is doubted.
    doubted = list(connection.execute(_DOUBTED).scalars()) if filters.doubted else []
    known = frozenset(doubted)
    believed = ids if not doubted else (each for each in ids if each not in known)
    confirmed = _confirmed(connection, query, filters, believed)
    beside = _confirmed(connection, query, filters, iter(doubted))
    if order is Order.RELEVANCE:
        texts = _enough(chain(beside, confirmed), limit)
        words = query.words if texts else ()
        scores = ranked(texts, {word: _rarity(connection, word, index) for word in words})
    else:
        first = [text.id for text in islice(filter(None, confirmed), limit)]
        if doubted:
            every = frozenset(first) | {text.id for text in beside if text}
            first = list(in_order(connection, every, order))
        scores = [(article_id, 0.0) for article_id in first]
    return _hits(connection, scores[:limit])


def newest(
    connection: Connection, filters: Filters, limit: int, *, oldest_first: bool = False
) -> list[Hit]:
    """Return the articles that are meant, the last published first; ``text`` is the summary."""
    columns = articles.c.published_at, articles.c.id
    order = columns if oldest_first else [column.desc() for column in columns]
    query = select(*_SHOWN, articles.c.summary).where(*conditions(filters)).order_by(*order)
    return [_hit(row, 0.0) for row in connection.execute(query.limit(limit))]


def how_many_hits(
    connection: Connection, query: Query | None, filters: Filters, *, most: int
) -> int:
    """Return how many articles answer a query, or only filters; at most ``most`` are counted."""
    if query is None:
        meant = select(articles.c.id).where(*conditions(filters)).limit(most)
        return connection.execute(select(func.count()).select_from(meant.subquery())).scalar_one()
    index = look_up(connection, query)
    ids = candidates(connection, index, filters, Order.NEWEST)
    return sum(1 for _ in islice(filter(None, _confirmed(connection, query, filters, ids)), most))


@dataclass(frozen=True, slots=True)
class FoundText:
    """An article's normalized title and text: as far as the query's words go."""

    id: int
    title: str
    content: str


def _confirmed(
    connection: Connection, query: Query, filters: Filters, ids: Iterator[int]
) -> Iterator[FoundText | None]:
    """Yield, for each of the ids, its text if it is meant, else ``None``."""
    # The days are looked at again: ids that were listed come from all of them.
    columns = articles.c["id", "title", "content_text"]
    reading = select(*columns).where(*conditions(filters), articles.c.id.in_(_LIST))
    plain = is_plain(query.characters)
    size = READ_AT_FIRST
    while part := list(islice(ids, size)):
        rows = {row.id: row for row in connection.execute(reading, {"ids": part})}
        for article_id in part:
            row = rows.get(article_id)
            yield found_text(row, query, plain=plain) if row else None
        size = min(2 * size, READ_AT_MOST)


def found_text(row: Any, query: Query, *, plain: bool | None = None) -> FoundText | None:
    """Return the text of a record with id, title and text, ``None`` where it is not meant.

    ``plain`` says whether the query is, for who asks often (:func:`is_plain`).
    """
    plain = is_plain(query.characters) if plain is None else plain
    normalized = normalize_for_plain if plain else normalize
    title, content = normalized(row.title), normalized(row.content_text)
    return FoundText(row.id, title, content) if query.accepts(title, content) else None


def _enough(confirmed: Iterator[FoundText | None], limit: int) -> list[FoundText]:
    """Return the texts of the first :data:`RANKED` candidates, and of more up to ``limit``."""
    every: list[FoundText] = []
    for looked_at, text in enumerate(confirmed, start=1):
        if text:
            every.append(text)
        if len(every) >= limit and (len(every) >= RANKED or looked_at >= LOOKED_AT):
            break
    return every


def ranked(texts: Sequence[FoundText], rarity: Mapping[str, float]) -> list[tuple[int, float]]:
    """Return the ids and scores of texts, the best first, by how rare each word is (BM25)."""
    if not texts:
        return []
    average = sum(len(text.content) for text in texts) / len(texts) or 1.0
    scores = []
    for text in texts:
        length = 1 - _LENGTH + _LENGTH * len(text.content) / average
        score = 0.0
        for word in rarity:
            often = TITLE_WEIGHT * text.title.count(word) + text.content.count(word)
            score += rarity[word] * often * (_SATURATION + 1) / (often + _SATURATION * length)
        scores.append((text.id, round(score, 4)))
    return sorted(scores, key=lambda scored: (-scored[1], -scored[0]))


def _rarity(connection: Connection, word: str, index: Candidates) -> float:
    """Return the inverse document frequency of a word, of those that the index knows."""
    total = int(connection.execute(_TOTAL).scalar_one() or 0)
    having = how_many(connection, word, index, limit=COUNTED)
    return math.log(1 + (total - having + 0.5) / (having + 0.5))


def _hits(connection: Connection, scores: Sequence[tuple[int, float]]) -> list[Hit]:
    """Return articles in this order, each with its score."""
    query = select(*_SHOWN, articles.c.content_text).where(articles.c.id.in_(_LIST))
    rows = connection.execute(query, {"ids": [article_id for article_id, _ in scores]})
    shown = {row.id: row for row in rows}
    return [_hit(shown[article_id], score) for article_id, score in scores]


def _hit(row: Any, score: float) -> Hit:
    id_, url, date, published_at, title, media, path, text = row
    return Hit(id_, url, date, published_at, title, media, path, text, score)
