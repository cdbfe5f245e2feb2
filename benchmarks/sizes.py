"""What an archive takes on disk, by what it is for."""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path

_KINDS = {
    "articles": "current texts (articles)",
    "revisions": "history (revisions)",
    "articles_fts": "full-text index",
    "story_bands": "copies (story_bands)",
    "entries": "announcements (entries)",
}


def of_database(path: Path) -> dict[str, float]:
    """Return the bytes an article of tables and indexes, the largest first, and all together.

    SQLite counts the pages of each (dbstat), which reads the whole file.
    """
    found: Counter[str] = Counter()
    with closing(sqlite3.connect(path)) as connection:
        count = connection.execute("SELECT count(*) FROM stories").fetchone()[0]
        tables = dict(connection.execute("SELECT name, tbl_name FROM sqlite_schema"))
        query = "SELECT name, sum(pgsize) FROM dbstat GROUP BY name"
        for name, size in connection.execute(query):
            found[_kind(name, tables.get(name, name))] += size
    every = {what: size / count for what, size in found.most_common()}
    return every | {"database": sum(every.values())}


def _kind(name: str, table: str) -> str:
    if table.startswith("articles_fts"):
        return _KINDS["articles_fts"]
    if table not in {name, "story_bands"}:
        return "other indexes"
    return _KINDS.get(table, "other tables")


def of_folder(folder: Path) -> int:
    """Return the bytes of all files in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
