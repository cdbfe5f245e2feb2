"""Hosts that asked to be left alone: kept, so that the next run leaves them alone too."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, delete, select

from ingestor.model import HostPause
from ingestor.store import turns
from ingestor.store.schema import hosts


def pauses(connection: Connection) -> dict[str, HostPause]:
    """Return every pause that is written down, by host; also those that are over."""
    return {
        row.host: HostPause(row.paused_until, row.reason)
        for row in connection.execute(select(hosts))
    }


def replace(connection: Connection, paused: Mapping[str, HostPause]) -> None:
    """Write down exactly these pauses."""
    turns.of_hosts(connection)
    connection.execute(delete(hosts))
    for host, pause in paused.items():
        connection.execute(
            hosts.insert().values(host=host, paused_until=pause.until, reason=pause.reason)
        )
