"""How far long work has come: a bar on a terminal, a log line now and then elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ingestor import log

if TYPE_CHECKING:
    from rich.progress import Progress

ITEMS_A_LINE = 5_000
"""Items between two log lines: a line every minute or so."""

Advance = Callable[[int], None]
"""Told how many more items are through."""


@contextmanager
def progress(what: str, count: Callable[[], int]) -> Iterator[Advance]:
    """Give something to tell of each part of the work that is done.

    ``what`` names the items. ``count`` says how many there are; it is asked for the bar only.
    """
    with bar(what, count() if sys.stderr.isatty() else 0) as shown:
        yield shown.advance if shown else _Lines(what)


@contextmanager
def bar(what: str, total: int, outcome: str = "") -> Iterator[Bar | None]:
    """Give a bar while the block runs; ``None`` where standard error is no terminal.

    ``what`` is what it counts, ``outcome`` what comes of it, if that is counted as well. Lines
    that are written to standard error meanwhile stand above the bar.
    """
    if not sys.stderr.isatty():
        yield None
        return
    from rich import progress  # noqa: PLC0415 - most runs have no terminal
    from rich.console import Console  # noqa: PLC0415

    counts = progress.TextColumn(
        f"{{task.fields[count]}} {outcome}, {{task.fields[rate]:.1f}}/s"
        if outcome
        else "{task.fields[rate]:.0f}/s"
    )
    with progress.Progress(
        progress.TextColumn("{task.description}"),
        progress.BarColumn(),
        progress.MofNCompleteColumn(),
        counts,
        progress.TimeRemainingColumn(),
        console=Console(stderr=True),
    ) as shown:
        shown.add_task(what, total=total, count=0, rate=0.0)
        yield Bar(shown)


class Bar:
    """A bar on standard error."""

    def __init__(self, shown: Progress) -> None:
        self._shown = shown

    def advance(
        self, number: int = 1, *, at: str = "", count: int = 0, rated: int | None = None
    ) -> None:
        """Show that ``number`` more items are through, up to ``at``.

        ``count`` is what came of all so far. The rate is that of ``rated`` things done so far,
        else of the items, in a second.
        """
        (task,) = self._shown.tasks
        done = task.completed + number if rated is None else rated
        self._shown.update(
            task.id,
            advance=number,
            description=at or task.description,
            count=count,
            rate=done / max(task.elapsed or 0.0, 0.001),
        )


class _Lines:
    """Writes a line for every few thousand items."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._done = 0

    def __call__(self, number: int) -> None:
        before, self._done = self._done, self._done + number
        if before // ITEMS_A_LINE != self._done // ITEMS_A_LINE:
            log.info("progress", what=self._what, done=self._done)
