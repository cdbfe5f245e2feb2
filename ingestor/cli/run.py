"""``ingest --once --since … --until …``: a backfill, shown as it goes.

``ingest`` and ``ingest --once``: the daemon, and one pass; both run the same callable.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Self

import structlog
import typer

from ingestor import __version__
from ingestor.cli.common import (
    Options,
    chosen_feeds,
    day_option,
    say,
    say_error,
    say_json,
    set_up_logs,
)
from ingestor.cli.defer import defer_backfill
from ingestor.cli.logs import LogFormat
from ingestor.cli.progress import Bar, bar
from ingestor.clock import Clock
from ingestor.config import Settings
from ingestor.daemon.loop import stop_on_signals
from ingestor.daemon.systemd import systemd
from ingestor.errors import UsageError
from ingestor.identity import publication_day
from ingestor.model import Feed
from ingestor.pipeline import BackfillRun, Day, Services, Summary, register_feeds, run_pass
from ingestor.pipeline.services import opened
from ingestor.sources import has_past
from ingestor.store.db.database import Database
from ingestor.store.db.migrations import upgrade
from ingestor.store.db.run_lock import only_run

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Backfill:
    """A walk through the past, as it was asked for."""

    feeds: Sequence[Feed]
    span: tuple[date, date]
    """First and last publication day, both included."""
    force: bool

    @classmethod
    def wanted(
        cls,
        feeds: Sequence[Feed],
        days: tuple[str | None, str | None],
        now: datetime,
        *,
        force: bool,
    ) -> Self | None:
        """Return what --since and --until ask for, ``None`` when they are not given.

        Raises :class:`UsageError` for days that are none, and when no feed has a past.
        """
        since, until = days
        if not since:
            if until or force:
                raise UsageError("--until and --force go with --since")
            return None
        today = date.fromisoformat(publication_day(now))
        first = day_option("--since", since)
        last = day_option("--until", until) if until else today
        if last < first:
            raise UsageError(f"--until {last} is before --since {first}")
        if first > today:
            raise UsageError(f"--since {first} is in the future")
        walked = [feed for feed in feeds if has_past(feed.kind)]
        if not walked:
            raise UsageError(
                "none of these feeds has a past; feeds of kind sina-roll and sina-live have one"
            )
        for feed in feeds:
            if feed not in walked:
                say_error(f"feed {feed.name}: a feed of kind {feed.kind} has no past; left out")
        return cls(walked, (first, min(last, today)), force)

    def run(self, services: Services) -> Summary:
        """Walk, and say how it goes on standard error."""
        days = (self.span[1] - self.span[0]).days + 1
        with bar("days", days * len(self.feeds), "articles") as on:
            show = _Show(on)
            backfill = BackfillRun(services, self.feeds, self.span, force=self.force)
            for day in backfill:
                show(day)
        return backfill.summary


class _Show:
    """Shows a day that is through."""

    def __init__(self, bar: Bar | None) -> None:
        self._bar = bar
        self._articles = 0

    def __call__(self, one: Day) -> None:
        if self._bar is None:
            log.info(
                "backfill_day",
                feed=one.feed,
                day=one.day.isoformat(),
                pages=one.pages,
                new=one.entries_new,
            )
            return
        self._articles += one.entries_new
        self._bar.step(one.day.isoformat(), self._articles, self._articles)


def _say_version(wanted: bool) -> None:
    if wanted:
        say(f"ingestor {__version__}")
        raise typer.Exit


LISTED = frozenset({"feed_failed", "entry_failed", "backfill_failed", "backfill_cut_short"})
"""The events that a pass has a line for at its end: nobody reads them twice."""

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
Defer = Annotated[
    bool, typer.Option("--defer", help="With --since: hand the days to `ingest worker`.")
]
ConfigFile = Annotated[
    Path | None,
    typer.Option("--config", metavar="PATH", help="Configuration file (or INGEST_CONFIG)."),
]
Verbose = Annotated[bool, typer.Option("--verbose", help="Say more.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="Say only what is wrong.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show tracebacks.")]
Logs = Annotated[
    LogFormat | None,
    typer.Option(
        "--log-format", help="Default: human on a terminal, journal under systemd, else json."
    ),
]
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
    defer: Defer = False,
    config: ConfigFile = None,
    verbose: Verbose = False,
    quiet: Quiet = False,
    debug: Debug = False,
    log_format: Logs = None,
    _version: Version = False,
) -> None:
    """Poll feeds and keep every article, with its history, for good.

    Without a command this is the daemon: it runs in the foreground until SIGTERM or Ctrl-C.

    Example: ingest --once --config config.toml --json

    Example: ingest --once --since 2024-01-01 --until 2024-03-31 --feed 新浪财经－宏观经济
    """
    context.obj = Options(
        config=config, verbose=verbose, quiet=quiet, debug=debug, log_format=log_format
    )
    if context.invoked_subcommand:
        given = (once, feed, as_json, since, until, force, defer)
        _refuse_run_options(context.invoked_subcommand, any(given))
        return
    if not once and any((feed, as_json, since, until, force, defer)):
        raise UsageError("--feed, --json, --since, --until, --force and --defer go with --once")
    listed = _set_up(context.obj, once=once)
    settings = context.obj.settings()
    wanted = chosen_feeds(settings, feed or [])
    if not once:
        _serve(settings, context.obj)
        return
    clock = Clock()
    past = Backfill.wanted(wanted, (since, until), clock.now(), force=force)
    if defer:
        _hand_over(settings, past)
        return
    summary = _pass(settings, wanted, clock, past)
    for problem in summary.problems if listed else ():
        say_error(problem)
    _report(summary, as_json=as_json, quiet=quiet)


def _hand_over(settings: Settings, past: Backfill | None) -> None:
    if past is None:
        raise UsageError("--defer goes with --since")
    defer_backfill(settings, past.feeds, past.span, force=past.force)


def _set_up(chosen: Options, *, once: bool) -> bool:
    """Set up the logs; return whether a pass lists its failures at its end, as for people."""
    listed = once and chosen.form == "human" and not (chosen.verbose or chosen.debug)
    set_up_logs(chosen, LISTED if listed else frozenset())
    return listed


def _pass(settings: Settings, wanted: list[Feed], clock: Clock, past: Backfill | None) -> Summary:
    """Run one pass, or walk the past."""
    database = Database(settings.store.url)
    with (
        closing(database),
        stop_on_signals(clock, settings.service.stop_timeout),
        only_run(database),
    ):
        upgrade(database)
        with opened(settings, database, clock) as services:
            register_feeds(services)
            return past.run(services) if past else run_pass(services, wanted)


def _serve(settings: Settings, chosen: Options) -> None:
    """Serve until told to stop."""
    from ingestor.daemon.service import Service  # noqa: PLC0415 - a pass needs none of it

    database, clock = Database(settings.store.url), Clock()
    service = Service(settings, database, clock, chosen.settings)
    service.systemd = systemd(os.environ)
    with (
        closing(database),
        stop_on_signals(clock, settings.service.stop_timeout, service.reload),
        only_run(database),
    ):
        upgrade(database)
        with service.open(), service.answering():
            service.run()


def _refuse_run_options(command: str, given: bool) -> None:
    if given:
        raise UsageError(f"options before `{command}` belong behind it: ingest {command} --help")


def _report(summary: Summary, *, as_json: bool, quiet: bool) -> None:
    numbers = summary.numbers()
    if as_json:
        say_json(numbers)
    elif not quiet:
        say(
            "{feeds} feeds ({feeds_unchanged} unchanged, {feeds_failed} failed): "
            "{entries_new} new entries; articles: {articles_new} new, {articles_revised} revised, "
            "{articles_unchanged} unchanged; {entries_failed} entries failed, "
            "{entries_pending} pending; {seconds} s".format(**numbers)
        )
    if not summary.all_well:
        raise typer.Exit(1)
