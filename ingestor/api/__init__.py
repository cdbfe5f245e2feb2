"""The archive from Python: what :func:`ingestor.open` gives, and what it answers with.

That is frozen records, or the same as a table of another library. A column has the type that the
record's field has: moments are UTC, what is not known is null.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from importlib import import_module
from itertools import islice
from typing import Any, Generic, TypeVar, get_args, get_type_hints, overload

from ingestor.errors import UsageError
from ingestor.store.stored_articles import COLUMNS, ArticleRevision
from ingestor.text.dates import is_day
from ingestor.version import install_line

T = TypeVar("T")

SHOWN = 5
"""Records that stand in the ``repr`` of many."""

ROWS_A_PART = 1_000
"""Records that are in memory at a time while a table of Arrow's is made."""


class Records(Generic[T]):
    """The answers to a question, in their order: walk through them, count them, take the third.

    They are read when they are walked through, a part at a time and each time anew, so that an
    archive of any size fits; those of a search and of one article are read at once.
    """

    def __init__(
        self, kind: type[T], read: Callable[[], Iterable[T]], count: Callable[[], int]
    ) -> None:
        self._kind, self._read, self._count = kind, read, count

    def __iter__(self) -> Iterator[T]:
        return iter(self._read())

    def __len__(self) -> int:
        return self._count()

    @overload
    def __getitem__(self, which: int) -> T: ...

    @overload
    def __getitem__(self, which: slice) -> list[T]: ...

    def __getitem__(self, which: int | slice) -> T | list[T]:
        if isinstance(which, slice):
            first, last, step = which.indices(len(self))
            if step > 0:
                return list(islice(self, first, max(first, last), step))
            return list(self)[which]
        at = which if which >= 0 else which + len(self)
        for record in islice(self, at, at + 1) if at >= 0 else ():
            return record
        raise IndexError(f"there is no record {which}")

    def __repr__(self) -> str:
        shown = [repr(record) for record in islice(self, SHOWN)]
        more = ["…"] if len(self) > SHOWN else []
        return f"[{', '.join(shown + more)}]"

    def to_arrow(self) -> Any:
        """Return the records as a ``pyarrow.Table``; ``pip install 'sina-ingestor[parquet]'``."""
        pa = _library("pyarrow", "parquet")
        columns = columns_of(self._kind)
        schema = arrow_schema(pa, columns)
        return pa.Table.from_batches(arrow_parts(pa, self, columns, ROWS_A_PART), schema=schema)

    def to_pandas(self) -> Any:
        """Return the records as a ``pandas.DataFrame``; ``pip install 'sina-ingestor[pandas]'``.

        Moments are ``datetime64[us, UTC]``, days ``datetime64[us]``, lists are tuples.
        """
        pandas = _library("pandas", "pandas")
        columns = columns_of(self._kind)
        rows = self._rows(columns)
        frame = pandas.DataFrame.from_records(rows, columns=[column.name for column in columns])
        return frame.astype({column.name: column.pandas for column in columns})

    def to_polars(self) -> Any:
        """Return the records as a ``polars.DataFrame``; ``pip install 'sina-ingestor[polars]'``."""
        polars = _library("polars", "polars")
        columns = columns_of(self._kind)
        rows = self._rows(columns)
        schema = {column.name: column.polars(polars) for column in columns}
        return polars.DataFrame(rows, schema=schema, orient="row")

    def _rows(self, columns: Sequence[TableColumn]) -> list[tuple[Any, ...]]:
        return [tuple(column.value(record) for column in columns) for record in self]


def at_once(kind: type[T], records: Iterable[T]) -> Records[T]:
    """Return records that are read already."""
    every = tuple(records)
    return Records(kind, lambda: every, lambda: len(every))


@dataclass(frozen=True, slots=True)
class TableColumn:
    """A field of a record as a column."""

    name: str
    kind: type
    """``int``, ``float``, ``bool``, ``str``, ``tuple`` of texts, ``datetime`` or ``date``."""

    def value(self, record: object) -> Any:
        """Return the column's value of a record; a day that is damaged is none."""
        value = getattr(record, self.name)
        if self.kind is date:
            return date.fromisoformat(value) if is_day(value) else None
        return value

    @property
    def pandas(self) -> str:
        """Return what pandas calls the type."""
        return _PANDAS.get(self.kind, "object")

    def arrow(self, pa: Any) -> Any:
        """Return Arrow's type."""
        kinds = {
            int: pa.int64(),
            float: pa.float64(),
            bool: pa.bool_(),
            tuple: pa.list_(pa.string()),
            datetime: pa.timestamp("s", tz="UTC"),
            date: pa.date32(),
        }
        return kinds.get(self.kind, pa.string())

    def polars(self, polars: Any) -> Any:
        """Return the type of polars."""
        kinds = {
            int: polars.Int64,
            float: polars.Float64,
            bool: polars.Boolean,
            tuple: polars.List(polars.String),
            datetime: polars.Datetime("us", "UTC"),
            date: polars.Date,
        }
        return kinds.get(self.kind, polars.String)


_PANDAS: Mapping[type, str] = {
    int: "int64",
    float: "float64",
    bool: "bool",
    datetime: "datetime64[us, UTC]",
    date: "datetime64[us]",
}


def columns_of(kind: type[Any]) -> list[TableColumn]:
    """Return the columns of a kind of record: its fields, or of an article those of an export."""
    names = COLUMNS if kind is ArticleRevision else [field.name for field in fields(kind)]
    hints = get_type_hints(kind)
    return [TableColumn(name, _kind(name, hints, kind)) for name in names if name[0] != "_"]


def arrow_schema(pa: Any, columns: Sequence[TableColumn]) -> Any:
    """Return the schema of a table with these columns; ``pa`` is the library."""
    return pa.schema([(column.name, column.arrow(pa)) for column in columns])


def arrow_parts(
    pa: Any, records: Iterable[object], columns: Sequence[TableColumn], rows: int
) -> Iterator[Any]:
    """Yield records as Arrow's batches of so many ``rows``, which are in memory one at a time."""
    rest, schema = iter(records), arrow_schema(pa, columns)
    while part := list(islice(rest, rows)):
        values = {column.name: [column.value(record) for record in part] for column in columns}
        yield pa.RecordBatch.from_pydict(values, schema=schema)


def _kind(name: str, hints: Mapping[str, Any], kind: type[Any]) -> type:
    # What is no field is a property.
    hint = hints.get(name) or get_type_hints(getattr(kind, name).fget)["return"]
    if name == "date":
        return date
    if getattr(hint, "__origin__", None) is tuple:
        return tuple
    kinds = [each for each in (get_args(hint) or (hint,)) if each is not type(None)]
    return kinds[0] if isinstance(kinds[0], type) else str


def _library(name: str, extra: str) -> Any:
    """Import a library that most do without; raise :class:`UsageError` where it is not there."""
    try:
        return import_module(name)
    except ImportError as error:
        raise UsageError(f"this needs {name}: {install_line(extra)}") from error
