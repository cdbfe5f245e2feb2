"""Articles: one a canonical address and publication day; which are known, and new ones.

An archive that was adopted knows no addresses. When a feed, or a backfill, later brings the
page, it must not become a second article: the page of the same title and the same day, with
nearly the same text, is that article, and gives it its address.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    and_,
    bindparam,
    or_,
    select,
    union_all,
    update,
)

from ingestor.identity import CONTENT_SCHEME, fingerprint, publication_day
from ingestor.model import Cause
from ingestor.store import ArticleUpsert, NewRevision, stories
from ingestor.store.db import locks
from ingestor.store.revisions import (
    content_columns,
    replace_doubted,
    write_revisions,
)
from ingestor.store.schema import (
    BELIEVED,
    aliases,
    articles,
    entries,
    sightings,
)
from ingestor.store.stories import Ungrouped
from ingestor.text.similarity import likeness, title_key
from ingestor.witness.looks import KnownArticle

HABIT_ARTICLES = 5
"""Pages of a host that a template read, before one that none fits is a surprise."""

_INSERT = articles.insert().returning(articles.c.id, sort_by_parameter_order=True)
_URLS: BindParameter[str] = bindparam("urls", expanding=True)
_TAKEN = union_all(
    select(articles.c.url).where(articles.c.url.in_(_URLS)),
    select(aliases.c.url).where(aliases.c.url.in_(_URLS)),
    select(articles.c.document_id).where(
        articles.c.document_id.in_(bindparam("ids", expanding=True))
    ),
)


@dataclass(frozen=True, slots=True)
class NewArticle:
    """An article that is no known one."""

    upsert: ArticleUpsert
    published_at: datetime
    day: str
    """Publication day that it is filed under."""
    path: str
    """Its file, relative to the archive folder."""


def insert(connection: Connection, new: Sequence[NewArticle]) -> list[int]:
    """Store new articles, each with its first revision and its names; return their ids, in order.

    A few statements serve all of them.
    """
    if not new:
        return []
    rows = [
        {
            **_identity(article),
            "author": article.upsert.author,
            "updated_at": article.upsert.article.updated_at,
            "revision": 1,
            "path": article.path,
            "categories": "\n".join(article.upsert.categories),
            "feed_id": article.upsert.feed_id,
            **content_columns(article.upsert),
        }
        for article in new
    ]
    ids = list(connection.execute(_INSERT, rows).scalars())
    locks.lock_revisions(connection)
    numbered = list(zip(ids, new, strict=True))
    stories.group(
        connection,
        [
            Ungrouped(article_id, article.day, article.upsert.article.body.text)
            for article_id, article in numbered
        ],
    )
    write_revisions(
        connection,
        [
            NewRevision(article_id, article.upsert, _cause(article.upsert))
            for article_id, article in numbered
        ],
    )
    _record_new(connection, [(article_id, article.upsert) for article_id, article in numbered])
    return ids


def _identity(new: NewArticle) -> dict[str, object]:
    """Return the columns that say which article it is, and since when."""
    return {
        "url": new.upsert.article.url,
        "date": new.day,
        "document_id": new.upsert.article.document_id or None,
        "published_at": new.published_at,
        "first_seen_at": new.upsert.seen_at,
    }


def _cause(upsert: ArticleUpsert) -> Cause:
    return "import" if upsert.origin == "import" else "new"


def taken(
    connection: Connection, addresses: Collection[str], document_ids: Collection[str]
) -> set[str]:
    """Return those of these canonical addresses and document ids that name a known article."""
    values = {"urls": list(addresses), "ids": list(document_ids)}
    return set(connection.execute(_TAKEN, values).scalars())


def unlike(connection: Connection, upserts: Sequence[ArticleUpsert]) -> list[int]:
    """Return the positions of those that cannot be any known article, nor one another's."""
    if any_without_address(connection):
        # An imported article without an address may be any of them: each is looked at by itself.
        return []
    named = [names(upsert) for upsert in upserts]
    count = Counter(name for upsert_names in named for name in upsert_names)
    ids = {upsert.article.document_id for upsert in upserts} - {""}
    known = taken(connection, set(count) - ids, ids)
    return [
        position
        for position, upsert_names in enumerate(named)
        if known.isdisjoint(upsert_names) and all(count[name] == 1 for name in upsert_names)
    ]


