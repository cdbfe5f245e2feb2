"""Revisions: what an article said, and from when on this archive knew it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import Connection, Row, Table, func, or_, select, update

from ingestor.identity import fingerprint
from ingestor.model import Article, Cause
from ingestor.store import images as pictures
from ingestor.store import stories
from ingestor.store.db import lock_order
from ingestor.store.schema import articles, captures, images, keywords, revisions, symbols
from ingestor.store.search import index
from ingestor.store.upsert import ArticleUpsert, UpsertResult

log = structlog.get_logger(__name__)

MOST_EDITS_A_DAY = 24
"""Edits of one article that are kept in 24 hours. Publishers edit a few times; a text that is
another one at every look has a counter in it, and would fill the archive with itself."""

_INSERT = revisions.insert()
_INSERT_DETAILS = {table: table.insert() for table in (symbols, keywords, images)}


def revise(connection: Connection, article_id: int, arrival: ArticleUpsert) -> UpsertResult:
    """Compare an arrival with an article that it is known to be; add a revision if it changed.

    What replaces an adopted text is one too, also with the same words: from then on it rests on
    what the publisher sent. Its cause is ``import``, for no edit was seen.
    """
    row = _locked(connection, article_id)
    # What a page does not say, its feed said at first: to say nothing is no edit.
    article = replace(
        arrival.article,
        title=arrival.article.title or row.title,
        media=arrival.article.media or row.media,
    )
    arrival = replace(arrival, article=article)
    if arrival.origin == "feed" and row.origin == "page":
        # The page is the better witness: a feed's shorter text is no edit of it.
        return UpsertResult(article_id, "unchanged")
    adopted = row.origin == "import"
    same = fingerprint(article.title, article.body.text) == fingerprint(row.title, row.content_text)
    if same and not adopted:
        if row.origin != arrival.origin:
            connection.execute(
                update(articles).where(articles.c.id == article_id).values(origin=arrival.origin)
            )
        return UpsertResult(article_id, "unchanged")
    if not adopted and _same_page(connection, row, arrival.capture_id):
        # The page is as it was: it is our rules that read it otherwise now.
        _replace(connection, row, arrival, cause="reextract", updated_at=row.updated_at)
        return UpsertResult(article_id, "revised")
    if _edits_lately(connection, article_id, arrival.seen_at) >= MOST_EDITS_A_DAY:
        log.warning("edit_not_kept", url=row.url, most_a_day=MOST_EDITS_A_DAY)
        return UpsertResult(article_id, "unchanged")
    cause: Cause = "import" if adopted else "edit"
    _replace(connection, row, arrival, cause=cause, updated_at=_edited_at(arrival, row))
    return UpsertResult(article_id, "revised", first_page=adopted)


def reextract(
    connection: Connection,
    article_id: int,
    article: Article,
    *,
    capture_id: int,
    seen_at: datetime,
) -> None:
    """Add a revision that is ours: the page of a capture, read by today's rules.

    Address, day, file name, ``published_at`` and ``updated_at`` stay: the publisher did nothing.
    """
    row = _locked(connection, article_id)
    if _capture_of(connection, row) != capture_id:
        # Somebody brought a newer page since this one was looked at: it is the one that counts.
        return
    arrival = ArticleUpsert(
        article=article,
        author=row.author,
        categories=tuple(row.categories.splitlines()),
        origin="page",
        seen_at=seen_at,
        feed_id=row.feed_id,
        capture_id=capture_id,
    )
    _replace(connection, row, arrival, cause="reextract", updated_at=row.updated_at)


def _replace(
    connection: Connection,
    row: Row[Any],
    arrival: ArticleUpsert,
    *,
    cause: Cause,
    updated_at: datetime | None,
) -> None:
    """Let an article say what the arrival says, as its next revision."""
    lock_order.lock_revisions(connection)
    index.remove(connection, row.id, row.title, row.content_text)
    values = content_columns(arrival) | {
        "revision": row.revision + 1,
        "updated_at": updated_at,
        "feed_id": row.feed_id if row.feed_id is not None else arrival.feed_id,
        "file_sha256": None,
    }
    connection.execute(update(articles).where(articles.c.id == row.id).values(**values))
    stories.regroup(connection, row.id, row.content_text, arrival.article.body.text)
    for table in _INSERT_DETAILS:
        connection.execute(table.delete().where(table.c.article_id == row.id))
    seen_at = _not_before(connection, row.id, arrival.seen_at)
    write_revisions(connection, [NewRevision(row.id, arrival, cause, row.revision + 1, seen_at)])


def _locked(connection: Connection, article_id: int) -> Row[Any]:
    """Return an article, which nobody else changes until the transaction ends."""
    query = select(articles).where(articles.c.id == article_id)
    return connection.execute(query.with_for_update(key_share=True)).one()


def _capture_of(connection: Connection, row: Row[Any]) -> int | None:
    """Return the capture that an article's current revision was read from, if any."""
    current = select(revisions.c.capture_id).where(
        revisions.c.article_id == row.id, revisions.c.revision == row.revision
    )
    return connection.execute(current).scalar()


