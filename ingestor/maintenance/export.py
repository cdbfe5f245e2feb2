"""Articles for other programs: as front-matter files, JSON lines, CSV, or a Parquet file.

All are written as the articles are read, and get their name only when they are whole.
Parquet goes through pyarrow, the extra ``[parquet]``, which is imported when it is asked for.
"""

from __future__ import annotations

import csv
import io
import json
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import IO, Any

from ingestor.api import arrow_parts, arrow_schema, columns_of
from ingestor.archive import storage
from ingestor.config.sections import ArchiveSettings
from ingestor.errors import StorageFailed, UsageError
from ingestor.maintenance.backup import made_whole
from ingestor.pipeline.files import file_text
from ingestor.store.stored_articles import COLUMNS, ArticleRevision
from ingestor.text.dates import is_day, iso_utc
from ingestor.text.sanitize import spreadsheet_cell
from ingestor.version import install_line

ROWS_A_GROUP = 1_000
"""Articles in memory at a time, twice over: what a reader loads at least."""

Write = Callable[[IO[bytes]], int]
"""Writes everything into a file, and returns how many records that were."""


def _record(article: ArticleRevision, columns: Sequence[str]) -> dict[str, Any]:
    return {name: getattr(article, name) for name in columns}


def json_lines(
    articles: Iterable[ArticleRevision], file: IO[bytes], columns: Sequence[str] = COLUMNS
) -> int:
    """Write one JSON object a line, in UTF-8; return how many.

    Moments are ISO 8601 in UTC with Z, days ``YYYY-MM-DD``.
    """
    count = 0
    for article in articles:
        line = json.dumps(_record(article, columns), ensure_ascii=False, default=_as_text)
        file.write(f"{line}\n".encode("utf-8", "replace"))
        count += 1
    return count


def comma_separated(
    articles: Iterable[ArticleRevision],
    file: IO[bytes],
    columns: Sequence[str] = COLUMNS,
    delimiter: str = ",",
) -> int:
    """Write CSV (RFC 4180) in UTF-8 with a byte order mark, for Excel; return how many articles.

    The values are those of the JSON lines; ``"; "`` stands between those of a list. What a
    spreadsheet would run as a formula begins with an apostrophe.
    """
    # The mark says to Excel that it is UTF-8.
    text = io.TextIOWrapper(file, "utf-8-sig", errors="replace", newline="")
    writer = csv.writer(text, delimiter=delimiter)
    writer.writerow(columns)
    count = 0
    for article in articles:
        writer.writerow(_cell(value) for value in _record(article, columns).values())
        count += 1
    text.detach()
    return count


def _cell(value: object) -> object:
    if isinstance(value, (list, tuple)):
        value = "; ".join(map(str, value))
    if isinstance(value, datetime):
        return iso_utc(value)
    return spreadsheet_cell(value) if isinstance(value, str) else value


def write_file(destination: Path, write: Write, *, force: bool) -> int:
    """Let ``write`` fill a new file, which appears when it is whole; return what it returns.

    Raises :class:`UsageError` when there is one already, unless ``force`` replaces it, and
    :class:`StorageFailed` when the disk refuses.
    """
    if destination.is_dir():
        raise UsageError(f"{destination}: is a folder; name a file")
    if destination.exists() and not force:
        raise UsageError(f"{destination}: is there already; --force replaces it")
    try:
        with _whole_file(destination) as file:
            return write(file)
    except OSError as error:
        raise StorageFailed(f"{destination}: cannot be written: {error.strerror}") from error


def write_tree(
    destination: Path, articles: Iterable[ArticleRevision], archive: ArchiveSettings, *, force: bool
) -> int:
    """Write front-matter files, as the archive has them; return how many.

    A new or empty folder appears when it is whole. With ``force`` they go into one that is
    there: files of the same names are replaced, all others stay. Raises :class:`UsageError`
    and :class:`StorageFailed` as :func:`write_file`.
    """
    count = 0
    with _folder(destination, force=force) as (folder, is_new):
        write = _write_plainly if is_new else storage.write
        for article in articles:
            write(folder, article.path, file_text(archive, article))
            count += 1
    return count


