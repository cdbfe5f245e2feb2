"""Who else asks the same hosts: a gate before each request, where several processes share limits.

A :class:`~ingestor.fetch.client.Fetcher` keeps the limits of its own process by itself; a gate
holds them over all who pass the same one.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

from ingestor.model import HostPause


class Gate(Protocol):
    """What stands before each request. Safe to use from several threads."""

    def passing(self, host: str, delay: float) -> AbstractContextManager[None]:
        """Wait until a request to a host may begin; it is on its way while the block runs.

        ``delay`` is the least number of seconds between two requests to this host. Raises
        :class:`~ingestor.errors.Postponed` when the host is to be left alone, or is so busy that
        waiting for it makes no sense.
        """

    def slow_down(self, host: str, seconds: float, pause: HostPause | None) -> None:
        """Tell the others that a host wants no request for ``seconds``, or is to be left alone."""


class OpenGate:
    """Nobody else asks: nothing to wait for."""

    def passing(self, host: str, delay: float) -> AbstractContextManager[None]:  # noqa: ARG002 - as Gate has it
        """Let everybody pass."""
        return nullcontext()

    def slow_down(self, host: str, seconds: float, pause: HostPause | None) -> None:
        """Do nothing: there is nobody to be told."""
