"""``ingest search QUERY``: full text, Chinese words of any length."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text
from sqlalchemy.engine import make_url

from ingestor.cli.archive import existing
from ingestor.cli.common import options, say, say_json
from ingestor.cli.filters import (
    Doubted,
    Feeds,
    Since,
    Symbol,
    Until,
    coded_filters,
    filters_of,
    known_filters,
)
from ingestor.store.names import securities
from ingestor.store.search import candidates
from ingestor.store.search.hits import Hit, marks, snippet
from ingestor.store.search.hits import search as find
from ingestor.store.search.query import Order, Query, parse
from ingestor.text.dates import iso_utc
from ingestor.text.sanitize import one_line

MARKED = "bold yellow"
SECURITIES_SHOWN = 6

Words = Annotated[
    list[str],
    typer.Argument(
        metavar="QUERY",
        help='Words that all occur; "with spaces" as one; -not this.',
    ),
]
Medium = Annotated[
    str, typer.Option("--media", metavar="NAME", help="Written by this medium: 央视新闻 …")
]
Limit = Annotated[int, typer.Option("--limit", min=1, max=10_000, help="At most so many.")]
Sorted = Annotated[Order, typer.Option("--order", help="What comes first.")]
AsJson = Annotated[bool, typer.Option("--json", help="As one JSON array.")]
AsSql = Annotated[
    bool,
    typer.Option("--sql", help="Print the SQL statement instead, for sqlite3 or psql."),
]


def search(
    context: typer.Context,
    query: Words,
    since: Since = "",
    until: Until = "",
    symbol: Symbol = "",
    feed: Feeds = None,
    media: Medium = "",
    doubted: Doubted = False,
    limit: Limit = 20,
    order: Sorted = Order.RELEVANCE,
    as_json: AsJson = False,
    as_sql: AsSql = False,
) -> None:
    """Find articles by their words, in title and text; exits 1 when there is none.

    Full and half width, upper and lower case are the same. Example: ingest search 茅台 提价
    --since 2024-01-01 --order newest
    """
    words = parse(" ".join(query))
    filters = filters_of(
        since=since, until=until, symbol=symbol, media=media, feed=feed, doubted=doubted
    )
    settings = options(context).settings()
    if as_sql:
        kind = make_url(settings.store.url).get_backend_name()
        filters = coded_filters(filters)
        say(candidates.statement(words, filters, order=order, limit=limit, kind=kind))
        return
    database = existing(settings)
    with closing(database):
        filters = known_filters(database, filters)
        with database.reading() as connection:
            hits = find(connection, words, filters, order=order, limit=limit)
            named = securities.of_articles(connection, [hit.id for hit in hits])
    if as_json:
        say_json([_document(hit, words, named.get(hit.id, [])) for hit in hits], indent=2)
    elif hits:
        _show(hits, words, named)
        if len(hits) == limit:
            say(f"The first {limit}; --limit shows more.")
    else:
        say("No article has all of this.")
    if not hits:
        raise typer.Exit(1)


def _document(hit: Hit, query: Query, named: Sequence[tuple[str, str]]) -> dict[str, object]:
    part = snippet(hit.text, query.wanted)
    return {
        "id": hit.id,
        "url": hit.url,
        "date": hit.date,
        "published_at": iso_utc(hit.published_at) if hit.published_at else None,
        "title": hit.title,
        "media": hit.media,
        "path": hit.path,
        "score": hit.score,
        "snippet": part.text,
        "marks": part.marks,
        "securities": [{"symbol": symbol, "name": name} for symbol, name in named],
    }


def _show(hits: list[Hit], query: Query, named: Mapping[int, Sequence[tuple[str, str]]]) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("id", "day", "medium", "article"):
        table.add_column(name, overflow="fold", justify="right" if name == "id" else "left")
    for hit in hits:
        title = one_line(hit.title)
        article = _marked(title, marks(title, query.wanted))
        article.stylize("bold")
        part = snippet(one_line(hit.text), query.wanted)
        article.append("\n").append_text(_marked(part.text, part.marks))
        if own := [one_line(f"{name} {symbol}".strip()) for symbol, name in named.get(hit.id, [])]:
            article.append(f"\n{', '.join(own[:SECURITIES_SHOWN])}", style="dim")
        table.add_row(str(hit.id), hit.date, Text(one_line(hit.media)), article)
    Console().print(table)


def _marked(text: str, spans: tuple[tuple[int, int], ...]) -> Text:
    marked = Text(text)
    for start, end in spans:
        marked.stylize(MARKED, start, end)
    return marked
