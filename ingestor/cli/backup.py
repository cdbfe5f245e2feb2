"""``ingest backup DEST``: a consistent copy of the archive."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from ingestor.cli.archive import existing
from ingestor.cli.common import options, say, say_error
from ingestor.config import find
from ingestor.maintenance.backup import back_up
from ingestor.text.counts import counted


def backup(
    context: typer.Context,
    destination: Annotated[
        Path, typer.Argument(metavar="DEST", help="A new or an empty folder for the copy.")
    ],
) -> None:
    """Copy database, files and WARC as of one moment, also while the daemon runs.

    The configuration goes with them. To restore, copy the folder back.

    Example: ingest backup /backups/2026-01-01
    """
    chosen = options(context)
    settings = chosen.settings()
    database = existing(settings)
    report = back_up(database, settings, find(chosen.config, os.environ), destination)
    database.close()
    for name in report.missing_warc_files:
        say_error(f"{settings.archive.raw_dir / name}: is missing; `ingest verify` says more")
    shown = f", {counted(report.pictures, 'picture')}" if report.pictures else ""
    say(
        f"{destination}: the database, {counted(report.files, 'file')}, "
        f"{counted(report.warc_files, 'WARC file')}{shown}, and the configuration (config.toml)"
    )
    if report.missing_warc_files:
        raise typer.Exit(1)
