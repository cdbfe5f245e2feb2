"""Housekeeping: what keeps a database small and quick over years."""

from __future__ import annotations

from ingestor.store.db.database import Database


def tidy(database: Database) -> None:
    """Bring the write-ahead log back to nothing, and let SQLite renew its statistics.

    A reader that is in the middle only puts it off to the next time.
    """
    if database.path is None:
        return
    with database.engine.connect() as connection:
        # Neither may stand in a transaction, and the engine begins one for every statement.
        raw = connection.connection.cursor()
        raw.execute("PRAGMA busy_timeout = 0")
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        raw.execute("PRAGMA analysis_limit = 1000")
        raw.execute("PRAGMA optimize").fetchall()
        raw.close()
        # The connection's settings were changed: it does not go back to the pool.
        connection.invalidate()
