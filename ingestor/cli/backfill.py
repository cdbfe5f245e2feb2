"""``ingest --once --since … --until …``: a backfill, shown as it goes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Self

import structlog

from ingestor.cli.common import day_option, say_error
from ingestor.cli.progress import Bar, bar
from ingestor.errors import UsageError
from ingestor.identity import publication_day
from ingestor.model import Feed
from ingestor.pipeline import Day, Services, Summary, run_backfill
from ingestor.sources import has_past

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
            for one in run_backfill(services, self.feeds, self.span, force=self.force):
                if isinstance(one, Summary):
                    return one
                show(one)
        raise AssertionError("a backfill ends with its summary")


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
