"""Bringing a database to this program's schema, by the Alembic migrations it ships."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect

from ingestor.errors import SchemaTooNew, StorageFailed
from ingestor.store.database import APPLICATION_ID, Database


def folder() -> Path:
    """Return the folder of the migrations: inside the wheel, else beside the package."""
    package = Path(__file__).resolve().parents[1]
    inside = package / "migrations"
    return inside if inside.is_dir() else package.parent / "migrations"


def upgrade(database: Database) -> bool:
    """Make or upgrade the schema; return whether anything had to be done.

    All migrations that are due run in one transaction: a failure leaves the database as
    it was. Raises :class:`SchemaTooNew` for a newer program's database and
    :class:`StorageFailed` for one that is not an archive.
    """
    with database.reading() as connection:
        if is_current(connection, database):
            return False
    with database.transaction() as connection:
        if is_current(connection, database):
            return False
        configuration = Config()
        configuration.set_main_option("script_location", str(folder()).replace("%", "%%"))
        configuration.attributes["connection"] = connection
        command.upgrade(configuration, "head")
        connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")
    return True


def is_current(connection: Connection, database: Database) -> bool:
    """Return whether the schema is this program's; raise for one that is not ours at all."""
    known = ScriptDirectory(str(folder()))
    revision = MigrationContext.configure(connection).get_current_revision()
    where = database.path or database.url
    if revision is None:
        _refuse_foreign(connection, where)
        return False
    if revision not in {script.revision for script in known.walk_revisions()}:
        raise SchemaTooNew(
            f"{where}: made by a newer version of ingestor (schema {revision}); "
            "upgrade the program, or restore a backup"
        )
    return revision == known.get_current_head()


def _refuse_foreign(connection: Connection, where: object) -> None:
    application = connection.exec_driver_sql("PRAGMA application_id").scalar_one()
    if application not in {0, APPLICATION_ID} or inspect(connection).get_table_names():
        raise StorageFailed(f"{where}: belongs to another program; name another file in store.url")
