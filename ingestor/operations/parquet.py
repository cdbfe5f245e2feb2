"""Articles as a Parquet file, through pyarrow: the extra ``[parquet]``, imported when asked for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from datetime import date
from itertools import islice
from typing import IO, Any

from ingestor.errors import UsageError
from ingestor.store.exports import ExportedArticle

ROWS_A_GROUP = 1_000
"""Articles in memory at a time, twice over: what a reader loads at least."""

_TIMES = ("published_at", "first_seen_at", "updated_at", "known_from", "known_until")
_NUMBERS = ("id", "revision", "sequence")
_LISTS = ("categories", "feeds", "symbols", "keywords", "images")


def require_pyarrow() -> None:
    """Raise :class:`UsageError`, which says how to get it, when pyarrow is not installed."""
    try:
        import pyarrow.parquet  # noqa: F401, PLC0415 - 170 MB that most never need
    except ImportError as error:
        raise UsageError(
            "--format parquet needs pyarrow: pip install 'ingestor[parquet]'"
        ) from error


def parquet(
    found: Iterable[ExportedArticle], file: IO[bytes], rows_a_group: int = ROWS_A_GROUP
) -> int:
    """Write all articles as one Parquet file, a row group at a time; return how many.

    The columns are the keys of the JSON lines: moments as timestamps in UTC, ``date`` as a
    date, lists as lists of text.
    """
    import pyarrow as pa  # noqa: PLC0415
    from pyarrow.parquet import ParquetWriter  # noqa: PLC0415

    rows = iter(found)
    count = 0
    schema = pa.schema([(name, _type(pa, name)) for name in ExportedArticle.__slots__])
    with ParquetWriter(file, schema, compression="zstd") as writer:
        while group := [_row(one) for one in islice(rows, rows_a_group)]:
            writer.write_table(pa.Table.from_pylist(group, schema=schema))
            count += len(group)
    return count


def _row(one: ExportedArticle) -> dict[str, Any]:
    return asdict(one) | {"date": date.fromisoformat(one.date)}


def _type(pa: Any, name: str) -> Any:
    if name in _TIMES:
        return pa.timestamp("s", tz="UTC")
    if name in _NUMBERS:
        return pa.int64()
    if name in _LISTS:
        return pa.list_(pa.string())
    return pa.date32() if name == "date" else pa.string()
