"""How SQLite goes about statements: which of them go through a large table or index."""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import event

LARGE = {
    "articles", "revisions", "entries", "captures", "aliases", "sightings", "symbols", "keywords",
    "images", "stories", "story_bands",
}  # fmt: skip
"""Tables that grow with the archive."""

SCAN = re.compile(r"SCAN (\w+)(?: USING (?:COVERING )?INDEX (\w+))?")

DUE = {
    "ix_articles_file_due", "ix_articles_check_due", "ix_images_due", "ix_entries_waiting",
    "ix_articles_doubted",
}  # fmt: skip
"""Indexes of what is due or doubted alone: they are empty most of the time."""


@dataclass(frozen=True, slots=True)
class Scan:
    """That a statement goes through a large table, or through all of an index of it."""

    table: str
    index: str | None
    statement: str
    plan: tuple[str, ...]


@contextmanager
def noted(target):
    """Give a list into which statements come, with their values: an engine's, or every engine's."""
    raw = []

    def note(*told):
        _, _, statement, parameters, *_ = told
        several = parameters and isinstance(parameters[0], tuple | list)
        raw.append((statement, tuple(parameters[0] if several else parameters)))

    event.listen(target, "before_cursor_execute", note)
    try:
        yield raw
    finally:
        event.remove(target, "before_cursor_execute", note)


def large_scans(connection, raw):
    """Yield the scans of statements; indexes of what is due or doubted alone are none."""
    for statement, values in raw:
        if statement.split()[0] not in {"SELECT", "UPDATE", "DELETE", "WITH"}:
            continue
        rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).all()
        plan = tuple(row[3] for row in rows)
        for step in plan:
            if (scan := SCAN.match(step)) and scan[1] in LARGE and scan[2] not in DUE:
                yield Scan(scan[1], scan[2], statement, plan)
