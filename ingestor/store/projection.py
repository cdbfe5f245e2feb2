"""Which files are due, and what they say: the archive folder as seen from the database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select, update

from ingestor.store.schema import articles, keywords, symbols


@dataclass(frozen=True, slots=True)
class ArticleFile:
    """What an article's file says, and where it lies."""

    article_id: int
    revision: int
    path: str
    title: str
    categories: tuple[str, ...]
    headimg: str
    author: str
    published_at: datetime
    updated_at: datetime | None
    html: str
    url: str
    media: str
    editor: str
    keywords: tuple[str, ...]
    symbols: tuple[str, ...]


def due(connection: Connection, limit: int) -> list[ArticleFile]:
    """Return articles whose file is not what the database says, oldest first."""
    rows = connection.execute(
        select(articles)
        .where(articles.c.file_sha256.is_(None))
        .order_by(articles.c.id)
        .limit(limit)
    ).all()
    return [
        ArticleFile(
            article_id=row.id,
            revision=row.revision,
            path=row.path,
            title=row.title,
            categories=tuple(row.categories.splitlines()),
            headimg=row.headimg,
            author=row.author,
            published_at=row.published_at,
            updated_at=row.updated_at,
            html=row.content_html,
            url=row.url,
            media=row.media,
            editor=row.editor,
            keywords=_values(connection, keywords.c.keyword, row.id),
            symbols=_values(connection, symbols.c.symbol, row.id),
        )
        for row in rows
    ]


def written(connection: Connection, file: ArticleFile, sha256: str) -> None:
    """Note what a file holds now, unless the article was revised in the meantime."""
    connection.execute(
        update(articles)
        .where(articles.c.id == file.article_id, articles.c.revision == file.revision)
        .values(file_sha256=sha256)
    )


def _values(connection: Connection, column: object, article_id: int) -> tuple[str, ...]:
    table = column.table  # type: ignore[attr-defined]
    query = select(column).where(table.c.article_id == article_id).order_by(column)  # type: ignore[call-overload]
    return tuple(connection.execute(query).scalars())
