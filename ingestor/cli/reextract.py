"""``ingest reextract``: today's rules over the kept pages."""

from __future__ import annotations

from contextlib import ExitStack, closing
from typing import Annotated

import typer

from ingestor.cli.common import existing, options, say, say_error, set_up_logs
from ingestor.cli.defer import defer_reextract
from ingestor.cli.filters import filters_of
from ingestor.cli.tally import Tally, shown
from ingestor.clock import Clock
from ingestor.config import Settings
from ingestor.daemon.loop import stop_on_signals
from ingestor.errors import UsageError
from ingestor.pipeline import reextract as pipeline_reextract
from ingestor.store import feeds, reextraction
from ingestor.store.db.database import Database
from ingestor.store.db.migrations import upgrade
from ingestor.store.db.run_lock import only_run
from ingestor.store.filters import Filters
from ingestor.workers import Workers


def reextract(
    context: typer.Context,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would change; store nothing.")
    ] = False,
    diffs: Annotated[
        int, typer.Option("--diffs", min=0, help="With --dry-run: show the first so many.")
    ] = 5,
    feed: Annotated[
        list[str] | None,
        typer.Option("--feed", metavar="NAME", help="Only this feed's articles (repeatable)."),
    ] = None,
    since: Annotated[
        str | None, typer.Option("--since", metavar="DAY", help="From this publication day on.")
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", metavar="DAY", help="Up to and including this day.")
    ] = None,
    defer: Annotated[
        bool, typer.Option("--defer", help="Hand the days to `ingest worker` (PostgreSQL).")
    ] = False,
) -> None:
    """Read the kept raw pages again with today's rules.

    What changes becomes a revision with the cause "reextract": ours, not the publisher's.
    Interrupted, it is run again; what is done is not done twice. Exits 1 when a page cannot
    be read; its article stays as it was. The daemon has to be stopped, except for --dry-run.

    Example: ingest reextract --dry-run --since 2024-01-01
    """
    set_up_logs(options(context))
    settings = options(context).settings()
    filters = filters_of(since=since or "", until=until or "", feed=feed)
    if defer:
        _hand_over(settings, filters, dry_run=dry_run)
        return
    with ExitStack() as stack:
        database = stack.enter_context(closing(existing(settings, current=dry_run)))
        clock = Clock()
        stack.enter_context(stop_on_signals(clock, settings.service.stop_timeout))
        if not dry_run:
            stack.enter_context(only_run(database))
            upgrade(database)
        _require_feeds(database, filters)
        tally = _run(settings, database, clock, filters=filters, diffs=diffs if dry_run else None)
    if tally.unreadable:
        raise typer.Exit(1)


def _hand_over(settings: Settings, filters: Filters, *, dry_run: bool) -> None:
    if dry_run:
        raise UsageError("--defer and --dry-run exclude each other")
    with closing(existing(settings)) as database:
        _require_feeds(database, filters)
    defer_reextract(settings, filters)


def _require_feeds(database: Database, filters: Filters) -> None:
    with database.reading() as connection:
        known = feeds.ids(connection)
    for name in filters.feeds:
        if name not in known:
            names = ", ".join(known) or "none"
            raise UsageError(f'--feed: the archive knows no feed "{name}"; there are: {names}')


def _run(
    settings: Settings, database: Database, clock: Clock, *, filters: Filters, diffs: int | None
) -> Tally:
    """Read again, and say what came of it; ``diffs`` is ``None`` when it is meant."""
    began = clock.monotonic()
    with database.reading() as connection:
        every, kept = reextraction.count(connection, filters)
    with ExitStack() as stack:
        workers = stack.enter_context(Workers())
        tally = stack.enter_context(shown(kept, diffs or 0))
        for one in pipeline_reextract.reextract(
            settings.archive,
            database,
            workers,
            clock,
            filters=filters,
            dry_run=diffs is not None,
        ):
            tally.add(one)
    for line in tally.lines(without_page=every - kept, dry_run=diffs is not None):
        say(line)
    seconds = max(clock.monotonic() - began, 0.001)
    say(f"{seconds:.1f} s, {60 * tally.read / seconds:.0f} articles a minute")
    if tally.read < kept:
        say_error(
            f"stopped after {tally.read} of {kept}; the same command"
            f"{f' with --since {tally.day}' if tally.day else ''} goes on there"
        )
    return tally
