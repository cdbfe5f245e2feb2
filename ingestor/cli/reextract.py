"""``ingest reextract``: today's rules over the kept pages."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing
from typing import Annotated

import typer

from ingestor import log
from ingestor.cli.archive import existing
from ingestor.cli.common import feed_option, options, say, say_error
from ingestor.cli.defer import defer_reextract
from ingestor.cli.filters import filters_of
from ingestor.cli.logs import set_up_logs
from ingestor.cli.progress import Bar, bar
from ingestor.cli.show import differences
from ingestor.clock import Clock
from ingestor.config import Settings
from ingestor.daemon.loop import stop_on_signals
from ingestor.errors import INTERRUPTED, UsageError
from ingestor.pipeline import reextract as pipeline_reextract
from ingestor.pipeline.recovery import recover
from ingestor.pipeline.reextract import ReextractionResult
from ingestor.store import feeds, reextraction
from ingestor.store.db.database import Database
from ingestor.store.db.locks import only_run
from ingestor.store.db.migrations import upgrade
from ingestor.store.filters import Filters
from ingestor.store.reextraction import Value
from ingestor.text.counts import counted
from ingestor.text.sanitize import one_line
from ingestor.workers import Workers

ARTICLES_A_LINE = 1_000
"""Where there is no terminal, a line is logged for so many articles."""

PROBLEMS_LISTED = 100
"""Pages that cannot be read are said one by one up to here; the others are counted."""

VALUE_CHARACTERS = 100
"""How much of a value is shown in a difference."""


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
        feed_option("Only this feed's articles (repeatable)."),
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
    filters = filters_of(since=since or "", until=until or "", feed=feed, doubted=True)
    if defer:
        _defer(settings, filters, dry_run=dry_run)
        return
    with ExitStack() as stack:
        database = stack.enter_context(closing(existing(settings, current=dry_run)))
        clock = Clock()
        interrupted = stack.enter_context(stop_on_signals(clock, settings.service.stop_timeout))
        if not dry_run:
            stack.enter_context(only_run(database))
            upgrade(database)
            recover(database, settings.archive)
        _require_feeds(database, filters)
        tally = _run(settings, database, clock, filters=filters, diffs=diffs if dry_run else None)
    raise typer.Exit(INTERRUPTED if interrupted.is_set() else int(tally.unreadable > 0))


def _defer(settings: Settings, filters: Filters, *, dry_run: bool) -> None:
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
) -> ReextractionTally:
    """Read again, and say what came of it; ``diffs`` is ``None`` when it is meant."""
    began = clock.monotonic()
    with database.reading() as connection:
        every, kept = reextraction.count(connection, filters)
    with Workers() as workers, bar("articles", kept, "changed") as shown:
        tally = ReextractionTally(kept, diffs or 0, shown)
        for result in pipeline_reextract.reextract(
            settings.archive,
            database,
            workers,
            clock,
            filters=filters,
            dry_run=diffs is not None,
        ):
            tally.add(result)
    for line in tally.lines(without_page=every - kept, dry_run=diffs is not None):
        say(line)
    seconds = max(clock.monotonic() - began, 0.001)
    say(f"{seconds:.1f} s, {counted(round(60 * tally.read / seconds), 'article')} a minute")
    if tally.read < kept:
        say_error(
            f"stopped after {tally.read} of {kept}; the same command"
            f"{f' with --since {tally.day}' if tally.day else ''} goes on there"
        )
    return tally


class ReextractionTally:
    """What came of the articles so far."""

    def __init__(self, total: int, diffs: int, bar: Bar | None) -> None:
        """Count up to ``total``; keep the first ``diffs`` differences; show it on ``bar``."""
        self._total = total
        self._diffs_left = diffs
        self._bar = bar
        self._templates: Counter[tuple[str, str]] = Counter()
        self._outcomes: Counter[str] = Counter()
        self._fields: Counter[str] = Counter()
        self._doubts: Counter[str] = Counter()
        self._diffs: list[str] = []
        self.read = 0
        self.day = ""
        """Publication day of the article that came last."""

    @property
    def unreadable(self) -> int:
        """How many kept pages cannot be read."""
        return self._outcomes["unreadable"]

    def add(self, result: ReextractionResult) -> None:
        """Count an article."""
        self.read += not result.again
        self.day = result.before.article.date
        self._templates[result.template, result.outcome] += 1
        self._outcomes[result.outcome] += 1
        self._fields.update(result.changes.keys())
        if result.rejudged.withdrawn:
            self._doubts[result.rejudged.reason] += 1
        if result.outcome == "unreadable":
            self._say_unreadable(result)
        if result.outcome == "changed" and self._diffs_left:
            self._diffs_left -= 1
            self._diffs += _difference(result)
        self._show()

    def lines(self, *, without_page: int, dry_run: bool) -> Iterator[str]:
        """Yield the differences that were kept, the counts by template, and the sums."""
        yield from self._diffs
        verb = "would change" if dry_run else "changed"
        yield f"{'template':<20}{verb:>14}{'unchanged':>14}{'left':>14}{'unreadable':>14}"
        for template in sorted({template for template, _ in self._templates}):
            counts = (
                self._templates[template, outcome]
                for outcome in ("changed", "unchanged", "left", "unreadable")
            )
            yield f"{template:<20}" + "".join(f"{count:>14}" for count in counts)
        if self._fields:
            parts = (f"{name} {count}" for name, count in self._fields.most_common())
            yield f"{verb}: {', '.join(parts)}"
        if self._doubts:
            parts = (f"{reason} {count}" for reason, count in self._doubts.most_common())
            doubted = self._outcomes["doubted"]
            yield f"not the article: {one_line(', '.join(parts))}; {doubted} doubted"
        yield (
            f"{counted(self.read, 'article')} read again: {self._outcomes['changed']} {verb}, "
            f"{self.unreadable} unreadable, {without_page} without a kept page"
        )

    def _say_unreadable(self, result: ReextractionResult) -> None:
        if self.unreadable <= PROBLEMS_LISTED:
            say_error(f"article {result.before.article.id}: {result.reason}")
        elif self.unreadable == PROBLEMS_LISTED + 1:
            say_error("more articles cannot be read; they are counted below")

    def _show(self) -> None:
        changed = self._outcomes["changed"]
        if self._bar:
            self._bar.advance(at=self.day, count=changed)
        elif self.read % ARTICLES_A_LINE == 0:
            log.info("reextract", day=self.day, read=self.read, of=self._total, changed=changed)


def _difference(result: ReextractionResult) -> Iterator[str]:
    """Yield what today's rules read otherwise: the text by paragraphs, the rest by values."""
    if result.article is None:
        return
    before, after = result.before.article, result.article
    templates = f"{before.template} → {result.template}"
    yield f"article {before.id}, {before.date}, {templates}: {before.url}"
    old = [before.title, *before.content_text.splitlines()]
    new = [after.title, *after.body.text.splitlines()]
    for line in differences(old, new, colours=sys.stdout.isatty()):
        yield f"  {line}"
    for name, (was, now) in result.changes.items():
        if name not in {"title", "text"}:
            yield f"  {name}: {_shown(name, was, now)} → {_shown(name, now, was)}"
    yield ""


def _shown(name: str, value: Value, other: Value) -> str:
    """Return a value for a person; of a set, only what the other one lacks."""
    if isinstance(value, frozenset | tuple):
        only = sorted(member for member in value if member not in other)
        members = (member if isinstance(member, str) else " ".join(member) for member in only)
        text = ", ".join(members) or "-"
    else:
        text = counted(len(value), "character") if name == "html" else value or "''"
    return one_line(text)[:VALUE_CHARACTERS]
