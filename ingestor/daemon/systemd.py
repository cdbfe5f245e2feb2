"""Telling systemd how the service is: its notify protocol, a datagram a message."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass

import structlog

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Systemd:
    """The service manager, when one started us and wants to hear."""

    address: str = ""
    """``NOTIFY_SOCKET``: a path, or a name that begins with ``@``; ``""``: nobody listens."""
    watchdog_seconds: float | None = None
    """How long it waits for a sign of life before it restarts us; ``None``: it does not."""

    def tell(self, *lines: str) -> None:
        """Send one message. A manager that does not listen is no reason to stop working."""
        if not self.address:
            return
        # An abstract name begins with a zero byte, which no environment variable can hold.
        address = f"\0{self.address[1:]}" if self.address.startswith("@") else self.address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
                sender.sendto("\n".join(lines).encode(), address)
        except OSError as error:
            log.warning("systemd_not_told", error=str(error))

    def reloading(self) -> None:
        """Say that the configuration is read again; READY=1 has to follow."""
        self.tell("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")


def systemd(environment: Mapping[str, str]) -> Systemd:
    """Return the service manager that the environment names."""
    ours = environment.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
    microseconds = environment.get("WATCHDOG_USEC", "")
    return Systemd(
        address=environment.get("NOTIFY_SOCKET", ""),
        watchdog_seconds=int(microseconds) / 1e6 if ours and microseconds.isdigit() else None,
    )
