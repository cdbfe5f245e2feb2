"""Writing down what a feed's page announces, for polls and for backfills alike."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Connection

from ingestor.model import FeedDocument, FeedState, Response
from ingestor.pipeline import captures
from ingestor.pipeline.services import Services, Summary
from ingestor.store import entries


@dataclass(frozen=True, slots=True)
class FeedPage:
    """A body of a feed, read."""

    state: FeedState
    response: Response
    document: FeedDocument


@contextmanager
def announcing(
    services: Services, pages: Sequence[FeedPage], summary: Summary
) -> Iterator[tuple[Connection, list[int]]]:
    """Write down what pages announce, in one transaction, once their bodies are on the disk.

    Gives that transaction, for what has to be written down together with it, and how many entries
    of each page are new.
    """
    written = services.write_warc([page.response for page in pages])
    services.sync()
    now = services.clock.now()
    with services.database.transaction() as connection:
        captures.record_all(connection, written)
        new = [
            entries.announce(
                connection, page.state.id, page.state.feed, page.document.entries, now=now
            )
            for page in pages
        ]
        yield connection, new
    summary.entries_new += sum(new)
    summary.feeds_with_news |= {
        page.state.id for page, count in zip(pages, new, strict=True) if count
    }
