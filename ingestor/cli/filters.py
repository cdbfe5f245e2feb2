"""Which articles are meant: the options that search, export and reextract share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Annotated

import typer

from ingestor.cli.common import day_option, feed_option
from ingestor.errors import UsageError
from ingestor.store.db.database import Database
from ingestor.store.filters import Filters, symbol_called, symbol_of, unknown_feeds
from ingestor.store.search import Query, parse

Since = Annotated[
    str, typer.Option("--since", metavar="DAY", help="Published on this day or later.")
]
Until = Annotated[
    str, typer.Option("--until", metavar="DAY", help="Published on this day or before.")
]
Symbol = Annotated[
    str,
    typer.Option(
        "--symbol", metavar="CODE", help="Names this security: sh600519, or what it is called."
    ),
]
Feeds = Annotated[
    list[str] | None,
    feed_option("Announced by this feed (repeatable)."),
]
Medium = Annotated[
    str, typer.Option("--media", metavar="NAME", help="Written by this medium: 央视新闻 …")
]
Doubted = Annotated[
    bool,
    typer.Option("--doubted", help="Also what turned out never to have been an article."),
]


def filters_of(
    *,
    since: str = "",
    until: str = "",
    symbol: str = "",
    media: str = "",
    feed: list[str] | None = None,
    limit: int | None = None,
    doubted: bool = False,
) -> Filters:
    """Return what the options say; raise :class:`UsageError` for what is no day or no code.

    A security may be named: :func:`known_filters` looks up its code.
    """
    first, last = _day("--since", since), _day("--until", until)
    if first and last and first > last:
        raise UsageError(f"--since {first} is after --until {last}: no day is meant")
    return Filters(
        since=first,
        until=last,
        symbol=_symbol(symbol.strip()),
        media=media,
        feeds=tuple(feed or ()),
        limit=limit,
        doubted=doubted,
    )


def words_of(query: Sequence[str], *, needed: bool) -> Query | None:
    """Return what is searched for, ``None`` for no word where none is ``needed``.

    Raises :class:`UsageError` for a query that makes no sense, or an option that there is not.
    """
    if option := next((word for word in query if word.startswith("--")), ""):
        raise UsageError(f"no such option: {option}; --help shows those that there are")
    return parse(" ".join(query)) if query or needed else None


def known_filters(database: Database, filters: Filters) -> Filters:
    """Return the filters with the code of the security that is named.

    Raises :class:`UsageError` for a feed or a security of which the archive has nothing.
    """
    if unknown := unknown_feeds(database, filters.feeds):
        raise UsageError(f'--feed: the archive has nothing of a feed "{unknown[0]}"')
    with database.reading() as connection:
        return _with_symbol(filters, lambda named: symbol_called(connection, named))


def coded_filters(filters: Filters) -> Filters:
    """Return the filters with a normalised code; raise :class:`UsageError` where there is none."""
    return _with_symbol(filters, symbol_of)


def _with_symbol(filters: Filters, symbol: Callable[[str], str]) -> Filters:
    try:
        return replace(filters, symbol=symbol(filters.symbol) if filters.symbol else "")
    except UsageError as error:
        raise UsageError(f"--symbol: {error}") from error


def _symbol(named: str) -> str:
    # A code that is none is refused at once; a name is looked up in the archive.
    is_code = named.isascii() and any(map(str.isdigit, named))
    return coded_filters(Filters(symbol=named)).symbol if is_code else named


def _day(option: str, text: str) -> str:
    return day_option(option, text).isoformat() if text else ""
