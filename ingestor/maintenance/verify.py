"""Whether database, files and WARC agree: compares both ways, and repairs when asked.

The database is the truth: a file that is missing or differs is written anew from it. No article,
no revision, no pointer into the WARC and no file of somebody else's is ever deleted.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from ingestor.archive.front_matter import asset_name
from ingestor.archive.storage import Storage, storage
from ingestor.config import Settings
from ingestor.errors import StorageFailed
from ingestor.maintenance import Difference, Repair, by
from ingestor.maintenance.raw_records import RawComparison
from ingestor.maintenance.texts import TextComparison
from ingestor.pipeline.files import write_files
from ingestor.pipeline.recovery import QUIET_SECONDS, due_folders
from ingestor.pipeline.rejudge import all_furniture, save_rejudged
from ingestor.store import audit, images, overview, stories
from ingestor.store.audit import FileRecord
from ingestor.store.cluster import cluster_state, forget_running
from ingestor.store.db.database import Database
from ingestor.store.search import index
from ingestor.text.counts import counted

FILES_A_LOOK = 200
"""Files that are compared at a time."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a look at everything found."""

    differences: list[Difference]
    known: list[Difference]
    """Damage that was noted before, and notes of it that are right no more."""
    left: list[Difference]
    """What an interrupted run left, and the next one takes up."""
    foreign: list[str]
    """Relative paths of files in the archive folder that belong to no article: somebody else's."""


def compare(database: Database, settings: Settings, now: datetime, *, alone: bool) -> Comparison:
    """Compare database, files and WARC.

    ``alone`` says that no other run holds the archive; while one does, what it may be in the
    middle of (files that are due, the end of its WARC file) is no difference. What a damaged
    database does not give is a difference, and everything else is compared.
    """
    folder = storage(settings.archive.dir)
    # Nobody holds a database on a server: others may be at work, here or on other machines.
    quiet_seconds = QUIET_SECONDS if database.path is None else 0
    with database.reading() as connection:
        damaged = [_damage(line) for line in audit.all_damages(connection)]
    # Before the database is asked: a file that is written meanwhile belongs to an article too.
    present = set(folder.names())
    foreign = set(present)
    texts = TextComparison(database, settings, present)
    sections: Mapping[str, Iterator[Difference]] = {
        "texts": texts.differences(),
        "rows": _in_database(database, settings, texts.articles, alone=alone),
        "files": _files(database, folder, foreign, alone=alone and not quiet_seconds),
        "copies": _copies_beside(database, settings, foreign),
        "left over": _left_over(database, folder, quiet_seconds) if alone else iter(()),
        "WARC": RawComparison(
            database, settings.archive.raw_dir, now, alone=alone, quiet_seconds=quiet_seconds
        ).differences(),
        "furniture": _furniture(database, settings, now),
        "pictures": _pictures(database, storage(settings.archive.images_dir)),
    }
    found = damaged + [
        difference
        for name, section in sections.items()
        for difference in _guarded(name, section, is_damaged=bool(damaged))
    ]
    found += _notes(database, [difference.line for difference in found])
    return Comparison(
        [difference for difference in found if not difference.is_known and not difference.left],
        [difference for difference in found if difference.is_known],
        [difference for difference in found if difference.left],
        sorted(foreign),
    )


def _notes(database: Database, lines: list[str]) -> Iterator[Difference]:
    """Find the notes of damage, made on the way, that are right no more."""
    with database.reading() as connection:
        fresh = overview.new_damage(connection)
    for place, _ in fresh:
        if not any(line.startswith(place) for line in lines):
            forget = by(audit.forget_damage, [place])
            yield Difference(f"{place}: is damaged no more", forget, is_known=True)


def _guarded(name: str, section: Iterator[Difference], *, is_damaged: bool) -> Iterator[Difference]:
    """Yield what a section finds, and that it ended early where the database is damaged."""
    try:
        yield from section
    except StorageFailed as error:
        if not is_damaged:
            raise
        yield Difference(f"{name}: not compared any further: {error}")


def _damage(line: str) -> Difference:
    """Return what SQLite finds wrong; an index is made anew from its table."""
    return Difference(line, audit.make_indexes_anew if audit.is_of_index(line) else None)


