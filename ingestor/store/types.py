"""Column types that keep the database readable with nothing but the ``sqlite3`` shell."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Text
from sqlalchemy.types import TypeDecorator

from ingestor.dates import from_iso_utc, iso_utc


class UtcText(TypeDecorator[datetime]):
    """An aware ``datetime`` as ``2022-04-14T03:32:04Z``: UTC, to the second, sorts as text."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> str | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Turn a moment into text; a moment without a zone is a bug and is refused."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a moment without a zone cannot be stored: {value!r}")
        return iso_utc(value)

    def process_result_value(self, value: Any, dialect: Any) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Turn text back into an aware moment in UTC."""
        return None if value is None else from_iso_utc(value)
