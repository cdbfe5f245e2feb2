"""``ingest check``: would it work? Reads, asks, stores nothing."""

from __future__ import annotations

import os

import typer

from ingestor.cli.archive import chosen_feeds, say_same_places
from ingestor.cli.common import options, say, say_error
from ingestor.cli.logs import set_up_logs
from ingestor.clock import Clock
from ingestor.config import Settings
from ingestor.config.channels import channel_of_rsshub, shortest_name
from ingestor.errors import FeedUnreadable, FetchError, IngestorError, StorageFailed
from ingestor.fetch.headers import require_page
from ingestor.model import Feed, FeedDocument, Response, Validators
from ingestor.pipeline.captures import require_folders
from ingestor.pipeline.services import fetcher
from ingestor.sources import source
from ingestor.store.db.database import Database
from ingestor.store.db.migrations import is_current
from ingestor.text.counts import counted
from ingestor.text.sanitize import redact
from ingestor.watch.hits import require_sound
from ingestor.workers.tasks import read_feed


def check(context: typer.Context) -> None:
    """Read the configuration, open the database, try each feed once, store nothing.

    Example: ingest check --config config.toml
    """
    chosen = options(context)
    set_up_logs(chosen)
    settings = chosen.settings()
    feeds = chosen_feeds(settings, [])
    say_same_places(feeds)
    require_sound(settings)
    say(f"database  {_database(settings)}")
    require_folders(settings.archive)
    if not _feeds(settings, feeds):
        raise typer.Exit(1)


def _database(settings: Settings) -> str:
    """Say how the database is; raise :class:`ArchiveError` when it cannot be used."""
    database = Database(settings.store.url)
    if database.path and not database.path.exists():
        if not os.access(database.path.parent, os.W_OK):
            raise StorageFailed(f"{database.path.parent}: this user may not write there")
        return f"{database.path}: not there yet, will be made"
    with database.reading() as connection:
        current = is_current(connection, database)
    database.close()
    return f"{redact(settings.store.url)}: {'ready' if current else 'older, will be upgraded'}"


def _feeds(settings: Settings, feeds: list[Feed]) -> bool:
    """Try each feed and say how it went; return whether all answered with a feed."""
    well = True
    with fetcher(settings, Clock()) as client:
        requests = [(feed, source(feed.kind).request(feed, Validators())) for feed in feeds]
        for feed, outcome in client.get_all(requests):
            try:
                say(f"ok        {feed.name}: {said_of(tried(feed, outcome))}")
                if hint := own_kind(feed):
                    say(f"hint      {feed.name}: RSSHub is not needed: {hint}")
            except IngestorError as error:
                well = False
                say(f"FAILED    {feed.name}")
                say_error(f"feed {feed.name}: {error}")
    return well


def tried(feed: Feed, outcome: Response | FetchError) -> FeedDocument:
    """Return what a feed announces; raise why it does not answer with a whole one."""
    if isinstance(outcome, FetchError):
        raise outcome
    require_page(outcome)
    document = read_feed(feed, outcome)
    if document.fault:
        raise FeedUnreadable(f"{feed.url}: {document.fault}")
    return document


def said_of(document: FeedDocument) -> str:
    """Say what a feed announces."""
    if document.parts:
        return f"an index of {counted(len(document.parts), 'sitemap')}"
    full = sum(bool(entry.content) for entry in document.entries)
    named = f'"{document.title}", ' if document.title else ""
    return f"{named}{counted(len(document.entries), 'entry')}, {full} with their text"


def own_kind(feed: Feed) -> str:
    """Say how a feed of RSSHub's is read without it, ``""`` where it is none of Sina's."""
    channel = channel_of_rsshub(feed.url) if feed.kind == "rss" else None
    if channel is None:
        return ""
    numbers = channel.numbers.replace("=", " = ").replace(" tag", ", tag").replace(" lid", ", lid")
    key = f'channel = "{shortest_name(channel)}"' if channel.name else numbers
    past = ", and its past" if channel.kind == "sina-roll" else ""
    return f'kind = "{channel.kind}" with {key} reads it from Sina itself{past}'
