"""One pass, in order. This is the only place that knows all the stages.

::

    feeds    | ask (304? same hash?) | read          | announce + validators   poll
    days     | ask page after page   | read          | announce + progress     backfill
    entries  | ask the page          | extract       | save + entry done       ingest
             | ask further pages    | extract       | join                    look
    articles | ask the page again    | extract       | a revision, if edited   ingest
    articles | whose file is due     | render        | write + file known      files
    pictures | ask, if wanted        | is it one?    | write + path known      files

Each ``|`` hands over frozen records; each last column is one transaction. What a pass does
not finish is in the database as *pending* or *due*, and the next pass finishes it: there is
no other memory.

The daemon runs the same stages beside each other (:mod:`ingestor.daemon.stages`).

A stage is imported when there is something for it: most passes poll feeds in which nothing is new,
and what reads pages takes longer to import than such a pass takes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, TypeAlias

from sqlalchemy import Connection

from ingestor.model import Feed, FeedState
from ingestor.pipeline.rounds import Round
from ingestor.pipeline.services import Services, Summary
from ingestor.store import entries, feeds
from ingestor.store.due import (
    due_file_shards,
    due_recheck_shards,
    feeds_with_due_entries,
    is_image_due,
)

if TYPE_CHECKING:
    from ingestor.pipeline.backfill import Day

__all__ = [
    "STAGES",
    "BackfillRun",
    "Services",
    "Summary",
    "register_feeds",
    "run_pass",
]


_Pass: TypeAlias = Callable[[Services, Sequence[FeedState], Summary], Round]


def _poll(services: Services, states: Sequence[FeedState], summary: Summary) -> Round:
    if states:
        from ingestor.pipeline.poll import poll_feeds  # noqa: PLC0415 - see the module's docstring

        yield from poll_feeds(services, states, summary)


def _ingest(services: Services, states: Sequence[FeedState], summary: Summary) -> Round:
    if states and _is_any(services, feeds_with_due_entries):
        from ingestor.pipeline.ingest import ingest_entries  # noqa: PLC0415 - as above

        yield from ingest_entries(services, states, summary)


def _recheck(services: Services, _: Sequence[FeedState], summary: Summary) -> Round:
    if _is_any(services, lambda connection, now: due_recheck_shards(connection, now, 1)):
        from ingestor.pipeline.ingest import check_again  # noqa: PLC0415 - as above

        yield from check_again(services, summary)


def _write(services: Services, _states: Sequence[FeedState], _summary: Summary) -> Round:
    if _is_any(services, lambda connection, _: due_file_shards(connection, 1)):
        from ingestor.pipeline.files import files_in_turns  # noqa: PLC0415 - as above

        yield from files_in_turns(services)
    else:
        services.roll()


def _picture(services: Services, states: Sequence[FeedState], summary: Summary) -> Round:
    if services.settings.archive.images and _is_any(services, is_image_due):
        from ingestor.pipeline.files import download_images  # noqa: PLC0415 - as above

        yield from download_images(services)
        # What names the pictures that came only now.
        yield from _write(services, states, summary)


def _is_any(services: Services, due: Callable[[Connection, datetime], object]) -> bool:
    with services.database.reading() as connection:
        return bool(due(connection, services.clock.now()))


STAGES: Mapping[str, _Pass] = {
    "poll": _poll,
    "ingest": _ingest,
    "recheck": _recheck,
    "files": _write,
    "pictures": _picture,
}
"""What a pass and the daemon do, by name, in the order of the data."""


class BackfillRun:
    """A backfill with all that follows it; iterate its days, then read its summary.

    Walks the days of ``span`` for those of ``wanted`` that have a past, and writes files. Raises
    :class:`~ingestor.errors.ArchiveError` when the archive itself fails.
    """

    def __init__(
        self, services: Services, wanted: Sequence[Feed], span: tuple[date, date], *, force: bool
    ) -> None:
        from ingestor.pipeline.backfill import Backfill  # noqa: PLC0415 - a pass needs none of it

        self._services = services
        self._walk = Backfill(services, _states(services, wanted), span, force)
        self.summary = self._walk.summary

    def __iter__(self) -> Iterator[Day]:
        """Yield each day as it is through, its files written."""
        began = self._services.clock.monotonic()
        rest = self._services, self._walk.states, self.summary
        for day in self._walk:
            for _ in _write(*rest):
                pass
            yield day
        for _ in _write(*rest):
            pass
        self._services.finish(_picture(*rest))
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


def run_pass(services: Services, wanted: Sequence[Feed], summary: Summary | None = None) -> Summary:
    """Poll ``wanted``, ingest everything that is due for them, write files; say what was done.

    Once the clock's ``stop`` is set nothing new is begun. Raises
    :class:`~ingestor.errors.ArchiveError` when the archive itself fails; failures of feeds
    and articles are in the summary, which who watches hands in.
    """
    began = services.clock.monotonic()
    states, summary = _states(services, wanted), summary or Summary()
    for stage in STAGES.values():
        services.finish(stage(services, states, summary))
    _complete(services, states, summary, began)
    return summary


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
        summary.entries_pending = entries.count(
            connection, "pending", [state.id for state in states]
        )
    summary.seconds = round(services.clock.monotonic() - began, 3)
