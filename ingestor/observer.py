"""What the stages tell whoever watches: a few calls, which do nothing much by themselves.

The one-pass command needs no more than this; the daemon hands in
:class:`ingestor.daemon.metrics.Metrics`, which counts as well.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from typing import Literal

from ingestor.model import Cause

PollResult = Literal["changed", "unchanged", "failed"]


class Observer:
    """Remembers when work last moved: a daemon that is alive but stuck is found by that."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self.articles = 0
        """Archived that were not there before; counted where they are saved, by one at a time."""
        self.revisions = 0
        """Written, the first of each article included."""
        self.moved_at = monotonic()

    def moved(self) -> None:
        """Note that something got done. Called from many threads: one assignment, no lock."""
        self.moved_at = self._monotonic()

    def asking(self, host: str) -> None:
        """Note that a request begins."""

    def requested(self, host: str, *, answered: bool, seconds: float, received: int) -> None:  # noqa: ARG002 - for those that count
        """Note a request that came to an end; ``received`` bytes without compression."""
        self.moved()

    def polled(self, result: PollResult) -> None:  # noqa: ARG002 - for those that count
        """Note how a poll of a feed went."""
        self.moved()

    def asked_robots(self, *, answered: bool) -> None:  # noqa: ARG002 - for those that count
        """Note that a site's robots.txt was asked; an outage of the site is no answer."""
        self.moved()

    def revised(self, cause: Cause) -> None:  # noqa: ARG002 - for those that count
        """Note a revision that was written, the first of an article included."""
        self.revisions += 1
        self.moved()

    def doubted(self, reason: str) -> None:  # noqa: ARG002 - for those that count
        """Note a page that was not believed."""
        self.moved()

    def archived(self, *, origin: str, template: str, published_at: datetime | None) -> None:  # noqa: ARG002 - for those that count
        """Note an article that was not in the archive before."""
        self.articles += 1
        self.moved()
