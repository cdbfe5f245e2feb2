"""Which articles are meant: one record, and its conditions, for whoever asks for articles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, CompoundSelect, Connection, Select, and_, or_, select

from ingestor.errors import UsageError
from ingestor.model import Security
from ingestor.store.db.database import Database
from ingestor.store.names.securities import called
from ingestor.store.schema import BELIEVED, IS_BELIEVED, articles, feeds, sightings, symbols


@dataclass(frozen=True, slots=True)
class Filters:
    """Which articles are meant; what is empty does not restrict.

    Days are publication days in Asia/Shanghai, ``YYYY-MM-DD``, included.
    """

    since: str = ""
    until: str = ""
    symbol: str = ""
    """Normalised, such as ``sh600519``."""
    media: str = ""
    """Written by this medium, as the page names it."""
    feeds: tuple[str, ...] = ()
    """Announced by one of these, or imported with its name as last category; ``()``: by any."""
    limit: int | None = None
    """At most so many articles; which come first is said where they are asked for."""
    doubted: bool = False
    """Also those that turned out never to have been articles."""
    category: str = ""
    """In this category."""
    origin: str = ""
    """page, feed or import: where its text is from."""


def conditions(filters: Filters) -> list[ColumnElement[bool]]:
    """Return the conditions on ``articles`` that those meet which are meant; not the limit."""
    wanted: list[ColumnElement[bool]] = []
    if filters.since:
        wanted.append(articles.c.date >= filters.since)
    if filters.until:
        wanted.append(articles.c.date <= filters.until)
    if filters.media:
        wanted.append(articles.c.media == filters.media)
    if filters.origin:
        # By an expression: an index has all articles of an origin, in no order of days.
        wanted.append(articles.c.origin + "" == filters.origin)
    if filters.category:
        wanted.append(in_category(articles.c.categories, filters.category))
    if filters.symbol:
        named = (symbols.c.article_id == articles.c.id) & (symbols.c.symbol == filters.symbol)
        # What is doubted has no revision that is current.
        now = symbols.c.last_revision.is_(None)
        named &= or_(now, ~BELIEVED) if filters.doubted else now
        wanted.append(select(symbols.c.article_id).where(named).exists())
    if filters.feeds:
        # Asked of each article, not made a list first: a feed may have announced a million.
        these = select(feeds.c.id).where(feeds.c.name.in_(filters.feeds))
        seen = (sightings.c.article_id == articles.c.id) & sightings.c.feed_id.in_(these)
        announced = select(sightings.c.article_id).where(seen).exists()
        wanted.append(or_(announced, articles.c.id.in_(_imported_under(filters.feeds))))
    if not filters.doubted:
        wanted.append(IS_BELIEVED)
    return wanted


def in_category(categories: ColumnElement[str], name: str) -> ColumnElement[bool]:
    """Condition on a text of categories, one a line: this is one of them."""
    # A line break is around each.
    lines = "\n" + categories + "\n"
    return lines.contains(f"\n{name}\n", autoescape=True)


def articles_of_symbol(symbol: str) -> Select[Any]:
    """Select the ids of all articles that name a security now; an index answers it."""
    return select(symbols.c.article_id).where(
        symbols.c.symbol == symbol, symbols.c.last_revision.is_(None)
    )


def articles_of_feeds(names: Sequence[str]) -> CompoundSelect[Any]:
    """Select the ids of all articles of feeds.

    An article that several of them announced is there several times.
    """
    these = select(feeds.c.id).where(feeds.c.name.in_(names))
    announced = select(sightings.c.article_id).where(sightings.c.feed_id.in_(these))
    return announced.union_all(_imported_under(names))


def symbol_of(code: str) -> str:
    """Return a normalised code, ``""`` for ``""``; raise :class:`UsageError` if it is none."""
    if not code:
        return ""
    security = _security(code)
    if security is None:
        raise UsageError(f'"{code}" is no code; write sh600519, sz000001, hk00700 or us:BABA')
    return security.symbol


def symbol_called(connection: Connection, named: str) -> str:
    """Return the normalised code of a code, or of what a security is or was called here.

    Raises :class:`UsageError` if it is neither.
    """
    named = named.strip()
    if named and (symbol := called(connection, named)):
        return symbol
    if named and _security(named) is None:
        raise UsageError(
            f'"{named}" is no code (sh600519, hk00700, us:BABA), nor what a security is called here'
        )
    return symbol_of(named)


def _security(code: str) -> Security | None:
    # Most of those who ask for articles name no security.
    from ingestor.text.securities import normalised  # noqa: PLC0415

    return normalised(code)


def unknown_feeds(database: Database, names: Sequence[str]) -> list[str]:
    """Return those of the names that no feed ever had, nor an imported article's category."""
    with database.reading() as connection:
        known = set(connection.execute(select(feeds.c.name)).scalars())
        imported = select(articles.c.id).limit(1)
        return [
            name
            for name in names
            if name not in known
            and connection.execute(imported.where(imported_under(name))).first() is None
        ]


def _imported_under(names: Sequence[str]) -> Select[Any]:
    """Select the ids of what was imported under these names: an index has all that no feed had."""
    return select(articles.c.id).where(or_(*map(imported_under, names)))


def imported_under(name: str) -> ColumnElement[bool]:
    """Condition: no feed announced the article, and its last category has this name."""
    last = or_(
        articles.c.categories == name, articles.c.categories.endswith(f"\n{name}", autoescape=True)
    )
    return and_(articles.c.feed_id.is_(None), last)
