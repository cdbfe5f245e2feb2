"""The limits for each host, held by PostgreSQL over all workers."""

from __future__ import annotations

import secrets
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

import structlog

from ingestor.clock import Clock
from ingestor.config.sections import FetchSettings
from ingestor.errors import ArchiveError, Postponed
from ingestor.fetch.host_limiter import SHORT_PAUSE
from ingestor.model import HostPause
from ingestor.store.coordination import leases
from ingestor.store.coordination.leases import Slot
from ingestor.store.db.database import Database
from ingestor.text.dates import iso_utc

log = structlog.get_logger(__name__)

LONGEST_REQUEST = 3
"""Times ``fetch.timeout``: what the client gives a whole answer."""

MARGIN = 2.0
"""Seconds that a place is held longer: an answer's end is noticed a little later."""

SHORTEST_LOOK, LONGEST_LOOK = 0.01, 0.25
"""Seconds between two looks for a free place."""

COME_BACK = timedelta(seconds=5)
"""When what had no place is tried again."""


@dataclass(slots=True)
class SharedHostLimiter:
    """A gate that all workers of one archive pass.

    See :class:`ingestor.fetch.host_limiter.Gate`.
    """

    database: Database
    settings: FetchSettings
    clock: Clock
    _waiting: defaultdict[str, threading.Lock] = field(
        default_factory=lambda: defaultdict(threading.Lock)
    )
    """One thread of this process at a time looks for a place at a host."""

    @contextmanager
    def passing(self, host: str, delay: float) -> Iterator[None]:
        """Wait for a place and the turn; hold the place while the block runs."""
        holder = secrets.token_hex(8)
        with self._waiting[host]:
            wait = self._take(host, holder, delay)
        try:
            self.clock.sleep(wait)
            if self.clock.stop.is_set():
                raise Postponed(f"{host}: not asked, the worker stops", self.clock.now())
            yield
        finally:
            self._give_back(host, holder)

    def slow_down(self, host: str, seconds: float, pause: HostPause | None) -> None:
        """Write down what a host asks for, so that all workers heed it from now on."""
        with self.database.transaction() as connection:
            if pause:
                leases.record(connection, {host: pause}, self.clock.now())
            if seconds > 0:
                leases.hold_off(connection, host, seconds)

    def _take(self, host: str, holder: str, delay: float) -> float:
        """Take a place; return the seconds until the turn comes."""
        patience, look = SHORT_PAUSE.total_seconds(), SHORTEST_LOOK
        given_up = self.clock.monotonic() + patience
        while not self.clock.stop.is_set():
            place = self._asked(host, holder, delay)
            if place.taken:
                return place.wait
            self._refuse(host, place)
            if self.clock.monotonic() > given_up:
                raise Postponed(f"{host}: too many wait for it", self.clock.now() + COME_BACK)
            # Chance keeps the workers from looking all at one moment.
            self.clock.sleep(look * (0.5 + self.clock.chance()))
            look = min(2 * look, LONGEST_LOOK)
        raise Postponed(f"{host}: not asked, the worker stops", self.clock.now())

    def _asked(self, host: str, holder: str, delay: float) -> Slot:
        lasts = LONGEST_REQUEST * self.settings.timeout.total_seconds() + MARGIN
        with self.database.transaction() as connection:
            return leases.take(
                connection,
                host,
                holder,
                places=self.settings.connections_per_host,
                delay=delay,
                seconds=lasts,
                patience=SHORT_PAUSE.total_seconds(),
            )

    def _refuse(self, host: str, place: Slot) -> None:
        if place.pause:
            until, reason = place.pause.until, place.pause.reason
            line = f"{host}: not asked before {iso_utc(until)}, as it wants: {reason}"
            raise Postponed(line, until)
        if place.wait > SHORT_PAUSE.total_seconds():
            until = self.clock.now() + timedelta(seconds=place.wait)
            raise Postponed(f"{host}: its next turn comes at {iso_utc(until)}", until)

    def _give_back(self, host: str, holder: str) -> None:
        try:
            with self.database.transaction() as connection:
                leases.give_back(connection, host, holder)
        except ArchiveError as error:
            # It is free by itself when the request would have ended at the latest.
            log.warning("place_not_given_back", host=host, error=str(error))
