"""What a database is made of, however the statements that made it were spelled."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Connection, inspect, text


def structure(connection: Connection) -> dict[str, Any]:
    """Return every table, view and mark; the order of columns and constraints is not asked."""
    look = inspect(connection)
    return {
        **{name: _table(connection, name) for name in look.get_table_names()},
        **{name: look.get_view_definition(name) for name in look.get_view_names()},
        "": _of_sqlite(connection) if connection.dialect.name == "sqlite" else None,
    }


def _table(connection: Connection, name: str) -> dict[str, Any]:
    look = inspect(connection)
    columns = {column.pop("name"): column for column in map(dict, look.get_columns(name))}
    for column in columns.values():
        column["type"] = repr(column["type"])
    return {
        "columns": columns,
        "comment": look.get_table_comment(name) if look.dialect.supports_comments else None,
        "key": look.get_pk_constraint(name),
        **{
            kind: sorted(json.dumps(part, default=str, sort_keys=True) for part in listed(name))
            for kind, listed in (
                ("references", look.get_foreign_keys),
                ("unique", look.get_unique_constraints),
                ("checks", look.get_check_constraints),
                ("indexes", look.get_indexes),
            )
        },
    }


def _of_sqlite(connection: Connection) -> list[Any]:
    """Return what only SQLite has: its marks, and how it stores the rows of each table."""
    marks = [
        connection.execute(text(f"PRAGMA {mark}")).scalar()
        for mark in ("application_id", "user_version", "encoding", "auto_vacuum", "journal_mode")
    ]
    stored = connection.execute(
        text("SELECT l.name, l.type, wr, strict, m.sql LIKE '%autoincrement%'"
             " FROM pragma_table_list l JOIN sqlite_master m ON m.name = l.name ORDER BY l.name")
    ).all()  # fmt: skip
    return [marks, *map(tuple, stored)]
