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

The daemon runs the same stages as steps, in the same order: each looks for what is due, does a
bounded part of it, and ends. Between two steps other feeds get their turn, so that a backlog of
thousands of entries does not hold up the polls.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy import Connection

from ingestor import policy
from ingestor.model import Feed, FeedState
from ingestor.pipeline.backfill import Backfill, Day
from ingestor.pipeline.files import write_due_files
from ingestor.pipeline.images import download_images
from ingestor.pipeline.ingest import check_again, ingest_entries
from ingestor.pipeline.poll import poll_feeds
from ingestor.pipeline.services import Services, Summary
from ingestor.store import entries, feeds
from ingestor.store.due import due_feeds, feeds_with_due_entries

__all__ = [
    "STAGES",
    "BackfillRun",
    "Day",
    "Services",
    "Summary",
    "register_feeds",
    "run_pass",
    "run_step",
]


@dataclass(frozen=True, slots=True)
class _Task:
    """What a stage is asked to do."""

    services: Services
    states: Sequence[FeedState]
    """The feeds that it is for."""
    whole: bool
    """All of it, as a pass does; else a bounded part of what is due."""
    summary: Summary = field(default_factory=Summary)


def _poll(task: _Task) -> None:
    due = task.states if task.whole else policy.due_feeds(task.states, task.services.clock.now())
    if due:
        poll_feeds(task.services, due, task.summary)


def _ingest(task: _Task) -> None:
    rounds = None if task.whole else 1
    ingest_entries(task.services, task.states, task.summary, rounds=rounds)


def _recheck(task: _Task) -> None:
    check_again(task.services, task.summary)


def _write(task: _Task) -> None:
    write_due_files(task.services)
    task.services.roll()


def _picture(task: _Task) -> None:
    download_images(task.services, rounds=None if task.whole else 1)


STAGES: Mapping[str, Callable[[_Task], None]] = {
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
        download_images(self._services)
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
    task = _Task(services, _states(services, wanted), whole=True)
    for stage in STAGES.values():
        stage(task)
    _complete(services, task.states, task.summary, began)
    return task.summary


def run_step(services: Services, name: str) -> None:
    """Run the stage of this name for all feeds: a bounded part of what is due.

    Raises :class:`~ingestor.errors.ArchiveError` when the archive itself fails.
    """
    # Asked every second: thousands of feeds are not loaded to find that a few are due.
    with services.database.reading() as connection:
        names = set(_CONCERNED.get(name, _nobody)(connection, services.clock.now()))
    concerned = [feed.feed() for feed in services.settings.feeds if feed.name in names]
    STAGES[name](_Task(services, _states(services, concerned), whole=False))


def _nobody(_connection: Connection, _now: datetime) -> list[str]:
    return []


_CONCERNED: Mapping[str, Callable[[Connection, datetime], list[str]]] = {
    "poll": due_feeds,
    "ingest": feeds_with_due_entries,
}
"""Which feeds a step is for, by name; the others do not go by feeds."""


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
