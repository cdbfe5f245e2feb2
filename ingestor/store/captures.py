"""Captures: where the WARC files hold each body, as it was received."""

from __future__ import annotations

from sqlalchemy import Connection

from ingestor.model import Response, WarcPlace
from ingestor.store.schema import captures


def record(connection: Connection, response: Response, sha256: str, place: WarcPlace | None) -> int:
    """Write down a capture and return its id; ``place`` is ``None`` when raw is off."""
    result = connection.execute(
        captures.insert()
        .returning(captures.c.id)
        .values(
            url=response.url,
            final_url=response.final_url,
            status=response.status,
            fetched_at=response.fetched_at,
            sha256=sha256,
            warc_file=place.file if place else None,
            warc_offset=place.offset if place else None,
            warc_length=place.length if place else None,
        )
    )
    return int(result.scalar_one())
