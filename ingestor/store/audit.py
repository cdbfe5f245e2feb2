"""What the database says of itself, of files and of captures: to compare with what is so."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Integer,
    Table,
    Text,
    literal_column,
    select,
    text,
    update,
)

from ingestor.store.db.database import Database
from ingestor.store.revisions import text_sha256
from ingestor.store.schema import BELIEVED, articles, captures, damages, revisions
from ingestor.store.schema.columns import UtcTime, metadata
from ingestor.store.search import index
from ingestor.text.dates import from_iso_utc, is_moment


@dataclass(frozen=True, slots=True)
class FileRecord:
    """What the database says of an article's file."""

    article_id: int
    path: str
    sha256: str | None
    """``None``: it is due to be written; ``""``: there is none, and it is not to be."""
    is_doubted: bool
    """It is to be removed, not written."""


def all_damages(connection: Connection) -> Iterator[str]:
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


def quick_damages(connection: Connection, most: int) -> list[str]:
    """Return what SQLite finds wrong with the pages of its file, without looking at indexes."""
    lines = connection.exec_driver_sql(f"PRAGMA quick_check({most})").scalars()
    return [f"database: {line}" for line in lines if line != "ok"]


def last_row(connection: Connection, table: Table) -> int:
    """Return the largest rowid of a table; 0: it is empty."""
    last = connection.execute(text(f"SELECT max(rowid) FROM {table.name}")).scalar()  # noqa: S608 - our own names
    return int(last or 0)


def _dangling(row: object, table: str, referred: str) -> str:
    return f"database: row {row} of {table} refers to a row of {referred} that is not there"


def is_of_index(line: str) -> bool:
    """Whether a line of :func:`all_damages` is about an index, and not about rows."""
    return bool(_OF_INDEX.search(line))


_OF_INDEX = re.compile(r"missing from index|wrong # of entries in index|non-unique entry in index")


def make_indexes_anew(connection: Connection) -> None:
    """Make every index anew from its table."""
    connection.exec_driver_sql("REINDEX")


def contradictions(connection: Connection) -> Iterator[tuple[int, str]]:
    """Yield each article that is not what its last revision says: its id, and a line."""
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
    sqlite = connection.dialect.name == "sqlite"
    for row in connection.execute(query.execution_options(yield_per=500)):
        # On SQLite the same is found, and more, among the damaged cells.
        same = sqlite or text_sha256(row.content_text) == row.content_sha256
        if row.revised_sha256 is None:
            yield row.id, f"article {row.id}: its current revision is missing: {row.url}"
        elif not same:
            yield row.id, f"article {row.id}: its text is not what content_sha256 says: {row.url}"
        elif (row.revised_sha256, row.revised_title) != (row.content_sha256, row.title):
            yield row.id, f"article {row.id}: it is not what its current revision says: {row.url}"


def reindex(connection: Connection) -> None:
    """Make the full-text index anew."""
    index.of(connection).empty()
    query = select(*articles.c["id", "title", "content_text"]).where(BELIEVED)
    last = 0
    # A part at a time: the texts of a whole archive do not fit into memory.
    while rows := connection.execute(
        query.where(articles.c.id > last).order_by(articles.c.id).limit(1000)
    ).all():
        for row in rows:
            index.of(connection).add([(row.id, row.title, row.content_text)])
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


def warc_files(connection: Connection) -> dict[str, int]:
    """Return every WARC file that captures point into, with where the last of them ends."""
    ends: dict[str, int] = {}
    query = select(captures.c.warc_file, captures.c.warc_offset, captures.c.warc_length)
    for row in connection.execute(query.where(captures.c.warc_file.is_not(None))):
        end = row.warc_offset + row.warc_length
        ends[row.warc_file] = max(end, ends.get(row.warc_file, 0))
    return ends


@dataclass(frozen=True, slots=True)
class DamagedCell:
    """A value of a row that is not what its column holds."""

    table: str
    row: int
    """SQLite's rowid; the id, where the table has one."""
    column: str
    raw: bytes
    """What stands there."""
    problem: str

    @property
    def place(self) -> str:
        """Return where it is, for people."""
        return f"{self.table} row {self.row}, {self.column}"


