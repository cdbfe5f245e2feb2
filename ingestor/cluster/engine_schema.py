"""Procrastinate's own tables: made and upgraded by what it ships, when a worker starts.

They are no part of our migrations: those run for SQLite too, and without the extra; and what they
would hold is a matter of the installed version of Procrastinate. Which version made the tables is
written into the comment of one of them. Several workers that start at once take turns.
"""

from __future__ import annotations

import re
from importlib.metadata import version
from pathlib import Path

import structlog
from procrastinate.schema import SchemaManager
from sqlalchemy import Connection, text

from ingestor.errors import SchemaTooNew, StorageFailed
from ingestor.store.db import advisory
from ingestor.store.db.database import Database

log = structlog.get_logger(__name__)

Version = tuple[int, ...]

_MARK = "made by procrastinate "
_COMMENT = text(
    "SELECT obj_description(oid, 'pg_class') FROM pg_class"
    " WHERE relname = 'procrastinate_jobs' AND relkind = 'r'"
)
"""From the table: what ``to_regclass`` says comes from a cache, which behind a lock that was
waited for may still be that of before."""


def prepare(database: Database) -> None:
    """Bring Procrastinate's tables to the installed version.

    Raises :class:`SchemaTooNew` when a newer one made them.
    """
    installed = version("procrastinate")
    with database.transaction() as connection:
        if _made_by(connection) == _numbers(installed):
            return
        advisory.take(connection, advisory.UPGRADE)
        made_by = _made_by(connection)
        if made_by is None:
            _run(connection, SchemaManager.get_schema())
        elif made_by > _numbers(installed):
            raise SchemaTooNew(
                f"{database.where}: its jobs were made by a newer Procrastinate "
                f"({'.'.join(map(str, made_by))}, here {installed}); upgrade this machine's"
            )
        else:
            for path in _migrations(made_by, _numbers(installed)):
                log.info("engine_migrated", file=path.name)
                _run(connection, path.read_text("utf-8"))
        _run(connection, f"COMMENT ON TABLE procrastinate_jobs IS '{_MARK}{installed}'")


def _made_by(connection: Connection) -> Version | None:
    """Return the version that made the tables; ``None``: they are not there."""
    row = connection.execute(_COMMENT).first()
    if row is None:
        return None
    comment: str = row[0] or ""
    if not comment.startswith(_MARK):
        raise StorageFailed(
            "the database's tables of Procrastinate are another program's; give the archive a "
            "database of its own"
        )
    return _numbers(comment.removeprefix(_MARK))


def _migrations(above: Version, up_to: Version) -> list[Path]:
    """Return the migrations between two versions, whose names begin with theirs: 03.04.00_01_."""
    found = sorted(Path(SchemaManager.get_migrations_path()).glob("*.sql"))
    return [path for path in found if above < _numbers(path.name.partition("_")[0]) <= up_to]


def _numbers(written: str) -> Version:
    return tuple(int(one) for one in re.findall(r"\d+", written)[:3])


def _run(connection: Connection, sql: str) -> None:
    """Run several statements at once, as they are: they hold percent signs and dollar quotes."""
    raw = connection.connection.driver_connection
    if raw is not None:
        raw.execute(sql)
