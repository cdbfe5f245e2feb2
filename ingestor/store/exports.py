"""What ``ingest export`` reads: articles, or all their revisions, a part at a time.

Parts are read in transactions of their own, so that an export of hours keeps no writer from
cleaning its log, and memory holds one part whatever the archive's size.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Connection, Row, Select, and_, exists, func, or_, select

from ingestor.store.db.database import Database
from ingestor.store.projection import ArticleFile
from ingestor.store.schema import (
    articles,
    feeds,
    images,
    keywords,
    revisions,
    sightings,
    symbols,
)

ARTICLES_A_PART = 200
"""Articles read at a time, with all that belongs to them."""


@dataclass(frozen=True, slots=True)
class Filters:
    """Which articles are meant. Days are publication days in Asia/Shanghai, included."""

    since: str = ""
    until: str = ""
    symbol: str = ""
    """Normalised, such as ``sh600519``."""
    media: str = ""
    """Written by this medium, as the page names it."""
    feeds: tuple[str, ...] = ()
    """Announced by one of these, or adopted with its name as last category; ``()``: by any."""
    limit: int | None = None
    """At most so many articles, the oldest publication day first."""


@dataclass(frozen=True, slots=True)
class ExportedArticle:
    """An article as one of its revisions has it."""

    id: int
    url: str
    date: str
    document_id: str | None
    title: str
    author: str
    media: str
    editor: str
    summary: str
    headimg: str
    content_html: str
    content_text: str
    content_sha256: str
    published_at: datetime | None
    first_seen_at: datetime
    updated_at: datetime | None
    revision: int
    sequence: int
    cause: str
    known_from: datetime
    known_until: datetime | None
    """``None``: it is the current revision."""
    origin: str
    template: str
    path: str
    categories: tuple[str, ...]
    feeds: tuple[str, ...]
    symbols: tuple[str, ...]
    keywords: tuple[str, ...]
    images: tuple[str, ...]

    def file(self) -> ArticleFile:
        """Return what the article's file says."""
        return ArticleFile(
            article_id=self.id,
            revision=self.revision,
            path=self.path,
            title=self.title,
            categories=self.categories,
            headimg=self.headimg,
            author=self.author,
            published_at=self.published_at or self.first_seen_at,
            updated_at=self.updated_at,
            html=self.content_html,
            url=self.url,
            media=self.media,
            editor=self.editor,
            keywords=self.keywords,
            symbols=self.symbols,
        )


def exported(
    database: Database, filters: Filters, *, every_revision: bool = False
) -> Iterator[ExportedArticle]:
    """Yield the articles that are meant, by publication day and id.

    In their current revision, or in each one, the oldest first.
    """
    query = chosen(select(articles), filters).order_by(articles.c.date, articles.c.id)
    left, day, last = filters.limit, "", 0
    while left is None or left > 0:
        size = ARTICLES_A_PART if left is None else min(left, ARTICLES_A_PART)
        behind = or_(articles.c.date > day, and_(articles.c.date == day, articles.c.id > last))
        with database.reading() as connection:
            rows = connection.execute(query.where(articles.c.date >= day, behind).limit(size)).all()
            if not rows:
                return
            part = list(_part(connection, rows, every_revision=every_revision))
        yield from part
        day, last = rows[-1].date, rows[-1].id
        left = None if left is None else left - len(rows)


def count(database: Database, filters: Filters) -> int:
    """Return how many articles are meant."""
    query = chosen(select(func.count()).select_from(articles), filters)
    with database.reading() as connection:
        found = int(connection.execute(query).scalar_one())
    return found if filters.limit is None else min(found, filters.limit)


def unknown_feeds(database: Database, names: Sequence[str]) -> list[str]:
    """Return those of the names that no feed ever had, nor an adopted article's category."""
    found = []
    with database.reading() as connection:
        known = set(connection.execute(select(feeds.c.name)).scalars())
        for name in names:
            adopted = select(articles.c.id).where(_adopted_under(name)).limit(1)
            if name not in known and connection.execute(adopted).first() is None:
                found.append(name)
    return found


