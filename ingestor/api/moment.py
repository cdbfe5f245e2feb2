"""The archive as it was knowable at a moment: which revisions held, and what they said then.

The views know which (docs/point-in-time.md). What a record says of later is taken out of it: an
edit to come, a page that is gone since, a feed that announced the article afterwards.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice

from sqlalchemy import (
    ColumnElement,
    Connection,
    TableClause,
    bindparam,
    column,
    exists,
    or_,
    select,
    table,
)

from ingestor.model import Origin
from ingestor.store import images
from ingestor.store.db.database import Database
from ingestor.store.filters import Filters, imported_under
from ingestor.store.names.securities import KnownNames, known_names
from ingestor.store.schema import articles, feeds, revisions, sightings
from ingestor.store.schema.columns import TIME
from ingestor.store.search import Order, Query, is_plain
from ingestor.store.search import index as full_text
from ingestor.store.search.candidates import look_up
from ingestor.store.search.hits import RANKED, FoundText, Hit, found_text, ranked
from ingestor.store.stored_articles import ARTICLES_A_PART, ArticleRevision, revisions_of


def _view(name: str, *columns: str) -> TableClause:
    """Return a view whose rows hold for a time."""
    span = (column("known_from", TIME), column("known_until", TIME))
    return table(name, column("article_id"), *map(column, columns), *span)


_KNOWN = _view("known_revisions", "date", "published_at", "media")
_NAMED = _view("articles_by_symbol", "symbol")

_ORIGINS: dict[str, Origin] = {"feed": "feed", "import": "import"}
"""By what read a revision; what a page template read is from its page."""


def ids_known(
    connection: Connection,
    filters: Filters,
    moment: datetime,
    *,
    order: Order | None = None,
    query: Query | None = None,
) -> list[int]:
    """Return the articles that were known at a moment and are meant, by publication.

    That is by day and id, or in an order as those of a search. Of a query those are left out that
    the full-text index knows not to have its words.
    """
    known = select(_KNOWN.c.article_id).where(_held(_KNOWN, moment), *_meant(filters, moment))
    if query and (terms := look_up(connection, query).terms):
        # The index has the texts of now: those of articles that were not revised since.
        later = (revisions.c.article_id == _KNOWN.c.article_id) & (revisions.c.seen_at > moment)
        indexed = _KNOWN.c.article_id.in_(full_text.of(connection).matching(terms))
        known = known.where(or_(indexed, exists().where(later)))
    day, article_id = _KNOWN.c.date, _KNOWN.c.article_id
    columns = (day, _KNOWN.c.published_at, article_id) if order else (day, article_id)
    ordered = [each.desc() for each in columns] if order is Order.NEWEST else columns
    return list(connection.execute(known.order_by(*ordered).limit(filters.limit)).scalars())


def _held(view: TableClause, moment: datetime) -> ColumnElement[bool]:
    until = view.c.known_until
    return (view.c.known_from <= moment) & or_(until.is_(None), until > moment)


def _meant(filters: Filters, moment: datetime) -> Iterator[ColumnElement[bool]]:
    if filters.since:
        yield _KNOWN.c.date >= filters.since
    if filters.until:
        yield _KNOWN.c.date <= filters.until
    if filters.media:
        yield _KNOWN.c.media == filters.media
    if filters.symbol:
        named = (_NAMED.c.symbol == filters.symbol) & _held(_NAMED, moment)
        yield exists().where(_NAMED.c.article_id == _KNOWN.c.article_id, named)
    if filters.feeds:
        these = select(feeds.c.id).where(feeds.c.name.in_(filters.feeds))
        seen = (sightings.c.feed_id.in_(these)) & (sightings.c.seen_at <= moment)
        imported = or_(*map(imported_under, filters.feeds))
        yield or_(
            exists().where(sightings.c.article_id == _KNOWN.c.article_id, seen),
            exists().where(articles.c.id == _KNOWN.c.article_id, imported),
        )


def in_parts(database: Database, ids: Iterable[int], moment: datetime) -> Iterator[ArticleRevision]:
    """Yield articles in this order as they were known; each part is read by itself."""
    rest = iter(ids)
    while part := list(islice(rest, ARTICLES_A_PART)):
        with database.reading() as connection:
            known = {article.id: article for article in as_known(connection, part, moment)}
        yield from (known[article_id] for article_id in part if article_id in known)


def as_known(
    connection: Connection, ids: Collection[int], moment: datetime, *, earlier: bool = False
) -> list[ArticleRevision]:
    """Return articles in the revision that held at a moment; with ``earlier`` those before too."""
    past = _Past(moment, known_names(connection, ids), _announced(connection, ids, moment))
    good = [each for each in revisions_of(connection, ids) if each.cause != "doubt"]
    edited: dict[int, datetime] = {}
    known = []
    for revision in good:
        if revision.known_from > moment:
            continue
        if revision.cause == "edit":
            edited[revision.id] = revision.known_from
        if earlier or revision.known_until is None or revision.known_until > moment:
            known.append(past.of(revision, edited.get(revision.id)))
    return known


@dataclass(frozen=True, slots=True)
class _Past:
    """What was known at a moment beside the revisions."""

    moment: datetime
    names: KnownNames
    feeds: defaultdict[int, tuple[str, ...]]

    def of(self, revision: ArticleRevision, edited: datetime | None) -> ArticleRevision:
        """Return a revision without what was not known yet; ``edited`` is its last edit's time."""
        is_current, until = revision.known_until is None, revision.known_until
        claimed = revision.updated_at if is_current else edited
        gone = revision.gone_at
        pictures = revision.pictures if is_current else images.of_html(revision.content_html)
        return replace(
            revision,
            known_until=until if until and until <= self.moment else None,
            updated_at=claimed,
            gone_at=gone if gone and gone <= self.moment else None,
            doubted_at=None,
            origin=_ORIGINS.get(revision.template, "page"),
            feeds=self.feeds[revision.id],
            pictures=pictures,
            symbol_names=tuple(self.names.at(code, self.moment) for code in revision.symbols),
        )


