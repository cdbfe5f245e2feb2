"""``ingest retry``: another chance for what was given up."""

from __future__ import annotations

from typing import Annotated

import typer

from ingestor.cli.archive import chosen_feeds, existing
from ingestor.cli.common import feed_option, options, say
from ingestor.store import entries, feeds, watches
from ingestor.text.counts import counted


def retry(
    context: typer.Context,
    feed: Annotated[
        list[str] | None,
        feed_option("Only this feed's entries (repeatable)."),
    ] = None,
) -> None:
    """Make due again what was given up: entries, feeds, hits of watches.

    The next pass tries them.

    Example: ingest retry --feed 新浪财经－國內
    """
    settings = options(context).settings()
    wanted = chosen_feeds(settings, feed or [])
    database = existing(settings)
    with database.transaction() as connection:
        ids = [state.id for state in feeds.states(connection, wanted)]
        count = entries.retry(connection, ids if feed else None)
        resumed = feeds.resume(connection, ids)
        waiting = 0 if feed else watches.retry(connection)
    database.close()
    say(f"{counted(count, 'parked entry is', 'parked entries are')} due again")
    if resumed:
        say(f"{counted(resumed, 'stopped feed is', 'stopped feeds are')} asked again")
    if waiting:
        say(f"the hits of {counted(waiting, 'watch', 'watches')} are tried again")
