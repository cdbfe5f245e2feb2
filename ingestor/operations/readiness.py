"""Is the service of use right now? The reasons why not; what ``/readyz`` says."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

from ingestor.daemon.health import Pulse
from ingestor.errors import ArchiveError
from ingestor.operations.freshness import Freshness
from ingestor.text.sanitize import one_line

LEAST_FREE = 256 * 1024**2
"""Bytes; a day of a busy archive, and room for SQLite to finish what it began."""


MOST_NAMED = 5
"""Feeds that are named with their reason; `ingest status` has them all."""


def not_ready(pulse: Pulse, freshness: Freshness, oldest_beat: float) -> list[str]:
    """Return why the service is not ready; nothing when it is."""
    return list(_reasons(pulse, freshness, oldest_beat))


def not_alive(pulse: Pulse, oldest_beat: float) -> list[str]:
    """Return why the service should be restarted; nothing while it works."""
    if pulse.beaten_at is None:
        return []
    reasons = [pulse.trouble] if pulse.trouble else []
    if pulse.age() > oldest_beat:
        reasons.append(f"the scheduler does not tick: no heartbeat for {pulse.age():.0f} s")
    return reasons


def _reasons(pulse: Pulse, freshness: Freshness, oldest_beat: float) -> Iterator[str]:
    yield from not_alive(pulse, oldest_beat)
    if not pulse.started:
        yield "the first tick has not run yet"
    yield from _stale(pulse, freshness)
    if pulse.database.path:
        free = shutil.disk_usage(pulse.database.path.parent).free
        if free < LEAST_FREE:
            yield f"only {free // 1024**2} MiB are free on the database's disk"


def _stale(pulse: Pulse, freshness: Freshness) -> Iterator[str]:
    """Say so when most feeds fail or are late: one of many is the alert rules' affair."""
    now = pulse.vitals
    if not now or not now.feeds:
        return
    try:
        late = freshness.late()
    except ArchiveError as error:
        yield f"the database does not answer: {error}"
        return
    if (now.failing + len(late)) * 2 <= now.feeds:
        return
    if now.failing:
        yield f"{now.failing} of {now.feeds} feeds fail"
    if late:
        yield f"{len(late)} of {now.feeds} feeds are late"
    for name, reason in list(late.items())[:MOST_NAMED]:
        yield f"{one_line(name)}: {reason}"
