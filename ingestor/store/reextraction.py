"""Articles as they stand, each with the capture that its current revision was read from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from typing import Any, Self

from sqlalchemy import ColumnElement, Connection, Select, Table, func, select, tuple_

from ingestor.model import Article, Origin, WarcPlace
from ingestor.store import captures as kept
from ingestor.store.revisions import details
from ingestor.store.schema import (
    articles,
    captures,
    entries,
    images,
    keywords,
    revisions,
    sightings,
    symbols,
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which articles; what is empty does not restrict."""

    feed_ids: tuple[int, ...] = ()
    """Announced by one of these feeds."""
    since: str = ""
    """First publication day, YYYY-MM-DD."""
    until: str = ""
    """Last publication day, included."""


@dataclass(frozen=True, slots=True)
class Content:
    """Everything that rules read from a page and that a revision changes."""

    title: str
    text: str
    html: str
    media: str
    editor: str
    summary: str
    headimg: str
    origin: Origin
    symbols: frozenset[tuple[str, str, str]]
    """Symbol, market, name."""
    keywords: frozenset[str]
    images: tuple[tuple[str, str], ...]
    """Address and caption, in their order."""

    @classmethod
    def of(cls, article: Article) -> Self:
        """Return what an article says once this is stored, as read from its page."""
        rows = details(article)
        return cls(
            title=article.title,
            text=article.body.text,
            html=article.body.html,
            media=article.media,
            editor=article.editor,
            summary=article.summary,
            headimg=article.headimg,
            origin="page",
            symbols=frozenset((row["symbol"], row["market"], row["name"]) for row in rows[symbols]),
            keywords=frozenset(row["keyword"] for row in rows[keywords]),
            images=tuple((row["url"], row["caption"]) for row in rows[images]),
        )

    def differs_in(self, other: Content) -> tuple[str, ...]:
        """Return the names of the fields in which the other one differs."""
        names = (field.name for field in fields(self))
        return tuple(name for name in names if getattr(self, name) != getattr(other, name))


@dataclass(frozen=True, slots=True)
class Announced:
    """What an entry said of its article: it fills in what the page does not say."""

    author: str
    keywords: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StoredArticle:
    """An article whose page is kept, as it stands."""

    article_id: int
    date: str
    url: str
    template: str
    """Which one read it."""
    content: Content
    capture_id: int
    page_url: str
    """Address at which the page answered."""
    sha256: str
    """Of the page."""
    places: tuple[WarcPlace, ...]
    """Where the page may lie: its own record, and, if that is a revisit, those before it."""
    announced: tuple[Announced, ...]


def count(connection: Connection, wanted: Wanted) -> tuple[int, int]:
    """Return how many articles are wanted, and how many of them have a page that is kept."""
    every = select(func.count()).select_from(articles).where(*_conditions(wanted))
    with_page = _kept_only(select(func.count()).select_from(articles)).where(*_conditions(wanted))
    return (
        int(connection.execute(every).scalar_one()),
        int(connection.execute(with_page).scalar_one()),
    )


def days(connection: Connection, wanted: Wanted) -> list[date]:
    """Return the publication days of the wanted articles, the first one first."""
    query = select(articles.c.date).where(*_conditions(wanted)).distinct().order_by(articles.c.date)
    return [date.fromisoformat(one) for one in connection.execute(query).scalars()]


def stored_articles(
    connection: Connection, wanted: Wanted, after: tuple[str, int], limit: int
) -> list[StoredArticle]:
    """Return articles whose page is kept, by day and id, from behind ``after`` (day, id) on.

    Only the current revision of each: what was before it is history.
    """
    query = _kept_only(select(articles, *_CAPTURE)).where(
        *_conditions(wanted), tuple_(articles.c.date, articles.c.id) > tuple_(*after)
    )
    rows = connection.execute(query.order_by(articles.c.date, articles.c.id).limit(limit)).all()
    ids = [row.id for row in rows]
    beside = {
        table: _by_article(connection, select(table).where(table.c.article_id.in_(ids)))
        for table in (symbols, keywords, images)
    }
    # An entry's content may be as long as the article.
    said = select(entries.c.article_id, entries.c.author, entries.c.keywords)
    announced = _by_article(connection, said.where(entries.c.article_id.in_(ids)))
    return [
        StoredArticle(
            article_id=row.id,
            date=row.date,
            url=row.url,
            template=row.template,
            content=_content(row, {table: rows[row.id] for table, rows in beside.items()}),
            capture_id=row.capture_id,
            page_url=row.page_url,
            sha256=row.sha256,
            places=_places(connection, row),
            announced=tuple(
                Announced(one.author, tuple(one.keywords.splitlines())) for one in announced[row.id]
            ),
        )
        for row in rows
    ]


def _content(row: Any, beside: Mapping[Table, Sequence[Any]]) -> Content:
    pictures = sorted(beside[images], key=lambda one: int(one.position))
    return Content(
        title=row.title,
        text=row.content_text,
        html=row.content_html,
        media=row.media,
        editor=row.editor,
        summary=row.summary,
        headimg=row.headimg,
        origin=row.origin,
        symbols=frozenset((one.symbol, one.market, one.name) for one in beside[symbols]),
        keywords=frozenset(one.keyword for one in beside[keywords]),
        images=tuple((one.url, one.caption) for one in pictures),
    )


_CAPTURE = (
    captures.c.id.label("capture_id"),
    captures.c.url.label("asked_url"),
    captures.c.final_url.label("page_url"),
    captures.c.sha256,
    captures.c.warc_file,
    captures.c.warc_offset,
    captures.c.warc_length,
)


def _kept_only(query: Select[Any]) -> Select[Any]:
    current = (revisions.c.article_id == articles.c.id) & (
        revisions.c.revision == articles.c.revision
    )
    return (
        query.join(revisions, current)
        .join(captures, captures.c.id == revisions.c.capture_id)
        .where(captures.c.warc_file.is_not(None))
    )


def _conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.since:
        found.append(articles.c.date >= wanted.since)
    if wanted.until:
        found.append(articles.c.date <= wanted.until)
    if wanted.feed_ids:
        seen = select(sightings.c.article_id).where(
            sightings.c.article_id == articles.c.id, sightings.c.feed_id.in_(wanted.feed_ids)
        )
        found.append(seen.exists())
    return found


def _by_article(connection: Connection, query: Select[Any]) -> defaultdict[int, list[Any]]:
    found: defaultdict[int, list[Any]] = defaultdict(list)
    for row in connection.execute(query):
        found[row.article_id].append(row)
    return found


def _places(connection: Connection, row: Any) -> tuple[WarcPlace, ...]:
    own = WarcPlace(row.warc_file, row.warc_offset, row.warc_length)
    before: Sequence[WarcPlace] = kept.earlier(
        connection, row.asked_url, row.sha256, before=row.capture_id
    )
    return (own, *before)