def _in_database(
    database: Database, settings: Settings, damaged: Collection[int], *, alone: bool
) -> Iterator[Difference]:
    """Find what the database itself contradicts or lacks.

    Of articles that are ``damaged`` it is known already why they contradict themselves.
    """
    with database.reading() as connection:
        for article_id, line in audit.contradictions(connection):
            if article_id not in damaged:
                yield Difference(line)
        if count := index.of(connection).unindexed():
            line = f"full-text index: {counted(count, 'article is', 'articles are')} not as indexed"
            yield Difference(line, audit.reindex, done="indexed again")
        if count := stories.missing(connection):
            lacking = counted(count, "article was", "articles were")
            line = f"stories: {lacking} never compared with others"
            yield Difference(line, stories.group_missing, done="compared")
        # Of workers that are gone; the archive's tables know what their jobs were for.
        state = cluster_state(connection, settings.cluster.stalled_after)
    for job in state.stalled if state else ():
        line = f"job {job}: its worker is gone, and nobody does it"
        yield Difference(line, forget_running, done="forgotten; what it was for is due again")
    if alone and (reason := _broken_index(database)):
        line = f"full-text index: is damaged: {reason}"
        yield Difference(line, audit.reindex, done="indexed again")


def _broken_index(database: Database) -> str:
    """Return why the full-text index cannot be used, ``""`` when it can."""
    try:
        with database.rehearsal() as connection:
            index.of(connection).check()
    except StorageFailed as error:
        return str(error)
    return ""


def _files(
    database: Database, folder: Storage, foreign: set[str], *, alone: bool
) -> Iterator[Difference]:
    """Compare the articles' files; those that are some article's are taken from ``foreign``."""
    for record, problem in _file_problems(database, folder, alone=alone):
        foreign.discard(record.path)
        if problem:
            repair = by(audit.make_due, [record.article_id])
            left = "due file" if record.sha256 is None else ""
            line = f"file {record.path}: {problem}"
            yield Difference(line, repair, left=left, done="written again")


_COPY = re.compile(r"(.+)/[0-9a-f]{64}\.[a-z]{3,4}")


def _copies_beside(
    database: Database, settings: Settings, foreign: set[str]
) -> Iterator[Difference]:
    """Compare the pictures beside the articles' files (archive.local_images) with their names."""
    folder = storage(settings.archive.dir)
    if settings.archive.local_images:
        for article_id, names in _named_copies(database):
            foreign.difference_update(names)
            for name, sha256 in zip(names, folder.hashes(names), strict=True):
                if sha256 != Path(name).stem:
                    problem = "is another picture" if isinstance(sha256, str) else "is missing"
                    yield Difference(f"picture {name}: {problem}", by(audit.make_due, [article_id]))
    left = {name: f"{match[1]}.md" for name in foreign if (match := _COPY.fullmatch(name))}
    files = set(left.values())
    records = audit.file_records(database) if files else iter(())
    owners = {record.path: record.article_id for record in records if record.path in files}
    for name, path in sorted(left.items()):
        if path in owners:
            foreign.discard(name)
            line = f"picture {name}: the file beside it is not to name it"
            yield Difference(line, by(_remove_copy, folder, name, owners[path]))


def _named_copies(database: Database) -> Iterator[tuple[int, list[str]]]:
    """Yield the pictures that are to lie beside each file that is written."""
    left = audit.file_records(database)
    while batch := list(islice(left, FILES_A_LOOK)):
        written = {
            record.article_id: record.path
            for record in batch
            if record.sha256 is not None and not record.is_doubted
        }
        with database.reading() as connection:
            shown = images.copies(connection, written)
        for article_id, copies in shown.items():
            names = (asset_name(written[article_id], copy) for copy in copies.values())
            yield article_id, list(dict.fromkeys(names))


def _remove_copy(connection: Connection, folder: Storage, name: str, article_id: int) -> None:
    folder.remove(name)
    audit.make_due(connection, [article_id])


