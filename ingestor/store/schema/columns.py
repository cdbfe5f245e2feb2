"""Column types: readable with nothing but the ``sqlite3`` shell, and native on PostgreSQL.

The migrations are written in them too, so that they mean on each database what they mean here.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import TIMESTAMP, BigInteger, Dialect, Integer, Text
from sqlalchemy.types import TypeDecorator, TypeEngine

from ingestor.dates import from_iso_utc, iso_utc

TEXT = Text().with_variant(Text(collation="C"), "postgresql")
"""Text that is compared character by character, as SQLite does it, whatever the server's locale.

For the migrations alone: a column keeps how it is compared, and a statement that said it once more
for each of its values would be no valid ``BETWEEN``.
"""

ID = Integer().with_variant(BigInteger(), "postgresql")
"""What identifies a row, and what refers to one: 64 bits on either."""


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
        return from_iso_utc(value)


TIME = UtcTime()
