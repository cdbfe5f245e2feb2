"""Rows that are written unless they are there: also when another transaction writes them now.

Articles that are new: written together, by a few statements for all of them.

Articles: one a canonical address and publication day, with every revision of each.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from typing import Any

from sqlalchemy import BindParameter, Connection, Table, bindparam, or_, select, union_all

from ingestor.identity import Known, fingerprint, free_day, match, publication_day
from ingestor.model import Cause
from ingestor.store import stories
from ingestor.store.db import lock_order
from ingestor.store.merge import any_without_address, merge_with_imported
from ingestor.store.revisions import NewRevision, content_columns, revise, write_revisions
from ingestor.store.schema import (
    aliases,
    articles,
    entries,
    sightings,
)
from ingestor.store.stories import Ungrouped
from ingestor.store.upsert import ArticleUpsert, UpsertResult
from ingestor.text.similarity import title_key


def insert_missing(connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Insert those rows whose key is not in the table yet."""
    if rows:
        # Of the two kinds of database one alone is used, and importing the other's takes time.
        dialect = import_module(f"sqlalchemy.dialects.{connection.dialect.name}")
        statement = dialect.insert(table).on_conflict_do_nothing()
        connection.execute(statement, rows)


_INSERT = articles.insert().returning(articles.c.id, sort_by_parameter_order=True)


@dataclass(frozen=True, slots=True)
class NewArticle:
    """An arrival that is no known article."""

    arrival: ArticleUpsert
    published_at: datetime
    day: str
    """Publication day that it is filed under."""


def insert(
    connection: Connection, new: Sequence[NewArticle], path_of: Callable[[ArticleUpsert, str], str]
) -> list[int]:
    """Store new articles, each with its first revision; return their ids, in this order.

    ``path_of(arrival, day)`` gives the file of one, relative to the archive.
    """
    if not new:
        return []
    rows = [
        {
            "url": one.arrival.article.url,
            "date": one.day,
            "document_id": one.arrival.article.document_id or None,
            "author": one.arrival.author,
            "published_at": one.published_at,
            "first_seen_at": one.arrival.seen_at,
            "updated_at": one.arrival.article.updated_at,
            "revision": 1,
            "path": path_of(one.arrival, one.day),
            "categories": "\n".join(one.arrival.categories),
            "feed_id": one.arrival.feed_id,
            **content_columns(one.arrival),
        }
        for one in new
    ]
    ids = list(connection.execute(_INSERT, rows).scalars())
    numbered = list(zip(ids, new, strict=True))
    lock_order.lock_revisions(connection)
    stories.group(
        connection,
        [Ungrouped(at, one.day, one.arrival.article.body.text) for at, one in numbered],
    )
    write_revisions(connection, [NewRevision(at, one.arrival, _cause(one)) for at, one in numbered])
    return ids


def _cause(new: NewArticle) -> Cause:
    return "import" if new.arrival.origin == "import" else "new"


_URLS: BindParameter[str] = bindparam("urls", expanding=True)
_TAKEN = union_all(
    select(articles.c.url).where(articles.c.url.in_(_URLS)),
    select(aliases.c.url).where(aliases.c.url.in_(_URLS)),
    select(articles.c.document_id).where(
        articles.c.document_id.in_(bindparam("ids", expanding=True))
    ),
)


def save_all(
    connection: Connection,
    arrivals: Sequence[ArticleUpsert],
    path_of: Callable[[ArticleUpsert, str], str],
) -> list[UpsertResult]:
    """Store arrivals as :func:`save` does each; return what became of them, in this order.

    Those that have nothing in common with what is known, nor with one another, are written
    together, and first.
    """
    names = {name for one in arrivals for name in _names(one)}
    lock_order.lock_names(connection, names, [title_key(one.article.title) for one in arrivals])
    unlike = _unlike_all(connection, arrivals)
    new = [_new(one) for one in unlike]
    ids = insert(connection, new, path_of)
    fresh = dict(zip(map(id, unlike), ids, strict=True))
    _record_new(
        connection, [(article_id, one) for article_id, one in zip(ids, unlike, strict=True)]
    )
    return [
        UpsertResult(fresh[id(one)], "new") if id(one) in fresh else save(connection, one, path_of)
        for one in arrivals
    ]


