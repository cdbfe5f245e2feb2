"""How each host wants to be treated: the pause between requests, and when to leave it alone.

One memory for everything that a client asks, whichever feed or step it is for. Times are
handed in; nothing here reads a clock or asks anybody.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from ingestor.model import HostPause

TROUBLES_IN_A_ROW = 5
"""429 or 503 without a word on when to come back: after so many the host is left alone."""

UNSAID_PAUSE = timedelta(minutes=5)
"""For how long, then: about what Retry-After says where it is said."""

SHORT_PAUSE = timedelta(seconds=30)
"""A pass waits so long for a host; what has to wait longer is put off to a later pass."""

LONGEST_CRAWL_DELAY = 60.0
"""Seconds. A site that asks for more is asked once a minute: a pass must come to an end."""

_USUAL_PORTS = {"http": 80, "https": 443}


@dataclass(slots=True)
class _Host:
    delay: float
    """Seconds between two requests."""
    free_at: float = 0.0
    """Second of the caller's monotonic clock before which no request may start."""
    troubles: int = 0
    """Answers in a row that asked us to slow down."""
    pause: HostPause | None = None


def host_of(url: str) -> str:
    """Return the host, with its port where it is not the usual one; ``""`` if there is none."""
    try:
        parts = urlsplit(url)
        name, port = parts.hostname or "", parts.port
    except ValueError:
        return ""
    return name if port in {None, _USUAL_PORTS.get(parts.scheme)} else f"{name}:{port}"


@dataclass(slots=True)
class Hosts:
    """All hosts asked so far. Safe to use from several threads."""

    delay: float
    """Seconds between two requests to one host, unless it asks for more."""
    pauses: Mapping[str, HostPause] = field(default_factory=dict)
    """What hosts asked for before this run."""
    _hosts: dict[str, _Host] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def _host(self, name: str) -> _Host:
        if name not in self._hosts:
            self._hosts[name] = _Host(self.delay, pause=self.pauses.get(name))
        return self._hosts[name]

    def free_at(self, name: str) -> float:
        """Return the second before which no request to this host may start."""
        with self._lock:
            return self._host(name).free_at

    def delay_of(self, name: str) -> float:
        """Return the seconds between two requests to this host."""
        with self._lock:
            return self._host(name).delay

    def turn(self, name: str, now: float) -> float:
        """Take the next turn at this host; return the seconds until it comes."""
        with self._lock:
            host = self._host(name)
            start = max(now, host.free_at)
            host.free_at = start + host.delay
            return start - now

    def crawl_delay(self, name: str, seconds: float) -> None:
        """Heed the pause between requests that a host's robots.txt asks for."""
        with self._lock:
            host = self._host(name)
            longer = max(self.delay, min(seconds, LONGEST_CRAWL_DELAY))
            host.free_at += longer - host.delay
            host.delay = longer

    def pause(self, name: str, moment: datetime) -> HostPause | None:
        """Return the pause that a host is to be given at ``moment``, if any."""
        with self._lock:
            pause = self._host(name).pause
            return pause if pause and pause.until > moment else None

    def answered(self, name: str) -> None:
        """Note an answer that asked for nothing: the host is well."""
        with self._lock:
            self._host(name).troubles = 0

    def slow_down(
        self, name: str, wait: timedelta | None, *, now: float, moment: datetime, reason: str
    ) -> None:
        """Heed a host that asks to be asked less, for ``wait`` if it said for how long.

        ``now`` is the monotonic second and ``moment`` the time of day of one and the same
        instant. Without ``wait`` the pause doubles with each such answer in a row.
        """
        with self._lock:
            host = self._host(name)
            host.troubles += 1
            if wait is None and host.troubles < TROUBLES_IN_A_ROW:
                host.free_at = max(host.free_at, now + host.delay * 2**host.troubles)
                return
            wait = UNSAID_PAUSE if wait is None else wait
            if wait <= SHORT_PAUSE:
                host.free_at = max(host.free_at, now + wait.total_seconds())
            else:
                # Whole seconds, as they are written down.
                host.pause = HostPause((moment + wait).replace(microsecond=0), reason)

    def paused(self, moment: datetime) -> dict[str, HostPause]:
        """Return every host that is to be left alone at ``moment``, with why and until when."""
        with self._lock:
            known = {**self.pauses, **{name: host.pause for name, host in self._hosts.items()}}
        return {name: pause for name, pause in known.items() if pause and pause.until > moment}
