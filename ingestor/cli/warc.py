"""``ingest import FILE…``: WARC and WACZ files that others wrote."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from ingestor.archive.warc.foreign import begun_at
from ingestor.cli.archive import Opened, archive, chosen_feeds, rehearsal
from ingestor.cli.common import say, say_error, say_json
from ingestor.cli.progress import Advance, progress
from ingestor.clock import Clock
from ingestor.config import Settings
from ingestor.config.sections import FeedSettings
from ingestor.errors import PostUnreadable, UsageError
from ingestor.pipeline.captures import make_folders, opened_warc, require_folders
from ingestor.pipeline.foreign_warc import Home, WarcBatch, WarcImport
from ingestor.store import feeds
from ingestor.text.counts import counted
from ingestor.workers import Workers

HOSTS = ("sina.com.cn", "sina.cn")
"""Whose pages are wanted where nobody says it."""

OUTCOMES = ("new", "revised", "unchanged", "earlier", "known", "older")

_MIB = 1024**2

Numbers: TypeAlias = dict[str, object]


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line asks for."""

    paths: Sequence[Path]
    hosts: Sequence[str]
    feed: str
    categories: tuple[str, ...]
    copy: bool
    dry_run: bool


@dataclass(slots=True)
class WarcSummary:
    """What became of the records; the numbers of ``--json``."""

    outcomes: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    unread: int = 0
    """Files that could not be read to their end."""
    seconds: float = 0.0
    interrupted: bool = False

    def numbers(self) -> Numbers:
        """Return the numbers."""
        pages = {name: self.outcomes[name] for name in OUTCOMES}
        return {
            **pages,
            "skipped": dict(self.skipped.most_common()),
            "unread_files": self.unread,
            "interrupted": self.interrupted,
            "seconds": self.seconds,
        }

    def sentence(self, *, dry_run: bool) -> str:
        """Return the numbers for a person."""
        of = self.outcomes
        text = (
            f"{counted(of['new'], 'new article')}, {counted(of['revised'], 'revision')}, "
            f"{of['unchanged']} unchanged, "
            f"{of['earlier']} known earlier, {of['known']} already here, "
            f"{of['older']} older than what is known"
            f"{' (nothing is stored)' if dry_run else ''}; {self.seconds} s"
        )
        if self.skipped:
            why = ", ".join(f"{reason} {count}" for reason, count in self.skipped.most_common())
            text += f"; {counted(self.skipped.total(), 'record')} skipped ({why})"
        return f"{text}; interrupted: run it again to go on" if self.interrupted else text


def import_files(asked: Asked, settings: Settings, clock: Clock, *, as_json: bool) -> bool:
    """Import files, say what became of their records; return whether all were read to their end."""
    for path in asked.paths:
        if not path.is_file():
            raise UsageError(f"{path}: there is no such file or folder")
    section = _section(asked, settings)
    require_folders(settings.archive)
    make_folders(settings.archive)
    began = clock.monotonic()
    summary = WarcSummary()
    with ExitStack() as stack:
        opened = stack.enter_context(rehearsal(settings) if asked.dry_run else archive(settings))
        home = _home(section, asked, settings, opened)
        importer = _importer(asked, settings, clock, opened=opened, home=home, stack=stack)
        total = sum(path.stat().st_size for path in asked.paths) // _MIB
        advance = stack.enter_context(progress("MiB", lambda: total))
        # The past is told in its order, in whatever order the files are named.
        for path in sorted(asked.paths, key=begun_at):
            if not clock.stop.is_set():
                _import_file(
                    importer,
                    path,
                    summary,
                    write=opened[1],
                    advance=advance,
                    listed=asked.dry_run and not as_json,
                )
    summary.seconds = round(clock.monotonic() - began, 3)
    summary.interrupted = clock.stop.is_set()
    if as_json:
        say_json(summary.numbers())
    else:
        say(summary.sentence(dry_run=asked.dry_run))
    return not (summary.unread or summary.interrupted)


def _import_file(
    importer: WarcImport,
    path: Path,
    summary: WarcSummary,
    *,
    write: Callable[[], object],
    advance: Advance,
    listed: bool,
) -> None:
    shown = 0
    try:
        for batch in importer.batches(path):
            write()
            _count(batch, path, summary)
            for address, outcome in batch.pages if listed else ():
                say(f"{outcome:<9} {address}")
            advance(batch.position // _MIB - shown)
            shown = batch.position // _MIB
    except (PostUnreadable, OSError) as error:
        summary.unread += 1
        say_error(f"{path}: {error.strerror if isinstance(error, OSError) else error}")


def _count(batch: WarcBatch, path: Path, summary: WarcSummary) -> None:
    summary.outcomes += batch.outcomes
    summary.skipped += batch.skipped
    if batch.cut:
        summary.unread += 1
        say_error(f"{path}: is cut off: {batch.cut}; what comes before that was read")


def _section(asked: Asked, settings: Settings) -> FeedSettings | None:
    """Return the feed that is named; raise :class:`UsageError` where there is none."""
    if not asked.feed:
        return None
    if asked.categories:
        raise UsageError("--category: a feed has its own; leave --feed or this out")
    chosen_feeds(settings, [asked.feed])
    return next(each for each in settings.feeds if each.name == asked.feed)


def _home(section: FeedSettings | None, asked: Asked, settings: Settings, opened: Opened) -> Home:
    """Return where the articles belong: to that feed, else where the first one's would."""
    if section is None:
        first = next(iter(settings.feeds), FeedSettings(name="import", url="http://none.example"))
        return Home(asked.categories or first.categories, first.author)
    with opened[0]() as connection:
        schedule = settings.schedule
        configured = [each.feed() for each in settings.feeds]
        feeds.register(connection, configured, every=schedule.every, slowest=schedule.slowest)
        feed_id = feeds.ids(connection)[section.name]
    return Home((*section.categories, section.name), section.author, feed_id)


def _importer(
    asked: Asked,
    settings: Settings,
    clock: Clock,
    *,
    opened: Opened,
    home: Home,
    stack: ExitStack,
) -> WarcImport:
    warc = None
    if settings.archive.raw == "warc" and not asked.dry_run:
        warc = opened_warc(settings.archive, clock.now, {})
        stack.callback(warc.close)
    return WarcImport(
        transaction=opened[0],
        workers=stack.enter_context(Workers()),
        clock=clock,
        home=home,
        hosts=[host.lower().strip(".") for host in asked.hosts] or HOSTS,
        most_bytes=settings.fetch.max_bytes,
        raw=settings.archive.raw_dir,
        warc=warc,
        copy=asked.copy,
    )
