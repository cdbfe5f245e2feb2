"""Articles: one a canonical address and publication day, with every revision of each."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Connection, or_, select

from ingestor.identity import Known, fingerprint, free_day, match, publication_day
from ingestor.model import Cause
from ingestor.store import stories
from ingestor.store.arrivals import Arrival, Saved
from ingestor.store.claims import claim
from ingestor.store.revisions import content_columns, revise, write_revision
from ingestor.store.schema import (
    aliases,
    articles,
    entries,
    sightings,
)


def save(connection: Connection, arrival: Arrival, path_of: Callable[[Arrival, str], str]) -> Saved:
    """Store an arrival: a new article, a revision of a known one, or just a sighting.

    ``path_of(arrival, day)`` gives the file of a new article, relative to the archive.
    """
    article = arrival.article
    published_at = article.published_at or arrival.announced_at or arrival.seen_at
    page_day = publication_day(published_at)
    announced_day = publication_day(arrival.announced_at) if arrival.announced_at else ""
    addresses = _addresses(arrival)
    known = known_articles(connection, addresses, article.document_id)
    print_ = fingerprint(article.title, article.body.text)
    same = match(known, page_day, announced_day, print_)
    day = free_day(known, page_day, announced_day)
    if same is not None:
        saved = revise(connection, same.article_id, arrival)
    elif (adopted := claim(connection, arrival, day)) is not None:
        saved = revise(connection, adopted, arrival)
    else:
        new = insert(connection, arrival, path_of, published_at=published_at, day=day)
        saved = Saved(new, "new")
    _sight(connection, saved.article_id, arrival, addresses)
    return saved


def known_under(
    connection: Connection, address: str, document_id: str, announced_day: str
) -> int | None:
    """Return the article that an entry names, if there is no need to look at its page.

    That is so when the address is known and the entry announces no day, or one under
    which it is known already. The page of an adopted article was never looked at.
    """
    known = known_articles(connection, (address,), document_id)
    for one in sorted(known, key=lambda one: one.date, reverse=True):
        if not announced_day or announced_day in one.days:
            return None if _is_adopted(connection, one.article_id) else one.article_id
    return None


def _is_adopted(connection: Connection, article_id: int) -> bool:
    query = select(articles.c.origin).where(articles.c.id == article_id)
    return bool(connection.execute(query).scalar_one() == "import")


def from_page(connection: Connection, document_id: str) -> int | None:
    """Return the article of a document id that was read from its page, whatever its day."""
    query = (
        select(articles.c.id)
        .where(articles.c.document_id == document_id, articles.c.origin == "page")
        .order_by(articles.c.date.desc())
    )
    return connection.execute(query).scalars().first() if document_id else None


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


def known_articles(
    connection: Connection, addresses: tuple[str, ...], document_id: str
) -> list[Known]:
    """Return the articles that have one of these addresses, or this document id."""
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


def insert(
    connection: Connection,
    arrival: Arrival,
    path_of: Callable[[Arrival, str], str],
    *,
    published_at: datetime,
    day: str,
) -> int:
    """Store an arrival that is no known article as one of ``day``; return its id."""
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
            path=path_of(arrival, day),
            categories="\n".join(arrival.categories),
            feed_id=arrival.feed_id,
            **content_columns(arrival),
        )
    )
    article_id = int(result.scalar_one())
    stories.group(connection, article_id, arrival.article.body.text)
    cause: Cause = "import" if arrival.origin == "import" else "new"
    write_revision(
        connection, article_id, arrival, revision=1, cause=cause, seen_at=arrival.seen_at
    )
    return article_id


def _sight(
    connection: Connection, article_id: int, arrival: Arrival, addresses: tuple[str, ...]
) -> None:
    if arrival.feed_id is not None:
        sight(connection, article_id, arrival.feed_id, guid=arrival.guid, seen_at=arrival.seen_at)
    rows = connection.execute(
        select(aliases.c.url).where(aliases.c.article_id == article_id)
    ).scalars()
    main = connection.execute(
        select(articles.c.url).where(articles.c.id == article_id)
    ).scalar_one()
    for url in set(addresses) - {main, *rows}:
        connection.execute(aliases.insert().values(url=url, article_id=article_id))
