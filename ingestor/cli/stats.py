"""``ingest stats``: how many articles there are, by time and by medium, security or feed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import Annotated

import typer
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ingestor.cli.archive import existing
from ingestor.cli.common import options, say, say_csv, say_json
from ingestor.cli.filters import (
    Feeds,
    Medium,
    Since,
    Symbol,
    Until,
    filters_of,
    known_filters,
)
from ingestor.errors import UsageError
from ingestor.store import overview
from ingestor.store.db.database import Database
from ingestor.store.filters import Filters
from ingestor.store.names.securities import KnownNames
from ingestor.store.overview import ArticleCount, CountedBy
from ingestor.text.dates import is_day
from ingestor.text.sanitize import one_line

LONGEST_GAP = timedelta(days=366)
"""What lies longer between two articles is left out, not counted as 0 day by day: there is always
an article that claims to be of 1970."""

SHORTEST_BAR = 10
"""Characters that a chart has for its bars, however narrow the terminal."""


class Period(StrEnum):
    """How long a time is counted together."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"

    def of(self, day: str) -> str:
        """Return the period of a publication day: itself, ``2024-W09`` (ISO 8601), ``2024-02``."""
        if self is Period.DAY or not is_day(day):
            return day
        if self is Period.MONTH:
            return day[:7]
        year, week, _ = date.fromisoformat(day).isocalendar()
        return f"{year:04}-W{week:02}"


By = Annotated[
    Period | None,
    typer.Option("--by", help="Count publication days (in China), weeks or months each by itself."),
]
Of = Annotated[
    CountedBy | None,
    typer.Option("--of", help="Count by medium, by security named, or by feed."),
]
Limit = Annotated[
    int | None, typer.Option("--limit", min=1, help="With --of: only so many, the largest ones.")
]
AsJson = Annotated[bool, typer.Option("--json", help="As one JSON array.")]
AsCsv = Annotated[bool, typer.Option("--csv", help="As CSV, with a line of names.")]
AsChart = Annotated[bool, typer.Option("--chart", help="As a chart of bars.")]


def stats(
    context: typer.Context,
    by: By = None,
    of: Of = None,
    since: Since = "",
    until: Until = "",
    symbol: Symbol = "",
    feed: Feeds = None,
    media: Medium = "",
    limit: Limit = None,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
    as_chart: AsChart = False,
) -> None:
    """Count articles: by day, unless --by or --of says otherwise.

    An article counts for each security that it names, and for each feed that announced it.

    Example: ingest stats --by month --of symbol --limit 10 --since 2024-01-01

    Example: ingest stats --symbol sh600519 --chart
    """
    if as_json + as_csv + as_chart > 1:
        raise UsageError("--json, --csv and --chart: name one of them")
    if limit and not of:
        raise UsageError("--limit goes with --of")
    asked = filters_of(since=since, until=until, symbol=symbol, media=media, feed=feed)
    period = by if by or of else Period.DAY
    table = _counted(existing(options(context).settings()), asked, period, of, limit)
    if as_json:
        say_json([dict(zip(table.columns, row, strict=True)) for row in table.rows], indent=2)
    elif as_csv:
        say_csv(table.columns, table.rows)
    elif not table.rows:
        say("There is no such article.")
    elif as_chart:
        say("\n".join(_chart(table)))
    else:
        _show(table)


@dataclass(frozen=True, slots=True)
class _Counts:
    """What was counted: the last column says how many."""

    columns: tuple[str, ...]
    rows: Sequence[tuple[str | int, ...]]

    def cells(self, row: tuple[str | int, ...]) -> list[str]:
        """Return a row as it is shown."""
        return [one_line(str(value)) or "(none)" for value in row]


def _counted(
    database: Database,
    asked: Filters,
    period: Period | None,
    of: CountedBy | None,
    limit: int | None,
) -> _Counts:
    with closing(database):
        filters = known_filters(database, asked)
        with database.reading() as connection:
            counts = overview.article_counts(connection, filters, by_day=period is not None, of=of)
            whole = overview.totals(connection)
            codes = {count.name for count in counts} if of is CountedBy.SYMBOL else set()
            known = KnownNames(connection, codes)
    summed: dict[tuple[str, str], int] = _summed(counts, period, limit)
    if period and not of:
        first, last = str(whole["first_day"] or ""), str(whole["last_day"] or "")
        days = {count.day for count in counts}
        days |= {max(filters.since, first), min(filters.until or last, last)} if first else set()
        summed = {(each, ""): summed.get((each, ""), 0) for each in _periods(days, period)}
    named = ("symbol", "name") if of is CountedBy.SYMBOL else (str(of),) if of else ()
    rows = [
        (
            *((when,) if period else ()),
            *((name, known.at(name)) if of is CountedBy.SYMBOL else (name,) if of else ()),
            number,
        )
        for (when, name), number in summed.items()
    ]
    return _Counts((*((str(period),) if period else ()), *named, "articles"), rows)


def _summed(
    counts: Sequence[ArticleCount], period: Period | None, limit: int | None
) -> Counter[tuple[str, str]]:
    """Return how many there are by period and name: by time, and then the most first."""
    by_name: Counter[str] = Counter()
    for count in counts:
        by_name[count.name] += count.articles
    largest = sorted(by_name, key=lambda name: (-by_name[name], name))[:limit]
    shown = set(largest)
    summed: Counter[tuple[str, str]] = Counter()
    for count in counts:
        if count.name in shown:
            summed[period.of(count.day) if period else "", count.name] += count.articles
    ordered = sorted(summed, key=lambda key: (key[0], -summed[key], key[1]))
    return Counter({key: summed[key] for key in ordered})


def _periods(days: set[str], period: Period) -> list[str]:
    """Return the periods of days and of all between them, but for gaps that are too long."""
    known = sorted(day for day in days if is_day(day))
    every = known[:1]
    for before, after in pairwise(known):
        first, last = date.fromisoformat(before), date.fromisoformat(after)
        if last - first <= LONGEST_GAP:
            between = range(1, (last - first).days)
            every += [(first + timedelta(days=each)).isoformat() for each in between]
        every.append(after)
    damaged = sorted(days - set(known))
    return list(dict.fromkeys(map(period.of, [*every, *damaged])))


def _show(table: _Counts) -> None:
    console = Console()
    if not console.is_terminal:
        # Lines as they are: what reads them counts on it.
        say("\n".join("\t".join(table.cells(row)) for row in table.rows))
        return
    shown = Table(box=None, pad_edge=False, header_style="bold")
    for name in table.columns:
        shown.add_column(name, overflow="fold", justify="right" if name == "articles" else "left")
    for row in table.rows:
        shown.add_row(*map(Text, table.cells(row)))
    console.print(shown)


def _chart(table: _Counts) -> Iterator[str]:
    """Yield a line a row: what it is, a bar, and how many."""
    cells = [table.cells(row) for row in table.rows]
    labels = [" ".join(row[:-1]) for row in cells]
    widest, digits = max(map(cell_len, labels)), max(len(row[-1]) for row in cells)
    room = max(SHORTEST_BAR, Console().width - widest - digits - 2)
    most = max(int(row[-1]) for row in cells) or 1
    for label, (*_, number) in zip(labels, cells, strict=True):
        # What there is one of has a bar, however many others have.
        length = -(-int(number) * room // most)
        space = " " * (widest - cell_len(label))
        yield f"{label}{space} {number:>{digits}} {'█' * length}".rstrip()