def names(upsert: ArticleUpsert) -> set[str]:
    """Return all by which an article can be known: its addresses and its document id."""
    return {*addresses(upsert), upsert.article.document_id} - {""}


def known_under(
    connection: Connection, address: str, document_id: str, announced_day: str
) -> int | None:
    """Return the article that an entry names, if there is no need to look at its page.

    That is so when the address is known and the entry announces no day, or one under
    which it is known already. The page of an imported article was never looked at.
    """
    known = known_articles(connection, (address,), document_id)
    for article in sorted(known, key=lambda article: article.day, reverse=True):
        if not announced_day or announced_day in article.days:
            return None if _is_imported(connection, article.article_id) else article.article_id
    return None


def _is_imported(connection: Connection, article_id: int) -> bool:
    query = select(articles.c.origin).where(articles.c.id == article_id)
    return bool(connection.execute(query).scalar_one() == "import")


def from_page(connection: Connection, document_id: str) -> int | None:
    """Return the article of a document id that was read from its page, whatever its day."""
    query = (
        select(articles.c.id)
        .where(articles.c.document_id == document_id, articles.c.origin == "page", BELIEVED)
        .order_by(articles.c.date.desc())
    )
    return connection.execute(query).scalars().first() if document_id else None


def record_sighting(
    connection: Connection, article_id: int, feed_id: int, *, guid: str, seen_at: datetime
) -> None:
    """Note that a feed announced an article; a second time changes nothing."""
    seen = {"article_id": article_id, "feed_id": feed_id, "guid": guid, "seen_at": seen_at}
    # Of the two kinds of database one alone is used, and importing the other's takes time.
    dialect = import_module(f"sqlalchemy.dialects.{connection.dialect.name}")
    connection.execute(dialect.insert(sightings).on_conflict_do_nothing(), seen)


def addresses(upsert: ArticleUpsert) -> tuple[str, ...]:
    """Return the canonical addresses of an article: its own, the announced one, its twins."""
    every = (upsert.article.url, upsert.announced_as, *upsert.article.aliases)
    return tuple(dict.fromkeys(filter(None, every)))


def known_articles(
    connection: Connection, urls: Collection[str], document_id: str
) -> list[KnownArticle]:
    """Return the believed articles that have one of these addresses, or this document id."""
    rows = connection.execute(
        select(articles).where(_is_named(urls, document_id), BELIEVED).order_by(articles.c.id)
    )
    return [
        KnownArticle(
            article_id=row.id,
            url=row.url,
            document_id=row.document_id or "",
            day=row.date,
            days=frozenset({row.date}) | _announced_days(connection, row.id),
            title=row.title,
            text=row.content_text,
            template=row.template,
            fingerprint=fingerprint(row.title, row.content_text),
        )
        for row in rows.all()
    ]


def doubted(connection: Connection, urls: Collection[str], document_id: str) -> int | None:
    """Return an article of these names that was withdrawn, with nothing good before it."""
    query = select(articles.c.id).where(_is_named(urls, document_id), ~BELIEVED)
    return connection.execute(query.order_by(articles.c.id)).scalars().first()


def _is_named(urls: Collection[str], document_id: str) -> ColumnElement[bool]:
    also = select(aliases.c.article_id).where(aliases.c.url.in_(urls))
    named = or_(articles.c.url.in_(urls), articles.c.id.in_(also))
    return or_(named, articles.c.document_id == document_id) if document_id else named


def host_uses_templates(connection: Connection, host: str) -> bool:
    """Return whether a page template read every page of a host that is in the archive, and many."""
    first, beyond = f"https://{host}/", f"https://{host}0"
    mine = articles.c.url.between(first, beyond) & (articles.c.origin == "page")
    query = select(articles.c.template).where(mine, BELIEVED).limit(HABIT_ARTICLES)
    templates = connection.execute(query).scalars().all()
    return len(templates) == HABIT_ARTICLES and "generic" not in templates


