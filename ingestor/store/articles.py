"""Articles: one a canonical address and publication day, with every revision of each."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, Row, or_, select, update

from ingestor.identity import Known, fingerprint, free_day, match, publication_day
from ingestor.model import Article, Cause, Origin
from ingestor.store import search
from ingestor.store.schema import (
    aliases,
    articles,
    entries,
    images,
    keywords,
    revisions,
    sightings,
    symbols,
)

Outcome = Literal["new", "revised", "unchanged"]


@dataclass(frozen=True, slots=True)
class Arrival:
    """An extracted article on its way into the archive, with what is known about it."""

    article: Article
    author: str
    categories: tuple[str, ...]
    """Both for the front matter of a new article."""
    origin: Origin
    seen_at: datetime
    """When its words reached us."""
    feed_id: int
    guid: str = ""
    announced_at: datetime | None = None
    """When the feed claims that it was published."""
    announced_as: str = ""
    """Canonical form of the address that the feed gave."""
    capture_id: int | None = None


@dataclass(frozen=True, slots=True)
class Saved:
    """What became of an arrival."""

    article_id: int
    outcome: Outcome


def save(connection: Connection, arrival: Arrival, path_of: Callable[[Arrival, str], str]) -> Saved:
    """Store an arrival: a new article, a revision of a known one, or just a sighting.

    ``path_of(arrival, day)`` gives the file of a new article, relative to the archive.
    """
    article = arrival.article
    published_at = article.published_at or arrival.announced_at or arrival.seen_at
    page_day = publication_day(published_at)
    announced_day = publication_day(arrival.announced_at) if arrival.announced_at else ""
    addresses = _addresses(arrival)
    known = _known(connection, addresses, article.document_id)
    print_ = fingerprint(article.title, article.body.text)
    same = match(known, page_day, announced_day, print_)
    if same is None:
        day = free_day(known, page_day, announced_day)
        path = path_of(arrival, day)
        article_id = _insert(connection, arrival, published_at, day=day, path=path)
        saved = Saved(article_id, "new")
    else:
        saved = revise(connection, same.article_id, arrival)
    _sight(connection, saved.article_id, arrival, addresses)
    return saved


def revise(connection: Connection, article_id: int, arrival: Arrival) -> Saved:
    """Compare an arrival with an article that it is known to be; add a revision if it changed."""
    row = connection.execute(select(articles).where(articles.c.id == article_id)).one()
    article = arrival.article
    if arrival.origin == "feed" and row.origin == "page":
        # The page is the better witness: a feed's shorter text is no edit of it.
        return Saved(article_id, "unchanged")
    if fingerprint(article.title, article.body.text) == fingerprint(row.title, row.content_text):
        if row.origin != arrival.origin:
            connection.execute(
                update(articles).where(articles.c.id == article_id).values(origin=arrival.origin)
            )
        return Saved(article_id, "unchanged")
    search.remove(connection, article_id, row.title, row.content_text)
    values = _content(arrival) | {
        "revision": row.revision + 1,
        "updated_at": _edited_at(arrival, row),
        "file_sha256": None,
    }
    connection.execute(update(articles).where(articles.c.id == article_id).values(**values))
    _details(connection, article_id, arrival, revision=row.revision + 1, cause="edit")
    return Saved(article_id, "revised")


def known_under(
    connection: Connection, address: str, document_id: str, announced_day: str
) -> int | None:
    """Return the article that an entry names, if there is no need to look at its page.

    That is so when the address is known and the entry announces no day, or one under
    which it is known already.
    """
    known = _known(connection, (address,), document_id)
    for one in sorted(known, key=lambda one: one.date, reverse=True):
        if not announced_day or announced_day in one.days:
            return one.article_id
    return None


def sight(
    connection: Connection, article_id: int, feed_id: int, *, guid: str, seen_at: datetime
) -> None:
    """Note that a feed announced an article; a second time changes nothing."""
    where = (sightings.c.article_id == article_id) & (sightings.c.feed_id == feed_id)
    if connection.execute(select(sightings.c.article_id).where(where)).first() is None:
        connection.execute(
            sightings.insert().values(
                article_id=article_id, feed_id=feed_id, guid=guid, seen_at=seen_at
            )
        )


def _addresses(arrival: Arrival) -> tuple[str, ...]:
    found = (arrival.article.url, arrival.announced_as, *arrival.article.aliases)
    return tuple(dict.fromkeys(filter(None, found)))


def _known(connection: Connection, addresses: tuple[str, ...], document_id: str) -> list[Known]:
    also = select(aliases.c.article_id).where(aliases.c.url.in_(addresses))
    named = or_(articles.c.url.in_(addresses), articles.c.id.in_(also))
    if document_id:
        named = or_(named, articles.c.document_id == document_id)
    rows = connection.execute(
        select(articles.c.id, articles.c.date, articles.c.title, articles.c.content_text).where(
            named
        )
    ).all()
    return [
        Known(
            row.id,
            row.date,
            frozenset({row.date}) | _announced_days(connection, row.id),
            fingerprint(row.title, row.content_text),
        )
        for row in rows
    ]


def _announced_days(connection: Connection, article_id: int) -> frozenset[str]:
    rows = connection.execute(
        select(entries.c.published_at).where(entries.c.article_id == article_id)
    )
    return frozenset(publication_day(row.published_at) for row in rows if row.published_at)


def _insert(
    connection: Connection, arrival: Arrival, published_at: datetime, *, day: str, path: str
) -> int:
    result = connection.execute(
        articles.insert()
        .returning(articles.c.id)
        .values(
            url=arrival.article.url,
            date=day,
            document_id=arrival.article.document_id or None,
            author=arrival.author,
            published_at=published_at,
            first_seen_at=arrival.seen_at,
            updated_at=arrival.article.updated_at,
            revision=1,
            path=path,
            categories="\n".join(arrival.categories),
            feed_id=arrival.feed_id,
            **_content(arrival),
        )
    )
    article_id = int(result.scalar_one())
    cause: Cause = "import" if arrival.origin == "import" else "new"
    _details(connection, article_id, arrival, revision=1, cause=cause)
    return article_id


def _content(arrival: Arrival) -> dict[str, Any]:
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
        "content_sha256": _sha256(article.body.text),
        "origin": arrival.origin,
        "template": article.template,
    }


def _details(
    connection: Connection, article_id: int, arrival: Arrival, *, revision: int, cause: Cause
) -> None:
    """Write the revision and all that hangs on an article's current content."""
    article = arrival.article
    connection.execute(
        revisions.insert().values(
            article_id=article_id,
            revision=revision,
            cause=cause,
            seen_at=arrival.seen_at,
            title=article.title,
            content_html=article.body.html,
            content_text=article.body.text,
            content_sha256=_sha256(article.body.text),
            capture_id=arrival.capture_id,
        )
    )
    search.add(connection, article_id, article.title, article.body.text)
    rows: dict[Any, list[dict[str, Any]]] = {
        symbols: [
            {"symbol": one.symbol, "market": one.market, "name": one.name}
            for one in {one.symbol: one for one in reversed(article.body.securities)}.values()
        ],
        keywords: [{"keyword": word} for word in dict.fromkeys(article.keywords)],
        images: [
            {"position": place, "url": picture.url, "caption": picture.caption}
            for place, picture in enumerate(article.body.pictures, start=1)
        ],
    }
    for table, values in rows.items():
        connection.execute(table.delete().where(table.c.article_id == article_id))
        if values:
            connection.execute(
                table.insert(), [value | {"article_id": article_id} for value in values]
            )


def _sight(
    connection: Connection, article_id: int, arrival: Arrival, addresses: tuple[str, ...]
) -> None:
    sight(connection, article_id, arrival.feed_id, guid=arrival.guid, seen_at=arrival.seen_at)
    rows = connection.execute(
        select(aliases.c.url).where(aliases.c.article_id == article_id)
    ).scalars()
    main = connection.execute(
        select(articles.c.url).where(articles.c.id == article_id)
    ).scalar_one()
    for url in set(addresses) - {main, *rows}:
        connection.execute(aliases.insert().values(url=url, article_id=article_id))


def _edited_at(arrival: Arrival, row: Row[Any]) -> datetime:
    """When the publisher says that it edited, if that is news; else when we saw it."""
    claimed = arrival.article.updated_at
    if claimed and (row.updated_at is None or claimed > row.updated_at):
        return claimed
    return arrival.seen_at


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
