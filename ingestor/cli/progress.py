"""How far long work has come: a bar on a terminal, a log line now and then elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

log = structlog.get_logger(__name__)

ITEMS_A_LINE = 5_000
"""Items between two log lines: a line every minute or so."""

Advance = Callable[[int], None]
"""Told how many more items are through."""


@contextmanager
def progress(what: str, count: Callable[[], int]) -> Iterator[Advance]:
    """Give something to tell of each part of the work that is done.

    ``what`` names the items. ``count`` says how many there are; it is asked for the bar only.
    """
    if not sys.stderr.isatty():
        yield _Lines(what)
        return
    with _shown(TextColumn("{task.fields[rate]}/s")) as shown:
        shown.add_task(what, total=count(), rate="0")
        yield _Bar(shown)


class Bar:
    """A bar on standard error."""

    def __init__(self, progress: Progress, what: str, total: int) -> None:
        """Show ``total`` steps of ``what`` on a progress that is running."""
        self._progress = progress
        self._task = progress.add_task(what, total=total, count=0, rate="0.0")

    def step(self, where: str, count: int, done: int) -> None:
        """Show that a step is through, how far it is, and how much came of it so far.

        ``done`` is what was done so far: the rate is that of it, in a second.
        """
        elapsed = next(one.elapsed for one in self._progress.tasks if one.id == self._task)
        rate = done / max(elapsed or 0.0, 0.001)
        self._progress.update(
            self._task, advance=1, description=where, count=count, rate=f"{rate:.1f}"
        )


@contextmanager
def bar(what: str, total: int, counted: str) -> Iterator[Bar | None]:
    """Give a bar while the block runs; ``None`` where standard error is no terminal.

    ``what`` is what it counts, ``counted`` what comes of it. Lines that are written to
    standard error meanwhile stand above the bar.
    """
    if not sys.stderr.isatty():
        yield None
        return
    counts = TextColumn(f"{{task.fields[count]}} {counted}, {{task.fields[rate]}}/s")
    with _shown(counts) as progress:
        yield Bar(progress, what, total)


def _shown(counts: TextColumn) -> Progress:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        counts,
        TimeRemainingColumn(),
    )
    return Progress(*columns, console=Console(stderr=True))


class _Bar:
    """Moves the bar."""

    def __init__(self, bar: Progress) -> None:
        self._bar = bar

    def __call__(self, done: int) -> None:
        (task,) = self._bar.tasks
        rate = (task.completed + done) / max(task.elapsed or 0.0, 0.001)
        self._bar.update(task.id, advance=done, rate=f"{rate:.0f}")


class _Lines:
    """Writes a line for every few thousand items."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._done = 0

    def __call__(self, done: int) -> None:
        before, self._done = self._done, self._done + done
        if before // ITEMS_A_LINE != self._done // ITEMS_A_LINE:
            log.info("progress", what=self._what, done=self._done)
