"""What Datasette says of the tables: the meanings that stand beside them in the schema. Pure."""

from __future__ import annotations

from typing import Any

from ingestor.store import schema
from ingestor.store.schema.views import VIEWS


def described(database: str) -> dict[str, Any]:
    """Return Datasette's metadata for the archive under the name ``database``."""
    tables: dict[str, Any] = {
        table.name: {
            "description": table.comment,
            "columns": {column.name: column.comment for column in table.columns},
        }
        for table in schema.articles.metadata.tables.values()
    }
    for view in VIEWS:
        tables[view.name] = {"description": view.comment, "columns": dict(view.columns)}
    tables["articles"] |= {
        "label_column": "title",
        "sort_desc": "published_at",
        "facets": ["media", "date"],
    }
    return {
        "title": "ingestor",
        "databases": {database: {"description": "The archive, live.", "tables": tables}},
    }
