"""Do database, files and WARC agree? Compares both ways, and makes them agree when asked.

The database is the truth: a file that is missing or differs is written anew from it, and a
record that no capture points to (its run was killed before it could say so) gets one. No
article, no revision and no file of somebody else's is ever deleted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sqlalchemy import Connection

from ingestor.archive import warc_reading, warc_sealing
from ingestor.archive.files import TEMPORARY_SUFFIX, sha256_of
from ingestor.archive.warc_reading import Record
from ingestor.config import Settings
from ingestor.dates import from_iso_utc
from ingestor.errors import StorageFailed
from ingestor.pipeline.keeping import kept_original
from ingestor.pipeline.projecting import write_files
from ingestor.store import audit, captures, full_text, pictures, stories
from ingestor.store.audit import KeptCapture, KeptFile
from ingestor.store.database import Database

Mend = Callable[[Connection], object]


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing on which two of database, files and WARC do not agree."""

    line: str
    """What is wrong, for a person."""
    mend: Mend | None = None
    """Makes them agree, within a transaction; ``None`` where only a backup helps."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a look at everything found."""

    differences: list[Difference]
    foreign: list[Path]
    """Files in the archive folder that belong to no article: somebody else's."""


def compare(database: Database, settings: Settings, *, alone: bool) -> Comparison:
    """Compare database, files and WARC.

    ``alone`` says that no other run holds the archive; while one does, what it may be in the
    middle of (files that are due, the end of its WARC file) is no difference.
    """
    folder = settings.archive.dir
    with database.reading() as connection:
        found = [*map(Difference, audit.damages(connection))]
        found += map(Difference, audit.contradictions(connection))
        if count := full_text.unindexed(connection):
            line = f"full-text index: {count} articles are not as indexed"
            found.append(Difference(line, audit.reindex))
        if count := stories.missing(connection):
            line = f"stories: {count} articles were never compared with others"
            found.append(Difference(line, stories.group_missing))
    # Before the database is asked: a file that is written meanwhile belongs to an article too.
    unclaimed = {path.relative_to(folder).as_posix() for path in _written(folder)}
    for kept in audit.kept_files(database):
        unclaimed.discard(kept.path)
        if problem := _file_problem(folder / kept.path, kept, alone=alone):
            mend = partial(_make_due, kept.article_id)
            found.append(Difference(f"file {kept.path}: {problem}", mend))
    if alone:
        found += _left_over(folder)
    found += _captures(database, settings.archive.raw_dir, alone=alone)
    found += _pictures(database, settings.archive.images_dir)
    return Comparison(found, [folder / name for name in sorted(unclaimed)])


def _written(folder: Path) -> Iterator[Path]:
    """Yield the files that are there and whole."""
    for path in folder.rglob("*"):
        if path.is_file() and not path.name.endswith(TEMPORARY_SUFFIX):
            yield path


def repair(database: Database, settings: Settings, found: list[Difference]) -> list[Difference]:
    """Mend what can be mended; return what is left. The caller holds the archive."""
    with database.transaction() as connection:
        for one in found:
            if one.mend:
                one.mend(connection)
    write_files(database, settings.archive)
    return [one for one in found if one.mend is None]


def _left_over(folder: Path) -> Iterator[Difference]:
    for path in sorted(folder.rglob(f".*{TEMPORARY_SUFFIX}")):
        line = f"file {path.relative_to(folder)}: left over from a run that was killed"
        yield Difference(line, partial(_remove, path))


def _file_problem(path: Path, kept: KeptFile, *, alone: bool) -> str:
    if kept.sha256 is None:
        return "is not written yet" if alone else ""
    try:
        return "" if sha256_of(path) == kept.sha256 else "is not what the database says"
    except FileNotFoundError:
        return "is missing"
    except OSError as error:
        return f"cannot be read: {error.strerror}"


def _make_due(article_id: int, connection: Connection) -> None:
    audit.make_due(connection, [article_id])


def _remove(path: Path, connection: Connection) -> None:  # noqa: ARG001 - a Mend's signature
    path.unlink(missing_ok=True)


def _pictures(database: Database, folder: Path) -> Iterator[Difference]:
    """Compare the local copies of pictures with their names; one that is mended is due again."""
    with database.reading() as connection:
        paths = pictures.paths(connection)
    for path in paths:
        try:
            problem = "" if sha256_of(folder / path) == Path(path).stem else "is another picture"
        except OSError as error:
            problem = f"cannot be read: {error.strerror}"
        if problem:
            yield Difference(f"picture {path}: {problem}", partial(_forget_picture, path))


