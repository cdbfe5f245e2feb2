"""One article with all its revisions: what ``ingest show`` asks for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, or_, select

from ingestor.store import stories
from ingestor.store.schema import aliases, articles, feeds, keywords, revisions, sightings, symbols


@dataclass(frozen=True, slots=True)
class Revision:
    """What an article said from ``seen_at`` on."""

    revision: int
    cause: str
    seen_at: datetime
    title: str
    text: str
    sequence: int


@dataclass(frozen=True, slots=True)
class ArticleHistory:
    """An article as it is, and as it was."""

    id: int
    url: str
    date: str
    title: str
    media: str
    editor: str
    published_at: datetime | None
    first_seen_at: datetime
    updated_at: datetime | None
    origin: str
    path: str
    keywords: tuple[str, ...]
    symbols: tuple[str, ...]
    feeds: tuple[str, ...]
    """Names of the feeds that announced it."""
    copies: tuple[stories.Copy, ...]
    """The other articles of the same story, the earliest publication first."""
    revisions: tuple[Revision, ...]
    """The oldest first; the last one is what the article says."""


def by_id(connection: Connection, article_id: int) -> ArticleHistory | None:
    """Return the article with this id, or ``None`` when there is none."""
    row = connection.execute(select(articles).where(articles.c.id == article_id)).first()
    if row is None:
        return None
    names = select(feeds.c.name).join(sightings).where(sightings.c.article_id == article_id)
    words = select(keywords.c.keyword).where(keywords.c.article_id == article_id)
    codes = select(symbols.c.symbol).where(symbols.c.article_id == article_id)
    return ArticleHistory(
        id=row.id,
        url=row.url,
        date=row.date,
        title=row.title,
        media=row.media,
        editor=row.editor,
        published_at=row.published_at,
        first_seen_at=row.first_seen_at,
        updated_at=row.updated_at,
        origin=row.origin,
        path=row.path,
        keywords=tuple(connection.execute(words.order_by(keywords.c.keyword)).scalars()),
        symbols=tuple(connection.execute(codes.order_by(symbols.c.symbol)).scalars()),
        feeds=tuple(connection.execute(names.order_by(feeds.c.id)).scalars()),
        copies=tuple(stories.others(connection, article_id)),
        revisions=_revisions(connection, article_id),
    )


def ids_of(connection: Connection, address: str, document_id: str) -> list[int]:
    """Return the articles of a canonical address or a document id, the latest day first.

    An address that the publisher used again has an article for each day.
    """
    also = select(aliases.c.article_id).where(aliases.c.url == address)
    named = or_(articles.c.url == address, articles.c.id.in_(also))
    if document_id:
        named = or_(named, articles.c.document_id == document_id)
    query = select(articles.c.id).where(named).order_by(articles.c.date.desc(), articles.c.id)
    return list(connection.execute(query).scalars())


def _revisions(connection: Connection, article_id: int) -> tuple[Revision, ...]:
    query = (
        select(revisions).where(revisions.c.article_id == article_id).order_by(revisions.c.revision)
    )
    return tuple(
        Revision(
            revision=row.revision,
            cause=row.cause,
            seen_at=row.seen_at,
            title=row.title,
            text=row.content_text,
            sequence=row.sequence,
        )
        for row in connection.execute(query)
    )
