"""What was received: into the WARC first, then, with what was read from it, into the database."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import structlog
from sqlalchemy import Connection

from ingestor.archive import warc_reading, warc_sealing
from ingestor.archive.warc import WarcArchive, body_sha256
from ingestor.archive.warc_reading import Original
from ingestor.errors import CaptureLost
from ingestor.model import Response, WarcPlace
from ingestor.store import captures
from ingestor.store.database import Database

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Kept:
    """A response that is in the WARC, on its way into the database."""

    response: Response
    sha256: str
    place: WarcPlace


def keep(warc: WarcArchive, database: Database, response: Response) -> Kept:
    """Put a response into the WARC: a revisit record, when its body is in there already."""
    sha256 = body_sha256(response)
    with database.reading() as connection:
        earlier = captures.earlier(connection, response.url, sha256)
    original = kept_original(warc.folder, earlier, sha256)
    return Kept(response, sha256, warc.append(response, original))


def record(connection: Connection, kept: Kept | None) -> int | None:
    """Write down where a response is kept; return the capture's id, ``None`` when it is not."""
    return captures.record(connection, kept.response, kept.sha256, kept.place) if kept else None


def kept_original(folder: Path, places: list[WarcPlace], sha256: str) -> Original | None:
    """Return the first response record among these places that has this body.

    It is read to the end: a revisit of what is not there any more would lose the body.
    """
    for place in places:
        try:
            found = warc_reading.read(folder, place).record
        except CaptureLost as error:
            log.warning("capture_lost", error=str(error))
            continue
        if found.sha256 == sha256 and found.original.payload_digest:
            return found.original
    return None


def seal_unfinished(database: Database, folder: Path) -> None:
    """Seal the WARC files off that a crash left: what is torn at their end is cut away."""
    for path in warc_sealing.unfinished(folder):
        with database.reading() as connection:
            pointed = captures.end_in(connection, path.name)
        cut = warc_sealing.seal(path, pointed)
        if cut is None:
            log.warning("warc_damaged", file=str(path), see="ingest verify")
        else:
            log.info("warc_sealed", file=str(path), cut_bytes=cut)
