"""Which articles are meant: the options that search, export and reextract share."""

from __future__ import annotations

from typing import Annotated

import typer

from ingestor.cli.common import day_option
from ingestor.errors import UsageError
from ingestor.store.db.database import Database
from ingestor.store.filters import Filters, symbol_of, unknown_feeds

Since = Annotated[
    str, typer.Option("--since", metavar="DAY", help="Published on this day or later.")
]
Until = Annotated[
    str, typer.Option("--until", metavar="DAY", help="Published on this day or before.")
]
Symbol = Annotated[
    str, typer.Option("--symbol", metavar="CODE", help="Names this security: sh600519 …")
]
Feeds = Annotated[
    list[str] | None,
    typer.Option("--feed", metavar="NAME", help="Announced by this feed (repeatable)."),
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
    """Return what the options say; raise :class:`UsageError` for what is no day or no code."""
    first, last = _day("--since", since), _day("--until", until)
    if first and last and first > last:
        raise UsageError(f"--since {first} is after --until {last}: no day is meant")
    return Filters(
        since=first,
        until=last,
        symbol=_symbol(symbol),
        media=media,
        feeds=tuple(feed or ()),
        limit=limit,
        doubted=doubted,
    )


def require_feeds(database: Database, filters: Filters) -> None:
    """Raise :class:`UsageError` for a feed of which the archive has nothing."""
    if unknown := unknown_feeds(database, filters.feeds):
        raise UsageError(f'--feed: the archive has nothing of a feed "{unknown[0]}"')


def _day(option: str, text: str) -> str:
    return day_option(option, text).isoformat() if text else ""


def _symbol(code: str) -> str:
    try:
        return symbol_of(code)
    except UsageError as error:
        raise UsageError(f"--symbol: {error}") from error
