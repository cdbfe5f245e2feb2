"""What the commands share: global options, logs, opening the archive."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import typer

from ingestor.cli import logs
from ingestor.config import Settings, find, load
from ingestor.errors import ConfigError, NoArchiveYet, StorageFailed, UsageError
from ingestor.model import Feed
from ingestor.sources import source
from ingestor.store.db.database import Database
from ingestor.store.db.migrations import is_current, revision
from ingestor.text.dates import iso_utc
from ingestor.text.sanitize import escaped, one_line, redact, visible


@dataclass(frozen=True, slots=True)
class Options:
    """The global options of one call."""

    config: Path | None = None
    verbose: bool = False
    quiet: bool = False
    debug: bool = False
    log_format: logs.LogFormat | None = None

    @property
    def form(self) -> logs.LogFormat:
        """How logs are written."""
        return logs.chosen_format(self.log_format, os.environ)

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
    """Print results to standard output, without what would play with a terminal."""
    typer.echo(visible(text))


def say_json(value: object, *, indent: int | None = None) -> None:
    """Print a value as JSON: Chinese as it is, what is not seen as an escape sequence."""
    typer.echo(escaped(json.dumps(value, ensure_ascii=False, indent=indent, default=_as_text)))


def _as_text(value: object) -> str:
    return iso_utc(value) if isinstance(value, datetime) else str(value)


def say_error(text: str) -> None:
    """Print one clean line to standard error."""
    typer.echo(f"ingest: {one_line(redact(text))}", err=True)


def set_up_logs(chosen: Options, unsaid: frozenset[str] = frozenset()) -> None:
    """Send events to standard error: one line each, with fields; warnings only if quiet.

    Events named in ``unsaid`` are left out: the caller says the same in its own words.
    """
    level = logging.WARNING if chosen.quiet else logging.INFO
    if chosen.verbose or chosen.debug:
        level = logging.DEBUG
    logs.configure(chosen.form, level, unsaid)


def existing(settings: Settings, *, current: bool = True) -> Database:
    """Open an archive that is there already, for looking at it.

    Raises :class:`NoArchiveYet` when there is none, for a command that only reads makes
    none, and :class:`StorageFailed` for one that has to be upgraded first; unless ``current``
    is false, for a command that upgrades it.
    """
    database = Database(settings.store.url, for_reading=True)
    none = f"{database.where}: there is no archive yet; `ingest --once` makes it"
    # A database of no bytes is what a run that was stopped at once leaves.
    if database.path and not (database.path.exists() and database.path.stat().st_size):
        raise NoArchiveYet(none)
    with database.reading() as connection:
        if not is_current(connection, database):
            if revision(connection) is None:
                raise NoArchiveYet(none)
            if not current:
                return database
            raise StorageFailed(
                f"{database.where}: made by an older version; `ingest --once` upgrades it"
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
