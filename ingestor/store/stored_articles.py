"""Articles as they are stored, each with all that hangs on it, and as each revision had them.

Whoever reads articles reads them here: ``show``, ``export``, the files, ``reextract`` and
``browse``. A row becomes a record in :func:`_article` alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BindParameter,
    Column,
    ColumnElement,
    Connection,
    Row,
    Select,
    Table,
    bindparam,
    func,
    or_,
    select,
    update,
)

from ingestor.errors import Forbidden, UsageError
from ingestor.identity import canonical_url, document_id, is_content_address
from ingestor.model import Cause, Origin, Picture, Security
from ingestor.store.db.database import Database
from ingestor.store.due import ALL, FILE_IS_DUE, Shard
from ingestor.store.filters import Filters, conditions
from ingestor.store.names.securities import known_names
from ingestor.store.schema import (
    aliases,
    articles,
    feeds,
    images,
    keywords,
    revisions,
    sightings,
    symbols,
)
from ingestor.text.dates import is_day

ARTICLES_A_PART = 200
"""Articles exported at a time, with all that belongs to them."""


@dataclass(frozen=True, slots=True)
class StoredArticle:
    """An article as it stands: the columns of ``articles``, and what hangs on them."""

    id: int
    url: str
    date: str
    document_id: str | None
    title: str
    author: str
    media: str
    editor: str
    summary: str
    headimg: str
    content_html: str = field(repr=False)
    content_text: str = field(repr=False)
    content_sha256: str
    published_at: datetime | None
    first_seen_at: datetime
    updated_at: datetime | None
    gone_at: datetime | None
    """Since when its page is not there any more."""
    doubted_at: datetime | None
    """Since when it is known never to have been an article."""
    revision: int
    origin: Origin
    template: str
    path: str
    categories: tuple[str, ...]
    feeds: tuple[str, ...]
    """Names of the feeds that announced it."""
    securities: tuple[Security, ...]
    """By their codes."""
    keywords: tuple[str, ...]
    pictures: tuple[Picture, ...]

    @property
    def symbols(self) -> tuple[str, ...]:
        """Return the codes of the securities that it names."""
        return tuple(security.symbol for security in self.securities)

    @property
    def images(self) -> tuple[str, ...]:
        """Return the addresses of its pictures."""
        return tuple(picture.url for picture in self.pictures)


@dataclass(frozen=True, slots=True)
class ArticleRevision(StoredArticle):
    """An article as one of its revisions has it: what it said then, with what it named then."""

    sequence: int
    cause: Cause
    final_url: str
    """The address that answered; ``""``: it was not read from a page."""
    note: str
    """What is to be said of the revision."""
    known_from: datetime
    known_until: datetime | None
    """``None``: it is the current revision. One that is doubted by now was never known."""
    symbol_names: tuple[str, ...]
    """What its securities were called, as far as was known then, in the order of ``symbols``."""


COLUMNS = (
    "id", "url", "date", "document_id", "title", "author", "media", "editor", "summary", "headimg",
    "content_html", "content_text", "content_sha256", "published_at", "first_seen_at",
    "updated_at", "revision", "sequence", "cause", "known_from", "known_until", "origin",
    "template", "path", "categories", "feeds", "symbols", "keywords", "images",
    "final_url", "note", "gone_at", "doubted_at", "symbol_names",
)  # fmt: skip
"""Of an article in an export or a table, in their order (docs/import-export.md)."""

_IDS: BindParameter[Sequence[int]] = bindparam("ids", expanding=True)


def _beside(column: Column[int], *values: Column[Any], order: Column[Any]) -> Select[Any]:
    return select(column, *values).where(column.in_(_IDS)).order_by(order)


def _named(table: Table, order: str, *columns: str) -> Select[Any]:
    return _beside(*table.c["article_id", *columns], order=table.c[order])


_SECURITY = ("market", "symbol", "name")
_BESIDE: dict[str, tuple[Select[Any], Callable[..., Any]]] = {
    "feeds": (_beside(sightings.c.article_id, feeds.c.name, order=feeds.c.id).join(feeds), str),
    # What earlier revisions named has a last one.
    "securities": (
        _named(symbols, "symbol", *_SECURITY).where(symbols.c.last_revision.is_(None)),
        Security,
    ),
    "keywords": (
        _named(keywords, "keyword", "keyword").where(keywords.c.last_revision.is_(None)),
        str,
    ),
    "pictures": (_named(images, "position", "url", "caption"), Picture),
}
"""What hangs on articles, by its field: of several articles, and what a row of it becomes."""

_SPAN = ("first_revision", "last_revision")
_NAMED_THEN: dict[str, tuple[Select[Any], Callable[..., Any]]] = {
    "securities": (_named(symbols, "symbol", *_SPAN, *_SECURITY), Security),
    "keywords": (_named(keywords, "keyword", *_SPAN, "keyword"), str),
}
"""What each revision named, by its field: of several articles, and what a row of it becomes."""

_AS_STORED = tuple(
    name for name in StoredArticle.__slots__ if name in articles.c and name != "categories"
)
_OF_REVISION = (
    "title", "content_html", "content_text", "content_sha256", "revision", "sequence", "cause",
    "final_url", "note",
)  # fmt: skip
_SAID_THEN = ("published_at", "media", "editor", "summary", "headimg", "template")
"""Of several revisions each has its own; the article has those of the current one."""


def load(connection: Connection, rows: Sequence[Row[Any]]) -> list[StoredArticle]:
    """Return the articles of rows that have all columns of ``articles``, in their order."""
    ids = [row.id for row in rows]
    beside: dict[str, defaultdict[int, list[Any]]] = {name: defaultdict(list) for name in _BESIDE}
    for name, (query, record) in _BESIDE.items():
        for article_id, *values in connection.execute(query, {"ids": ids}):
            beside[name][article_id].append(record(*values))
    return [_article(row, {name: of[row.id] for name, of in beside.items()}) for row in rows]


def _article(row: Row[Any], beside: Mapping[str, Sequence[Any]]) -> StoredArticle:
    values: dict[str, Any] = {name: getattr(row, name) for name in _AS_STORED}
    values |= {name: tuple(records) for name, records in beside.items()}
    return StoredArticle(**values, categories=tuple(row.categories.splitlines()))


def current(connection: Connection, article_id: int) -> ArticleRevision | None:
    """Return an article as it stands; ``None``: there is no such article."""
    rows = connection.execute(select(articles).where(articles.c.id == article_id)).all()
    return next(_revisions(connection, rows, every_revision=False), None)


def history(connection: Connection, article_id: int) -> list[ArticleRevision]:
    """Return every revision of an article, the oldest first; ``[]``: there is no such article."""
    return list(revisions_of(connection, [article_id]))


def revisions_of(connection: Connection, ids: Collection[int]) -> Iterator[ArticleRevision]:
    """Yield every revision of some articles, of each the oldest first; by publication day."""
    query = select(articles).where(articles.c.id.in_(ids)).order_by(articles.c.date, articles.c.id)
    yield from _revisions(connection, connection.execute(query).all(), every_revision=True)


def ids_of(connection: Connection, address: str, document_id: str) -> list[int]:
    """Return the articles of a canonical address or a document id, the latest day first.

    An address that the publisher used again has an article for each day.
    """
    also = select(aliases.c.article_id).where(aliases.c.url == address)
    named = or_(articles.c.url == address, articles.c.id.in_(also))
    if document_id:
        named = or_(named, articles.c.document_id == document_id)
    query = select(articles.c.id).where(named).order_by(articles.c.date.desc(), articles.c.id)
    return list(connection.execute(query).scalars())


def ids_named(connection: Connection, named: str) -> list[int]:
    """Return the articles that an id or an address names, the latest day first.

    Raises :class:`UsageError` for a text that is neither.
    """
    if named.isdecimal():
        return [int(named)] if len(named) < len(str(2**63)) else []
    if is_content_address(named):
        return ids_of(connection, named, "")
    if named.startswith(("http://", "https://")):
        try:
            address = canonical_url(named)
        except Forbidden as error:
            raise UsageError(str(error)) from error
        return ids_of(connection, address, document_id(address))
    raise UsageError(f'"{named}" is neither the id of an article nor an address (https://…)')


def exported(
    database: Database, filters: Filters, *, every_revision: bool = False
) -> Iterator[ArticleRevision]:
    """Yield the articles that are meant, by publication day and id.

    In their current revision, or in each one, the oldest first. Parts are read in transactions of
    their own, so that an export of hours keeps no writer from cleaning its log, and memory holds
    one part whatever the archive's size.
    """
    query = select(articles).where(*conditions(filters)).order_by(articles.c.date, articles.c.id)
    left, order = filters.limit, DayOrder()
    while left is None or left > 0:
        size = ARTICLES_A_PART if left is None else min(left, ARTICLES_A_PART)
        with database.reading() as connection:
            rows = connection.execute(query.where(*order.conditions()).limit(size)).all()
            part = list(_revisions(connection, rows, every_revision=every_revision))
        if not rows:
            return
        yield from part
        order.advance([(row.date, row.id) for row in rows])
        left = None if left is None else left - len(rows)


@dataclass(slots=True)
class DayOrder:
    """How far a walk through articles is, by publication day and id.

    A day that is damaged is read otherwise than it is sorted: a row that comes out of order is
    remembered, and passed.
    """

    day: str = ""
    article_id: int = 0
    _passed: set[int] = field(default_factory=set)

    def conditions(self) -> tuple[ColumnElement[bool], ...]:
        """Return the conditions on articles that are still to come."""
        return (
            # The first is for the index alone.
            articles.c.date >= self.day,
            or_(articles.c.date > self.day, articles.c.id > self.article_id),
            articles.c.id.not_in(self._passed),
        )

    def advance(self, walked: Sequence[tuple[str, int]]) -> None:
        """Note that articles of these days and ids were walked."""
        for day, article_id in walked:
            if is_day(day) and (day, article_id) > (self.day, self.article_id):
                self.day, self.article_id = day, article_id
            else:
                self._passed.add(article_id)


def count(database: Database, filters: Filters) -> int:
    """Return how many articles are meant."""
    query = select(func.count()).select_from(articles).where(*conditions(filters))
    with database.reading() as connection:
        number = int(connection.execute(query).scalar_one())
    return number if filters.limit is None else min(number, filters.limit)


def _revisions(
    connection: Connection, rows: Sequence[Row[Any]], *, every_revision: bool
) -> Iterator[ArticleRevision]:
    query = select(revisions).where(revisions.c.article_id.in_(_IDS)).order_by(revisions.c.revision)
    if not every_revision:
        query = query.join(articles).where(articles.c.revision == revisions.c.revision)
    ids = [row.id for row in rows]
    revised: defaultdict[int, list[Row[Any]]] = defaultdict(list)
    for row in connection.execute(query, {"ids": ids}):
        revised[row.article_id].append(row)
    named = _Named(connection, ids) if every_revision else None
    loaded = load(connection, rows)
    names = known_names(connection, ids)
    for article in loaded:
        stored = {name: getattr(article, name) for name in StoredArticle.__slots__}
        own = revised[article.id]
        for row, known_until in zip(own, _ends(own), strict=True):
            values = stored | {name: getattr(row, name) for name in _OF_REVISION}
            if named:
                values |= {name: getattr(row, name) for name in _SAID_THEN} | named.by(row)
            then = tuple(names.at(each.symbol, row.seen_at) for each in values["securities"])
            yield ArticleRevision(
                **values, known_from=row.seen_at, known_until=known_until, symbol_names=then
            )


def _ends(own: Sequence[Row[Any]]) -> list[datetime | None]:
    """Return until when each of an article's revisions was known to hold: until the next one.

    One that is doubted by now ends where it began: it is never what was known.
    """
    ends: list[datetime | None] = []
    following: datetime | None = None
    for row in reversed(own):
        if row.cause == "doubt":
            ends.append(row.seen_at)
        else:
            ends.append(following)
            following = row.seen_at
    return ends[::-1]


class _Named:
    """The securities and keywords of articles, with the revisions that name them."""

    def __init__(self, connection: Connection, article_ids: Sequence[int]) -> None:
        self._runs: dict[str, defaultdict[int, list[tuple[int, int | None, Any]]]] = {}
        for name, (query, record) in _NAMED_THEN.items():
            runs = self._runs[name] = defaultdict(list)
            for article_id, first, last, *values in connection.execute(query, {"ids": article_ids}):
                runs[article_id].append((first, last, record(*values)))

    def by(self, revision: Row[Any]) -> dict[str, tuple[Any, ...]]:
        """Return what a revision names, by the field of :class:`ArticleRevision`."""
        number, doubted = revision.revision, revision.cause == "doubt"
        return {
            name: tuple(
                record
                for first, last, record in runs[revision.article_id]
                # Runs of believed revisions go over those that are doubted.
                if ((first, last) == (number, number) if doubted else first <= number)
                and (last is None or number <= last)
            )
            for name, runs in self._runs.items()
        }


_WRITTEN = (
    update(articles)
    .where(articles.c.id == bindparam("of"), articles.c.revision == bindparam("was"))
    .values(file_sha256=bindparam("holds"))
)


def due_files(connection: Connection, limit: int, shard: Shard = ALL) -> list[StoredArticle]:
    """Return articles of this shard whose file is not what the database says, oldest first."""
    # The ids by themselves, ordered by an expression: SQLite would go through all articles else.
    due = select(articles.c.id).where(FILE_IS_DUE, shard.has(articles.c.id))
    first = due.order_by(articles.c.id + 0).limit(limit)
    query = select(articles).where(articles.c.id.in_(first)).order_by(articles.c.id)
    return load(connection, connection.execute(query).all())


def due_paths(connection: Connection) -> list[str]:
    """Return the paths of the files that are due."""
    return list(connection.execute(select(articles.c.path).where(FILE_IS_DUE)).scalars())


def record_files(connection: Connection, files: Sequence[tuple[StoredArticle, str]]) -> None:
    """Note what files hold now: of each its SHA-256, ``""`` for one that is not to be.

    An article revised meanwhile stays due.
    """
    rows = [
        {"of": article.id, "was": article.revision, "holds": sha256} for article, sha256 in files
    ]
    connection.execute(_WRITTEN, rows)
