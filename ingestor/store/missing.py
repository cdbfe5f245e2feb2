"""Rows that are written unless they are there: also when another transaction writes them now."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any

from sqlalchemy import Connection, Table


def insert_missing(connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Insert those rows whose key is not in the table yet."""
    if rows:
        # Of the two kinds of database one alone is used, and importing the other's takes time.
        dialect = import_module(f"sqlalchemy.dialects.{connection.dialect.name}")
        statement = dialect.insert(table).on_conflict_do_nothing()
        connection.execute(statement, rows)