def save(
    connection: Connection, arrival: ArticleUpsert, path_of: Callable[[ArticleUpsert, str], str]
) -> UpsertResult:
    """Store an arrival: a new article, a revision of a known one, or just a sighting.

    ``path_of(arrival, day)`` gives the file of a new article, relative to the archive.
    """
    article = arrival.article
    page_day, announced_day = _days(arrival)
    addresses = _addresses(arrival)
    known = known_articles(connection, addresses, article.document_id)
    print_ = fingerprint(article.title, article.body.text)
    same = match(known, page_day, announced_day, print_)
    day = free_day(known, page_day, announced_day)
    if same is not None:
        saved = revise(connection, same.article_id, arrival)
    elif (adopted := merge_with_imported(connection, arrival, day)) is not None:
        saved = revise(connection, adopted, arrival)
    else:
        new = NewArticle(arrival, _published_at(arrival), day)
        saved = UpsertResult(insert(connection, [new], path_of)[0], "new")
    _record_names(connection, saved.article_id, arrival, addresses)
    return saved


def taken(
    connection: Connection, addresses: Collection[str], document_ids: Collection[str]
) -> set[str]:
    """Return those of these canonical addresses and document ids that name a known article."""
    values = {"urls": list(addresses), "ids": list(document_ids)}
    return set(connection.execute(_TAKEN, values).scalars())


def _unlike_all(connection: Connection, arrivals: Sequence[ArticleUpsert]) -> list[ArticleUpsert]:
    """Return the arrivals that cannot be any known article, nor the same as another arrival."""
    if any_without_address(connection):
        # An adopted article without an address may be any of them: each is looked at by itself.
        return []
    names = [_names(one) for one in arrivals]
    count = Counter(name for one in names for name in one)
    ids = {one.article.document_id for one in arrivals} - {""}
    known = taken(connection, set(count) - ids, ids)
    return [
        arrival
        for arrival, named in zip(arrivals, names, strict=True)
        if known.isdisjoint(named) and all(count[name] == 1 for name in named)
    ]


def _names(arrival: ArticleUpsert) -> set[str]:
    return {*_addresses(arrival), arrival.article.document_id} - {""}


def _new(arrival: ArticleUpsert) -> NewArticle:
    day = free_day([], *_days(arrival))
    return NewArticle(arrival, _published_at(arrival), day)


def _published_at(arrival: ArticleUpsert) -> datetime:
    return arrival.article.published_at or arrival.announced_at or arrival.seen_at


def _days(arrival: ArticleUpsert) -> tuple[str, str]:
    """Return the publication days that the page and the feed claim, ``""`` for none."""
    announced_day = publication_day(arrival.announced_at) if arrival.announced_at else ""
    return publication_day(_published_at(arrival)), announced_day


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


def record_sighting(
    connection: Connection, article_id: int, feed_id: int, *, guid: str, seen_at: datetime
) -> None:
    """Note that a feed announced an article; a second time changes nothing."""
    seen = {"article_id": article_id, "feed_id": feed_id, "guid": guid, "seen_at": seen_at}
    insert_missing(connection, sightings, [seen])


def _addresses(arrival: ArticleUpsert) -> tuple[str, ...]:
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


def _record_new(connection: Connection, new: Sequence[tuple[int, ArticleUpsert]]) -> None:
    """Note which feeds announced new articles, and their further addresses."""
    seen = [
        {
            "article_id": article_id,
            "feed_id": one.feed_id,
            "guid": one.guid,
            "seen_at": one.seen_at,
        }
        for article_id, one in new
        if one.feed_id is not None
    ]
    named = [
        {"url": url, "article_id": article_id}
        for article_id, one in new
        for url in _addresses(one)
        if url != one.article.url
    ]
    for table, rows in ((sightings, seen), (aliases, named)):
        if rows:
            connection.execute(table.insert(), rows)


def _record_names(
    connection: Connection, article_id: int, arrival: ArticleUpsert, addresses: tuple[str, ...]
) -> None:
    if arrival.feed_id is not None:
        record_sighting(
            connection, article_id, arrival.feed_id, guid=arrival.guid, seen_at=arrival.seen_at
        )
    rows = connection.execute(
        select(aliases.c.url).where(aliases.c.article_id == article_id)
    ).scalars()
    main = connection.execute(
        select(articles.c.url).where(articles.c.id == article_id)
    ).scalar_one()
    for url in set(addresses) - {main, *rows}:
        connection.execute(aliases.insert().values(url=url, article_id=article_id))