def record_gone(connection: Connection, article_id: int, since: datetime | None) -> None:
    """Write down since when an article's page is gone, ``None``: it is there; the first counts."""
    mine = articles.c.id == article_id
    column = articles.c.gone_at
    news = column.is_(None) if since else column.is_not(None)
    connection.execute(update(articles).where(mine, news).values(gone_at=since))


def replace_withdrawn(connection: Connection, article_id: int, new: NewArticle) -> None:
    """Let a withdrawn article, which never was one, become the one that was read now."""
    files = select(articles.c.path, articles.c.file_sha256).where(articles.c.id == article_id)
    path, file_sha256 = connection.execute(files).one()
    replace_doubted(connection, article_id, new.upsert, _cause(new.upsert))
    # A file that is still to go is written over instead.
    values = _identity(new) | {"path": path if file_sha256 is None else new.path}
    connection.execute(update(articles).where(articles.c.id == article_id).values(**values))


def _announced_days(connection: Connection, article_id: int) -> frozenset[str]:
    rows = connection.execute(
        select(entries.c.published_at).where(entries.c.article_id == article_id)
    )
    return frozenset(publication_day(row.published_at) for row in rows if row.published_at)


def _record_new(connection: Connection, new: Sequence[tuple[int, ArticleUpsert]]) -> None:
    """Record which feeds announced new articles, and their further addresses."""
    seen = [
        {
            "article_id": article_id,
            "feed_id": upsert.feed_id,
            "guid": upsert.guid,
            "seen_at": upsert.seen_at,
        }
        for article_id, upsert in new
        if upsert.feed_id is not None
    ]
    named = [
        {"url": url, "article_id": article_id}
        for article_id, upsert in new
        for url in addresses(upsert)
        if url != upsert.article.url
    ]
    for table, rows in ((sightings, seen), (aliases, named)):
        if rows:
            connection.execute(table.insert(), rows)


def record_names(connection: Connection, article_id: int, upsert: ArticleUpsert) -> None:
    """Record that a feed announced a known article, and the addresses that are new with it."""
    if upsert.feed_id is not None:
        record_sighting(
            connection, article_id, upsert.feed_id, guid=upsert.guid, seen_at=upsert.seen_at
        )
    mine = aliases.c.article_id == article_id
    further = connection.execute(select(aliases.c.url).where(mine)).scalars()
    main = connection.execute(
        select(articles.c.url).where(articles.c.id == article_id)
    ).scalar_one()
    for url in set(addresses(upsert)) - {main, *further}:
        connection.execute(aliases.insert().values(url=url, article_id=article_id))


# A range, not LIKE, which SQLite looks up in no index: ";" is the character after ":".
WITHOUT_ADDRESS = and_(
    articles.c.url >= CONTENT_SCHEME, articles.c.url < CONTENT_SCHEME.replace(":", ";")
)
"""Condition: the article's address is only a name for its content."""

_ANY = select(articles.c.id).where(WITHOUT_ADDRESS).limit(1)


def any_without_address(connection: Connection) -> bool:
    """Return whether there is an article whose address is only a name for its content."""
    return connection.execute(_ANY).first() is not None


def merge_with_imported(connection: Connection, upsert: ArticleUpsert, day: str) -> int | None:
    """Return the adopted article that one with an address is, which has that address from now on.

    ``day`` is its publication day. ``None``: there is none, or none that is certainly the same.
    """
    if not any_without_address(connection):
        return None
    article = upsert.article
    key = title_key(article.title)
    rows = connection.execute(
        select(articles.c.id, articles.c.title, articles.c.content_text).where(
            articles.c.date == day, articles.c.origin == "import", WITHOUT_ADDRESS
        )
    ).all()
    for row in rows:
        if title_key(row.title) != key:
            continue
        if likeness(row.content_text, article.body.text) == "same":
            give_address(connection, row.id, article.url, article.document_id)
            return int(row.id)
    return None


def give_address(connection: Connection, article_id: int, url: str, document_id: str) -> None:
    """Put an article under its real address; the one it had goes on naming it."""
    mine = articles.c.id == article_id
    before = connection.execute(select(articles.c.url).where(mine)).scalar_one()
    values = {"url": url, "document_id": document_id or None}
    connection.execute(update(articles).where(mine).values(**values))
    connection.execute(aliases.insert().values(url=before, article_id=article_id))
