"""Which files are due, and what they say: the archive folder as seen from the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, Connection, bindparam, select, update

from ingestor.store.due import ALL, FILE_IS_DUE, Shard
from ingestor.store.schema import articles, keywords, symbols

_WRITTEN = (
    update(articles)
    .where(articles.c.id == bindparam("of"), articles.c.revision == bindparam("was"))
    .values(file_sha256=bindparam("holds"))
)


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


def due(connection: Connection, limit: int, shard: Shard = ALL) -> list[ArticleFile]:
    """Return articles of this shard whose file is not what the database says, oldest first."""
    rows = connection.execute(
        select(articles)
        .where(FILE_IS_DUE, shard.has(articles.c.id))
        .order_by(articles.c.id)
        .limit(limit)
    ).all()
    ids = [row.id for row in rows]
    words, named = (
        _values(connection, keywords.c.keyword, ids),
        _values(connection, symbols.c.symbol, ids),
    )
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
            keywords=tuple(words[row.id]),
            symbols=tuple(named[row.id]),
        )
        for row in rows
    ]


def written(connection: Connection, files: Sequence[tuple[ArticleFile, str]]) -> None:
    """Note what files hold now: of each its SHA-256. An article revised meanwhile stays due."""
    rows = [
        {"of": file.article_id, "was": file.revision, "holds": sha256} for file, sha256 in files
    ]
    connection.execute(_WRITTEN, rows)


def _values(
    connection: Connection, column: Column[str], article_ids: Sequence[int]
) -> Mapping[int, list[str]]:
    """Return the values of a column for each of these articles, in their order."""
    found: dict[int, list[str]] = {one: [] for one in article_ids}
    of = column.table.c.article_id
    query = select(of, column).where(of.in_(article_ids)).order_by(column)
    for article_id, value in connection.execute(query):
        found[article_id].append(value)
    return found
