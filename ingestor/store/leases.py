"""How hosts are to be treated, written down: pauses for all runs, slots for many workers.

A pause that a host asked for is kept so that the next run leaves it alone too. A slot is a request
on its way, over all workers; its times are the server's, as the machines' clocks need not agree.
It is leased for as long as a request can last at most, so that nothing that dies (a worker, or the
server) makes it free while the request may still be on its way.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, select, text

from ingestor.model import HostPause
from ingestor.store.db import locks
from ingestor.store.schema.cluster import host_leases, hosts


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
    locks.lock_hosts(connection)
    connection.execute(delete(hosts).where(hosts.c.paused_until <= now))
    known = pauses(connection)
    for host, pause in paused.items():
        if host in known and known[host].until >= pause.until:
            continue
        connection.execute(delete(hosts).where(hosts.c.host == host))
        connection.execute(
            hosts.insert().values(host=host, paused_until=pause.until, reason=pause.reason)
        )


_ACQUIRE = text("""
WITH pace AS MATERIALIZED (
  SELECT moment, greatest(moment, coalesce(free_at, 0)) AS start
  FROM (SELECT extract(epoch FROM clock_timestamp())::float8 AS moment) AS clock
  LEFT JOIN host_turns ON host = :host
), pause AS (
  SELECT paused_until, reason FROM hosts, pace
  WHERE host = :host AND paused_until > to_timestamp(moment)
), taken AS (
  INSERT INTO host_leases AS held (host, place, held_until, holder)
  SELECT :host, free.number, moment + :seconds, :holder
  FROM pace, generate_series(1, :slots) AS free (number)
  WHERE start = moment AND NOT EXISTS (SELECT FROM pause) AND NOT EXISTS (
    SELECT FROM host_leases AS other
    WHERE other.host = :host AND other.place = free.number AND other.held_until > moment
  )
  ORDER BY free.number LIMIT 1
  ON CONFLICT (host, place) DO UPDATE
  SET held_until = excluded.held_until, holder = excluded.holder
  RETURNING place
), moved AS (
  INSERT INTO host_turns (host, free_at)
  SELECT :host, moment + :delay FROM pace, taken
  ON CONFLICT (host) DO UPDATE SET free_at = excluded.free_at
)
SELECT start - moment AS wait, (SELECT place FROM taken) AS place, paused_until, reason
FROM pace LEFT JOIN pause ON true
""")

_HOLD_OFF = text("""
INSERT INTO host_turns (host, free_at)
VALUES (:host, extract(epoch FROM clock_timestamp()) + :seconds)
ON CONFLICT (host) DO UPDATE SET free_at = greatest(host_turns.free_at, excluded.free_at)
""")


@dataclass(frozen=True, slots=True)
class Lease:
    """What came of asking for a slot at a host."""

    taken: bool
    wait: float
    """Seconds until the next request may begin, if a slot is free then."""
    pause: HostPause | None
    """The host is to be left alone: nothing was taken."""


def acquire(
    connection: Connection, host: str, holder: str, *, slots: int, delay: float, seconds: float
) -> Lease:
    """Take one of the ``slots`` at a host for a request that begins now.

    The next one may begin ``delay`` seconds later, and the slot is free again after ``seconds`` at
    the latest. Nothing is taken when all slots are, before the next request may begin, or when the
    host is to be left alone.
    """
    locks.take(connection, f"host {host}")
    values = {"host": host, "holder": holder, "slots": slots, "delay": delay, "seconds": seconds}
    row = connection.execute(_ACQUIRE, values).one()
    until: datetime | None = row.paused_until
    pause = HostPause(until, row.reason) if until else None
    return Lease(row.place is not None, float(row.wait), pause)


def release(connection: Connection, host: str, holder: str) -> None:
    """Free the slot of a request that is over."""
    connection.execute(
        delete(host_leases).where(host_leases.c.host == host, host_leases.c.holder == holder)
    )


def hold_off(connection: Connection, host: str, seconds: float) -> None:
    """Let no request to a host begin within so many seconds from now."""
    locks.take(connection, f"host {host}")
    connection.execute(_HOLD_OFF, {"host": host, "seconds": seconds})
