"""The kinds of columns that the tables are made of, and how constraints are named."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, ColumnElement, ForeignKey, Index, Integer, MetaData, Text

from ingestor.store.schema.columns import ID, TIME

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def text(name: str, comment: str, *, default: str | None = "") -> Column[str]:
    """Make a column of text that is never NULL."""
    return Column(name, Text, nullable=False, server_default=default, comment=comment)


def time(name: str, comment: str, *, nullable: bool = True) -> Column[Any]:
    """Make a column of moments in UTC."""
    return Column(name, TIME, nullable=nullable, comment=comment)


def number(name: str, comment: str, *, default: str | None = "0") -> Column[int]:
    """Make a column of whole numbers that is never NULL."""
    return Column(name, Integer, nullable=False, server_default=default, comment=comment)


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
    """Make an index of the rows that a condition holds for."""
    return Index(name, *columns, sqlite_where=condition, postgresql_where=condition)
