"""The progress bar of long work, for a terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


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
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(f"{{task.fields[count]}} {counted}, {{task.fields[rate]}}/s"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        yield Bar(progress, what, total)
