"""Our polls alone: what the daemon's first step does with its feeds, and nothing after it.

Entries come into the database with their text, the feed's body into the WARC. No article is made
of them yet. That is as far as a feed reader goes.
"""

from __future__ import annotations

import logging
import os
from contextlib import closing

from benchmarks.contenders.common import Order, order, report
from benchmarks.programs import configuration
from ingestor.cli import logs
from ingestor.clock import Clock
from ingestor.config import load
from ingestor.pipeline import STAGES, Summary, register_feeds
from ingestor.pipeline.services import opened
from ingestor.store import entries, feeds
from ingestor.store.db.database import Database
from ingestor.store.db.migrations import upgrade


def run(told: Order) -> int:
    """Poll all feeds; return how many went well and have their entries in the database."""
    path = told.folder / "config.toml"
    path.write_text(
        configuration(told.urls, told.proxy, more_of_a_feed='content = "feed"'), "utf-8"
    )
    logs.configure("json", logging.WARNING, frozenset())
    settings, clock = load(path, os.environ), Clock()
    with closing(Database(settings.store.url)) as database:
        upgrade(database)
        with opened(settings, database, clock) as services:
            register_feeds(services)
            configured = [feed.feed() for feed in settings.feeds]
            with database.reading() as connection:
                states = feeds.states(connection, configured)
            services.finish(STAGES["poll"](services, states, Summary()))
        with database.reading() as connection:
            states = feeds.states(connection, configured)
            known = {one.id for one in states if entries.count(connection, "pending", [one.id])}
    return sum(not one.failures and one.id in known for one in states)


if __name__ == "__main__":
    report(run(order()))
