"""``ingest search QUERY``: full text, Chinese words of any length."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text
from sqlalchemy.engine import make_url

from ingestor.cli.archive import existing
from ingestor.cli.common import options, say, say_csv, say_json
from ingestor.cli.filters import (
    Doubted,
    Feeds,
    Medium,
    Since,
    Symbol,
    Until,
    coded_filters,
    filters_of,
    known_filters,
    words_of,
)
from ingestor.config import Settings
from ingestor.errors import UsageError
from ingestor.store.db.database import Database
from ingestor.store.filters import Filters
from ingestor.store.names import securities
from ingestor.store.search import Order, Query, candidates
from ingestor.store.search.hits import Hit, how_many_hits, marks, newest, snippet
from ingestor.store.search.hits import search as find
from ingestor.text.dates import iso_utc
from ingestor.text.sanitize import one_line

MARKED = "bold yellow"
SECURITIES_SHOWN = 6
MOST_COUNTED = 1_000
"""So many hits are counted: each is looked at for it."""

Words = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="QUERY",
        help='Words that all occur; "with spaces" as one; this OR that; -not this. None: all that '
        "is meant by --symbol, --feed, --media, --since or --until, the newest first.",
    ),
]
Limit = Annotated[int, typer.Option("--limit", min=1, max=10_000, help="At most so many.")]
Sorted = Annotated[Order, typer.Option("--order", help="What comes first.")]
AsJson = Annotated[bool, typer.Option("--json", help="As one JSON array.")]
AsCsv = Annotated[bool, typer.Option("--csv", help="As CSV, with a line of names.")]
Titles = Annotated[bool, typer.Option("--titles", help="One line a hit: id, day, title.")]
AsSql = Annotated[
    bool,
    typer.Option("--sql", help="Print the SQL statement instead, for sqlite3 or psql."),
]


SETTINGS = {"ignore_unknown_options": True}
"""A word that is not wanted begins like an option: 茅台 -广告."""


def search(
    context: typer.Context,
    query: Words = None,
    since: Since = "",
    until: Until = "",
    symbol: Symbol = "",
    feed: Feeds = None,
    media: Medium = "",
    doubted: Doubted = False,
    limit: Limit = 20,
    order: Sorted = Order.RELEVANCE,
    titles: Titles = False,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
    as_sql: AsSql = False,
) -> None:
    """Find articles by their words, in title and text; exits 1 when there is none.

    Full and half width, upper and lower case are the same. Example: ingest search 茅台 -广告
    --since 2024-01-01 --order newest

    Example: ingest search 茅台 OR 五粮液 提价
    """
    filters = filters_of(
        since=since, until=until, symbol=symbol, media=media, feed=feed, doubted=doubted
    )
    words = words_of(query or [], needed=filters == Filters(doubted=doubted))
    settings = options(context).settings()
    if as_sql:
        say(_statement(words, coded_filters(filters), order, limit, settings))
        return
    shown = not (as_json or as_csv or titles)
    found = _found(existing(settings), words, filters, order, limit, counted=shown)
    if as_json:
        say_json(
            [_document(hit, words, found.named.get(hit.id, [])) for hit in found.hits], indent=2
        )
    elif as_csv:
        say_csv([*COLUMNS, "symbols"], _rows(found))
    elif not found.hits:
        say("No article has all of this.")
    elif titles:
        say("\n".join(f"{hit.id}\t{hit.date}\t{one_line(hit.title)}" for hit in found.hits))
    else:
        _show(found, words)
    if not found.hits:
        raise typer.Exit(1)


def _statement(
    words: Query | None, filters: Filters, order: Order, limit: int, settings: Settings
) -> str:
    if words is None:
        raise UsageError("--sql is for a query with a word")
    kind = make_url(settings.store.url).get_backend_name()
    return candidates.statement(words, filters, order=order, limit=limit, kind=kind)


@dataclass(frozen=True, slots=True)
class _Found:
    """What a search found."""

    hits: Sequence[Hit]
    named: Mapping[int, Sequence[tuple[str, str]]]
    """The securities of each, symbol and name."""
    total: int
    """How many there are in all, :data:`MOST_COUNTED` at most; else those of ``hits``."""


def _found(
    database: Database,
    words: Query | None,
    filters: Filters,
    order: Order,
    limit: int,
    *,
    counted: bool,
) -> _Found:
    with closing(database):
        filters = known_filters(database, filters)
        with database.reading() as connection:
            if words is None:
                hits = newest(connection, filters, limit, oldest_first=order is Order.OLDEST)
            else:
                hits = find(connection, words, filters, order=order, limit=limit)
            total = len(hits)
            if counted and total == limit:
                total = how_many_hits(connection, words, filters, most=MOST_COUNTED)
            named = securities.of_articles(connection, [hit.id for hit in hits])
    return _Found(hits, named, max(total, len(hits)))


def _document(hit: Hit, query: Query | None, named: Sequence[tuple[str, str]]) -> dict[str, object]:
    part = snippet(hit.text, query.words if query else ())
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


COLUMNS = ("id", "date", "published_at", "media", "title", "url", "path")
"""Of CSV; the symbols of the securities follow, with a blank between two."""


def _rows(found: _Found) -> Iterator[list[str]]:
    for hit in found.hits:
        document = _document(hit, None, ())
        named = " ".join(symbol for symbol, _ in found.named.get(hit.id, []))
        yield [*(str(document[name] or "") for name in COLUMNS), named]


def _show(found: _Found, query: Query | None) -> None:
    console = Console()
    words = query.words if query else ()
    if console.is_terminal:
        table = Table(box=None, pad_edge=False, header_style="bold")
        for name in ("id", "day", "medium", "article"):
            table.add_column(name, overflow="fold", justify="right" if name == "id" else "left")
        for hit in found.hits:
            medium = Text(one_line(hit.media))
            table.add_row(str(hit.id), hit.date, medium, _article(hit, words, found))
        console.print(table)
    else:
        # Lines as they are: what reads them counts on it.
        for hit in found.hits:
            say("\t".join((str(hit.id), hit.date, one_line(hit.media))))
            say(f"{_article(hit, words, found).plain}\n")
    if found.total > len(found.hits):
        more = " or more" if found.total == MOST_COUNTED else ""
        say(f"The first {len(found.hits)} of {found.total}{more}; --limit shows more.")


def _article(hit: Hit, words: tuple[str, ...], found: _Found) -> Text:
    """Return a hit's title, snippet, securities, address and file, a line each."""
    title = one_line(hit.title)
    article = _marked(title, marks(title, words))
    article.stylize("bold")
    part = snippet(one_line(hit.text), words)
    article.append("\n").append_text(_marked(part.text, part.marks))
    named = [one_line(f"{name} {symbol}".strip()) for symbol, name in found.named.get(hit.id, [])]
    for line in (", ".join(named[:SECURITIES_SHOWN]), hit.url, hit.path):
        if line:
            article.append(f"\n{one_line(line)}", style="dim")
    return article


def _marked(text: str, spans: tuple[tuple[int, int], ...]) -> Text:
    marked = Text(text)
    for start, end in spans:
        marked.stylize(MARKED, start, end)
    return marked
