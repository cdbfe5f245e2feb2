"""Adopting the articles of another archive: which are here already, and which are new.

Such an article mostly has no address. It is the one that is here when title and day are the
same and the texts nearly so; what lies between the same and another text is not decided here.
Nothing that is here is ever changed by it, but for an address that was not known.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection, func, select, update

from ingestor.identity import fingerprint, is_content_address
from ingestor.store.articles import NewArticle, insert, known_articles
from ingestor.store.db import locks
from ingestor.store.merge import give_address
from ingestor.store.schema import articles, captures, revisions
from ingestor.store.upsert import ArticleUpsert
from ingestor.text.similarity import Likeness, likeness, title_key

MOST_DAYS = 32
"""Days whose titles are kept in memory: files come in the order of their names, which may be
that of their days."""


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What became of an article of another archive."""

    outcome: Literal["adopted", "known", "ambiguous"]
    article_id: int
    """The new article, the one that it is, or the one that it may be."""


@dataclass(frozen=True, slots=True)
class _Titled:
    article_id: int
    url: str
    key: str


class Importer:
    """Takes in one article after the other; nobody else may add any meanwhile."""

    def __init__(self) -> None:
        self._days: OrderedDict[str, list[_Titled]] = OrderedDict()

    def add(self, connection: Connection, new: NewArticle) -> ImportResult:
        """Store an article, unless it is here already or may be.

        Its address is real, or names its content.
        """
        known = self._known(connection, new.upsert, new.day)
        if known is not None:
            return known
        article = new.upsert.article
        (article_id,) = insert(connection, [new])
        titles = self._titles(connection, new.day)
        if all(titled.article_id != article_id for titled in titles):
            titles.append(_Titled(article_id, article.url, title_key(article.title)))
        return ImportResult("adopted", article_id)

    def _known(
        self, connection: Connection, arrival: ArticleUpsert, day: str
    ) -> ImportResult | None:
        """Return which article an arrival is or may be, ``None`` when it is a new one."""
        article = arrival.article
        text = article.body.text
        unsure: ImportResult | None = None
        if (named := _named(connection, arrival, day)) is not None:
            alike = _closest(connection, named, text)
            if alike == "same" or is_content_address(article.url):
                return ImportResult("known", named)
            unsure = ImportResult("ambiguous", named)
        for one in self._same_title(connection, arrival, day):
            alike = _closest(connection, one.article_id, text)
            if alike == "same":
                if is_content_address(one.url) and not is_content_address(article.url):
                    give_address(connection, one.article_id, article.url, article.document_id)
                    self._days.pop(day, None)
                return ImportResult("known", one.article_id)
            if alike == "unsure":
                unsure = unsure or ImportResult("ambiguous", one.article_id)
        return unsure

    def _same_title(
        self, connection: Connection, arrival: ArticleUpsert, day: str
    ) -> Iterator[_Titled]:
        """Yield the articles of the same day and title that it may be.

        Two real addresses are two articles: publishers put one text under several.
        """
        key = title_key(arrival.article.title)
        addressed = not is_content_address(arrival.article.url)
        for one in self._titles(connection, day):
            if one.key == key and not (addressed and not is_content_address(one.url)):
                yield one

    def _titles(self, connection: Connection, day: str) -> list[_Titled]:
        """Return every title that an article of the day has or had."""
        if day not in self._days:
            query = (
                select(articles.c.id, articles.c.url, revisions.c.title)
                .join(revisions, revisions.c.article_id == articles.c.id)
                .where(articles.c.date == day)
            )
            rows = {(row.id, row.url, title_key(row.title)) for row in connection.execute(query)}
            self._days[day] = [_Titled(*row) for row in sorted(rows)]
        self._days.move_to_end(day)
        while len(self._days) > MOST_DAYS:
            self._days.popitem(last=False)
        return self._days[day]


def is_recorded(connection: Connection, url: str, fetched_at: datetime, sha256: str) -> bool:
    """Whether there is a capture of what an address answered at a moment."""
    query = select(captures.c.id).where(
        captures.c.url == url, captures.c.fetched_at == fetched_at, captures.c.sha256 == sha256
    )
    return connection.execute(query.limit(1)).scalar() is not None


def last_seen(connection: Connection, article_id: int) -> datetime:
    """Return when the latest revision of an article was seen."""
    query = select(func.max(revisions.c.seen_at)).where(revisions.c.article_id == article_id)
    moment: datetime = connection.execute(query).scalar_one()
    return moment


def known_earlier(connection: Connection, article_id: int, moment: datetime) -> bool:
    """Let an article be known from a moment on at which others saw the words that it has.

    Only one that was read once, and never said anything else. Returns whether that is news.
    """
    mine = revisions.c.article_id == article_id
    rows = connection.execute(select(revisions.c.cause, revisions.c.seen_at).where(mine)).all()
    if len(rows) != 1 or rows[0].cause != "new" or rows[0].seen_at <= moment:
        return False
    locks.lock_revisions(connection)
    connection.execute(update(revisions).where(mine).values(seen_at=moment))
    first = update(articles).where(articles.c.id == article_id)
    connection.execute(first.values(first_seen_at=moment))
    return True


def _named(connection: Connection, arrival: ArticleUpsert, day: str) -> int | None:
    """Return the article that has an arrival's address, on that day or with the same words."""
    article = arrival.article
    known = known_articles(connection, (article.url,), article.document_id)
    if is_content_address(article.url):
        # The same words on another day are another article: some notices come daily.
        known = [candidate for candidate in known if candidate.day == day]
    print_ = fingerprint(article.title, article.body.text)
    same = [candidate for candidate in known if candidate.fingerprint == print_]
    same += [candidate for candidate in known if day in candidate.days]
    return same[0].article_id if same else None


def _closest(connection: Connection, article_id: int, text: str) -> Likeness:
    """Return how a text is like the nearest of an article's revisions."""
    query = select(revisions.c.content_text).where(revisions.c.article_id == article_id)
    found = {likeness(one, text) for one in connection.execute(query).scalars()}
    return "same" if "same" in found else "unsure" if "unsure" in found else "other"
