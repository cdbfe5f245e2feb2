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
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}/s"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        bar.add_task(what, total=count(), rate="0")
        yield _Bar(bar)


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
