"""Deliveries: each watch's hits, in the order of the revisions, beside everything else.

A thread a watch that has something, so that a receiver that hangs holds up nothing but its own
watch. Whoever runs the archive looks once a second: the daemon, each worker of a cluster (of which
one has a watch at a time), and a pass at its end.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from ingestor import log, policy
from ingestor.api.changes import landed
from ingestor.clock import Clock
from ingestor.config import Settings
from ingestor.config.sections import FetchSettings, WatchSettings
from ingestor.errors import ArchiveError, DeliveryFailed, UsageError
from ingestor.fetch.transport import Threads
from ingestor.store import overview, watches
from ingestor.store.db import locks
from ingestor.store.db.database import Database
from ingestor.text.sanitize import one_line, redact, shortened
from ingestor.watch.actions import Action, action_of, opened_action
from ingestor.watch.atom import MOST_ENTRIES, add_entries
from ingestor.watch.hits import WatchHit, meant_by, require_sound

LOOK_SECONDS = 1.0
"""Between two looks at what has landed: one small read for all watches."""

SPARE_SECONDS = 1.0
"""Beyond one attempt's timeout, so that a pass still writes down that it failed."""

PASSED_OVER = 500
"""Revisions that are not waited for, after which the cursor is written down all the same."""

_MOST_ERROR_CHARACTERS = 600


class Deliveries:
    """What delivers the hits of a configuration's watches."""

    def __init__(self, settings: Settings, database: Database, clock: Clock) -> None:
        """Raise :class:`~ingestor.errors.ConfigError` for a watch that makes no sense."""
        self._database = database
        self._clock = clock
        self._threads = Threads()
        self._changed = threading.Condition()
        self._running: set[str] = set()
        self._surprises: list[BaseException] = []
        self.use(settings)

    def use(self, settings: Settings) -> None:
        """Go on with these settings; what is under way ends as it began. Raises as above."""
        require_sound(settings)
        self._settings = settings
        if not settings.watch:
            return
        with self._database.transaction() as connection:
            watches.register(connection, [watch.name for watch in settings.watch])
        for watch in settings.watch:
            if watch.feed and not watch.feed.exists():
                # A reader can subscribe before there is anything in it.
                self._begin_feed(watch.feed, watch.name)

    def _begin_feed(self, path: Path, name: str) -> None:
        try:
            add_entries(path, name, [], self._clock.now())
        except DeliveryFailed as error:
            log.warning("watch_failed", watch=name, action=f"feed {path}", error=str(error))

    def look(self) -> None:
        """Begin what is due; never waits for it. What went wrong that should not is raised here."""
        with self._changed:
            if self._surprises:
                raise self._surprises.pop()
        if not self._settings.watch or self._clock.stop.is_set():
            return
        with self._database.reading() as connection:
            last, known = overview.last_sequence(connection), watches.states(connection)
        now = self._clock.now()
        for watch in self._settings.watch:
            if known[watch.name].is_due(last, now):
                self._begin(watch)

    def finish(self) -> None:
        """Begin what is due, and wait until it is through, as long as one attempt may take.

        What is left is delivered by the next pass.
        """
        self.look()
        timeouts = (watch.timeout.total_seconds() for watch in self._settings.watch)
        self.wait(max(timeouts, default=0.0) + SPARE_SECONDS)
        self.look()

    def wait(self, seconds: float) -> None:
        """Wait for what is under way, no longer than ``seconds``."""
        with self._changed:
            if not self._changed.wait_for(lambda: not self._running, seconds):
                log.warning("watches_left", watches=sorted(self._running))

    def close(self) -> None:
        """Leave what is under way to itself: it is delivered again."""
        self._threads.close()

    def _begin(self, watch: WatchSettings) -> None:
        with self._changed:
            if watch.name in self._running:
                return
            self._running.add(watch.name)
        self._threads.run(partial(self._serve, watch, self._settings.fetch))

    def _serve(self, watch: WatchSettings, fetch: FetchSettings) -> None:
        """Deliver what a watch waits for, as far as it goes."""
        surprise: BaseException | None = None
        try:
            with self._ours(watch.name) as is_ours:
                if is_ours:
                    self._deliver(watch, fetch)
        except ArchiveError as error:
            # The work beside this meets the same, and decides what becomes of the run.
            log.warning("watch_put_off", watch=watch.name, error=str(error))
        except BaseException as error:  # noqa: BLE001 - raised by the next look
            surprise = error
        with self._changed:
            self._running.discard(watch.name)
            self._surprises.extend([surprise] if surprise else [])
            self._changed.notify_all()

    @contextmanager
    def _ours(self, name: str) -> Iterator[bool]:
        """Hold a watch; ``False`` while another worker has it. A file has one run at a time."""
        if self._database.path is not None:
            yield True
            return
        with self._database.session() as connection:
            try:
                yield locks.hold(connection, f"watch {name}")
            finally:
                locks.release(connection)

    def _deliver(self, watch: WatchSettings, fetch: FetchSettings) -> None:
        with self._database.reading() as connection:
            state = watches.states(connection)[watch.name]
            last = overview.last_sequence(connection)
        if not state.is_due(last, self._clock.now()):
            return
        try:
            with opened_action(watch, fetch, self._clock) as action:
                self._walk(watch, state.sequence, action)
        except (DeliveryFailed, UsageError) as error:
            self._failed(watch, error)

    def _walk(self, watch: WatchSettings, after: int, action: Action) -> None:
        """Go through the revisions behind the cursor; it moves as they are through."""
        with self._database.reading() as connection:
            is_wanted = meant_by(watch, connection)
        most = MOST_ENTRIES if watch.feed else 1
        hits: list[WatchHit] = []
        settled = sequence = after
        for revision in landed(self._database, after):
            sequence = revision.sequence
            if is_wanted(revision):
                hits.append(WatchHit(watch.name, revision))
            if len(hits) >= most or sequence - settled >= PASSED_OVER:
                self._settle(watch, action, hits, sequence)
                hits, settled = [], sequence
            if self._clock.stop.is_set():
                return
        if sequence > settled:
            self._settle(watch, action, hits, sequence)

    def _settle(
        self, watch: WatchSettings, action: Action, hits: Sequence[WatchHit], sequence: int
    ) -> None:
        """Deliver hits, if there are any, and then put the cursor behind a revision."""
        if hits:
            said = action(hits)
            log.info("watch_delivered", watch=watch.name, key=hits[-1].key, answer=said)
        with self._database.transaction() as connection:
            now = self._clock.now()
            watches.through(connection, watch.name, sequence, delivered=len(hits), now=now)

    def _failed(self, watch: WatchSettings, error: DeliveryFailed | UsageError) -> None:
        is_final, asked = False, None
        if isinstance(error, DeliveryFailed):
            is_final, asked = error.is_final, error.wait
        line = shortened(redact(one_line(str(error))), _MOST_ERROR_CHARACTERS)
        now, chance = self._clock.now(), self._clock.chance()
        with self._database.transaction() as connection:
            attempts = watches.states(connection)[watch.name].attempts + 1
            again = policy.next_delivery(now, attempts, asked=asked, chance=chance)
            watches.failed(connection, watch.name, line, None if is_final else again)
        log.warning(
            "watch_stopped" if is_final else "watch_failed",
            watch=watch.name,
            action=action_of(watch),
            attempts=attempts,
            error=line,
        )
