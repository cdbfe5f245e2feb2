"""What the commands share: global options, logs, opening the archive."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import typer

from ingestor.archive.front_matter import one_line
from ingestor.cli import logs
from ingestor.config import Settings, find, load
from ingestor.errors import ConfigError, StorageFailed, UsageError
from ingestor.model import Feed
from ingestor.redaction import redact
from ingestor.sources import source
from ingestor.store.database import Database
from ingestor.store.migrations import is_current


@dataclass(frozen=True, slots=True)
class Options:
    """The global options of one call."""

    config: Path | None = None
    verbose: bool = False
    quiet: bool = False
    debug: bool = False
    log_format: logs.LogFormat | None = None

    def settings(self) -> Settings:
        """Return the configuration; raise :class:`ConfigError` when it cannot be used."""
        path = find(self.config, os.environ)
        settings = load(path, os.environ)
        for number, feed in enumerate(settings.feeds, start=1):
            # Asked here, so that a wrong kind is found before anything is opened.
            try:
                source(feed.kind)
            except ConfigError as error:
                raise ConfigError(f"{path}: feeds[{number}].kind: {error}") from error
        return settings


def options(context: typer.Context) -> Options:
    """Return the global options that the callback put aside."""
    found = context.find_root().obj
    return found if isinstance(found, Options) else Options()


def say(text: str = "") -> None:
    """Print a line of results to standard output."""
    typer.echo(text)


def say_error(text: str) -> None:
    """Print one clean line to standard error."""
    typer.echo(f"ingest: {one_line(redact(text))}", err=True)


def set_up_logs(chosen: Options) -> None:
    """Send events to standard error: one line each, with fields; warnings only if quiet."""
    level = logging.WARNING if chosen.quiet else logging.INFO
    if chosen.verbose or chosen.debug:
        level = logging.DEBUG
    logs.configure(logs.chosen_format(chosen.log_format, os.environ), level)


def existing(settings: Settings, *, current: bool = True) -> Database:
    """Open an archive that is there already, for looking at it.

    Raises :class:`StorageFailed` when there is none, for a command that only reads makes
    none, or one that has to be upgraded first; unless ``current`` is false, for a command
    that upgrades it.
    """
    database = Database(settings.store.url)
    if database.path and not database.path.exists():
        raise StorageFailed(f"{database.path}: there is no archive yet; `ingest --once` makes it")
    with database.reading() as connection:
        if not is_current(connection, database) and current:
            raise StorageFailed(
                f"{database.path}: made by an older version; `ingest --once` upgrades it"
            )
    return database


def chosen_feeds(settings: Settings, names: Sequence[str]) -> list[Feed]:
    """Return the configured feeds, or those of these names.

    Raises :class:`UsageError` for a name that is not configured, or when there is no feed.
    """
    feeds = [one.feed() for one in settings.feeds]
    known = {feed.name: feed for feed in feeds}
    for name in names:
        if name not in known:
            raise UsageError(f'--feed: there is no feed "{name}"; there are: {", ".join(known)}')
    if not feeds:
        raise UsageError("the configuration names no feeds; add a [[feeds]] section")
    return [known[name] for name in dict.fromkeys(names)] if names else feeds


def day_option(option: str, text: str) -> date:
    """Return the day that an option names; raise :class:`UsageError` when it is none."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f'{option}: "{text}" is not a day; write it as 2024-01-31') from error