def _forget_picture(path: str, connection: Connection) -> None:
    pictures.forget(connection, path)


def _captures(database: Database, folder: Path, *, alone: bool) -> Iterator[Difference]:
    with database.reading() as connection:
        pointed = audit.warc_files(connection)
    if pointed and not folder.is_dir():
        yield Difference(f"WARC folder {folder}: is not there, with {len(pointed)} files in it")
        return
    there = {path.name for path in folder.glob("*.warc.gz")}
    for name in sorted(pointed.keys() | there):
        with database.reading() as connection:
            kept = audit.kept_captures(connection, name)
        if name not in there:
            yield from (_lost(one, f"{name} is missing") for one in kept.values())
        else:
            yield from _warc_file(database, folder / name, kept, alone=alone)


def _warc_file(
    database: Database, path: Path, kept: dict[int, KeptCapture], *, alone: bool
) -> Iterator[Difference]:
    """Compare one WARC file with the captures that point into it."""
    unseen = dict(kept)
    damage = ""
    try:
        for record in warc_reading.records(path):
            capture = unseen.pop(record.place.offset, None)
            if capture:
                yield from _record(database, path.parent, record, capture)
            elif alone:
                yield from _unclaimed(database, record)
    except StorageFailed as error:
        damage = str(error)
    whole = warc_reading.whole_length(path)
    if alone and whole < path.stat().st_size:
        line = f"WARC {path.name}: ends in the middle of a record, at byte {whole}"
        last = max((one.place.offset + one.place.length for one in kept.values()), default=0)
        yield Difference(line, partial(_seal, path, last) if whole >= last else None)
    elif damage and alone:
        yield Difference(f"WARC {damage}")
    for capture in unseen.values():
        yield _lost(capture, f"there is no record at byte {capture.place.offset} of {path.name}")


def _record(
    database: Database, folder: Path, record: Record, capture: KeptCapture
) -> Iterator[Difference]:
    """Compare a record with the capture that points to it; a revisit's body lies elsewhere."""
    place = f"the record at byte {record.place.offset} of {record.place.file}"
    if record.place != capture.place or (record.sha256 or capture.sha256) != capture.sha256:
        mend = partial(_forget_and_adopt, capture.id, record)
        yield Difference(f"capture {capture.id}: {place} differs: {capture.url}", mend)
    elif record.is_revisit:
        with database.reading() as connection:
            earlier = captures.earlier(connection, capture.asked, capture.sha256, before=capture.id)
        found = kept_original(folder, earlier, capture.sha256)
        if found is None or found.payload_digest != record.original.payload_digest:
            yield _lost(capture, f"{place} refers to a body that is not kept any more")


def _unclaimed(database: Database, record: Record) -> Iterator[Difference]:
    """Find a record to which no capture points; a revisit of nothing that is known is nothing."""
    sha256 = record.sha256
    if record.is_revisit and (date := record.original.date):
        with database.reading() as connection:
            moment = from_iso_utc(date)
            sha256 = captures.sha256_of(connection, record.original.url, moment) or ""
    if sha256:
        line = f"record at byte {record.place.offset} of {record.place.file}"
        mend = partial(_adopt, record, sha256)
        yield Difference(f"{line}: no capture points to it: {record.url}", mend)


def _lost(capture: KeptCapture, why: str) -> Difference:
    line = f"capture {capture.id}: {why}: {capture.url}"
    return Difference(line, partial(_forget, capture.id))


def _forget(capture_id: int, connection: Connection) -> None:
    captures.forget_place(connection, capture_id)


def _forget_and_adopt(capture_id: int, record: Record, connection: Connection) -> None:
    _forget(capture_id, connection)
    if record.sha256:
        _adopt(record, record.sha256, connection)


def _adopt(record: Record, sha256: str, connection: Connection) -> None:
    captures.adopt(
        connection,
        record.url,
        status=record.status,
        fetched_at=record.fetched_at,
        sha256=sha256,
        place=record.place,
    )


def _seal(path: Path, pointed: int, connection: Connection) -> None:  # noqa: ARG001 - a Mend's signature
    warc_sealing.seal(path, pointed)