def _announced(
    connection: Connection, ids: Collection[int], moment: datetime
) -> defaultdict[int, tuple[str, ...]]:
    """Return the names of the feeds that had announced articles by a moment."""
    query = (
        select(sightings.c.article_id, feeds.c.name)
        .join(feeds)
        .where(sightings.c.article_id.in_(bindparam("ids", expanding=True)))
        .where(sightings.c.seen_at <= moment)
        .order_by(feeds.c.id)
    )
    names: defaultdict[int, tuple[str, ...]] = defaultdict(tuple)
    for article_id, name in connection.execute(query, {"ids": list(ids)}):
        names[article_id] += (name,)
    return names


def search(
    database: Database,
    query: Query | None,
    filters: Filters,
    moment: datetime,
    *,
    order: Order,
    limit: int,
) -> list[Hit]:
    """Return at most ``limit`` articles with every word as they were known, the best first.

    All texts that may have the words are read. By relevance all words weigh alike: how rare each
    was then is not known.
    """
    by_rank = query is not None and order is Order.RELEVANCE
    met = Order.NEWEST if order is Order.RELEVANCE else order
    with database.reading() as connection:
        ids = ids_known(connection, filters, moment, order=met, query=query)
    hits: list[Hit] = []
    texts: list[FoundText] = []
    plain = query is not None and is_plain(query.characters)
    enough = max(limit, RANKED) if by_rank else limit
    for article in in_parts(database, ids, moment):
        if query:
            text = found_text(article, query, plain=plain)
            if text is None:
                continue
            texts.append(text)
        hits.append(_hit(article, article.content_text if query else article.summary))
        if len(hits) == enough:
            break
    if query is None or not by_rank:
        return hits
    by_id = {hit.id: hit for hit in hits}
    scores = ranked(texts, dict.fromkeys(query.words, 1.0))[:limit]
    return [replace(by_id[article_id], score=score) for article_id, score in scores]


def _hit(article: ArticleRevision, text: str) -> Hit:
    shown = article.id, article.url, article.date, article.published_at, article.title
    return Hit(*shown, article.media, article.path, text, 0.0)
