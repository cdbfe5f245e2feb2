"""Hosts that asked to be left alone: kept, so that the next run leaves them alone too."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, delete, select

from ingestor.model import HostPause
from ingestor.store.db import lock_order
from ingestor.store.schema.cluster import hosts


def pauses(connection: Connection) -> dict[str, HostPause]:
    """Return every pause that is written down, by host; also those that are over."""
    return {
        row.host: HostPause(row.paused_until, row.reason)
        for row in connection.execute(select(hosts))
    }


def record(connection: Connection, paused: Mapping[str, HostPause], now: datetime) -> None:
    """Write down these pauses, and forget those that are over at ``now``.

    Those that others wrote down stay; of two for one host the later end counts.
    """
    lock_order.of_hosts(connection)
    connection.execute(delete(hosts).where(hosts.c.paused_until <= now))
    known = pauses(connection)
    for host, pause in paused.items():
        if host in known and known[host].until >= pause.until:
            continue
        connection.execute(delete(hosts).where(hosts.c.host == host))
        connection.execute(
            hosts.insert().values(host=host, paused_until=pause.until, reason=pause.reason)
        )
