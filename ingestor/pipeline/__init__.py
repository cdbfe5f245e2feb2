"""One pass, in order. This is the only place that knows all the stages.

::

    feeds    | ask (304? same hash?) | read          | announce + validators   polling
    days     | ask page after page   | read          | announce + progress     backfilling
    entries  | ask the page          | extract       | save + entry done       ingesting
    articles | ask the page again    | extract       | a revision, if edited   rechecking
    articles | whose file is due     | render        | write + file known      projecting

Each ``|`` hands over frozen records; each last column is one transaction. What a pass does
not finish is in the database as *pending* or *due*, and the next pass finishes it: there is
no other memory.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from ingestor.model import Feed, FeedState
from ingestor.pipeline.backfilling import Day, backfill
from ingestor.pipeline.ingesting import ingest_entries
from ingestor.pipeline.polling import poll_feeds
from ingestor.pipeline.projecting import write_due_files
from ingestor.pipeline.rechecking import check_again
from ingestor.pipeline.services import Services, Summary
from ingestor.store import entries, feeds

__all__ = ["Day", "Services", "Summary", "register_feeds", "run_backfill", "run_pass", "states_of"]


def run_backfill(
    services: Services, wanted: Sequence[Feed], span: tuple[date, date], *, force: bool = False
) -> Iterator[Day | Summary]:
    """Walk the days of ``span`` for those of ``wanted`` that have a past; write files.

    Yields each day as it is through, and at last the summary. Raises
    :class:`~ingestor.errors.ArchiveError` when the archive itself fails.
    """
    began = services.clock.monotonic()
    states = states_of(services, wanted)
    summary = Summary()
    for day in backfill(services, states, span, summary, force=force):
        write_due_files(services)
        yield day
    write_due_files(services)
    _complete(services, states, summary, began)
    yield summary


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
    states = states_of(services, wanted)
    summary = Summary()
    poll_feeds(services, states, summary)
    ingest_entries(services, states, summary)
    check_again(services, summary)
    write_due_files(services)
    _complete(services, states, summary, began)
    return summary


def states_of(services: Services, wanted: Sequence[Feed]) -> list[FeedState]:
    """Return these feeds with what the database knows about them."""
    with services.database.reading() as connection:
        return feeds.states(connection, wanted)


def _complete(
    services: Services, states: Sequence[FeedState], summary: Summary, began: float
) -> None:
    """Put into the summary what is known only at the end."""
    with services.database.reading() as connection:
        summary.entries_pending = entries.count(connection, "pending", [one.id for one in states])
    summary.seconds = round(services.clock.monotonic() - began, 3)
