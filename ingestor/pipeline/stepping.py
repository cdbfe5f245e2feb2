"""A pass in steps, for the daemon: each looks for what is due, does a bounded part, and ends.

The same functions as in a pass, in the same order; between two steps other feeds get their
turn, so that a backlog of thousands of entries does not hold up the polls.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ingestor import poll
from ingestor.model import FeedState
from ingestor.pipeline import states_of
from ingestor.pipeline.ingesting import ingest_entries
from ingestor.pipeline.polling import poll_feeds
from ingestor.pipeline.projecting import write_due_files
from ingestor.pipeline.rechecking import check_again
from ingestor.pipeline.services import Services, Summary


def poll_due(services: Services) -> None:
    """Poll the feeds whose time has come."""
    due = poll.due_feeds(_states(services), services.clock.now())
    if due:
        poll_feeds(services, due, Summary())


def ingest_due(services: Services) -> None:
    """Ingest one round of the entries that are due."""
    ingest_entries(services, _states(services), Summary(), rounds=1)


def recheck_due(services: Services) -> None:
    """Look again at the articles whose time has come."""
    check_again(services, Summary())


def _states(services: Services) -> list[FeedState]:
    return states_of(services, [feed.feed() for feed in services.settings.feeds])


STEPS: Mapping[str, Callable[[Services], object]] = {
    "poll": poll_due,
    "ingest": ingest_due,
    "recheck": recheck_due,
    "files": write_due_files,
}
"""The steps by their names, in the order of the data."""
