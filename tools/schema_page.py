"""Prints docs/schema.md from the tables: ``make docs``; a test says when it is out of date."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Table, UniqueConstraint
from sqlalchemy.dialects import sqlite

from ingestor.store.schema import metadata
from ingestor.store.schema.views import VIEWS, View
from ingestor.store.search.index import FULL_TEXT_INDEX

HEAD = """# The database

This page is made from the tables (`make docs`). The file is plain SQLite: query it with the
`sqlite3` shell while the daemon writes. Times are TEXT in ISO 8601, UTC, to the second, with Z;
days are `YYYY-MM-DD` in Asia/Shanghai. On PostgreSQL moments are `timestamptz` and ids `bigint`:
[scaling.md](scaling.md).
"""

FULL_TEXT = f"""## articles_fts

The full-text index over title and text; its `rowid` is `articles.id`. Chinese is indexed as
overlapping pairs of characters: a word of two is typed as it is (`MATCH '银行'`), a longer one
as its pairs (`MATCH '人民 民银 银行'`); Latin words and numbers of three or more as they are.

```sql
{FULL_TEXT_INDEX}
```
"""


def page() -> str:
    """Return the whole page."""
    tables = sorted(metadata.tables.values(), key=lambda table: table.name)
    return "\n".join([HEAD, *map(section, tables), *map(view_section, VIEWS), FULL_TEXT])


def section(table: Table) -> str:
    """Return what the page says about one table."""
    lines = [
        f"## {table.name}",
        "",
        str(table.comment),
        "",
        "| column | type | meaning |",
        "|---|---|---|",
    ]
    for column in table.columns:
        kind = column.type.compile(sqlite.dialect())
        marks = [kind] + ["key"] * column.primary_key + ["NULL"] * bool(column.nullable)
        marks += [f"→ {key.target_fullname}" for key in column.foreign_keys]
        lines.append(f"| {column.name} | {', '.join(marks)} | {column.comment} |")
    for constraint in sorted(table.constraints, key=lambda one: str(one.name)):
        if isinstance(constraint, UniqueConstraint):
            lines += ["", f"UNIQUE ({', '.join(column.name for column in constraint.columns)})"]
        elif isinstance(constraint, CheckConstraint):
            lines += ["", f"CHECK ({constraint.sqltext})"]
    return "\n".join([*lines, ""])


def view_section(view: View) -> str:
    """Return what the page says about one view."""
    head = [f"## {view.name} (view)", "", view.comment, "", "| column | meaning |", "|---|---|"]
    rows = [f"| {name} | {meaning} |" for name, meaning in view.columns]
    return "\n".join([*head, *rows, ""])


if __name__ == "__main__":
    print(page(), end="")
