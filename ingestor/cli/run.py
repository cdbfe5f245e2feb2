"""``ingest`` and ``ingest --once``: the daemon, and one pass or a walk through the past."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, nullcontext
from datetime import date, datetime
from functools import partial
from threading import Event
from typing import TYPE_CHECKING

import typer

from ingestor import log
from ingestor.cli.archive import chosen_feeds, say_same_places
from ingestor.cli.common import Options, day_option, say, say_error, say_json
from ingestor.cli.logs import chosen_format, set_up_logs
from ingestor.cli.progress import PassWatch, bar, pass_bar
from ingestor.clock import Clock
from ingestor.config import Settings
from ingestor.daemon.loop import stop_on_signals
from ingestor.errors import INTERRUPTED, UsageError
from ingestor.identity import publication_day
from ingestor.model import Feed
from ingestor.observer import Observer
from ingestor.pipeline import BackfillRun, Services, Summary, register_feeds, run_pass
from ingestor.pipeline.services import opened
from ingestor.sources import has_past
from ingestor.store import entries
from ingestor.store import feeds as store_feeds
from ingestor.store.db.database import Database
from ingestor.store.db.locks import only_run
from ingestor.store.db.migrations import upgrade
from ingestor.text.counts import counted
from ingestor.version import __version__

if TYPE_CHECKING:
    from ingestor.pipeline.backfill import Day

LISTED = frozenset({"feed_failed", "entry_failed", "backfill_failed", "backfill_cut_short"})
"""The events that a pass has a line for at its end: nobody reads them twice."""


PROBLEMS_SHOWN = 12
"""Of the failures of a pass, so that they and the summary fit a screen; the log has them all."""


def serve(chosen: Options) -> None:
    """Serve until told to stop."""
    from ingestor.daemon.monitor import systemd  # noqa: PLC0415 - a pass needs none of it
    from ingestor.daemon.service import Service  # noqa: PLC0415

    set_up_logs(chosen)
    settings = chosen.settings()
    say_same_places(chosen_feeds(settings, []))
    clock = Clock()
    with closing(Database(settings.store.url)) as database:
        manager = systemd(os.environ)
        service = Service(settings, database, clock, read=chosen.settings, manager=manager)
        stopping = _only_run(settings, database, clock, service.reload)
        with stopping as interrupted, service.open():
            if _is_for_people(chosen):
                feeds = counted(len(settings.feeds), "feed")
                say_error(f"version {__version__}, archive {database.where}, {feeds}; Ctrl-C stops")
            service.run()
    _end(interrupted, chosen)


def once(chosen: Options, names: Sequence[str], *, as_json: bool) -> None:
    """Run one pass over all feeds, or those of these names."""
    listed, settings = _set_up(chosen)
    feeds, clock = chosen_feeds(settings, names), Clock()
    say_same_places(feeds)
    watch, summary = PassWatch(), Summary()
    with _services(settings, clock, watch) as (services, interrupted):
        waiting = partial(_pending, services, feeds)
        before = waiting() if sys.stderr.isatty() else 0
        shown = pass_bar(watch, len(feeds), waiting, lambda: before + summary.entries_new)
        with nullcontext() if chosen.quiet else shown:
            run_pass(services, feeds, summary)
    _report(summary, chosen, interrupted, listed=listed, as_json=as_json)


def backfill(
    chosen: Options,
    names: Sequence[str],
    days: tuple[str, str | None],
    *,
    as_json: bool,
    force: bool,
    defer: bool,
) -> None:
    """Walk the past of feeds, ``days`` being the first and the last; or ``defer`` it."""
    listed, settings = _set_up(chosen)
    feeds, clock = chosen_feeds(settings, names), Clock()
    span = _span(*days, clock.now())
    walked = _with_past(feeds)
    if not walked:
        say_error(
            "nothing to walk: none of these feeds has a past; those of kind sina-roll, sina-live "
            "and sitemap have"
        )
        if as_json:
            say_json(Summary().numbers())
        return
    if defer:
        from ingestor.cli.defer import defer_backfill  # noqa: PLC0415 - workers are a cluster's

        defer_backfill(settings, walked, span, force=force)
        return
    with _services(settings, clock) as (services, interrupted):
        summary = _walk(services, walked, span, force=force)
    _report(summary, chosen, interrupted, listed=listed, as_json=as_json)


def _pending(services: Services, feeds: Sequence[Feed]) -> int:
    """Return how many entries of these feeds wait."""
    with services.database.reading() as connection:
        known = store_feeds.ids(connection)
        ids = [known[feed.name] for feed in feeds if feed.name in known]
        return entries.count(connection, "pending", ids)


def _set_up(chosen: Options) -> tuple[bool, Settings]:
    """Set up the logs; return whether failures are listed at the end, as for people."""
    listed = _is_for_people(chosen) and not (chosen.verbose or chosen.debug)
    set_up_logs(chosen, LISTED if listed else frozenset())
    return listed, chosen.settings()


def _is_for_people(chosen: Options) -> bool:
    return chosen_format(chosen.log_format, os.environ) == "human" and not chosen.quiet


@contextmanager
def _only_run(
    settings: Settings, database: Database, clock: Clock, reload: Event | None = None
) -> Iterator[Event]:
    """Hold the archive, upgraded, while the block runs; signals stop it.

    Gives an event that says whether it was interrupted.
    """
    with (
        stop_on_signals(clock, settings.service.stop_timeout, reload) as interrupted,
        only_run(database),
    ):
        upgrade(database)
        yield interrupted


@contextmanager
def _services(
    settings: Settings, clock: Clock, observer: Observer | None = None
) -> Iterator[tuple[Services, Event]]:
    """Hold what a pass works with, the feeds registered, and whether it was interrupted.

    At its end watches have their hits.
    """
    with (
        closing(Database(settings.store.url)) as database,
        _only_run(settings, database, clock) as interrupted,
        opened(settings, database, clock, observer) as services,
    ):
        register_feeds(services)
        with _watched(services):
            yield services, interrupted


@contextmanager
def _watched(services: Services) -> Iterator[None]:
    if not services.settings.watch:
        yield
        return
    from ingestor.watch.deliveries import Deliveries  # noqa: PLC0415 - most have none

    with closing(Deliveries(services.settings, services.database, services.clock)) as deliveries:
        yield
        deliveries.finish()


def _span(since: str, until: str | None, now: datetime) -> tuple[date, date]:
    """Return the first and last publication day to walk, both included.

    Raises :class:`UsageError` for days that are none, or none that can have news.
    """
    today = date.fromisoformat(publication_day(now))
    first = day_option("--since", since)
    last = day_option("--until", until) if until else today
    if last < first:
        raise UsageError(f"--until {last} is before --since {first}")
    if first > today:
        raise UsageError(f"--since {first} is in the future")
    return first, min(last, today)


def _with_past(feeds: Sequence[Feed]) -> list[Feed]:
    """Return the feeds whose past can be asked for, and say which are left out."""
    walked = [feed for feed in feeds if has_past(feed.kind)]
    for feed in feeds:
        if feed not in walked:
            say_error(f"feed {feed.name}: a feed of kind {feed.kind} has no past; left out")
    return walked


def _walk(
    services: Services, feeds: Sequence[Feed], span: tuple[date, date], *, force: bool
) -> Summary:
    """Walk the days of the past, and show on standard error how far it is."""
    total = ((span[1] - span[0]).days + 1) * len(feeds)
    articles = 0
    with bar("days", total, "articles") as shown:
        backfill = BackfillRun(services, feeds, span, force=force)
        for walked in backfill:
            articles += walked.entries_new
            if shown:
                shown.advance(at=walked.day.isoformat(), count=articles, rated=articles)
            else:
                _log_day(walked)
    return backfill.summary


def _log_day(walked: Day) -> None:
    log.info(
        "backfill_day",
        feed=walked.feed,
        day=walked.day.isoformat(),
        pages=walked.pages,
        new=walked.entries_new,
    )


def _report(
    summary: Summary, chosen: Options, interrupted: Event, *, listed: bool, as_json: bool
) -> None:
    for problem in summary.problems[:PROBLEMS_SHOWN] if listed else ():
        say_error(problem)
    if listed and (more := len(summary.problems) - PROBLEMS_SHOWN) > 0:
        say_error(f"and {more} more; `ingest status` has the reasons")
    numbers = summary.numbers()
    if as_json:
        say_json(numbers)
    elif not chosen.quiet:
        parts = _sentences(summary)
        say("\n".join(parts) if sys.stdout.isatty() else "; ".join(parts))
    _end(interrupted, chosen)
    if not summary.all_well:
        raise typer.Exit(1)


def _sentences(summary: Summary) -> list[str]:
    """Return the numbers in parts, each of which fits a line of eighty columns."""
    return [
        (
            f"{counted(summary.feeds, 'feed')} ({summary.feeds_unchanged} unchanged, "
            f"{summary.feeds_failed} failed): {counted(summary.entries_new, 'new entry')}"
        ),
        (
            f"articles: {summary.articles_new} new, {summary.articles_revised} revised, "
            f"{summary.articles_unchanged} unchanged"
        ),
        f"{counted(summary.entries_failed, 'entry')} failed, {summary.entries_pending} pending",
        f"{summary.seconds} s",
    ]


def _end(interrupted: Event, chosen: Options) -> None:
    """Say that a run was interrupted, and exit with that; the next one goes on."""
    if not interrupted.is_set():
        return
    if _is_for_people(chosen):
        say_error("interrupted; what is pending is done by the next run")
    else:
        log.info("interrupted")
    raise typer.Exit(INTERRUPTED)
