"""Captures: where the WARC files hold each body, as it was received."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, select, update

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


def forget_place(connection: Connection, capture_id: int) -> None:
    """Note that the record of a capture is not (any more) where it was said to be."""
    nowhere = {"warc_file": None, "warc_offset": None, "warc_length": None}
    connection.execute(update(captures).where(captures.c.id == capture_id).values(**nowhere))


def adopt(
    connection: Connection,
    url: str,
    *,
    status: int,
    fetched_at: datetime,
    sha256: str,
    place: WarcPlace,
) -> int:
    """Let a capture point to a record that none points to, and return its id.

    That is the capture of the same answer whose place was lost, else a new one.
    """
    where = {"warc_file": place.file, "warc_offset": place.offset, "warc_length": place.length}
    lost = select(captures.c.id).where(
        captures.c.final_url == url,
        captures.c.sha256 == sha256,
        captures.c.fetched_at == fetched_at,
        captures.c.warc_file.is_(None),
    )
    known = connection.execute(lost).scalar()
    if known is not None:
        connection.execute(update(captures).where(captures.c.id == known).values(**where))
        return int(known)
    values = {"url": url, "final_url": url, "status": status, "fetched_at": fetched_at}
    result = connection.execute(
        captures.insert().returning(captures.c.id).values(sha256=sha256, **values, **where)
    )
    return int(result.scalar_one())
