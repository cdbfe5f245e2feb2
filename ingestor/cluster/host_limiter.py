"""The limits for each host, held by PostgreSQL over all workers."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from ingestor import log
from ingestor.clock import Clock
from ingestor.config.sections import FetchSettings
from ingestor.errors import ArchiveError
from ingestor.fetch.host_limiter import SHORT_PAUSE, Busy, Slot
from ingestor.model import HostPause
from ingestor.store import leases
from ingestor.store.db.database import Database

LONGEST_REQUEST = 3
"""Times ``fetch.timeout``: what the client gives a whole answer."""

MARGIN = 2.0
"""Seconds that a slot is held longer: an answer's end is noticed a little later."""

LOOK = 0.1
"""Seconds, on the average, after which a host whose slots are all taken is tried again."""


@dataclass(frozen=True, slots=True)
class SharedHostLimiter:
    """What :class:`~ingestor.fetch.host_limiter.HostLimiter` says, over all workers."""

    database: Database
    settings: FetchSettings
    clock: Clock

    def acquire(self, host: str, delay: float) -> Slot | Busy | HostPause:
        """Take a slot; a host whose next turn is far away is left to a later job."""
        holder = secrets.token_hex(8)
        with self.database.transaction() as connection:
            lease = leases.acquire(
                connection,
                host,
                holder,
                slots=self.settings.connections_per_host,
                delay=delay,
                seconds=LONGEST_REQUEST * self.settings.timeout.total_seconds() + MARGIN,
            )
        if lease.taken:
            return Slot(partial(self._release, host, holder))
        if lease.pause:
            return lease.pause
        if lease.wait > SHORT_PAUSE.total_seconds():
            until = self.clock.now() + timedelta(seconds=lease.wait)
            return HostPause(until, "its next turn comes then")
        # Chance keeps the workers from looking all at one moment.
        return Busy(lease.wait or LOOK * (0.5 + self.clock.chance()))

    def hold_off(self, host: str, seconds: float) -> None:
        """Let no worker's request begin for a while."""
        with self.database.transaction() as connection:
            leases.hold_off(connection, host, seconds)

    def pause(self, host: str, pause: HostPause) -> None:
        """Write down that a host is to be left alone, so that all workers do so from now on."""
        with self.database.transaction() as connection:
            leases.record(connection, {host: pause}, self.clock.now())

    def pauses(self) -> dict[str, HostPause]:
        """Return what is written down and not over."""
        now = self.clock.now()
        with self.database.reading() as connection:
            pauses = leases.pauses(connection)
        return {host: pause for host, pause in pauses.items() if pause.until > now}

    def _release(self, host: str, holder: str) -> None:
        try:
            with self.database.transaction() as connection:
                leases.release(connection, host, holder)
        except ArchiveError as error:
            # It is free by itself when the request would have ended at the latest.
            log.warning("slot_not_released", host=host, error=str(error))
