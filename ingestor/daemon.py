"""The service: the same pass again and again, on APScheduler, until it is told to stop."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from types import FrameType

import structlog
from apscheduler.schedulers.background import BackgroundScheduler

from ingestor.clock import Clock

log = structlog.get_logger(__name__)

TICK = timedelta(seconds=1)
"""How often the queue is looked at. Feeds have their own time in their row, so a tick that
finds nothing due costs two small reads."""


def serve(tick: Callable[[], object], clock: Clock) -> None:
    """Call ``tick`` every second, never twice at a time, until ``clock.stop`` is set.

    ``tick`` runs in the scheduler's thread. An error that leaves it ends the service and is
    raised here: it is the archive that failed, or a bug, and neither mends itself.
    """
    errors: list[BaseException] = []

    def guarded() -> None:
        if clock.stop.is_set():
            return
        try:
            tick()
        except BaseException as error:  # noqa: BLE001 - handed to the main thread below
            errors.append(error)
            clock.stop.set()

    scheduler = BackgroundScheduler(timezone="UTC")
    scheduler.add_job(
        guarded,
        "interval",
        seconds=TICK.total_seconds(),
        # The first run of an interval job would be after one interval.
        next_run_time=clock.now(),
        # After a suspend, or a long pass, one run makes up for all that were missed.
        coalesce=True,
        max_instances=1,
        misfire_grace_time=None,
    )
    scheduler.start()
    log.info("service_started")
    clock.stop.wait()
    scheduler.shutdown(wait=True)
    log.info("service_stopped")
    if errors:
        raise errors[0]


@contextmanager
def stop_on_signals(clock: Clock) -> Iterator[None]:
    """Let SIGTERM and SIGINT set ``clock.stop`` while the block runs; main thread only."""

    def ask(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - signal's signature
        clock.stop.set()

    before = {number: signal.signal(number, ask) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
