"""What was received: into the WARC first, then, with what was read from it, into the database."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import compress
from pathlib import Path

from sqlalchemy import Connection

from ingestor import log
from ingestor.archive.storage import storage
from ingestor.archive.warc import reader
from ingestor.archive.warc.reader import Original, Record, kept_body
from ingestor.archive.warc.records import Packed, as_sent, body_sha256
from ingestor.archive.warc.writer import WarcArchive
from ingestor.config.sections import ArchiveSettings
from ingestor.config.values import Location
from ingestor.errors import CaptureLost, StorageFailed
from ingestor.model import Response, WarcPlace
from ingestor.store import captures
from ingestor.store.captures import NO_READING, KeptCapture, Reading, RecordedAnswer
from ingestor.store.db.database import Database
from ingestor.text.dates import from_iso_utc


@dataclass(frozen=True, slots=True)
class NewCapture:
    """A response on its way into the database."""

    response: Response
    sha256: str
    place: WarcPlace | None
    """Where it is in the WARC; ``None``: it is not kept."""
    recorded: int | None = None
    """The capture that it has already; ``None``: none yet."""


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
    warc: WarcArchive, database: Database, answers: Sequence[tuple[Response, Packed | None]]
) -> list[NewCapture]:
    """Put responses into the WARC: as revisit records, where their body is in there already.

    With each come its records, if they are packed already, as if it came for the first time.
    """
    hashes = [records.sha256 if records else body_sha256(response) for response, records in answers]
    with database.reading() as connection:
        asked = captures.asked_before(connection, {response.url for response, _ in answers})
        earlier = [
            captures.earlier(connection, response.url, sha256) if response.url in asked else []
            for (response, _), sha256 in zip(answers, hashes, strict=True)
        ]
    originals = _originals(warc, list(zip(earlier, hashes, strict=True)))
    places = warc.append_all(
        records if records and original is None else (response, original, sha256)
        for (response, records), original, sha256 in zip(answers, originals, hashes, strict=True)
    )
    return [
        NewCapture(response, sha256, place)
        for (response, _), sha256, place in zip(answers, hashes, places, strict=True)
    ]


def _originals(
    warc: WarcArchive, wanted: Sequence[tuple[list[WarcPlace], str]]
) -> list[Original | None]:
    """Return where each of these bodies lies already; of a store that is away, none."""
    originals: list[Original | None] = []
    try:
        originals.extend(warc_original(warc.location, *bodies) for bodies in wanted)
    except StorageFailed as error:
        # The others are not looked up, and are kept whole once more.
        log.warning("capture_not_looked_up", error=str(error))
    return originals + [None] * (len(wanted) - len(originals))


def record_all(
    connection: Connection,
    received: Sequence[NewCapture],
    readings: Sequence[Reading] | None = None,
) -> list[int | None]:
    """Write down where responses are in the WARC, and what each was taken for.

    Returns the ids of the captures in this order; ``None`` for what is neither kept nor was read.
    """
    rows = list(zip(received, readings or [NO_READING] * len(received), strict=True))
    known = [(capture.recorded, reading) for capture, reading in rows]
    read = [(at, None, reading) for at, reading in known if at is not None]
    captures.record_readings(connection, read)
    new = [
        capture.recorded is None and (capture.place is not None or reading != NO_READING)
        for capture, reading in rows
    ]
    looks = [
        (capture.response, capture.sha256, capture.place, reading)
        for capture, reading in compress(rows, new)
    ]
    ids = iter(captures.record(connection, looks))
    return [
        next(ids) if is_new else capture.recorded
        for capture, is_new in zip(received, new, strict=True)
    ]


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


def answers_of(connection: Connection, records: Iterable[Record]) -> Iterator[RecordedAnswer]:
    """Yield what records say of their answers; a revisit of nothing that is known is left out."""
    bodies: dict[tuple[str, str], str] = {}
    for record in records:
        of = (record.original.url, record.original.date)
        sha256 = record.sha256 or bodies.get(of) or original_sha256(connection, record) or ""
        if sha256:
            bodies.setdefault(of, sha256)
            yield RecordedAnswer(
                record.asked, record.url, record.status, record.fetched_at, sha256, record.place
            )


def original_sha256(connection: Connection, revisit: Record) -> str | None:
    """Return the hash of the capture whose body a revisit does not repeat, if there is one."""
    if not revisit.original.date:
        return None
    moment = from_iso_utc(revisit.original.date)
    return captures.sha256_of(connection, revisit.original.url, moment)


@dataclass(frozen=True, slots=True)
class UnreadAnswer:
    """An answer that was received, and whose run died before anybody read it."""

    response: Response
    capture: KeptCapture

    @property
    def recorded(self) -> NewCapture:
        """Return what has its capture already."""
        return NewCapture(self.response, self.capture.sha256, self.capture.place, self.capture.id)


def unread_answers(
    database: Database, location: Location, since: Mapping[str, datetime]
) -> Iterator[UnreadAnswer]:
    """Yield what addresses answered, each since a moment, and nobody read; the last one last."""
    asked = {as_sent(url): url for url in since}
    with database.reading() as connection:
        waiting = [
            (capture, captures.earlier(connection, capture.url, capture.sha256, before=capture.id))
            for capture in captures.unread(connection, list(asked))
            if capture.fetched_at >= since[asked[capture.url]]
        ]
    for capture, earlier in waiting:
        try:
            kept = kept_body(location, [capture.place, *earlier], capture.sha256)
        except CaptureLost as error:
            log.warning("capture_lost", error=str(error))
            continue
        response = Response(
            asked[capture.url],
            capture.final_url,
            capture.status,
            kept.headers,
            kept.body,
            capture.fetched_at,
        )
        yield UnreadAnswer(response, capture)
