"""Writes migrations/new.sqlite.sql: ``make docs``; a test says when it is out of date.

It holds the statements that make a new database as the migrations would, and what they write down.
"""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from pathlib import Path

from ingestor.store.db.database import Database
from ingestor.store.db.migrations import at_once, folder, upgrade

HEAD = "-- The schema of a new SQLite database, as all migrations leave it. Made by `make docs`.\n"

MADE_BY_ITSELF = ("sqlite_", "articles_fts_")
"""How the names of tables and indexes begin that SQLite makes along with others."""


def script() -> str:
    """Return the whole file."""
    with tempfile.TemporaryDirectory() as name:
        connection = sqlite3.connect(step_by_step(Path(name)))
        statements = [f"{sql};" for (sql,) in connection.execute(WRITTEN)]
        (version,) = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        connection.close()
    statements.append(f"INSERT INTO alembic_version (version_num) VALUES ('{version}');")
    return "\n".join([HEAD, *statements, ""])


WRITTEN = "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND " + " AND ".join(
    f"substr(name, 1, {len(begin)}) <> '{begin}'" for begin in MADE_BY_ITSELF
)


def step_by_step(folder_of_it: Path) -> Path:
    """Make a database by the migrations alone; return its file."""
    scripts = folder_of_it / "migrations"
    shutil.copytree(folder(), scripts)
    at_once(scripts, "sqlite").unlink(missing_ok=True)
    database = Database(f"sqlite:///{folder_of_it}/step-by-step.db")
    upgrade(database, scripts)
    path = database.path
    database.close()
    if path is None:
        raise TypeError("a file's database without a file")
    return path


if __name__ == "__main__":
    at_once(folder(), "sqlite").write_text(script(), "utf-8")
