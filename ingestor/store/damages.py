"""Damage that no row has a column for: what verify noted, and what was come across on the way."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, select

from ingestor.store.schema import damages


def noted(connection: Connection) -> set[str]:
    """Return the places whose damage is noted as lasting."""
    return set(connection.execute(select(damages.c.place).where(damages.c.lasting == 1)).scalars())


def fresh(connection: Connection) -> list[tuple[str, str]]:
    """Return the places at which damage was come across and what it is, the oldest first."""
    query = select(damages.c.place, damages.c.what).where(damages.c.lasting == 0)
    rows = connection.execute(query.order_by(damages.c.found_at, damages.c.place))
    return [(row.place, row.what) for row in rows]


def note(connection: Connection, place: str, what: str, now: datetime, *, lasting: bool) -> None:
    """Write down that something is damaged at a place; the time of the first note stays."""
    known = connection.execute(select(damages).where(damages.c.place == place)).first()
    found_at = known.found_at if known else now
    forget(connection, [place])
    values = {"place": place, "what": what, "found_at": found_at, "lasting": int(lasting)}
    connection.execute(damages.insert().values(**values))


def forget(connection: Connection, places: Collection[str]) -> None:
    """Take notes of places back: nothing is damaged there any more."""
    connection.execute(damages.delete().where(damages.c.place.in_(places)))
