"""``ingest reextract``: today's rules over the kept pages."""

from __future__ import annotations

from collections.abc import Sequence
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
from ingestor.store.exports import Filters
from ingestor.store.reextraction import Wanted
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
    names, days = feed or [], filters_of(since=since or "", until=until or "")
    if defer:
        _hand_over(settings, names, days, dry_run=dry_run)
        return
    with ExitStack() as stack:
        database = stack.enter_context(closing(existing(settings, current=dry_run)))
        clock = Clock()
        stack.enter_context(stop_on_signals(clock, settings.service.stop_timeout))
        if not dry_run:
            stack.enter_context(only_run(database))
            upgrade(database)
        wanted = _wanted(database, names, days)
        tally = _run(settings, database, clock, wanted=wanted, diffs=diffs if dry_run else None)
    if tally.unreadable:
        raise typer.Exit(1)


def _hand_over(settings: Settings, names: Sequence[str], days: Filters, *, dry_run: bool) -> None:
    if dry_run:
        raise UsageError("--defer and --dry-run exclude each other")
    with closing(existing(settings)) as database:
        wanted = _wanted(database, names, days)
    defer_reextract(settings, wanted)


def _wanted(database: Database, names: Sequence[str], days: Filters) -> Wanted:
    with database.reading() as connection:
        known = feeds.ids(connection)
    for name in names:
        if name not in known:
            there = ", ".join(known) or "none"
            raise UsageError(f'--feed: the archive knows no feed "{name}"; there are: {there}')
    return Wanted(tuple(known[name] for name in names), days.since, days.until)


def _run(
    settings: Settings, database: Database, clock: Clock, *, wanted: Wanted, diffs: int | None
) -> Tally:
    """Read again, and say what came of it; ``diffs`` is ``None`` when it is meant."""
    began = clock.monotonic()
    with database.reading() as connection:
        every, kept = reextraction.count(connection, wanted)
    with ExitStack() as stack:
        workers = stack.enter_context(Workers())
        tally = stack.enter_context(shown(kept, diffs or 0))
        for one in pipeline_reextract.reextract(
            settings.archive,
            database,
            workers,
            clock,
            wanted=wanted,
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
