"""``--defer``: days of the past are handed over to the workers of a cluster."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from datetime import date

from ingestor.cli.archive import existing
from ingestor.cli.common import say
from ingestor.config import Settings
from ingestor.errors import UsageError
from ingestor.model import Feed
from ingestor.pipeline.backfill import newest_first
from ingestor.sources import older
from ingestor.store import cluster, feeds, reextraction
from ingestor.store.cluster import Assignment
from ingestor.store.db.database import Database
from ingestor.store.filters import Filters
from ingestor.text.counts import counted


def defer_backfill(
    settings: Settings, walked: Sequence[Feed], span: tuple[date, date], *, force: bool
) -> None:
    """Let workers walk the days of ``span`` for these feeds; with ``force`` also those walked."""
    with closing(_server(settings)) as database, database.transaction() as connection:
        known = feeds.ids(connection)
        wanted = []
        for feed in walked:
            if feed.name not in known:
                raise UsageError(f"feed {feed.name}: no worker has seen it yet; start one first")
            days = newest_first(span)
            for day in days:
                progress = feeds.progress_of(connection, known[feed.name], day.isoformat())
                if force:
                    feeds.forget_progress(connection, known[feed.name], day.isoformat())
                elif progress.finished and not older(feed.kind):
                    continue
                # A list without days is walked as a whole.
                whole = span if older(feed.kind) else (day, day)
                wanted.append(Assignment("backfill", known[feed.name], whole))
        number = cluster.assign(connection, list(dict.fromkeys(wanted)))
    _say_deferred(counted(number, "day of a feed", "days of feeds"))


def defer_reextract(settings: Settings, filters: Filters) -> None:
    """Let workers read the kept pages of the articles that are meant again, a day at a time."""
    with closing(_server(settings)) as database, database.transaction() as connection:
        days = reextraction.days(connection, filters)
        known = feeds.ids(connection)
        feed_ids: Sequence[int | None] = [known[name] for name in filters.feeds] or [None]
        number = cluster.assign(
            connection,
            [Assignment("reextract", feed_id, (day, day)) for day in days for feed_id in feed_ids],
        )
    _say_deferred(counted(number, "day"))


def _say_deferred(days: str) -> None:
    say(f"{days} handed over to the workers; `ingest status` says how many wait")


def _server(settings: Settings) -> Database:
    if not settings.store.url.startswith("postgresql"):
        raise UsageError("--defer: workers need PostgreSQL, and store.url names an SQLite file")
    return existing(settings)
