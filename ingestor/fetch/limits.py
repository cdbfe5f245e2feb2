"""How the client behaves: what the ``[fetch]`` section of the configuration says."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Limits:
    """How the client behaves; the ``[fetch]`` section of the configuration."""

    user_agent: str
    timeout: timedelta
    """For each step of a request; a whole answer may take three times that."""
    max_bytes: int
    connections: int
    connections_per_host: int
    delay_per_host: timedelta
    robots: bool
    proxy: str
    allow_private_addresses: bool
