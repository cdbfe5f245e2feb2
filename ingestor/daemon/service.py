"""The daemon, composed: the pipeline's steps, the heartbeat, and the configuration read again."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta

import structlog

from ingestor.clock import Clock
from ingestor.config import Settings
from ingestor.daemon.loop import Step, serve
from ingestor.daemon.monitor import Monitor, Systemd
from ingestor.errors import ConfigError
from ingestor.pipeline import STAGES, Services, register_feeds, run_step
from ingestor.pipeline.services import opened
from ingestor.pipeline.soundness import PAGES_A_QUIET_MINUTE, inspect
from ingestor.store.db.database import Database, maintain

log = structlog.get_logger(__name__)

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
        self._monitor = Monitor(settings, database, clock, manager=manager, steps=frozenset(STAGES))
        self._stack = ExitStack()

    @contextmanager
    def open(self) -> Iterator[None]:
        """Hold what the steps work with, and answer who asks how it is."""
        try:
            self._open(self._settings)
            with self._monitor.answering():
                yield
        finally:
            self._stack.close()

    def run(self) -> None:
        """Serve until the clock's ``stop`` is set."""
        monitor = self._monitor
        steps = [Step(name, self._step(name)) for name in STAGES]
        steps.append(Step("housekeeping", self._keep_house, HOUSEKEEPING))
        steps.append(Step("reload", self._reload_if_asked))
        steps.append(Step("heartbeat", monitor.check, monitor.interval, beside=True))
        serve(steps, self._clock, self._jumped.set)
        monitor.manager.tell("STOPPING=1", "STATUS=stopped")

    def _open(self, settings: Settings) -> None:
        """Open what the steps work with for these settings, then let go of what was before."""
        with ExitStack() as fresh:
            services = fresh.enter_context(
                opened(settings, self._database, self._clock, self._monitor.observer)
            )
            register_feeds(services)
            self._stack.close()
            self._stack = fresh.pop_all()
        self._services: Services = services
        self._settings = settings
        self._monitor.use(settings)

    def _step(self, name: str) -> Callable[[], None]:
        def run() -> None:
            """Run the stage, with the heartbeat watching."""
            with self._monitor.heartbeat.running(name):
                run_step(self._services, name)
            self._monitor.note_step()

        return run

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
            self._refuse_what_is_fixed(settings)
            self._open(settings)
        except ConfigError as error:
            log.error("config_refused", error=str(error))  # noqa: TRY400 - a person's mistake
        else:
            log.info("config_reloaded", feeds=len(settings.feeds))
        finally:
            self._monitor.manager.tell("READY=1")

    def _refuse_what_is_fixed(self, settings: Settings) -> None:
        if settings.store.url != self._settings.store.url:
            raise ConfigError("store.url: cannot change while the daemon runs; restart it")
        if settings.service.listen != self._settings.service.listen:
            raise ConfigError("service.listen: cannot change while the daemon runs; restart it")
