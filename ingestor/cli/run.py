"""``ingest`` and ``ingest --once``: the daemon, and one pass; both run the same callable."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from ingestor import __version__
from ingestor.cli.backfill import Backfill
from ingestor.cli.common import Options, chosen_feeds, say, say_error, set_up_logs
from ingestor.clock import Clock
from ingestor.config import Settings
from ingestor.daemon import serve, stop_on_signals
from ingestor.errors import UsageError
from ingestor.model import Feed
from ingestor.pipeline import Summary, register_feeds, run_pass
from ingestor.pipeline.services import opened
from ingestor.store.database import Database
from ingestor.store.lock import only_run
from ingestor.store.migrations import upgrade


def _say_version(wanted: bool) -> None:
    if wanted:
        say(f"ingestor {__version__}")
        raise typer.Exit


Once = Annotated[bool, typer.Option("--once", help="One pass over all feeds, then exit.")]
Feeds = Annotated[
    list[str] | None,
    typer.Option("--feed", metavar="NAME", help="With --once: only this feed (repeatable)."),
]
AsJson = Annotated[
    bool, typer.Option("--json", help="With --once: the summary as one JSON object.")
]
Since = Annotated[
    str | None,
    typer.Option("--since", metavar="DAY", help="With --once: backfill from this day on."),
]
Until = Annotated[
    str | None,
    typer.Option("--until", metavar="DAY", help="Up to and including this day (else today)."),
]
Force = Annotated[
    bool, typer.Option("--force", help="With --since: walk days again that are through.")
]
ConfigFile = Annotated[
    Path | None,
    typer.Option("--config", metavar="PATH", help="Configuration file (or INGEST_CONFIG)."),
]
Verbose = Annotated[bool, typer.Option("--verbose", help="Say more.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="Say only what is wrong.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show tracebacks.")]
Version = Annotated[
    bool,
    typer.Option("--version", callback=_say_version, is_eager=True, help="Say the version."),
]


def run(
    context: typer.Context,
    once: Once = False,
    feed: Feeds = None,
    as_json: AsJson = False,
    since: Since = None,
    until: Until = None,
    force: Force = False,
    config: ConfigFile = None,
    verbose: Verbose = False,
    quiet: Quiet = False,
    debug: Debug = False,
    _version: Version = False,
) -> None:
    """Poll feeds and keep every article, with its history, for good.

    Without a command this is the daemon: it runs in the foreground until SIGTERM or Ctrl-C.

    Example: ingest --once --config config.toml --json

    Example: ingest --once --since 2024-01-01 --until 2024-03-31 --feed 新浪财经－宏观经济
    """
    context.obj = Options(config=config, verbose=verbose, quiet=quiet, debug=debug)
    if context.invoked_subcommand:
        given = once or bool(feed) or as_json or bool(since or until) or force
        _refuse_run_options(context.invoked_subcommand, given)
        return
    if not once and (feed or as_json or since or until):
        raise UsageError("--feed, --json, --since and --until go with --once")
    set_up_logs(context.obj)
    settings = context.obj.settings()
    wanted = chosen_feeds(settings, feed or [])
    clock = Clock()
    past = Backfill.wanted(wanted, (since, until), clock.now(), force=force)
    database = Database(settings.store.url)
    with stop_on_signals(clock), only_run(database):
        summary = _work(settings, database, clock, once=wanted if once else None, past=past)
    database.close()
    if summary:
        _report(summary, as_json=as_json)


def _work(
    settings: Settings,
    database: Database,
    clock: Clock,
    *,
    once: list[Feed] | None,
    past: Backfill | None,
) -> Summary | None:
    """Run one pass over ``once``, walk the past, or serve until told to stop."""
    upgrade(database)
    with opened(settings, database, clock) as services:
        register_feeds(services)
        if past is not None:
            return past.run(services)
        if once is not None:
            return run_pass(services, once)
        every = [feed.feed() for feed in settings.feeds]
        serve(lambda: run_pass(services, every, only_due=True), clock)
        return None


def _refuse_run_options(command: str, given: bool) -> None:
    if given:
        raise UsageError(f"options before `{command}` belong behind it: ingest {command} --help")


def _report(summary: Summary, *, as_json: bool) -> None:
    for problem in summary.problems:
        say_error(problem)
    numbers = summary.numbers()
    if as_json:
        say(json.dumps(numbers, ensure_ascii=False))
    else:
        say(
            "{feeds} feeds ({feeds_unchanged} unchanged, {feeds_failed} failed): "
            "{entries_new} new entries; articles: {articles_new} new, {articles_revised} revised, "
            "{articles_unchanged} unchanged; {entries_failed} entries failed, "
            "{entries_pending} pending; {seconds} s".format(**numbers)
        )
    if not summary.all_well:
        raise typer.Exit(1)
