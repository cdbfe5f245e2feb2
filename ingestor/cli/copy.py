"""``ingest copy``: an archive's database into another one."""

from __future__ import annotations

from contextlib import ExitStack, closing
from datetime import timedelta
from typing import Annotated

import typer

from ingestor.cli.common import options, say, say_error
from ingestor.cli.logs import set_up_logs
from ingestor.cli.progress import progress
from ingestor.clock import Clock
from ingestor.daemon.loop import stop_on_signals
from ingestor.errors import INTERRUPTED, NoArchiveYet
from ingestor.maintenance.copy import copy_archive, count_rows
from ingestor.store.db.database import Database
from ingestor.store.db.migrations import is_unfinished
from ingestor.text.counts import counted

_LONGEST_STOP = timedelta(seconds=30)
"""What the part that is being written takes at most."""


def copy(
    context: typer.Context,
    source: Annotated[
        str, typer.Option("--from", metavar="URL", help="Database that is copied, as store.url.")
    ],
    target: Annotated[
        str, typer.Option("--to", metavar="URL", help="Empty database that it is copied into.")
    ],
) -> None:
    """Copy an archive's database, from SQLite to PostgreSQL or any other way.

    Every row is compared at the end. Interrupted, it is run again and goes on. The daemon has to
    be stopped. Files, pictures and WARC stay where they are: point store.url to the new database
    and keep [archive] as it is.

    Example: ingest copy --from sqlite:///archive.db --to postgresql+psycopg://localhost/archive
    """
    set_up_logs(options(context))
    with ExitStack() as stack:
        old = stack.enter_context(closing(Database(source, for_reading=True)))
        if old.path and not old.path.exists():
            raise NoArchiveYet(f"{old.where}: there is no archive")
        new = stack.enter_context(closing(Database(target)))
        clock = Clock()
        interrupted = stack.enter_context(stop_on_signals(clock, _LONGEST_STOP))
        advance = stack.enter_context(progress("rows", lambda: _left(old, new)))
        count = copy_archive(old, new, clock, advance)
    if count is None:
        say_error("stopped; the same command goes on there")
        raise typer.Exit(INTERRUPTED if interrupted.is_set() else 1)
    say(f"{new.where}: {counted(count, 'row')}, each as it was; files and WARC stay where they are")


def _left(source: Database, target: Database) -> int:
    """Return how many rows there are to copy, for the bar."""
    with source.reading() as connection:
        every = count_rows(connection)
    with target.reading() as connection:
        copied = count_rows(connection) if is_unfinished(connection) else 0
    return every - copied
