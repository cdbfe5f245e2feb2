"""``ingest verify``: whether database, files and WARC agree."""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack
from typing import Annotated

import typer

from ingestor.cli.archive import existing
from ingestor.cli.common import options, say, say_error
from ingestor.cli.logs import set_up_logs
from ingestor.clock import Clock
from ingestor.config import Settings
from ingestor.errors import ArchiveInUse, StorageFailed
from ingestor.maintenance import Difference
from ingestor.maintenance import verify as operation
from ingestor.maintenance.verify import Comparison
from ingestor.pipeline.recovery import recover
from ingestor.store.db.database import Database
from ingestor.store.db.locks import only_run
from ingestor.text.counts import counted


def verify(
    context: typer.Context,
    repair: Annotated[
        bool, typer.Option("--repair", help="Make them agree; deletes no article, no foreign file.")
    ] = False,
) -> None:
    """Compare database, files and WARC both ways; say each disagreement on a line.

    Exits 1 when there is one (with --repair: when one is left). Damage that lasts, such as a
    record that cannot be read, is marked by --repair, and is known from then on. What a run that
    was killed left, and the next one takes up, is none; nor is what a running daemon is in the
    middle of.
    Example: ingest verify --repair
    """
    chosen = options(context)
    set_up_logs(chosen)
    settings = chosen.settings()
    database = existing(settings)
    with ExitStack() as stack:
        alone = True
        try:
            stack.enter_context(only_run(database))
        except (ArchiveInUse, StorageFailed) as error:
            # Somebody else's archive may be looked at, read-only as it is.
            if repair:
                raise
            alone = False
            say_error(f"{error}; files and records that it may be writing are not looked at")
        compared, mended, unrepaired = _compare(database, settings, alone=alone, repair=repair)
    database.close()
    for difference in compared.known:
        say(difference.line)
    for name in compared.foreign:
        say(f"file {name}: belongs to no article; left alone")
    if compared.left:
        kinds = Counter(difference.left for difference in compared.left)
        counts = ", ".join(counted(count, kind) for kind, count in kinds.items())
        when = "taken up now" if repair else "the next run takes them up"
        say(f"left by an interrupted run: {counts}; {when}")
    found = len(mended) + len(compared.differences)
    repaired = f", {found - len(unrepaired)} mended" if repair else ""
    foreign = counted(len(compared.foreign), "foreign file")
    say(f"{counted(found, 'disagreement')}{repaired}; {foreign}")
    if unrepaired:
        raise typer.Exit(1)


def _compare(
    database: Database, settings: Settings, *, alone: bool, repair: bool
) -> tuple[Comparison, list[Difference], list[Difference]]:
    """Compare, and repair; say each disagreement, and what was done about it.

    Returns what was found, the texts mended before, and what is left.
    """
    mended: list[Difference] = []
    if repair:
        recover(database, settings.archive)
        mended = operation.mend_texts(database, settings)
    compared = operation.compare(database, settings, Clock().now(), alone=alone)
    if alone:
        # What is known to be damaged is verify's own note; one that is wrong goes.
        operation.apply(database, compared.known)
    unrepaired = compared.differences
    if repair:
        unrepaired = operation.repair(database, settings, [*unrepaired, *compared.left])
    for difference in (*mended, *compared.differences):
        done = "not mended; only a backup has it" if difference in unrepaired else difference.done
        say(f"{difference.line}; {done}" if repair else difference.line)
    return compared, mended, unrepaired
