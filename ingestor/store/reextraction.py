"""Articles whose page was captured: what today's rules can be run over, and what they change."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from sqlalchemy import Connection, Row, Select, func, literal, select

from ingestor.model import Article, Feed, Security
from ingestor.store import entries
from ingestor.store.captures import KEPT, KeptCapture, earlier, kept_capture
from ingestor.store.entries import QueuedEntry
from ingestor.store.filters import Filters, conditions
from ingestor.store.names import spans
from ingestor.store.schema import (
    BELIEVED,
    articles,
    captures,
    keywords,
    revisions,
    symbols,
)
from ingestor.store.stored_articles import DayOrder, StoredArticle, load
from ingestor.text.dates import is_day


@dataclass(frozen=True, slots=True)
class CapturedRevision:
    """A revision that is believed."""

    revision: int
    title: str
    text: str
    template: str
    capture: KeptCapture | None
    """``None``: it rests on no page that is kept."""


@dataclass(frozen=True, slots=True)
class CapturedArticle:
    """An article with the captures that its believed revisions were read from."""

    article: StoredArticle
    revisions: tuple[CapturedRevision, ...]
    """In their order."""
    announced: tuple[tuple[Feed, QueuedEntry], ...]
    """What announced it: it fills in what the page does not say."""

    @property
    def captures(self) -> tuple[KeptCapture, ...]:
        """Return the captures of its revisions, each once."""
        every = {
            revision.capture.id: revision.capture for revision in self.revisions if revision.capture
        }
        return tuple(every.values())

    def revision(self, number: int) -> CapturedRevision | None:
        """Return a revision that is believed."""
        return next((kept for kept in self.revisions if kept.revision == number), None)


Value = str | frozenset[Any] | tuple[Any, ...]

_COMPARED: dict[str, Callable[[StoredArticle], Value]] = {
    "title": lambda article: article.title,
    "text": lambda article: article.content_text,
    "html": lambda article: article.content_html,
    "media": lambda article: article.media,
    "editor": lambda article: article.editor,
    "summary": lambda article: article.summary,
    "headimg": lambda article: article.headimg,
    "origin": lambda article: article.origin,
    "symbols": lambda article: frozenset(
        (security.symbol, security.market, security.name) for security in article.securities
    ),
    "keywords": lambda article: frozenset(article.keywords),
    "images": lambda article: tuple((picture.url, picture.caption) for picture in article.pictures),
}
"""Everything that rules read from a page and that a revision changes, by the name it goes by."""


def differences(before: StoredArticle, read: Article) -> dict[str, tuple[Value, Value]]:
    """Return what storing an article as read from its page would change: old and new, by name."""
    named = spans.named(read)
    after = replace(
        before,
        title=read.title,
        content_text=read.body.text,
        content_html=read.body.html,
        media=read.media,
        editor=read.editor,
        summary=read.summary,
        headimg=read.headimg,
        origin="page",
        securities=tuple(Security(market, symbol, name) for symbol, market, name in named[symbols]),
        keywords=tuple(keyword for (keyword,) in named[keywords]),
        pictures=read.body.pictures,
    )
    values = {name: (value(before), value(after)) for name, value in _COMPARED.items()}
    return {name: (old, new) for name, (old, new) in values.items() if old != new}


def count(connection: Connection, filters: Filters) -> tuple[int, int]:
    """Return how many articles are meant, and how many of them have a page that is kept."""
    every = select(func.count()).select_from(articles).where(*conditions(filters), BELIEVED)
    numbers = (connection.execute(query).scalar_one() for query in (every, _captured(every)))
    return int(next(numbers)), int(next(numbers))


def days(connection: Connection, filters: Filters) -> list[date]:
    """Return the publication days of the articles that are meant, the first one first."""
    query = select(articles.c.date).where(*conditions(filters)).distinct().order_by(articles.c.date)
    every = connection.execute(query).scalars()
    return [date.fromisoformat(day) for day in every if is_day(day)]


def captured_articles(
    connection: Connection, filters: Filters, order: DayOrder, limit: int
) -> list[CapturedArticle]:
    """Return articles whose page is kept, by day and id, from where the walk is on."""
    query = _captured(select(articles)).where(*conditions(filters), *order.conditions())
    rows = connection.execute(query.order_by(articles.c.date, articles.c.id).limit(limit)).all()
    return _with_captures(connection, rows)


def stored(connection: Connection, article_id: int) -> StoredArticle:
    """Return an article as it stands now."""
    query = select(articles).where(articles.c.id == article_id)
    return load(connection, connection.execute(query).all())[0]


def with_text(connection: Connection, text_hashes: Collection[str]) -> list[CapturedArticle]:
    """Return the articles whose current page shows one of these texts."""
    if not text_hashes:
        return []
    query = _captured(select(articles)).where(captures.c.text_hash.in_(text_hashes), _HAS_TEXT)
    return _with_captures(connection, connection.execute(query.order_by(articles.c.id)).all())


def with_shared_text(
    connection: Connection, filters: Filters, after: int, limit: int
) -> list[CapturedArticle]:
    """Return articles whose current page shows what another address showed, by id from behind one.

    Whether it did so within a day and on the same host is not asked here.
    """
    other = captures.alias()
    shared = select(other.c.id).where(
        other.c.text_hash == captures.c.text_hash,
        other.c.text_hash != literal("", literal_execute=True),
        other.c.url != captures.c.url,
    )
    query = _captured(select(articles)).where(
        *conditions(filters), articles.c.id > after, _HAS_TEXT, shared.exists()
    )
    rows = connection.execute(query.order_by(articles.c.id).limit(limit)).all()
    return _with_captures(connection, rows)


_IS_KEPT = captures.c.warc_file.is_not(None) & captures.c.damaged.is_(None)
"""Condition: its page can be read, as far as is known."""

_HAS_TEXT = captures.c.text_hash != literal("", literal_execute=True)


def _captured(query: Select[Any]) -> Select[Any]:
    current = (revisions.c.article_id == articles.c.id) & (
        revisions.c.revision == articles.c.revision
    )
    return (
        query.join(revisions, current)
        .join(captures, captures.c.id == revisions.c.capture_id)
        .where(_IS_KEPT, BELIEVED)
    )


def _with_captures(connection: Connection, rows: Sequence[Row[Any]]) -> list[CapturedArticle]:
    ids = [row.id for row in rows]
    led = entries.of_articles(connection, ids)
    kept = _revisions(connection, ids)
    return [
        CapturedArticle(article, tuple(kept[article.id]), tuple(led.get(article.id, ())))
        for article in load(connection, rows)
    ]


def _revisions(
    connection: Connection, ids: Sequence[int]
) -> defaultdict[int, list[CapturedRevision]]:
    query = (
        select(
            *revisions.c["article_id", "revision", "title", "content_text", "template"],
            _IS_KEPT.label("is_kept"),
            *KEPT,
        )
        .outerjoin(captures, captures.c.id == revisions.c.capture_id)
        .where(revisions.c.article_id.in_(ids), revisions.c.cause != "doubt")
    )
    kept: defaultdict[int, list[CapturedRevision]] = defaultdict(list)
    for row in connection.execute(query.order_by(revisions.c.revision)).all():
        capture = None
        if row.is_kept:
            before = earlier(connection, row.url, row.sha256, before=row.id)
            capture = kept_capture(row, before)
        kept[row.article_id].append(
            CapturedRevision(row.revision, row.title, row.content_text, row.template, capture)
        )
    return kept
