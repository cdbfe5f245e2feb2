"""PostgreSQL's advisory locks, by what they are for; nothing to do on SQLite, with its one writer.

All are held to the end of the transaction, and are given back with it, also when it is killed.
They are taken in the order in which they stand here, which makes a deadlock impossible.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from sqlalchemy import Connection, TextClause, text

UPGRADE = "upgrade"
"""The schema is made or upgraded."""

RUN = "run"
"""A daemon or a pass is at work (:mod:`ingestor.store.lock`)."""


def key(name: str) -> int:
    """Return the signed 64-bit number that stands for a lock's name."""
    digest = hashlib.blake2b(f"ingestor {name}".encode("utf-8", "replace"), digest_size=8)
    return int.from_bytes(digest.digest(), signed=True)


def take(connection: Connection, *names: str) -> None:
    """Wait for these locks, and hold them to the end of the transaction.

    All at once and in one order, whoever asks for them.
    """
    _run(connection, _TAKE, names)


def share(connection: Connection, *names: str) -> None:
    """Wait for these locks, and hold them with others who share them."""
    _run(connection, _SHARE, names)


def _run(connection: Connection, statement: TextClause, names: Iterable[str]) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(statement, {"keys": sorted({key(name) for name in names})})


_TAKE = text("SELECT pg_advisory_xact_lock(k) FROM unnest(CAST(:keys AS bigint[])) AS k")
_SHARE = text("SELECT pg_advisory_xact_lock_shared(k) FROM unnest(CAST(:keys AS bigint[])) AS k")


def owner(connection: Connection, name: str) -> str:
    """Take a lock for the rest of the session, unless somebody has it: then return who.

    ``""``: it is ours now. The connection commits by itself, so that no transaction is left open.
    """
    number = key(name)
    if connection.execute(text("SELECT pg_try_advisory_lock(:key)"), {"key": number}).scalar_one():
        return ""
    holder = connection.execute(_HOLDER, {"high": number >> 32 & _HALF, "low": number & _HALF})
    return holder.scalar() or "another process"


_HALF = 0xFFFFFFFF

_HOLDER = text(
    "SELECT 'process ' || replace(application_name, 'ingestor ', '')"
    " FROM pg_locks JOIN pg_stat_activity USING (pid)"
    " WHERE locktype = 'advisory' AND granted AND objsubid = 1"
    " AND pg_locks.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    " AND classid = CAST(CAST(:high AS bigint) AS oid)"
    " AND objid = CAST(CAST(:low AS bigint) AS oid)"
    " AND application_name LIKE 'ingestor %'"
)
"""A 64-bit lock stands in ``pg_locks`` as two halves, with ``objsubid`` 1."""