def chosen(query: Select[Any], filters: Filters) -> Select[Any]:
    """Return a query of articles, narrowed down to those that are meant; not limited."""
    if filters.since:
        query = query.where(articles.c.date >= filters.since)
    if filters.until:
        query = query.where(articles.c.date <= filters.until)
    if filters.symbol:
        named = and_(symbols.c.article_id == articles.c.id, symbols.c.symbol == filters.symbol)
        query = query.where(exists().where(named))
    if filters.media:
        query = query.where(articles.c.media == filters.media)
    if filters.feeds:
        # Asked of each article, not made a list first: a feed may have announced a million.
        these = select(feeds.c.id).where(feeds.c.name.in_(filters.feeds))
        seen = exists().where(
            sightings.c.article_id == articles.c.id, sightings.c.feed_id.in_(these)
        )
        adopted = [_adopted_under(name) for name in filters.feeds]
        query = query.where(or_(seen, *adopted))
    return query


def _adopted_under(name: str) -> Any:
    """Condition: no feed announced the article, and its last category has this name."""
    last = or_(
        articles.c.categories == name, articles.c.categories.endswith(f"\n{name}", autoescape=True)
    )
    return and_(articles.c.feed_id.is_(None), last)


def _part(
    connection: Connection, rows: Sequence[Row[Any]], *, every_revision: bool
) -> Iterator[ExportedArticle]:
    every = _revisions(connection, [row.id for row in rows], every_revision=every_revision)
    details = _details(connection, [row.id for row in rows])
    for row in rows:
        mine = every[row.id]
        lists: dict[str, Any] = {name: tuple(found[row.id]) for name, found in details.items()}
        ends = [*(one.seen_at for one in mine[1:]), None]
        for one, until in zip(mine, ends, strict=True):
            yield ExportedArticle(
                **{name: getattr(row, name) for name in _OF_ARTICLE},
                **{name: getattr(one, name) for name in _OF_REVISION},
                known_from=one.seen_at,
                known_until=until,
                categories=tuple(row.categories.splitlines()),
                **lists,
            )


_OF_ARTICLE = (
    "id", "url", "date", "document_id", "author", "media", "editor", "summary", "headimg",
    "published_at", "first_seen_at", "updated_at", "origin", "template", "path",
)  # fmt: skip
_OF_REVISION = (
    "title", "content_html", "content_text", "content_sha256", "revision", "sequence", "cause",
)  # fmt: skip


def _revisions(
    connection: Connection, ids: Sequence[int], *, every_revision: bool
) -> dict[int, list[Row[Any]]]:
    query = select(revisions).where(revisions.c.article_id.in_(ids)).order_by(revisions.c.revision)
    if not every_revision:
        current = and_(
            articles.c.id == revisions.c.article_id, articles.c.revision == revisions.c.revision
        )
        query = query.join(articles, current)
    found = defaultdict(list)
    for row in connection.execute(query):
        found[row.article_id].append(row)
    return found


def _details(connection: Connection, ids: Sequence[int]) -> dict[str, dict[int, list[str]]]:
    """Return what hangs on the articles, as lists, by the field's name and the article."""
    queries = {
        "feeds": select(sightings.c.article_id, feeds.c.name)
        .join(feeds)
        .where(sightings.c.article_id.in_(ids))
        .order_by(feeds.c.id),
        "symbols": _in_order(symbols.c.symbol, symbols.c.symbol, ids),
        "keywords": _in_order(keywords.c.keyword, keywords.c.keyword, ids),
        "images": _in_order(images.c.url, images.c.position, ids),
    }
    found: dict[str, dict[int, list[str]]] = {}
    for name, query in queries.items():
        found[name] = defaultdict(list)
        for article_id, value in connection.execute(query):
            found[name][article_id].append(value)
    return found


def _in_order(column: Column[Any], order: Column[Any], ids: Sequence[int]) -> Select[Any]:
    of_article = column.table.c.article_id
    return select(of_article, column).where(of_article.in_(ids)).order_by(order)
