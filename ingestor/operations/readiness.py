"""Is the service of use right now? The reasons why not; what ``/readyz`` says."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

from ingestor.operations.pulse import Pulse

LEAST_FREE = 256 * 1024**2
"""Bytes; a day of a busy archive, and room for SQLite to finish what it began."""


def not_ready(pulse: Pulse, oldest_beat: float) -> list[str]:
    """Return why the service is not ready; nothing when it is."""
    return list(_reasons(pulse, oldest_beat))


def not_alive(pulse: Pulse, oldest_beat: float) -> list[str]:
    """Return why the service should be restarted; nothing while it works."""
    if pulse.beaten_at is None:
        return []
    reasons = [pulse.trouble] if pulse.trouble else []
    if pulse.age() > oldest_beat:
        reasons.append(f"the scheduler does not tick: no heartbeat for {pulse.age():.0f} s")
    return reasons


def _reasons(pulse: Pulse, oldest_beat: float) -> Iterator[str]:
    yield from not_alive(pulse, oldest_beat)
    if not pulse.started:
        yield "the first tick has not run yet"
    now = pulse.vitals
    if now and now.feeds and now.failing * 2 > now.feeds:
        yield f"{now.failing} of {now.feeds} feeds fail"
    if pulse.database.path:
        free = shutil.disk_usage(pulse.database.path.parent).free
        if free < LEAST_FREE:
            yield f"only {free // 1024**2} MiB are free on the database's disk"
