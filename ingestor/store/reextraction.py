"""Articles whose page was captured: what today's rules can be run over, and what they change."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from sqlalchemy import Connection, Row, Select, func, select

from ingestor.model import Article, Picture, Security, WarcPlace
from ingestor.store.captures import earlier
from ingestor.store.filters import Filters, conditions
from ingestor.store.revisions import details
from ingestor.store.schema import (
    articles,
    captures,
    entries,
    images,
    keywords,
    revisions,
    symbols,
)
from ingestor.store.stored_articles import StoredArticle, are_behind, load


@dataclass(frozen=True, slots=True)
class Announced:
    """What an entry said of its article: it fills in what the page does not say."""

    author: str
    keywords: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CapturedArticle:
    """An article with the capture that its current revision was read from."""

    article: StoredArticle
    capture_id: int
    page_url: str
    """Address at which the page answered."""
    sha256: str
    """Of the page."""
    places: tuple[WarcPlace, ...]
    """Where the page may lie: its own record, and, if that is a revisit, those before it."""
    announced: tuple[Announced, ...]


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
    rows = details(read)
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
        securities=tuple(Security(**row) for row in rows[symbols]),
        keywords=tuple(row["keyword"] for row in rows[keywords]),
        pictures=tuple(Picture(row["url"], row["caption"]) for row in rows[images]),
    )
    values = {name: (value(before), value(after)) for name, value in _COMPARED.items()}
    return {name: (old, new) for name, (old, new) in values.items() if old != new}


def count(connection: Connection, filters: Filters) -> tuple[int, int]:
    """Return how many articles are meant, and how many of them have a page that is kept."""
    every = select(func.count()).select_from(articles).where(*conditions(filters))
    numbers = (connection.execute(query).scalar_one() for query in (every, _captured(every)))
    return int(next(numbers)), int(next(numbers))


def days(connection: Connection, filters: Filters) -> list[date]:
    """Return the publication days of the articles that are meant, the first one first."""
    query = select(articles.c.date).where(*conditions(filters)).distinct().order_by(articles.c.date)
    return [date.fromisoformat(day) for day in connection.execute(query).scalars()]


def captured_articles(
    connection: Connection, filters: Filters, after: tuple[str, int], limit: int
) -> list[CapturedArticle]:
    """Return articles whose page is kept, by day and id, from behind ``after`` (day, id) on.

    Only the current revision of each: what was before it is history.
    """
    query = _captured(select(articles, *_CAPTURE)).where(*conditions(filters), *are_behind(*after))
    rows = connection.execute(query.order_by(articles.c.date, articles.c.id).limit(limit)).all()
    announced = _announced(connection, [row.id for row in rows])
    return [
        CapturedArticle(
            article=article,
            capture_id=row.capture_id,
            page_url=row.page_url,
            sha256=row.sha256,
            places=_places(connection, row),
            announced=tuple(announced[row.id]),
        )
        for row, article in zip(rows, load(connection, rows), strict=True)
    ]


_CAPTURE = (
    captures.c.id.label("capture_id"),
    captures.c.url.label("asked_url"),
    captures.c.final_url.label("page_url"),
    *captures.c["sha256", "warc_file", "warc_offset", "warc_length"],
)


def _captured(query: Select[Any]) -> Select[Any]:
    current = (revisions.c.article_id == articles.c.id) & (
        revisions.c.revision == articles.c.revision
    )
    return (
        query.join(revisions, current)
        .join(captures, captures.c.id == revisions.c.capture_id)
        .where(captures.c.warc_file.is_not(None))
    )


def _announced(connection: Connection, ids: list[int]) -> defaultdict[int, list[Announced]]:
    announced: defaultdict[int, list[Announced]] = defaultdict(list)
    # Not whole rows: an entry's content may be as long as the article.
    query = select(*entries.c["article_id", "author", "keywords"])
    for row in connection.execute(query.where(entries.c.article_id.in_(ids))):
        words = tuple(row.keywords.splitlines())
        announced[row.article_id].append(Announced(row.author, words))
    return announced


def _places(connection: Connection, row: Row[Any]) -> tuple[WarcPlace, ...]:
    own = WarcPlace(row.warc_file, row.warc_offset, row.warc_length)
    return (own, *earlier(connection, row.asked_url, row.sha256, before=row.capture_id))
