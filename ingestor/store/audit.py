"""What the database says of itself, of files and of captures: to compare with what is so."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select, update

from ingestor.model import WarcPlace
from ingestor.store.db.database import Database
from ingestor.store.revisions import text_sha256
from ingestor.store.schema import BELIEVED, articles, captures, revisions
from ingestor.store.search import index


@dataclass(frozen=True, slots=True)
class FileRecord:
    """What the database says of an article's file."""

    article_id: int
    path: str
    sha256: str | None
    """``None``: it is due to be written; ``""``: there is none, and it is not to be."""
    is_doubted: bool
    """It is to be removed, not written."""


@dataclass(frozen=True, slots=True)
class CaptureRecord:
    """What the database says of a capture."""

    id: int
    asked: str
    """Address that was asked."""
    url: str
    """Address that answered."""
    fetched_at: datetime
    sha256: str
    place: WarcPlace
    is_damaged: bool
    """Its record is known to be missing or damaged."""


def damages(connection: Connection) -> Iterator[str]:
    """Yield a line for everything that the database itself finds wrong, references included."""
    if connection.dialect.name == "sqlite":
        for (line,) in connection.exec_driver_sql("PRAGMA integrity_check"):
            if line != "ok":
                yield f"database: {line}"
        for row in connection.exec_driver_sql("PRAGMA foreign_key_check"):
            yield _dangling(row[1], row[0], row[2])
        return
    # A server watches over references itself; a restore with its triggers off does not.
    for table in articles.metadata.sorted_tables:
        for key in table.foreign_keys:
            referred = select(key.column).where(key.column == key.parent).exists()
            query = select(*table.primary_key).where(key.parent.is_not(None), ~referred)
            for row in connection.execute(query.execution_options(yield_per=500)):
                yield _dangling(", ".join(map(str, row)), table.name, key.column.table.name)


def _dangling(row: object, table: str, referred: str) -> str:
    return f"database: row {row} of {table} refers to a row of {referred} that is not there"


def contradictions(connection: Connection) -> Iterator[str]:
    """Yield a line for each article that is not what its hash or its last revision says."""
    query = select(
        articles.c.id,
        articles.c.url,
        articles.c.content_text,
        articles.c.content_sha256,
        revisions.c.content_sha256.label("revised_sha256"),
        revisions.c.title.label("revised_title"),
        articles.c.title,
    ).outerjoin(
        revisions,
        (revisions.c.article_id == articles.c.id) & (revisions.c.revision == articles.c.revision),
    )
    for row in connection.execute(query.execution_options(yield_per=500)):
        sha256 = text_sha256(row.content_text)
        if row.revised_sha256 is None:
            yield f"article {row.id}: its current revision is missing: {row.url}"
        elif sha256 != row.content_sha256:
            yield f"article {row.id}: its text is not what content_sha256 says: {row.url}"
        elif (row.revised_sha256, row.revised_title) != (row.content_sha256, row.title):
            yield f"article {row.id}: it is not what its current revision says: {row.url}"


def reindex(connection: Connection) -> None:
    """Make the full-text index anew."""
    index.empty(connection)
    query = select(*articles.c["id", "title", "content_text"]).where(BELIEVED)
    last = 0
    # A part at a time: the texts of a whole archive do not fit into memory.
    while rows := connection.execute(
        query.where(articles.c.id > last).order_by(articles.c.id).limit(1000)
    ).all():
        for row in rows:
            index.add(connection, [(row.id, row.title, row.content_text)])
        last = rows[-1].id


def file_records(database: Database) -> Iterator[FileRecord]:
    """Yield what the database says of every article's file.

    Read a part at a time: who looks at each file meanwhile holds no transaction open, which
    would let the write-ahead log grow.
    """
    last = 0
    query = select(articles.c.id, articles.c.path, articles.c.file_sha256, ~BELIEVED).order_by(
        articles.c.id
    )
    while True:
        with database.reading() as connection:
            rows = connection.execute(query.where(articles.c.id > last).limit(1000)).all()
        if not rows:
            return
        yield from (FileRecord(*row) for row in rows)
        last = rows[-1].id


def make_due(connection: Connection, article_ids: list[int]) -> None:
    """Let the files of these articles be written again."""
    for article_id in article_ids:
        connection.execute(
            update(articles).where(articles.c.id == article_id).values(file_sha256=None)
        )


def capture_records(connection: Connection, warc_file: str) -> list[CaptureRecord]:
    """Return the captures that lie in a WARC file."""
    query = select(captures).where(captures.c.warc_file == warc_file).order_by(captures.c.id)
    return [
        CaptureRecord(
            row.id,
            row.url,
            row.final_url,
            row.fetched_at,
            row.sha256,
            WarcPlace(row.warc_file, row.warc_offset, row.warc_length),
            row.damaged is not None,
        )
        for row in connection.execute(query)
    ]


def warc_files(connection: Connection) -> dict[str, int]:
    """Return every WARC file that captures point into, with where the last of them ends."""
    ends: dict[str, int] = {}
    query = select(captures.c.warc_file, captures.c.warc_offset, captures.c.warc_length)
    for row in connection.execute(query.where(captures.c.warc_file.is_not(None))):
        end = row.warc_offset + row.warc_length
        ends[row.warc_file] = max(end, ends.get(row.warc_file, 0))
    return ends
