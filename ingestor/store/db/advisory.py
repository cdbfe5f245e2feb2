"""PostgreSQL's advisory locks, by name; on SQLite, with its one writer, there is nothing to do.

The server gives them back when the transaction, or the session, ends or is killed. Read
:mod:`ingestor.store.db.lock_order` for which there are, and in which order they are taken.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection

from sqlalchemy import Connection, text

UPGRADE = "upgrade"
"""The schema is made or upgraded."""

RUN = "run"
"""A daemon or a pass is at work, alone; or workers are, together
(:mod:`ingestor.store.db.run_lock`)."""

_TAKE = text("SELECT pg_advisory_xact_lock(k) FROM unnest(CAST(:keys AS bigint[])) AS k")
_TRY = {
    False: text("SELECT pg_try_advisory_lock(:key)"),
    True: text("SELECT pg_try_advisory_lock_shared(:key)"),
}
_HALF = 0xFFFFFFFF
_HOLDERS = text(
    "SELECT DISTINCT replace(application_name, 'ingestor ', '')"
    " FROM pg_locks JOIN pg_stat_activity USING (pid)"
    " WHERE locktype = 'advisory' AND granted AND objsubid = 1"
    " AND pg_locks.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    " AND CAST(classid AS bigint) = :high AND CAST(objid AS bigint) = :low"
    " AND application_name LIKE 'ingestor %' ORDER BY 1"
)
"""A 64-bit lock stands in ``pg_locks`` as two halves, with ``objsubid`` 1."""


def has_locks(connection: Connection) -> bool:
    """Return whether there are advisory locks, and a need for them."""
    return connection.dialect.name == "postgresql"


def key(name: str) -> int:
    """Return the signed 64-bit number that stands for a lock's name."""
    digest = hashlib.blake2b(f"ingestor {name}".encode("utf-8", "replace"), digest_size=8)
    return int.from_bytes(digest.digest(), signed=True)


def take(connection: Connection, *names: str) -> None:
    """Wait for these locks, and hold them to the end of the transaction.

    In one order whoever asks for them, so that nobody waits for one who waits for him.
    """
    if names and has_locks(connection):
        connection.execute(_TAKE, {"keys": sorted({key(name) for name in names})})


def hold(connection: Connection, name: str, *, shared: bool = False) -> bool:
    """Take a lock for the rest of the session, at once; return whether that was possible.

    The connection commits by itself, so that no transaction is left open meanwhile.
    """
    return bool(connection.execute(_TRY[shared], {"key": key(name)}).scalar_one())


def release(connection: Connection) -> None:
    """Give back what the session holds."""
    connection.execute(text("SELECT pg_advisory_unlock_all()"))


def holders(connection: Connection, name: str) -> Collection[str]:
    """Return who holds a lock, as ``PROCESS on HOST``, as far as that can be seen."""
    halves = {"high": key(name) >> 32 & _HALF, "low": key(name) & _HALF}
    return connection.execute(_HOLDERS, halves).scalars().all()


def is_held_by_us(connection: Connection, name: str) -> bool:
    """Return whether a session of this process holds a lock."""
    row = connection.execute(text("SELECT current_setting('application_name')")).scalar_one()
    return row.removeprefix("ingestor ") in holders(connection, name)
