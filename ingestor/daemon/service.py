"""The daemon, composed: the pipeline's steps, the heartbeat, and the configuration read again."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import timedelta

from ingestor import log
from ingestor.clock import Clock
from ingestor.config import Settings
from ingestor.daemon.loop import Step, serve
from ingestor.daemon.monitor import Monitor, Systemd
from ingestor.daemon.stages import Stages
from ingestor.errors import ConfigError, StorageFailed
from ingestor.pipeline import STAGES, register_feeds
from ingestor.pipeline.captures import make_folders
from ingestor.pipeline.recovery import PAGES_A_QUIET_MINUTE, inspect
from ingestor.pipeline.services import opened
from ingestor.store.db.database import Database, maintain
from ingestor.watch.deliveries import LOOK_SECONDS, Deliveries

WORK = "work"
"""The step that does all stages."""

LONGEST_WORK_SECONDS = 10.0
"""After so long in which something was under way all the time, the other steps have their turn."""

HOUSEKEEPING = timedelta(minutes=10)
"""How often the write-ahead log is brought back to nothing, for it grows under long readers, and a
part of the database is looked at."""


class Service:
    """The running daemon; ``read`` reads the configuration again."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        clock: Clock,
        *,
        read: Callable[[], Settings],
        manager: Systemd,
    ) -> None:
        self.reload = threading.Event()
        self._jumped = threading.Event()
        self._settings = settings
        self._database = database
        self._clock = clock
        self._read = read
        self._monitor = Monitor(settings, database, clock, manager=manager, steps=frozenset({WORK}))
        self._stack = ExitStack()

    @contextmanager
    def open(self) -> Iterator[None]:
        """Hold what the steps work with, and answer who asks how it is."""
        try:
            self._open(self._settings)
            deliveries = Deliveries(self._settings, self._database, self._clock)
            self._deliveries = deliveries
            with closing(deliveries), self._monitor.answering():
                yield
        finally:
            self._stack.close()

    def run(self) -> None:
        """Serve until the clock's ``stop`` is set."""
        monitor = self._monitor
        steps = [Step(WORK, self._work)]
        steps.append(Step("housekeeping", self._keep_house, HOUSEKEEPING))
        steps.append(Step("heartbeat", monitor.check, monitor.interval, beside=True))
        looks = timedelta(seconds=LOOK_SECONDS)
        steps.append(Step("watches", self._deliveries.look, looks, beside=True))
        serve(steps, self._clock, self._jumped.set)
        self._stages.finish()
        self._deliveries.wait(self._settings.service.stop_timeout.total_seconds() / 4)
        monitor.manager.tell("STOPPING=1", "STATUS=stopped")

    def _open(self, settings: Settings) -> None:
        """Open what the steps work with for these settings, then let go of what was before."""
        with ExitStack() as fresh:
            services = fresh.enter_context(
                opened(settings, self._database, self._clock, self._monitor.observer)
            )
            register_feeds(services)
            stages = Stages(services)
            fresh.callback(stages.close)
            self._stack.close()
            self._stack = fresh.pop_all()
        self._stages: Stages = stages
        self._settings = settings
        self._monitor.use(settings)

    def _work(self) -> None:
        """Give each stage its turn, again and again while something is under way."""
        self._reload_if_asked()
        heartbeat, ends = self._monitor.heartbeat, self._clock.monotonic() + LONGEST_WORK_SECONDS
        observer = self._monitor.observer
        before = observer.articles, observer.revisions
        with heartbeat.running(WORK):
            # Most ticks of most daemons find nothing: one question instead of one a stage.
            busy = self._stages.have_work()
            while busy:
                for name in STAGES:
                    with heartbeat.running(name):
                        self._stages.turn(name)
                asked = self.reload.is_set() or self._jumped.is_set()
                late = asked or self._clock.monotonic() > ends
                busy = self._stages.under_way and not (late or self._clock.stop.is_set())
        self._stages.rest()
        new, written = observer.articles - before[0], observer.revisions - before[1]
        if written:
            log.info("archived", articles=new, edits=written - new)
        self._monitor.note_step()

    def _keep_house(self) -> None:
        maintain(self._database)
        inspect(self._database, self._clock, pages=PAGES_A_QUIET_MINUTE)

    def _reload_if_asked(self) -> None:
        """Open anew with a new configuration, or with the same one after the clock jumped.

        Runs between two steps, never beside one.
        """
        if self._jumped.is_set():
            # All due times and pauses are then seen by the clock as it is now.
            self._jumped.clear()
            self._open(self._settings)
        if not self.reload.is_set():
            return
        self.reload.clear()
        self._monitor.manager.reloading()
        try:
            settings = self._read()
            self._refuse(settings)
            make_folders(settings.archive)
            self._deliveries.use(settings)
            self._open(settings)
        except (ConfigError, StorageFailed) as error:
            log.error("config_refused", error=str(error))
        else:
            log.info("config_reloaded", feeds=len(settings.feeds))
        finally:
            self._monitor.manager.tell("READY=1")

    def _refuse(self, settings: Settings) -> None:
        if settings.store.url != self._settings.store.url:
            raise ConfigError("store.url: cannot change while the daemon runs; restart it")
        if settings.service.listen != self._settings.service.listen:
            raise ConfigError("service.listen: cannot change while the daemon runs; restart it")
        if not settings.feeds:
            raise ConfigError("the configuration names no feeds; add a [[feeds]] section")
