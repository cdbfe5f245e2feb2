"""What the tables are made of: kinds of columns, their types, and the names of constraints.

The types are readable with nothing but the ``sqlite3`` shell, and native on PostgreSQL. Migrations
are written in them too, so that they mean on each database what they mean here.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    TIMESTAMP,
    BigInteger,
    Column,
    ColumnElement,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
)
from sqlalchemy.types import TypeDecorator, TypeEngine

from ingestor.text.dates import from_iso_utc, iso_utc

TEXT = Text().with_variant(Text(collation="C"), "postgresql")
"""Text that is compared character by character, as SQLite does it, whatever the server's locale.

For making tables alone (:func:`as_stored` and the migrations): a column keeps how it is compared,
and a statement that said it once more for each of its values would be no valid ``BETWEEN``.
"""

ID = Integer().with_variant(BigInteger(), "postgresql")
"""What identifies a row, and what refers to one: 64 bits on either."""


UNREADABLE = datetime(1970, 1, 1, tzinfo=UTC)
"""Stands for a moment whose bytes are damaged: what is due then is due now. `ingest verify` names
the row."""


class UtcTime(TypeDecorator[datetime]):
    """An aware ``datetime``, in UTC and to the second.

    Text such as ``2022-04-14T03:32:04Z``, which sorts as it should; on PostgreSQL ``timestamptz``.
    """

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return what the database keeps."""
        native = dialect.name == "postgresql"
        return dialect.type_descriptor(TIMESTAMP(timezone=True) if native else Text())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """Turn a moment into what is kept; one without a zone is a bug and is refused."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a moment without a zone cannot be stored: {value!r}")
        if dialect.name == "postgresql":
            return value.astimezone(UTC).replace(microsecond=0)
        return iso_utc(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Turn what is kept back into an aware moment in UTC."""
        if value is None:
            return None
        if dialect.name == "postgresql":
            return value.astimezone(UTC)  # type: ignore[no-any-return]
        try:
            return from_iso_utc(value)
        except (TypeError, ValueError):
            return UNREADABLE


TIME = UtcTime()


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def as_stored(tables: MetaData, dialect: Dialect) -> MetaData:
    """Return the tables as a database of this kind is to make them."""
    if dialect.name != "postgresql":
        return tables
    stored = MetaData(naming_convention=tables.naming_convention)
    for table in tables.sorted_tables:
        copy = table.to_metadata(stored)
        for column in copy.columns:
            if isinstance(column.type, Text):
                column.type = TEXT
        for index in copy.indexes:
            index.dialect_options["postgresql"]["where"] = index.dialect_options["sqlite"]["where"]
        for index in table.indexes:
            if (kept := index.info.get(_KEPT)) is not None:
                _cut(copy, index, kept)
    return stored


_KEPT = "columns on PostgreSQL"


def _cut(copy: Table, index: Index, kept: int) -> None:
    """Leave an index of a copied table with its first columns, or, without any, leave none."""
    whole = next(each for each in copy.indexes if each.name == index.name)
    copy.indexes.remove(whole)
    where = whole.dialect_options["postgresql"]["where"]
    if kept:
        columns = [copy.c[column.name] for column in list(index.columns)[:kept]]
        Index(index.name, *columns, postgresql_where=where)


def text(name: str, comment: str, *, default: str | None = "") -> Column[str]:
    """Make a column of text that is never NULL."""
    return Column(name, Text, nullable=False, server_default=default, comment=comment)


def time(name: str, comment: str, *, nullable: bool = True) -> Column[Any]:
    """Make a column of moments in UTC."""
    return Column(name, TIME, nullable=nullable, comment=comment)


def number(name: str, comment: str, *, default: str | None = "0") -> Column[int]:
    """Make a column of whole numbers that is never NULL."""
    return Column(name, Integer, nullable=False, server_default=default, comment=comment)


def span() -> tuple[Column[int], Column[int]]:
    """Make the columns that say which revisions of its article a row stands for."""
    return (
        Column(
            "first_revision",
            Integer,
            primary_key=True,
            comment="Revision with which it begins.",
        ),
        Column("last_revision", Integer, comment="Revision with which it ends; NULL: it is there."),
    )


def key(comment: str) -> Column[int]:
    """Make the primary key."""
    return Column("id", ID, primary_key=True, comment=comment)


def identifier(name: str, comment: str) -> Column[int]:
    """Make a column of ids that refers to no row."""
    return Column(name, ID, nullable=False, comment=comment)


def reference(table: str, comment: str, **options: Any) -> Column[int]:
    """Make a reference to a row of ``table``, named after it."""
    name = f"{table.removesuffix('s')}_id"
    options.setdefault("nullable", False)
    return Column(name, ID, ForeignKey(f"{table}.id"), comment=comment, **options)


def partial_index(name: str, condition: ColumnElement[bool], *columns: Column[Any]) -> Index:
    """Make an index of the rows that a condition holds for, on either database.

    :func:`as_stored` says it to PostgreSQL: said here, SQLAlchemy would import for every SQLite
    file what PostgreSQL needs.
    """
    return Index(name, *columns, sqlite_where=condition)


def covering_index(
    name: str, kept: int, *columns: Column[Any], condition: ColumnElement[bool] | None = None
) -> Index:
    """Make an index of which PostgreSQL's has the first ``kept`` columns alone; 0: it has none.

    On SQLite the further ones lie behind an article's texts, and no row need be read for them.
    PostgreSQL has long texts elsewhere, and an index of it takes no value of more than 2,704 bytes
    (its manual, "B-Tree").
    """
    return Index(name, *columns, info={_KEPT: kept}, sqlite_where=condition)
