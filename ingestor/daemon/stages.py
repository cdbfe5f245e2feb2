"""The pipeline's stages as the daemon runs them: beside each other, in turns.

Whatever would wait for a page or a process gives way to the others. So neither a backlog of
thousands of entries nor pages that cost a lot hold up the polls, nor what is quick.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, TypeAlias

from sqlalchemy import Connection

from ingestor import log, policy
from ingestor.errors import StoreAway
from ingestor.fetch.host_limiter import host_of
from ingestor.model import FeedState
from ingestor.pipeline import Services, Summary
from ingestor.pipeline.files import IMAGES_A_ROUND, files_in_turns, image_round
from ingestor.pipeline.ingest import CHECKS_A_ROUND, ENTRIES_A_ROUND, check_round, ingest_round
from ingestor.pipeline.poll import poll_feeds
from ingestor.pipeline.rounds import Round, Rounds
from ingestor.store import entries, feeds, images, rechecks
from ingestor.store.due import due_feeds, feeds_with_due_entries, is_anything_due, next_due
from ingestor.store.entries import QueuedEntry
from ingestor.store.images import DueImage
from ingestor.store.rechecks import DueCheck

AGAIN_SECONDS = 0.25
"""How often it is looked up what is due, while something is under way."""

STORE_AGAIN_SECONDS = 60.0
"""After so long what an object store did not take is tried again."""

_Due: TypeAlias = Callable[[Connection, datetime], Iterable[Any]]


class Stages:
    """What the daemon has under way: each stage begins what is due, and goes on with it in turns.

    Raises :class:`~ingestor.errors.ArchiveError` when the archive itself fails.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self._feeds = {feed.name: feed.feed() for feed in services.settings.feeds}
        clock = services.clock
        self._polls = Rounds[FeedState](
            clock,
            lambda states: poll_feeds(services, states, Summary()),
            key=lambda state: state.id,
            source=lambda state: state.id,
        )
        self._entries = Rounds[QueuedEntry](
            clock, self._ingested, key=lambda entry: entry.id, source=lambda entry: entry.feed_id
        )
        self._checks = Rounds[DueCheck](
            clock,
            lambda due: check_round(services, due, Summary()),
            key=lambda check: check.article_id,
            source=lambda check: check.feed_id,
        )
        self._pictures = Rounds[DueImage](
            clock,
            lambda due: self._patient("pictures", image_round(services, due)),
            key=lambda picture: hash(picture.url),
            source=lambda picture: hash(host_of(picture.url)),
        )
        self._files = Rounds[None](
            clock, lambda _: self._patient("files", files_in_turns(services)), key=hash, source=hash
        )
        self._by_name: dict[str, tuple[Rounds[Any], _Due]] = {
            "poll": (self._polls, self._due_polls),
            "ingest": (self._entries, self._due_entries),
            "recheck": (self._checks, self._due_checks),
            "files": (self._files, lambda _connection, _now: [None]),
            "pictures": (self._pictures, self._due_pictures),
        }
        self._looked_at = dict.fromkeys(self._by_name, float("-inf"))
        self._quiet: tuple[int, datetime] | None = None
        """What the archive's count of changes was when nothing was due, and until when."""

    @property
    def under_way(self) -> bool:
        """Whether something is under way."""
        return any(len(rounds) for rounds, _ in self._by_name.values())

    def have_work(self) -> bool:
        """Return whether something is under way, or due.

        Once nothing was due, that is known until the first moment at which something will be, or
        anybody changes the archive: a feed, a retry, an import.
        """
        if self.under_way:
            return True
        services = self._services
        # Before the question: what is committed after it is seen the next time.
        now, changes = services.clock.now(), services.database.changes()
        if self._quiet and self._quiet[0] == changes and now < self._quiet[1]:
            return False
        images = services.settings.archive.images
        with services.database.reading() as connection:
            is_due = is_anything_due(connection, now, with_images=images)
            next_at = None if is_due else next_due(connection, now, with_images=images)
        forever = datetime.max.replace(tzinfo=UTC)
        self._quiet = None if is_due or changes is None else (changes, next_at or forever)
        return is_due

    def turn(self, name: str) -> None:
        """Begin what is due of a stage, and go on with what of it is under way."""
        rounds, due = self._by_name[name]
        now = self._services.clock.monotonic()
        if now - self._looked_at[name] >= AGAIN_SECONDS and not self._services.clock.stop.is_set():
            self._looked_at[name] = now
            with self._services.database.reading() as connection:
                found = list(due(connection, self._services.clock.now()))
            rounds.offer(found)
        rounds.go_on()

    def _patient(self, name: str, work: Round) -> Round:
        """Do work that an object store may refuse: it is due still, and begins again later."""
        try:
            yield from work
        except StoreAway as error:
            log.warning("store_away", stage=name, error=str(error), again_s=STORE_AGAIN_SECONDS)
            self._looked_at[name] = self._services.clock.monotonic() + STORE_AGAIN_SECONDS

    def rest(self) -> None:
        """Let go of what is kept for work, where there has been none for some time."""
        if not self.under_way:
            self._services.workers.rest()

    def finish(self) -> None:
        """Let what is under way end, within half of ``service.stop_timeout``."""
        self._services.finish(self._last_turns())

    def _last_turns(self) -> Round:
        while self.under_way:
            for rounds, _ in self._by_name.values():
                rounds.go_on()
            yield ()

    def close(self) -> None:
        """Leave what is under way to itself: it is due in the database still."""
        for rounds, _ in self._by_name.values():
            rounds.drop()

    def _due_polls(self, connection: Connection, now: datetime) -> list[FeedState]:
        # Asked again and again: thousands of feeds are not loaded to find that a few are due.
        names = due_feeds(connection, now)
        wanted = [self._feeds[name] for name in names if name in self._feeds]
        return policy.due_feeds(feeds.states(connection, wanted), now) if wanted else []

    def _due_entries(self, connection: Connection, now: datetime) -> Iterator[QueuedEntry]:
        """Yield entries of each feed in its turn, no more than may begin."""
        names = [name for name in feeds_with_due_entries(connection, now) if name in self._feeds]
        ids = feeds.ids(connection) if names else {}
        left = ENTRIES_A_ROUND
        for feed_id in self._entries.in_order(ids[name] for name in names):
            room = min(self._entries.room(feed_id), left)
            if room > 0:
                limit = self._entries.under_way(feed_id) + room
                found = entries.due(connection, now, feed_ids=[feed_id], limit=limit)
                left -= min(room, len(found))
                yield from found

    def _ingested(self, due: Sequence[QueuedEntry]) -> Round:
        by_id = {entry.feed_id: self._feeds[entry.feed_name] for entry in due}
        return ingest_round(self._services, by_id, due, Summary())

    def _due_checks(self, connection: Connection, now: datetime) -> list[DueCheck]:
        limit = CHECKS_A_ROUND + len(self._checks)
        return rechecks.due(connection, now, limit, but_of=self._checks.full())

    def _due_pictures(self, connection: Connection, now: datetime) -> list[DueImage]:
        if not self._services.settings.archive.images:
            return []
        return images.due(connection, now, IMAGES_A_ROUND + len(self._pictures))
