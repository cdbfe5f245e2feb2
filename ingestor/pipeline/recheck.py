"""Articles again: publishers edit after publication, and a revision keeps what was there.

::

    articles that are due | look at the page, conditionally | settle: a revision, if it changed
"""

from __future__ import annotations

from ingestor.model import Request
from ingestor.pipeline.batches import batches
from ingestor.pipeline.look import PageRead, look_at_pages
from ingestor.pipeline.rejudge import withdraw_found
from ingestor.pipeline.services import Services, Summary, remember_pauses
from ingestor.pipeline.settle import settle
from ingestor.store import rechecks
from ingestor.store.due import ALL, Shard

CHECKS_A_ROUND = 200
"""Articles looked at again at a time."""

CHECKS_A_TRANSACTION = 50
"""Looks written down together: one wait for the disk serves them all."""


def check_again(services: Services, summary: Summary, shard: Shard = ALL) -> None:
    """Look again at every article of this shard whose time has come, with conditional requests.

    A page that is gone or cannot be read is no edit: the article stays as it was, and is
    looked at again at its next time, if it has one.
    """
    now = services.clock.now()
    while not services.clock.stop.is_set():
        with services.database.reading() as connection:
            due = rechecks.due(connection, now, CHECKS_A_ROUND, shard)
        if not due:
            return
        pages = [(check, Request(check.url, check.validators.headers)) for check in due]
        # Not packed beforehand: most bodies are in the WARC already, and become revisits.
        looks = look_at_pages(services.fetcher, services.workers, pages, pack=False)
        dated = (
            (check, look.titled(check.title).dated(None) if isinstance(look, PageRead) else look)
            for check, look in looks
        )
        for batch in batches(dated, CHECKS_A_TRANSACTION, services.clock.monotonic):
            settle(services, batch, summary)
        withdraw_found(services, summary)
        remember_pauses(services)
