"""``ingest export DEST``: articles for other programs."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import IO, Annotated

import typer

from ingestor.cli.archive import existing
from ingestor.cli.common import options, say, say_error
from ingestor.cli.filters import Doubted, Feeds, Since, Symbol, Until, filters_of, known_filters
from ingestor.cli.logs import set_up_logs
from ingestor.cli.progress import Advance, progress
from ingestor.config import Settings
from ingestor.errors import UsageError
from ingestor.maintenance import export as operation
from ingestor.maintenance import wacz
from ingestor.maintenance.export import parquet, require_pyarrow
from ingestor.store.stored_articles import COLUMNS, ArticleRevision, count, exported
from ingestor.text.counts import counted

STANDARD_OUTPUT = "-"


class Format(StrEnum):
    """How articles are written."""

    FILES = "files"
    JSONL = "jsonl"
    CSV = "csv"
    PARQUET = "parquet"
    WACZ = "wacz"


_BY_SUFFIX = {
    ".jsonl": Format.JSONL,
    ".ndjson": Format.JSONL,
    ".csv": Format.CSV,
    ".parquet": Format.PARQUET,
    ".wacz": Format.WACZ,
    "": Format.FILES,
}


Destination = Annotated[
    str, typer.Argument(metavar="DEST", help="A file or folder to make; - for standard output.")
]
Form = Annotated[
    Format | None,
    typer.Option(
        "--format", help="Default: by DEST: .jsonl, .csv, .parquet, .wacz, a folder, - as jsonl."
    ),
]
Limit = Annotated[
    int | None, typer.Option("--limit", min=1, help="At most so many, the oldest first.")
]
Revisions = Annotated[
    bool, typer.Option("--revisions", help="Every revision, with from when until when it held.")
]
Columns = Annotated[
    str, typer.Option("--columns", metavar="NAMES", help="Only these: id,date,title,symbols …")
]
Delimiter = Annotated[
    str,
    typer.Option("--delimiter", metavar="SIGN", help="Between the cells of CSV; default: a comma."),
]
Partition = Annotated[
    bool, typer.Option("--partition", help="A folder of Parquet files, one a month.")
]
Force = Annotated[
    bool, typer.Option("--force", help="Replace what is there; a folder's other files stay.")
]


def export(
    context: typer.Context,
    destination: Destination,
    form: Form = None,
    since: Since = "",
    until: Until = "",
    symbol: Symbol = "",
    feed: Feeds = None,
    limit: Limit = None,
    doubted: Doubted = False,
    revisions: Revisions = False,
    columns: Columns = "",
    delimiter: Delimiter = "",
    partition: Partition = False,
    force: Force = False,
) -> None:
    """Export articles by publication day: files, JSON lines, CSV, Parquet or WACZ.

    Works beside a running daemon. Example: ingest export - --symbol sh600519 --since 2024-01-01

    Example: ingest export articles.parquet --revisions
    """
    chosen = options(context)
    set_up_logs(chosen)
    settings = chosen.settings()
    wanted = form or _format(destination, partition=partition)
    write_all = _writer(wanted, columns, delimiter)
    _check(destination, wanted, settings, revisions=revisions, partition=partition)
    filters = filters_of(
        since=since, until=until, symbol=symbol, feed=feed, limit=limit, doubted=doubted
    )
    database = existing(settings)
    with closing(database):
        filters = known_filters(database, filters)
        if wanted is Format.WACZ:
            write_all = partial(wacz.write, database=database, folder=settings.archive.raw_dir)
        articles = exported(database, filters, every_revision=revisions)
        with progress("articles", partial(count, database, filters)) as advance:
            passed = _counted(articles, advance)
            write = _write_months if partition else _write
            number = write(destination, write_all, passed, settings, force=force)
        if wanted is Format.WACZ:
            _say_without(count(database, filters) - number)
    if destination != STANDARD_OUTPUT:
        say(f"{destination}: {counted(number, 'revision' if revisions else 'article')}")


def _say_without(number: int) -> None:
    if number > 0:
        without = counted(number, "article has", "articles have")
        say_error(f"{without} no page that is kept, not in the file")


Writer = Callable[[Iterable[ArticleRevision], IO[bytes]], int]
"""Writes articles into a file and returns how many; ``None`` stands for a folder of files."""


def _writer(form: Format, columns: str, delimiter: str) -> Writer | None:
    """Return what writes a format; raise :class:`UsageError` for options that do not go with it."""
    if delimiter and form is not Format.CSV:
        raise UsageError("--delimiter goes with CSV")
    if columns and form in {Format.FILES, Format.WACZ}:
        raise UsageError("--columns goes with jsonl, csv and parquet: a file has the schema's keys")
    names = tuple(name.strip() for name in columns.split(",")) if columns else COLUMNS
    if unknown := next((name for name in names if name not in COLUMNS), None):
        raise UsageError(f"--columns: no {unknown!r}; there are {', '.join(COLUMNS)}")
    match form:
        case Format.FILES | Format.WACZ:
            # The second needs the archive, which is opened when all options are known to be right.
            return None
        case Format.CSV:
            sign = delimiter.replace("\\t", "\t") or ","
            if len(sign) != 1 or sign in '"\r\n':
                raise UsageError("--delimiter: name one character, such as ; or \\t")
            return partial(operation.comma_separated, columns=names, delimiter=sign)
        case Format.PARQUET:
            return partial(parquet, columns=names)
        case Format.JSONL:
            return partial(operation.json_lines, columns=names)


def _write_months(
    destination: str,
    writer: Writer | None,
    articles: Iterable[ArticleRevision],
    settings: Settings,  # noqa: ARG001 - as _write
    *,
    force: bool,
) -> int:
    if writer is None:
        raise UsageError("--partition goes with parquet, into a folder")
    return operation.write_partitions(Path(destination), articles, writer, force=force)


def _write(
    destination: str,
    writer: Writer | None,
    articles: Iterable[ArticleRevision],
    settings: Settings,
    *,
    force: bool,
) -> int:
    if writer is None:
        return operation.write_tree(Path(destination), articles, settings.archive, force=force)
    if destination == STANDARD_OUTPUT:
        return writer(articles, sys.stdout.buffer)
    return operation.write_file(Path(destination), partial(writer, articles), force=force)


def _format(destination: str, *, partition: bool) -> Format:
    if partition:
        return Format.PARQUET
    if destination == STANDARD_OUTPUT:
        return Format.JSONL
    suffix = Path(destination).suffix.lower()
    if Path(destination).is_dir():
        return Format.FILES
    if suffix not in _BY_SUFFIX:
        raise UsageError(f"{destination}: say --format files, jsonl, csv, parquet or wacz")
    return _BY_SUFFIX[suffix]


def _check(
    destination: str, form: Format, settings: Settings, *, revisions: bool, partition: bool
) -> None:
    """Refuse what cannot be written, before anything is read."""
    if partition and (form is not Format.PARQUET or destination == STANDARD_OUTPUT):
        raise UsageError("--partition goes with parquet, into a folder")
    if form is Format.PARQUET:
        require_pyarrow()
    if form is Format.WACZ and revisions:
        raise UsageError("--revisions: a WACZ has every look at a page that is kept")
    if form is Format.FILES and revisions:
        raise UsageError("--revisions: a file holds one revision; export jsonl, csv or parquet")
    if destination == STANDARD_OUTPUT:
        if form is Format.FILES:
            raise UsageError(
                "-: a folder cannot go to standard output; export jsonl, csv or parquet"
            )
        if form in {Format.PARQUET, Format.WACZ} and sys.stdout.isatty():
            raise UsageError(f"-: {form} is not for a terminal; name a file, or pipe it")
        return
    if re.match(r"[a-z][a-z0-9+.-]*://", destination):
        raise UsageError(f"{destination}: an export is written to this machine; name a path")
    ours = settings.archive.dir
    if isinstance(ours, Path) and Path(destination).resolve().is_relative_to(ours.resolve()):
        raise UsageError(f"{destination}: lies in the archive's own folder; name another place")


def _counted(articles: Iterable[ArticleRevision], advance: Advance) -> Iterator[ArticleRevision]:
    """Pass the articles on, and count each one when its last revision went by."""
    last = 0
    for article in articles:
        yield article
        if article.id != last:
            advance(1)
        last = article.id