def _same_page(connection: Connection, row: Row[Any], capture_id: int | None) -> bool:
    """Return whether a capture has the bytes that the current revision was read from."""
    if capture_id is None:
        # Asked for one without an id, a database looks through all captures.
        return False
    current = _capture_of(connection, row)
    query = select(captures.c.sha256).where(
        or_(captures.c.id == capture_id, captures.c.id == current)
    )
    found = connection.execute(query).scalars().all()
    return len(found) == 2 and found[0] == found[1]


def content_columns(arrival: ArticleUpsert) -> dict[str, Any]:
    """Return the columns of ``articles`` that a revision changes."""
    article = arrival.article
    return {
        "title": article.title,
        "media": article.media,
        "editor": article.editor,
        "summary": article.summary,
        "headimg": article.headimg,
        "content_html": article.body.html,
        "content_text": article.body.text,
        "content_sha256": text_sha256(article.body.text),
        "origin": arrival.origin,
        "template": article.template,
    }


@dataclass(frozen=True, slots=True)
class NewRevision:
    """What an article is to say, and since when."""

    article_id: int
    arrival: ArticleUpsert
    cause: Cause
    number: int = 1
    seen_at: datetime | None = None
    """``None``: when the arrival was seen."""


def write_revisions(connection: Connection, new: Sequence[NewRevision]) -> None:
    """Write revisions and all that hangs on an article's current content.

    Nothing may hang on it yet: what hung on the content before is taken away by the caller.
    """
    rows = [
        {
            "article_id": one.article_id,
            "revision": one.number,
            "cause": one.cause,
            "seen_at": one.seen_at or one.arrival.seen_at,
            "title": one.arrival.article.title,
            "content_html": one.arrival.article.body.html,
            "content_text": one.arrival.article.body.text,
            "content_sha256": text_sha256(one.arrival.article.body.text),
            "capture_id": one.arrival.capture_id,
        }
        for one in new
    ]
    connection.execute(_INSERT, rows)
    index.add(
        connection,
        [(one.article_id, one.arrival.article.title, one.arrival.article.body.text) for one in new],
    )
    _write_details(connection, new)


def details(article: Article) -> dict[Table, list[dict[str, Any]]]:
    """Return the rows of an article's current content in the tables beside ``articles``."""
    securities = {one.symbol: one for one in reversed(article.body.securities)}
    return {
        symbols: [
            {"symbol": one.symbol, "market": one.market, "name": one.name}
            for one in securities.values()
        ],
        keywords: [{"keyword": word} for word in dict.fromkeys(article.keywords)],
        images: [
            {"position": place, "url": picture.url, "caption": picture.caption}
            for place, picture in enumerate(article.body.pictures, start=1)
        ],
    }


def _write_details(connection: Connection, new: Sequence[NewRevision]) -> None:
    rows: dict[Table, list[dict[str, Any]]] = {symbols: [], keywords: [], images: []}
    for one in new:
        for table, values in details(one.arrival.article).items():
            rows[table] += [value | {"article_id": one.article_id} for value in values]
    for table, values in rows.items():
        if values:
            connection.execute(_INSERT_DETAILS[table], values)
    pictures.point_to_known(connection, {row["article_id"] for row in rows[images]})


def _edits_lately(connection: Connection, article_id: int, now: datetime) -> int:
    query = (
        select(func.count())
        .select_from(revisions)
        .where(
            revisions.c.article_id == article_id,
            revisions.c.cause == "edit",
            revisions.c.seen_at > now - timedelta(days=1),
        )
    )
    return int(connection.execute(query).scalar_one())


def _not_before(connection: Connection, article_id: int, seen_at: datetime) -> datetime:
    """Return when a revision was seen: never before the one that it replaces.

    A clock that was put back would otherwise make the older revision the later known one.
    """
    query = select(func.max(revisions.c.seen_at)).where(revisions.c.article_id == article_id)
    last: datetime | None = connection.execute(query).scalar()
    return max(seen_at, last) if last else seen_at


def _edited_at(arrival: ArticleUpsert, row: Row[Any]) -> datetime | None:
    """When the publisher says that it edited, if that is news; else when we saw it."""
    claimed = arrival.article.updated_at
    if row.origin == "import":
        return claimed or row.updated_at
    if claimed and (row.updated_at is None or claimed > row.updated_at):
        return claimed
    return arrival.seen_at


def text_sha256(text: str) -> str:
    """Return the SHA-256 of a text as UTF-8, in hex: the column ``content_sha256``."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