NO_MONTH = "__HIVE_DEFAULT_PARTITION__"
"""What Hive calls the partition of rows without a value: of a day that is damaged."""


def write_partitions(
    destination: Path,
    articles: Iterable[ArticleRevision],
    writer: Callable[[Iterable[ArticleRevision], IO[bytes]], int],
    *,
    force: bool,
) -> int:
    """Write a file a month, ``month=2024-03/articles-0.parquet``, as Hive does; return how many.

    The folder appears when it is whole; with ``force`` months go into one that is there, and
    replace those of the same names. Raises as :func:`write_tree`. DuckDB, Arrow, polars and Spark
    read such a folder as one table with a column ``month``.
    """
    files_of: Counter[str] = Counter()
    count = 0
    with _folder(destination, force=force) as (folder, _):
        for month, those in groupby(articles, key=_month):
            # They come by day; but for one that is damaged.
            file = folder / f"month={month}" / f"articles-{files_of[month]}.parquet"
            count += write_file(file, partial(writer, those), force=True)
            files_of[month] += 1
        if not files_of:
            # A table without a row is one.
            empty = folder / f"month={NO_MONTH}" / "articles-0.parquet"
            write_file(empty, partial(writer, ()), force=True)
    return count


def _month(article: ArticleRevision) -> str:
    return article.date[:7] if is_day(article.date) else NO_MONTH


def _is_free(destination: Path, *, force: bool) -> bool:
    """Return whether a folder is still to be made, or empty; ``force`` takes one that is there."""
    if not destination.exists() or (destination.is_dir() and not any(destination.iterdir())):
        return True
    if not force or not destination.is_dir():
        raise UsageError(
            f"{destination}: is there already; name a new or an empty folder"
            + (", or --force to write into it" if destination.is_dir() else "")
        )
    return False


@contextmanager
def _folder(destination: Path, *, force: bool) -> Iterator[tuple[Path, bool]]:
    """Give a folder to fill, and whether it is new: then it appears when the block ends well."""
    if not _is_free(destination, force=force):
        yield destination, False
        return
    try:
        with made_whole(destination) as folder:
            yield folder, True
    except OSError as error:
        raise StorageFailed(f"{destination}: cannot be written: {error.strerror}") from error


def _write_plainly(folder: Path, relative: str, text: str) -> None:
    """Write a file of a folder that nobody reads yet: it is brought to the disk as a whole."""
    target = folder / relative
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(text.encode("utf-8", "replace"))


@contextmanager
def _whole_file(destination: Path) -> Iterator[IO[bytes]]:
    """Give a file to fill; it gets its name when the block ends well, else it goes."""
    destination.absolute().parent.mkdir(parents=True, exist_ok=True)
    unfinished = destination.with_name(f".{destination.name}.partial")
    try:
        with unfinished.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(destination)
    finally:
        unfinished.unlink(missing_ok=True)


def _as_text(value: object) -> str:
    if isinstance(value, datetime):
        return iso_utc(value)
    raise TypeError(f"cannot be exported: {value!r}")


def require_pyarrow() -> None:
    """Raise :class:`UsageError`, which says how to get it, when pyarrow is not installed."""
    try:
        import pyarrow.parquet  # noqa: F401, PLC0415 - 170 MB that most never need
    except ImportError as error:
        raise UsageError(f"--format parquet needs pyarrow: {install_line('parquet')}") from error


def parquet(
    articles: Iterable[ArticleRevision],
    file: IO[bytes],
    columns: Sequence[str] = COLUMNS,
    rows_a_group: int = ROWS_A_GROUP,
) -> int:
    """Write all articles as one Parquet file, a row group at a time; return how many.

    The columns are the keys of the JSON lines: moments as timestamps in UTC, ``date`` as a
    date, lists as lists of text.
    """
    import pyarrow as pa  # noqa: PLC0415
    from pyarrow.parquet import ParquetWriter  # noqa: PLC0415

    known = {column.name: column for column in columns_of(ArticleRevision)}
    wanted = [known[name] for name in columns]
    count = 0
    with ParquetWriter(file, arrow_schema(pa, wanted), compression="zstd") as writer:
        for group in arrow_parts(pa, articles, wanted, rows_a_group):
            writer.write_batch(group)
            count += group.num_rows
    return count