def mend_texts(database: Database, settings: Settings) -> list[Difference]:
    """Mend what can be of damaged texts, before anything is compared by them; return what was.

    In rounds: what is mended in one may be what another needs.
    """
    present, mended = set(storage(settings.archive.dir).names()), list[Difference]()
    for _ in range(MOST_ROUNDS):
        texts = TextComparison(database, settings, present)
        found = list(_guarded("texts", texts.differences(), is_damaged=True))
        round_of = [difference for difference in found if difference.repair]
        failed = apply(database, round_of)
        done = [difference for difference in round_of if difference not in failed]
        if not done:
            break
        mended += done
    return mended


MOST_ROUNDS = 5


def repair(
    database: Database, settings: Settings, differences: list[Difference]
) -> list[Difference]:
    """Repair what can be repaired; return what is left. The caller holds the archive."""
    failed = apply(database, differences)
    write_files(database, settings.archive)
    left = [difference for difference in differences if difference.repair is None] + failed
    apply(database, list(_notes(database, [difference.line for difference in left])))
    return left


def apply(database: Database, differences: list[Difference]) -> list[Difference]:
    """Make all agree that can, in one transaction; return those of which that failed.

    Of what is known, notes that are wrong are taken back.
    """
    repairs = [(found, found.repair) for found in differences if found.repair]
    if not repairs:
        return []
    with database.transaction() as connection:
        return [found for found, repair in repairs if not _succeeds(repair, connection)]


def _succeeds(repair: Repair, connection: Connection) -> bool:
    """Repair one thing; ``False``: it cannot be, or other damage stands in its way.

    Another row may have by now what has to be unique.
    """
    try:
        with connection.begin_nested():
            return repair(connection) is not False
    except IntegrityError:
        return False


def _furniture(database: Database, settings: Settings, now: datetime) -> Iterator[Difference]:
    """Find articles whose text turned out to be furniture of their site."""
    for judged, line in all_furniture(settings.archive.raw_dir, database):
        yield Difference(line, by(save_rejudged, [judged], now), done="withdrawn")


def _left_over(database: Database, folder: Storage, quiet_seconds: float) -> Iterator[Difference]:
    """Find temporary files; those of files that were never finished go at the next start."""
    with database.reading() as connection:
        taken_up = set(folder.left_over(quiet_seconds, due_folders(connection)))
    for name in folder.left_over(quiet_seconds):
        line = f"file {name}: left over from a run that was killed"
        left = "temporary file" if name in taken_up else ""
        yield Difference(line, by(_remove, folder, name), left=left, done="removed")


def _file_problems(
    database: Database, folder: Storage, *, alone: bool
) -> Iterator[tuple[FileRecord, str]]:
    """Yield every article's file with what is wrong with it, ``''`` for nothing."""
    left = audit.file_records(database)
    while batch := list(islice(left, FILES_A_LOOK)):
        written = [record.path for record in batch if record.sha256 is not None]
        hashes = dict(zip(written, folder.hashes(written), strict=True))
        for record in batch:
            if record.sha256 is None:
                due = "is not removed yet" if record.is_doubted else "is not written yet"
                yield record, due if alone else ""
            elif record.is_doubted:
                # Whatever lies there is somebody else's.
                continue
            else:
                yield record, _file_problem(hashes[record.path], record.sha256)


def _file_problem(sha256: str | OSError, wanted: str) -> str:
    if isinstance(sha256, FileNotFoundError):
        return "is missing"
    if isinstance(sha256, OSError):
        return f"cannot be read: {sha256.strerror}"
    return "" if sha256 == wanted else "is not what the database says"


def _remove(connection: Connection, folder: Storage, name: str) -> None:  # noqa: ARG001 - a Repair's signature
    folder.remove(name)


def _pictures(database: Database, folder: Storage) -> Iterator[Difference]:
    """Compare the local copies of pictures with their names; one that is wrong is due again."""
    with database.reading() as connection:
        paths = images.paths(connection)
    for path, sha256 in zip(paths, folder.hashes(paths), strict=True):
        if isinstance(sha256, OSError):
            problem = f"cannot be read: {sha256.strerror}"
        elif sha256 != Path(path).stem:
            problem = "is another picture"
        else:
            continue
        forget = by(images.forget, path)
        yield Difference(f"picture {path}: {problem}", forget, done="due to be fetched again")
