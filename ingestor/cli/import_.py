"""``ingest import DIR|FILE…``: the articles of another archive, or of pages that others crawled."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from threading import Event
from typing import Annotated

import typer

from ingestor import log
from ingestor.cli.archive import archive, rehearsal
from ingestor.cli.common import feed_option, options, say, say_error
from ingestor.cli.logs import set_up_logs
from ingestor.cli.progress import progress
from ingestor.cli.warc import Asked, import_files
from ingestor.clock import Clock
from ingestor.config import Settings
from ingestor.daemon.loop import stop_on_signals
from ingestor.errors import INTERRUPTED, UsageError
from ingestor.pipeline.posts import ImportedFile, count_files, import_folder
from ingestor.text.counts import counted
from ingestor.workers import Workers

Paths = Annotated[
    list[Path],
    typer.Argument(
        metavar="DIR|FILE...",
        help="A folder of front-matter files; or WARC and WACZ files. They are only read.",
    ),
]
Hosts = Annotated[
    list[str] | None,
    typer.Option(
        "--host",
        metavar="NAME",
        help="With FILE: pages of this host, and below it (repeatable; sina.com.cn, sina.cn).",
    ),
]
Feed = Annotated[str, feed_option("With FILE: the feed that they belong to.")]
Categories = Annotated[
    list[str] | None,
    typer.Option("--category", metavar="NAME", help="With FILE: without a feed (repeatable)."),
]
Copy = Annotated[
    bool, typer.Option("--copy", help="With FILE: copy the records into the archive's WARC.")
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="List what would be adopted; store nothing.")
]
LISTED = {"adopted": "would be adopted", "known": "is already here"}
"""What --dry-run says of a file; of the others every import says what is wrong with them."""

AsJson = Annotated[bool, typer.Option("--json", help="The summary as one JSON object.")]


def import_(
    context: typer.Context,
    paths: Paths,
    host: Hosts = None,
    feed: Feed = "",
    category: Categories = None,
    copy: Copy = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Adopt front-matter files of others, or pages that others crawled (WARC, WACZ).

    What is here already, by title, day and text, is not adopted again; what may be is listed
    and left to you. Exits 1 when a file could not be read or decided. Run it again to go on
    where it was interrupted. Example: ingest import ~/blog/source/_posts --dry-run

    Pages are judged as if they were downloaded, and known from when they were crawled.

    Example: ingest import CC-NEWS-20240501010203-00001.warc.gz --host sina.com.cn
    """
    chosen = options(context)
    set_up_logs(chosen)
    settings, clock = chosen.settings(), Clock()
    if not any(path.is_dir() for path in paths):
        asked = Asked(paths, host or [], feed, tuple(category or ()), copy=copy, dry_run=dry_run)
        with stop_on_signals(clock, settings.service.stop_timeout) as interrupted:
            well = import_files(asked, settings, clock, as_json=as_json)
        _end(interrupted, well=well)
        return
    if len(paths) > 1 or host or feed or category or copy:
        raise UsageError("a folder is imported alone; --host, --feed, --category, --copy: of files")
    folder = paths[0]
    _require_foreign(folder, settings)
    began = clock.monotonic()
    with stop_on_signals(clock, settings.service.stop_timeout) as interrupted:
        summary = _import(folder, settings, clock, dry_run=dry_run, listed=not as_json)
    summary.seconds = round(clock.monotonic() - began, 3)
    summary.interrupted = clock.stop.is_set()
    say(json.dumps(summary.numbers()) if as_json else summary.sentence(dry_run=dry_run))
    _end(interrupted, well=summary.all_well)


def _end(interrupted: Event, *, well: bool) -> None:
    """Exit as what was done says; nothing where all is well."""
    if interrupted.is_set():
        raise typer.Exit(INTERRUPTED)
    if not well:
        raise typer.Exit(1)


@dataclass(slots=True)
class ImportSummary:
    """What became of the files; the numbers of ``--json``."""

    outcomes: Counter[str] = field(default_factory=Counter)
    suffixes: Counter[str] = field(default_factory=Counter)
    """Of the files that are no posts."""
    seconds: float = 0.0
    interrupted: bool = False

    @property
    def all_well(self) -> bool:
        """Whether everything was imported, or is here already, or is no post."""
        open_ = self.outcomes["failed"] + self.outcomes["ambiguous"]
        return not open_ and not self.interrupted

    def numbers(self) -> dict[str, int | float | bool]:
        """Return the numbers in the order of the files' way."""
        counts = {name: self.outcomes[name] for name in ("adopted", "known", "ambiguous", "failed")}
        return {
            "files": sum(counts.values()),
            **counts,
            "others": self.outcomes["other"],
            "interrupted": self.interrupted,
            "seconds": self.seconds,
        }

    def sentence(self, *, dry_run: bool) -> str:
        """Return the numbers for a person."""
        text = (
            "{counted}: {adopted} {verb}, {known} already here, {ambiguous} ambiguous, "
            "{failed} not readable; {seconds} s"
        ).format(
            **self.numbers(),
            counted=counted(self.outcomes.total() - self.outcomes["other"], "file"),
            verb="would be adopted" if dry_run else "adopted",
        )
        if self.suffixes:
            kinds = ", ".join(f"{kind} {count}" for kind, count in self.suffixes.most_common(5))
            others = counted(
                self.outcomes["other"], "file that is no post", "files that are no posts"
            )
            text += f"; {others} left alone ({kinds})"
        return f"{text}; interrupted: run it again to go on" if self.interrupted else text


def _require_foreign(folder: Path, settings: Settings) -> None:
    """Refuse the archive's own folder: its files would be written beside it."""
    if not isinstance(settings.archive.dir, Path):
        return
    ours, theirs = settings.archive.dir.resolve(), folder.resolve()
    if theirs.is_relative_to(ours) or ours.is_relative_to(theirs):
        raise UsageError(
            f"{folder}: the archive writes its own files there (archive.dir); "
            "move the files to be adopted elsewhere first"
        )


def _import(
    folder: Path, settings: Settings, clock: Clock, *, dry_run: bool, listed: bool
) -> ImportSummary:
    summary = ImportSummary()
    opened = rehearsal(settings) if dry_run else archive(settings)
    with (
        opened as (transaction, write),
        Workers() as workers,
        progress("files", partial(count_files, folder)) as advance,
    ):
        for batch in import_folder(folder, transaction, workers, clock):
            write()
            for file in batch:
                _count(file, summary)
                if dry_run and listed and file.outcome in LISTED:
                    say(f"{file.path}: {LISTED[file.outcome]}")
            advance(len(batch))
    return summary


def _count(file: ImportedFile, summary: ImportSummary) -> None:
    """Count a file, and say what has to be said of it."""
    summary.outcomes[file.outcome] += 1
    if file.outcome == "other":
        summary.suffixes[file.path.suffix.lower() or "without an ending"] += 1
    elif file.outcome == "failed":
        say_error(f"{file.path}: {file.reason}")
    elif file.outcome == "ambiguous":
        say_error(
            f"{file.path}: may be article {file.article_id} (same address, or same title and day; "
            f"another text); not adopted: `ingest show {file.article_id}`"
        )
    log.debug("import_file", file=str(file.path), outcome=file.outcome, article=file.article_id)
