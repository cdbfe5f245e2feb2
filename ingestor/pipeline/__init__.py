"""One pass, in order. This is the only place that knows all the stages.

::

    feeds    | ask (304? same hash?) | read          | announce + validators   polling
    days     | ask page after page   | read          | announce + progress     backfilling
    entries  | ask the page          | extract       | save + entry done       ingesting
             | ask further pages    | extract       | join                    joining
    articles | ask the page again    | extract       | a revision, if edited   rechecking
    articles | whose file is due     | render        | write + file known      projecting
    pictures | ask, if wanted        | is it one?    | write + path known      picturing

Each ``|`` hands over frozen records; each last column is one transaction. What a pass does
not finish is in the database as *pending* or *due*, and the next pass finishes it: there is
no other memory.

The daemon runs the same stages beside each other, in turns (:class:`Stages`): whatever would wait
for a page or a process gives way to the others. So neither a backlog of thousands of entries nor
pages that cost a lot hold up the polls, nor what is quick.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any, TypeAlias

from sqlalchemy import Connection

from ingestor import policy
from ingestor.fetch.host_limiter import host_of
from ingestor.model import Feed, FeedState
from ingestor.pipeline.backfill import Backfill, Day
from ingestor.pipeline.files import files_in_turns, write_due_files
from ingestor.pipeline.images import IMAGES_A_ROUND, download_images, image_round
from ingestor.pipeline.ingest import (
    CHECKS_A_ROUND,
    ENTRIES_A_ROUND,
    check_again,
    check_round,
    ingest_entries,
    ingest_round,
)
from ingestor.pipeline.poll import poll_feeds
from ingestor.pipeline.rounds import Round, Rounds
from ingestor.pipeline.services import Services, Summary
from ingestor.store import entries, feeds, images, rechecks
from ingestor.store.due import due_feeds, feeds_with_due_entries
from ingestor.store.entries import QueuedEntry
from ingestor.store.images import DueImage
from ingestor.store.rechecks import DueCheck

__all__ = [
    "STAGES",
    "BackfillRun",
    "Day",
    "Services",
    "Stages",
    "Summary",
    "register_feeds",
    "run_pass",
]


_Pass: TypeAlias = Callable[[Services, Sequence[FeedState], Summary], Round]

_Due: TypeAlias = Callable[[Connection, datetime], Iterable[Any]]

STAGES: Mapping[str, _Pass] = {
    "poll": poll_feeds,
    "ingest": ingest_entries,
    "recheck": lambda services, _, summary: check_again(services, summary),
    "files": lambda services, _states, _summary: files_in_turns(services),
    "pictures": lambda services, _states, _summary: download_images(services),
}
"""What a pass and the daemon do, by name, in the order of the data."""

AGAIN_SECONDS = 0.25
"""How often it is looked up what is due, while something is under way."""


class BackfillRun:
    """A backfill with all that follows it; iterate its days, then read its summary.

    Walks the days of ``span`` for those of ``wanted`` that have a past, and writes files. Raises
    :class:`~ingestor.errors.ArchiveError` when the archive itself fails.
    """

    def __init__(
        self, services: Services, wanted: Sequence[Feed], span: tuple[date, date], *, force: bool
    ) -> None:
        self._services = services
        self._walk = Backfill(services, _states(services, wanted), span, force)
        self.summary = self._walk.summary

    def __iter__(self) -> Iterator[Day]:
        """Yield each day as it is through, its files written."""
        began = self._services.clock.monotonic()
        for day in self._walk:
            write_due_files(self._services)
            self._services.roll()
            yield day
        write_due_files(self._services)
        self._services.finish(download_images(self._services))
        _complete(self._services, self._walk.states, self.summary, began)


def register_feeds(services: Services) -> None:
    """Make the database's feeds agree with the configuration."""
    settings = services.settings
    configured = [feed.feed() for feed in settings.feeds]
    with services.database.transaction() as connection:
        feeds.register(
            connection,
            configured,
            every=settings.schedule.every,
            slowest=settings.schedule.slowest,
        )


def run_pass(services: Services, wanted: Sequence[Feed]) -> Summary:
    """Poll ``wanted``, ingest everything that is due for them, write files; say what was done.

    Once the clock's ``stop`` is set nothing new is begun. Raises
    :class:`~ingestor.errors.ArchiveError` when the archive itself fails; failures of feeds
    and articles are in the summary.
    """
    began = services.clock.monotonic()
    states, summary = _states(services, wanted), Summary()
    for stage in STAGES.values():
        services.finish(stage(services, states, summary))
    _complete(services, states, summary, began)
    return summary


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
            lambda due: image_round(services, due),
            key=lambda picture: hash(picture.url),
            source=lambda picture: hash(host_of(picture.url)),
        )
        self._files = Rounds[None](
            clock, lambda _: files_in_turns(services), key=lambda _: 0, source=lambda _: 0
        )
        self._by_name: dict[str, tuple[Rounds[Any], _Due]] = {
            "poll": (self._polls, self._due_polls),
            "ingest": (self._entries, self._due_entries),
            "recheck": (self._checks, self._due_checks),
            "files": (self._files, lambda _connection, _now: [None]),
            "pictures": (self._pictures, self._due_pictures),
        }
        self._looked_at = dict.fromkeys(self._by_name, float("-inf"))

    @property
    def under_way(self) -> bool:
        """Whether something is under way."""
        return any(len(rounds) for rounds, _ in self._by_name.values())

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


def _states(services: Services, wanted: Sequence[Feed]) -> list[FeedState]:
    """Return these feeds with what the database knows about them."""
    if not wanted:
        return []
    with services.database.reading() as connection:
        return feeds.states(connection, wanted)


def _complete(
    services: Services, states: Sequence[FeedState], summary: Summary, began: float
) -> None:
    """Put into the summary what is known only at the end."""
    with services.database.reading() as connection:
        summary.entries_pending = entries.count(connection, "pending", [one.id for one in states])
    summary.seconds = round(services.clock.monotonic() - began, 3)
