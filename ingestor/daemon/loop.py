"""The service: its steps again and again, on APScheduler, until it is told to stop."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from queue import SimpleQueue
from types import FrameType
from typing import TYPE_CHECKING

from ingestor import log
from ingestor.clock import Clock
from ingestor.errors import INTERRUPTED

if TYPE_CHECKING:
    from apscheduler.schedulers.background import BackgroundScheduler
    from apscheduler.triggers.interval import IntervalTrigger

TICK = timedelta(seconds=1)
"""How often the queue is looked at. Feeds have their own time in their row, so 10,000 feeds
are no 10,000 jobs, and a tick that finds nothing due costs a few small reads."""


LEAST_JUMP = timedelta(minutes=1)
"""How much the time of day may gain on the time that passed: less is a clock that is set."""


@dataclass(frozen=True, slots=True)
class Step:
    """Something that is done again and again."""

    name: str
    run: Callable[[], object]
    every: timedelta = TICK
    beside: bool = False
    """Beside the work, in a thread of its own: the heartbeat must not wait for what it watches."""


def serve(steps: Sequence[Step], clock: Clock, jumped: Callable[[], None] = lambda: None) -> None:
    """Run the steps, the work one after the other, until ``clock.stop`` is set.

    ``jumped`` is called when the time of day jumped, forwards or back.
    An error that leaves a step ends the service and is raised here: it is the archive that
    failed, or a bug, and neither repairs itself.
    """
    errors: list[BaseException] = []

    def guarded(step: Step) -> None:
        """Run a step; what leaves it ends the service."""
        if clock.stop.is_set():
            return
        try:
            step.run()
        except BaseException as error:  # noqa: BLE001 - handed to the main thread below
            errors.append(error)
            clock.stop.set()

    scheduler = _scheduler()
    for step in steps:
        scheduler.add_job(
            guarded,
            _interval(step.every),
            [step],
            # The first run of an interval job would be after one interval.
            next_run_time=clock.now(),
            executor="beside" if step.beside else "default",
        )
    scheduler.start()
    log.info("service_started")
    behind = clock.now().timestamp() - clock.monotonic()
    while not clock.stop.wait(TICK.total_seconds()):
        jump = clock.now().timestamp() - clock.monotonic() - behind
        if abs(jump) > LEAST_JUMP.total_seconds():
            log.warning("clock_jumped", seconds=round(jump))
            behind += jump
            jumped()
        _follow_the_clock(scheduler, clock)
    scheduler.shutdown(wait=True)
    log.info("service_stopped")
    if errors:
        raise errors[0]


def _scheduler() -> BackgroundScheduler:
    # A pass needs the signals of this module, and not the scheduler.
    from apscheduler.executors.pool import ThreadPoolExecutor  # noqa: PLC0415
    from apscheduler.schedulers.background import BackgroundScheduler  # noqa: PLC0415

    # A step that takes longer than its interval is the normal case, not worth a line a second.
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
    return BackgroundScheduler(
        timezone="UTC",
        # One thread works, so that steps share the fetcher's politeness, and one checks.
        executors={"default": ThreadPoolExecutor(1), "beside": ThreadPoolExecutor(1)},
        # After a suspend, or a long step, one run makes up for all that were missed, however
        # late it is.
        job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
    )


def _interval(every: timedelta) -> IntervalTrigger:
    """Return APScheduler's trigger, but for the times that were missed: it would list each of them.

    After a jump of a year those are 31 million seconds.
    """
    from apscheduler.triggers.interval import IntervalTrigger  # noqa: PLC0415 - as above

    class _Every(IntervalTrigger):  # type: ignore[misc]
        def get_next_fire_time(self, previous: datetime | None, now: datetime) -> datetime | None:
            """Return the run after ``previous``: one interval from now, if that is past."""
            return max(previous, now) + self.interval if previous else now

    return _Every(seconds=every.total_seconds())


def _follow_the_clock(scheduler: BackgroundScheduler, clock: Clock) -> None:
    """Run at once what a clock that was put back has put off.

    The scheduler goes by the time of day. Forwards, as after a suspend, one run makes up for
    all; backwards, it would do nothing until the old time is reached again.
    """
    now = clock.now()
    for job in scheduler.get_jobs():
        if job.next_run_time and job.next_run_time - now > 2 * job.trigger.interval:
            log.warning("clock_put_back", step=job.args[0].name)
            job.modify(next_run_time=now)


@contextmanager
def stop_on_signals(
    clock: Clock, timeout: timedelta, reload: threading.Event | None = None
) -> Iterator[threading.Event]:
    """Let SIGTERM and SIGINT set ``clock.stop`` while the block runs; main thread only.

    Gives an event that is set where it was SIGINT: somebody interrupted. What does not end within
    ``timeout`` is left: it is *pending* in the database, and the process exits, with
    :data:`INTERRUPTED` or 0. SIGHUP sets ``reload``, where one is given.
    """
    interrupted = threading.Event()
    # A handler interrupts the main thread anywhere, also where it holds the lock of an event: there
    # it must take none. Putting into this queue does not (queue.SimpleQueue: "reentrant").
    heard: SimpleQueue[int] = SimpleQueue()

    def hear(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - signal's signature
        """Note a signal for the thread that does what it asks for."""
        heard.put(number)

    def follow() -> None:
        """Do what the signals ask for, until the block ends."""
        while number := heard.get():
            if number == signal.SIGHUP and reload:
                reload.set()
            elif not clock.stop.is_set():
                if number == signal.SIGINT:
                    interrupted.set()
                clock.stop.set()
                _leave_after(timeout, INTERRUPTED if number == signal.SIGINT else 0)

    following = threading.Thread(target=follow, name="signals", daemon=True)
    following.start()
    wanted = [signal.SIGTERM, signal.SIGINT, *([signal.SIGHUP] if reload else [])]
    before = {number: signal.signal(number, hear) for number in wanted}
    if reload:
        # What was asked for since the start of the program is heard now.
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})
    try:
        yield interrupted
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        heard.put(0)
        following.join()


def _leave_after(timeout: timedelta, code: int) -> None:
    leaving = threading.Timer(timeout.total_seconds(), _leave, [timeout, code])
    leaving.daemon = True
    leaving.start()


def _leave(timeout: timedelta, code: int) -> None:
    """End the process now: its threads may hang in a request, which nothing can interrupt."""
    log.warning("stopped_before_done", stop_timeout_s=timeout.total_seconds())
    for child in multiprocessing.active_children():
        # Nobody would tell a worker that its owner is gone.
        child.kill()
    os._exit(code)
