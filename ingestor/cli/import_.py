"""``ingest import DIR``: the articles of another archive."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import Connection

from ingestor import log
from ingestor.cli.archive import existing
from ingestor.cli.common import options, say, say_error
from ingestor.cli.logs import set_up_logs
from ingestor.cli.progress import progress
from ingestor.clock import Clock
from ingestor.config import Settings
from ingestor.daemon.loop import stop_on_signals
from ingestor.errors import UsageError
from ingestor.pipeline.files import write_files
from ingestor.pipeline.imports import ImportedFile, count_files, import_folder
from ingestor.pipeline.recovery import recover
from ingestor.store.db.database import Database
from ingestor.store.db.migrations import upgrade
from ingestor.store.db.run_lock import only_run
from ingestor.workers import Workers


def import_(
    context: typer.Context,
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="A folder of front-matter files; only read.")
    ],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be adopted; store nothing.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="The summary as one JSON object.")
    ] = False,
) -> None:
    """Adopt front-matter files that others wrote, such as a Hexo site's source/_posts.

    What is here already, by title, day and text, is not adopted again; what may be is listed
    and left to you. Exits 1 when a file could not be read or decided. Run it again to go on
    where it was interrupted. Example: ingest import ~/blog/source/_posts --dry-run
    """
    chosen = options(context)
    set_up_logs(chosen)
    settings, clock = chosen.settings(), Clock()
    _require_foreign(folder, settings)
    began = clock.monotonic()
    with stop_on_signals(clock, settings.service.stop_timeout):
        summary = _import(folder, settings, clock, dry_run=dry_run)
    summary.seconds = round(clock.monotonic() - began, 3)
    summary.interrupted = clock.stop.is_set()
    say(json.dumps(summary.numbers()) if as_json else summary.sentence(dry_run=dry_run))
    if not summary.all_well:
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
            "{files} files: {adopted} {verb}, {known} already here, {ambiguous} ambiguous, "
            "{failed} not readable; {seconds} s"
        ).format(**self.numbers(), verb="would be adopted" if dry_run else "adopted")
        if self.suffixes:
            kinds = ", ".join(f"{kind} {count}" for kind, count in self.suffixes.most_common(5))
            text += f"; {self.outcomes['other']} files that are no posts left alone ({kinds})"
        return f"{text}; interrupted: run it again to go on" if self.interrupted else text


def _require_foreign(folder: Path, settings: Settings) -> None:
    """Refuse what is no folder, and the archive's own: its files would be written beside it."""
    if not folder.is_dir():
        raise UsageError(f"{folder}: is not a folder")
    if not isinstance(settings.archive.dir, Path):
        return
    ours, theirs = settings.archive.dir.resolve(), folder.resolve()
    if theirs.is_relative_to(ours) or ours.is_relative_to(theirs):
        raise UsageError(
            f"{folder}: the archive writes its own files there (archive.dir); "
            "move the files to be adopted elsewhere first"
        )


def _import(folder: Path, settings: Settings, clock: Clock, *, dry_run: bool) -> ImportSummary:
    summary = ImportSummary()
    opened = _rehearsal(settings) if dry_run else _archive(settings)
    with (
        opened as (transaction, write),
        Workers() as workers,
        progress("files", partial(count_files, folder)) as advance,
    ):
        for batch in import_folder(folder, transaction, workers, clock):
            write()
            for file in batch:
                _count(file, summary)
            advance(len(batch))
    return summary


_Opened = tuple[Callable[[], AbstractContextManager[Connection]], Callable[[], object]]
"""How a batch's transaction is opened, and what is done when it is through."""


@contextmanager
def _archive(settings: Settings) -> Iterator[_Opened]:
    database = Database(settings.store.url)
    with closing(database), only_run(database):
        upgrade(database)
        recover(database, settings.archive)
        yield database.transaction, partial(write_files, database, settings.archive)


@contextmanager
def _rehearsal(settings: Settings) -> Iterator[_Opened]:
    """Open an archive that is there for a transaction that is rolled back, else an empty one."""
    with tempfile.TemporaryDirectory() as place:
        wanted = Database(settings.store.url)
        if wanted.path and not wanted.path.exists():
            database = Database(f"sqlite:///{place}/archive.db")
            upgrade(database)
        else:
            database = existing(settings)
        with closing(database), only_run(database), database.rehearsal() as connection:
            yield lambda: nullcontext(connection), lambda: None


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
