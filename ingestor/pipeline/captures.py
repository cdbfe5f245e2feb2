"""What was received: into the WARC first, then, with what was read from it, into the database."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import compress
from pathlib import Path

import structlog
from sqlalchemy import Connection

from ingestor.archive.storage import storage
from ingestor.archive.warc import reader, recovery
from ingestor.archive.warc.reader import Original
from ingestor.archive.warc.records import Packed, body_sha256
from ingestor.archive.warc.writer import WarcArchive
from ingestor.config.sections import ArchiveSettings
from ingestor.config.values import Location
from ingestor.errors import CaptureLost, StorageFailed
from ingestor.model import Response, WarcPlace
from ingestor.store import captures
from ingestor.store.captures import NO_READING, Reading
from ingestor.store.db.database import Database

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class NewCapture:
    """A response on its way into the database."""

    response: Response
    sha256: str
    place: WarcPlace | None
    """Where it is in the WARC; ``None``: it is not kept."""


def unkept(response: Response) -> NewCapture:
    """Return a response of which no bytes are kept."""
    return NewCapture(response, body_sha256(response), None)


def require_folders(archive: ArchiveSettings) -> None:
    """Ask each object store of the configuration whether its bucket can be used.

    Raises :class:`~ingestor.errors.ConfigError` when the package for it is not installed and
    :class:`~ingestor.errors.StorageFailed` when it cannot be used, before any work is done.
    """
    for location in _wanted(archive):
        if not isinstance(location, Path):
            storage(location).is_there()


def make_folders(archive: ArchiveSettings) -> None:
    """Make each folder of the configuration on this machine.

    Raises :class:`~ingestor.errors.StorageFailed` where one cannot be made or written.
    """
    for location in _wanted(archive):
        if not isinstance(location, Path):
            continue
        try:
            location.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageFailed(f"{location}: cannot be made: {error.strerror}") from error
        if not os.access(location, os.W_OK | os.X_OK):
            raise StorageFailed(f"{location}: may not be written by this user")


def _wanted(archive: ArchiveSettings) -> list[Location]:
    wanted = [archive.dir]
    if archive.raw == "warc":
        wanted.append(archive.raw_dir)
    if archive.images:
        wanted.append(archive.images_dir)
    return wanted


def opened_warc(
    archive: ArchiveSettings, clock: Callable[[], datetime], about: Mapping[str, str]
) -> WarcArchive:
    """Return what writes WARC files where the configuration says."""
    if isinstance(archive.raw_dir, Path):
        return WarcArchive(archive.raw_dir, clock, about)
    from ingestor.archive.warc.spool import SpooledWarc  # noqa: PLC0415 - an extra

    most_bytes, after = archive.raw_upload_bytes, archive.raw_upload_after
    return SpooledWarc(archive.raw_dir, clock, about, most_bytes=most_bytes, upload_after=after)


def write_warc(
    warc: WarcArchive,
    database: Database,
    responses: Sequence[Response],
    packed: Sequence[Packed | None],
) -> list[NewCapture]:
    """Put responses into the WARC: as revisit records, where their body is in there already.

    ``packed`` are the records of those that are packed already, as if they came for the first
    time; ``None`` for each of the others.
    """
    hashes = [
        records.sha256 if records else body_sha256(response)
        for response, records in zip(responses, packed, strict=True)
    ]
    with database.reading() as connection:
        asked = captures.asked_before(connection, {response.url for response in responses})
        earlier = [
            captures.earlier(connection, response.url, sha256) if response.url in asked else []
            for response, sha256 in zip(responses, hashes, strict=True)
        ]
    originals = [
        _original(warc, places, sha256) for sha256, places in zip(hashes, earlier, strict=True)
    ]
    places = warc.append_all(
        records if records and original is None else (response, original, sha256)
        for response, records, original, sha256 in zip(
            responses, packed, originals, hashes, strict=True
        )
    )
    return [NewCapture(*one) for one in zip(responses, hashes, places, strict=True)]


def _original(warc: WarcArchive, places: list[WarcPlace], sha256: str) -> Original | None:
    try:
        return warc_original(warc.location, places, sha256)
    except StorageFailed as error:
        # A store that is away for a while: the body is kept whole once more.
        log.warning("capture_not_looked_up", error=str(error))
        return None


def record_all(
    connection: Connection,
    received: Sequence[NewCapture],
    readings: Sequence[Reading] | None = None,
) -> list[int | None]:
    """Write down where responses are in the WARC, and what each was taken for.

    Returns the ids of the captures in this order; ``None`` for what is neither kept nor was read.
    """
    rows = [
        (capture.response, capture.sha256, capture.place, reading)
        for capture, reading in zip(received, readings or [NO_READING] * len(received), strict=True)
    ]
    recorded = [place is not None or reading != NO_READING for _, _, place, reading in rows]
    ids = iter(captures.record(connection, list(compress(rows, recorded))))
    return [next(ids) if is_recorded else None for is_recorded in recorded]


def warc_original(folder: Location, places: list[WarcPlace], sha256: str) -> Original | None:
    """Return the first response record among these places that has this body.

    It is read to the end: a revisit of what is not there any more would lose the body.
    """
    for place in places:
        try:
            found = reader.read(folder, place).record
        except CaptureLost as error:
            log.warning("capture_lost", error=str(error))
            continue
        if found.sha256 == sha256 and found.original.payload_digest:
            return found.original
    return None


def close_unfinished(database: Database, location: Location) -> None:
    """Seal the WARC files off that a crash left: what is torn at their end is cut away."""
    folder = location if isinstance(location, Path) else location.spool
    for path in recovery.unfinished(folder) if folder else ():
        with database.reading() as connection:
            pointed = captures.end_in(connection, path.name)
        cut = recovery.close(path, pointed)
        if cut is None:
            log.warning("warc_damaged", file=str(path), see="ingest verify")
        else:
            log.info("warc_sealed", file=str(path), cut_bytes=cut)
