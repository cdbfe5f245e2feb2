"""Brings a database to this program's schema: a new one from the tables, others by Alembic."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from sqlalchemy import URL, Connection, inspect, text

from ingestor import log
from ingestor.errors import NoArchiveYet, SchemaTooNew, SchemaTooOld, StorageFailed
from ingestor.store.db import locks
from ingestor.store.db.database import Database
from ingestor.store.db.sqlite import copy_file
from ingestor.store.schema import articles
from ingestor.store.schema.columns import as_stored
from ingestor.store.schema.views import VIEWS

COPY_UNFINISHED = "copy_unfinished"
"""Name of an empty table: what is copied into the database is not whole yet."""


def folder() -> Path:
    """Return the folder of the migrations: inside the wheel, else beside the package."""
    package = Path(__file__).resolve().parents[2]
    inside = package / "migrations"
    return inside if inside.is_dir() else package.parent / "migrations"


def existing(url: str | URL, *, current: bool = True, only_reads: bool = False) -> Database:
    """Open an archive that is there already, for looking at it.

    Raises :class:`NoArchiveYet` when there is none, for who only reads makes none, and
    :class:`StorageFailed` for one that has to be upgraded first; unless ``current`` is false, for
    a command that upgrades it. ``only_reads`` is :class:`Database`'s.
    """
    database = Database(url, for_reading=True, only_reads=only_reads)
    none = f"{database.where}: there is no archive yet; `ingest --once` makes it"
    # A database of no bytes is what a run that was stopped at once leaves.
    if database.path and not (database.path.exists() and database.path.stat().st_size):
        raise NoArchiveYet(none)
    with database.reading() as connection:
        if not is_current(connection, database):
            if revision(connection) is None:
                raise NoArchiveYet(none)
            if current:
                raise StorageFailed(
                    f"{database.where}: made by an older version; `ingest --once` upgrades it"
                )
    return database


def upgrade(database: Database, scripts: Path | None = None, *, unfinished: bool = False) -> bool:
    """Make or upgrade the schema; return whether anything had to be done.

    All migrations that are due run in one transaction: a failure leaves the database as
    it was, and a copy of what it was lies beside it (see :func:`copy_path`). ``scripts``
    are the migrations, where not the shipped ones. ``unfinished`` is for the copy alone, which may
    find what it has begun. Raises what :func:`is_current` raises.
    """
    scripts = scripts or folder()
    with database.reading() as connection:
        if is_current(connection, database, scripts, unfinished=unfinished):
            return False
        before = revision(connection)
    if before and database.path:
        _copy(database.path, copy_path(database.path, before))
    with database.upgrading() as connection:
        locks.take(connection, locks.UPGRADE)
        if is_current(connection, database, scripts, unfinished=unfinished):
            return False
        if revision(connection) is None:
            _make(connection)
        if revision(connection) != schemas(scripts)[-1]:
            _run(connection, scripts)
        database.backend.sign(connection)
    return True


def _make(connection: Connection) -> None:
    """Make the schema of a new database from the tables, and write down that it is today's.

    Importing and running Alembic takes five times as long, which a one-off run would pay. A test
    proves that the migrations lead to the same.
    """
    # Every command asks for the schema; one run makes it.
    from ingestor.store.search import index  # noqa: PLC0415

    as_stored(articles.metadata, connection.dialect).create_all(connection, checkfirst=False)
    for view in VIEWS:
        connection.exec_driver_sql(f"CREATE VIEW {view.name} AS{view.select}")
    index.of(connection).create()
    # The table is Alembic's, statement and all.
    connection.exec_driver_sql(
        "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL,"
        " CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"
    )
    head = schemas(folder())[-1]
    connection.execute(text("INSERT INTO alembic_version VALUES (:head)"), {"head": head})


def _run(connection: Connection, scripts: Path) -> None:
    # Hardly ever is there anything to do, and it takes as long to import as many a command.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    configuration = Config()
    configuration.set_main_option("script_location", str(scripts).replace("%", "%%"))
    configuration.attributes["connection"] = connection
    command.upgrade(configuration, "head")


def copy_path(path: Path, schema: str) -> Path:
    """Return where the copy of a database of this schema lies: beside it."""
    return path.with_name(f"{path.name}.schema-{schema}")


def _copy(path: Path, copy: Path) -> None:
    """Copy a database as one transaction saw it; the copy appears whole or not at all."""
    unfinished = copy.with_name(f"{copy.name}.unfinished")
    try:
        unfinished.unlink(missing_ok=True)
        copy_file(path, unfinished)
        unfinished.replace(copy)
    except (OSError, sqlite3.Error) as error:
        raise StorageFailed(
            f"{copy}: the copy before the upgrade cannot be written: {error}"
        ) from error
    log.info("database_copied", copy=str(copy))


def is_current(
    connection: Connection,
    database: Database,
    scripts: Path | None = None,
    *,
    unfinished: bool = False,
) -> bool:
    """Return whether the schema is this program's; raise for one that it cannot use.

    That is :class:`SchemaTooNew` for a newer program's database, :class:`SchemaTooOld` for one from
    before the first migration, and :class:`StorageFailed` for one that is not an archive.
    """
    known = schemas(scripts or folder())
    made_by = revision(connection)
    if made_by is None:
        if database.backend.is_foreign(connection):
            raise StorageFailed(
                f"{database.where}: belongs to another program; name another one in store.url"
            )
        return False
    if made_by < known[0]:
        raise SchemaTooOld(
            f"{database.where}: made before the first release (schema {made_by}); upgrade it to "
            f"schema {known[0]} with an earlier version first"
        )
    if made_by not in known:
        raise SchemaTooNew(
            f"{database.where}: made by a newer version of ingestor (schema {made_by}); "
            "upgrade the program, or restore a backup"
        )
    if not unfinished and is_unfinished(connection):
        raise StorageFailed(
            f"{database.where}: a copy into it is not through; run the same `ingest copy` again"
        )
    return made_by == known[-1]


def is_unfinished(connection: Connection) -> bool:
    """Return whether a copy into this database was begun and is not through."""
    return inspect(connection).has_table(COPY_UNFINISHED)


def schemas(scripts: Path) -> list[str]:
    """Return the schemas that the migrations make, one after the other.

    The name of a migration's file begins with the schema that it makes.
    """
    return sorted(path.name.partition("_")[0] for path in (scripts / "versions").glob("*_*.py"))


def revision(connection: Connection) -> str | None:
    """Return the schema that a database has; ``None``: none yet."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    schema: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return schema
