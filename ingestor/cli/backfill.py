"""``ingest --once --since … --until …``: a backfill, shown as it goes."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Self

import structlog
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from ingestor.cli.common import say_error
from ingestor.errors import UsageError
from ingestor.identity import publication_day
from ingestor.model import Feed
from ingestor.pipeline import Day, Services, Summary, run_backfill
from ingestor.sources import history

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
        first, last = _day("--since", since), _day("--until", until) if until else today
        if last < first:
            raise UsageError(f"--until {last} is before --since {first}")
        if first > today:
            raise UsageError(f"--since {first} is in the future")
        walked = [feed for feed in feeds if history(feed.kind)]
        if not walked:
            raise UsageError("none of these feeds has a past; a feed of kind sina-roll has one")
        for feed in feeds:
            if feed not in walked:
                say_error(f"feed {feed.name}: a feed of kind {feed.kind} has no past; left out")
        return cls(walked, (first, min(last, today)), force)

    def run(self, services: Services) -> Summary:
        """Walk, and say how it goes on standard error."""
        days = (self.span[1] - self.span[0]).days + 1
        with _shown(days * len(self.feeds)) as show:
            for one in run_backfill(services, self.feeds, self.span, force=self.force):
                if isinstance(one, Summary):
                    return one
                show(one)
        raise AssertionError("a backfill ends with its summary")


def _day(option: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f'{option}: "{text}" is not a day; write it as 2024-01-31') from error


@contextmanager
def _shown(total: int) -> Iterator[_Show]:
    """Give something to show days with: a bar on a terminal, a log line elsewhere."""
    if not sys.stderr.isatty():
        yield _Show(None)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[articles]} articles, {task.fields[rate]}/s"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        bar.add_task("days", total=total, articles=0, rate="0.0")
        yield _Show(bar)


class _Show:
    """Shows a day that is through."""

    def __init__(self, bar: Progress | None) -> None:
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
        (task,) = self._bar.tasks
        rate = self._articles / max(task.elapsed or 0.0, 0.001)
        self._bar.update(
            task.id,
            advance=1,
            description=one.day.isoformat(),
            articles=self._articles,
            rate=f"{rate:.1f}",
        )