def damaged_cells(
    connection: Connection, table: Table, rows: range | None = None
) -> Iterator[DamagedCell]:
    """Yield what cannot be read in a table, or in some of its rows: texts, moments, numbers.

    A server sees to its texts itself, by checksums of its own.
    """
    if connection.dialect.name != "sqlite":
        return
    columns = [column for column in table.columns if isinstance(column.type, _CHECKED)]
    parts = ", ".join(f"typeof({column.name}), CAST({column.name} AS BLOB)" for column in columns)
    where = f" WHERE rowid BETWEEN {rows.start} AND {rows.stop - 1}" if rows else ""
    key = "rowid" if table.dialect_options["sqlite"]["with_rowid"] else "0"
    query = text(f"SELECT {key}, {parts} FROM {table.name}{where}")  # noqa: S608 - our own names
    for number, *values in connection.execute(query.execution_options(yield_per=200)):
        raws = dict(zip(columns, values[1::2], strict=True))
        for column, kind in zip(columns, values[::2], strict=True):
            if problem := _problem(column, kind, raws[column]):
                raw = raws[column] or b""
                yield DamagedCell(table.name, number, column.name, raw, problem)
        if "content_sha256" in table.c and _is_another_text(raws, table):
            raw = raws[table.c.content_text] or b""
            yield DamagedCell(table.name, number, "content_text", raw, _ANOTHER_TEXT)


NO_TEXT = "is no text"
"""Problem of a value that is kept as something else."""

_CHECKED = (Text, UtcTime, Integer)
_ANOTHER_TEXT = "its text is not what content_sha256 says"


def _problem(column: Column[Any], kind: str, raw: bytes | None) -> str:
    """Return what is wrong with a value, ``""`` for nothing."""
    if raw is None:
        return "" if column.nullable else "is missing"
    if isinstance(column.type, Integer):
        return "" if kind == "integer" else "is no number"
    if kind != "text":
        return NO_TEXT
    try:
        value = raw.decode()
    except UnicodeDecodeError as error:
        return f"byte {error.start} is no UTF-8"
    if isinstance(column.type, UtcTime) and not is_moment(value):
        return "is no moment"
    return ""


def _is_another_text(raws: Mapping[Column[Any], bytes | None], table: Table) -> bool:
    content, sha256 = raws[table.c.content_text], raws[table.c.content_sha256]
    return bool(
        content is not None
        and sha256 is not None
        and not _problem(table.c.content_text, "text", content)
        and not _problem(table.c.content_sha256, "text", sha256)
        and hashlib.sha256(content).hexdigest().encode() != sha256
    )


def row_of(connection: Connection, table: str, row: int) -> dict[str, Any]:
    """Return a row by its rowid, as far as it can be read; ``{}``: there is none."""
    query = select(metadata.tables[table]).where(literal_column("rowid") == row)
    found = connection.execute(query).first()
    return dict(found._mapping) if found else {}  # noqa: SLF001 - SQLAlchemy's documented name


def set_cell(connection: Connection, cell: DamagedCell, value: object) -> None:
    """Give a damaged cell a value."""
    table = metadata.tables[cell.table]
    row = update(table).where(literal_column("rowid") == cell.row)
    if isinstance(table.c[cell.column].type, UtcTime) and isinstance(value, str):
        value = from_iso_utc(value)
    connection.execute(row.values({cell.column: value}))


def current_revision(connection: Connection, article_id: int) -> int | None:
    """Return the sequence of an article's current revision."""
    query = (
        select(revisions.c.sequence)
        .join(articles)
        .where(articles.c.id == article_id, articles.c.revision == revisions.c.revision)
    )
    return connection.execute(query).scalar()


def texts_as_long(connection: Connection, table: str, column: str, length: int) -> list[str]:
    """Return the texts of a column that have so many bytes."""
    query = text(
        f"SELECT DISTINCT {column} FROM {table} WHERE length(CAST({column} AS BLOB)) = :length"  # noqa: S608 - our own names
    )
    return list(map(str, connection.execute(query, {"length": length}).scalars()))


def lasting_damage(connection: Connection) -> set[str]:
    """Return the places whose damage is noted as lasting: by verify."""
    return set(connection.execute(select(damages.c.place).where(damages.c.lasting == 1)).scalars())


def note_damage(
    connection: Connection, place: str, what: str, now: datetime, *, lasting: bool
) -> None:
    """Write down that something is damaged at a place; the time of the first note stays."""
    known = connection.execute(select(damages).where(damages.c.place == place)).first()
    found_at = known.found_at if known else now
    forget_damage(connection, [place])
    values = {"place": place, "what": what, "found_at": found_at, "lasting": int(lasting)}
    connection.execute(damages.insert().values(**values))


def forget_damage(connection: Connection, places: Collection[str]) -> None:
    """Take notes of places back: nothing is damaged there any more."""
    connection.execute(damages.delete().where(damages.c.place.in_(places)))
