"""What the commands share: the global options, and saying things. Imports next to nothing."""

from __future__ import annotations

import json
import os
import select
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import typer

from ingestor.errors import ConfigError, UsageError
from ingestor.text.sanitize import escaped, one_line, redact, spreadsheet_cell, visible

if TYPE_CHECKING:
    from ingestor.config import Settings

STANDARD_ERROR = 2

LONGEST_WRITE_MILLISECONDS = 1_000
"""A reader of the log that is busy gets so long; without one, no line waits."""

LogFormat = Literal["human", "json", "journal"]


@dataclass(frozen=True, slots=True)
class Options:
    """The global options of one call."""

    config: Path | None = None
    verbose: bool = False
    quiet: bool = False
    debug: bool = False
    log_format: LogFormat | None = None

    def settings(self) -> Settings:
        """Return the configuration; raise :class:`ConfigError` when it cannot be used."""
        # Pydantic alone takes longer to import than `--version` and `init` take.
        from ingestor.config import find, load  # noqa: PLC0415
        from ingestor.registry import names  # noqa: PLC0415

        path = find(self.config, os.environ)
        # So that a wrong kind is found before anything is opened.
        return load(path, os.environ, names("ingestor.sources"))


class ErrorStream:
    """Standard error, as long as it takes what is written: a log that is lost stops no work.

    The disk may be full, the reader of a pipe gone, or hanging: that is waited for once.
    """

    def __init__(self) -> None:
        self._is_lost = False
        self._poll = select.poll()
        self._poll.register(STANDARD_ERROR, select.POLLOUT)

    def write(self, text: str) -> int:
        """Write text at once; return its length, whether it was taken or not."""
        encoding = getattr(sys.stderr, "encoding", None) or "utf-8"
        data = text.encode(encoding, "backslashreplace")
        try:
            while data:
                # A pipe that says that it can be written takes so much.
                if not self._poll.poll(0 if self._is_lost else LONGEST_WRITE_MILLISECONDS):
                    raise TimeoutError
                data = data[os.write(STANDARD_ERROR, data[: select.PIPE_BUF]) :]
        except OSError:
            self._is_lost = True
        else:
            self._is_lost = False
        return len(text)

    def flush(self) -> None:
        """Do nothing: all is written at once."""


def open_streams() -> None:
    """Open what is missing of standard input, output and error, on nothing.

    Else the next file that is opened, such as the database, would get their number.
    """
    for number in range(STANDARD_ERROR + 1):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    sys.stdout = sys.stdout or os.fdopen(1, "w", closefd=False)
    sys.stderr = sys.stderr or os.fdopen(STANDARD_ERROR, "w", closefd=False)


def feed_names(context: typer.Context, incomplete: str) -> list[str]:
    """Return the configured feeds whose names begin so, for a shell's completion."""
    named = context.find_root().params.get("config")
    try:
        sections = Options(Path(str(named)) if named else None).settings().feeds
    except ConfigError:
        # A shell has no place to say it; the command will.
        return []
    return [feed.name for feed in sections if feed.name.startswith(incomplete)]


def feed_option(text: str) -> Any:
    """Return the option ``--feed`` with its help; a shell completes the names of feeds."""
    return typer.Option("--feed", metavar="NAME", help=text, autocompletion=feed_names)


def options(context: typer.Context) -> Options:
    """Return the global options that the callback put aside."""
    chosen = context.find_root().obj
    return chosen if isinstance(chosen, Options) else Options()


def say(text: str = "") -> None:
    """Print results to standard output, without what would play with a terminal."""
    typer.echo(visible(text))


def say_json(value: object, *, indent: int | None = None) -> None:
    """Print a value as JSON: Chinese as it is, what is not seen as an escape sequence."""
    typer.echo(escaped(json.dumps(value, ensure_ascii=False, indent=indent, default=_as_text)))


def say_csv(columns: Sequence[str], rows: Iterable[Iterable[str | int]]) -> None:
    """Print rows as CSV below a line of names: each a line, and no cell a spreadsheet's formula."""
    import csv  # noqa: PLC0415 - as below
    import io  # noqa: PLC0415

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow(
            spreadsheet_cell(one_line(cell)) if isinstance(cell, str) else cell for cell in row
        )
    say(text.getvalue().removesuffix("\n"))


def require_web_address(text: str) -> None:
    """Raise :class:`UsageError` for what does not begin as the address of a page does."""
    if not text.startswith(("http://", "https://")):
        raise UsageError(f'"{text}" is not an address; it begins with "http://" or "https://"')


def _as_text(value: object) -> str:
    from ingestor.text.dates import iso_utc  # noqa: PLC0415 - only some have moments in them

    return iso_utc(value) if isinstance(value, datetime) else str(value)


def say_error(text: str) -> None:
    """Print one clean line to standard error, if that takes it."""
    ErrorStream().write(f"ingest: {one_line(redact(text))}\n")


def day_option(option: str, text: str) -> date:
    """Return the day that an option names; raise :class:`UsageError` when it is none."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f'{option}: "{text}" is not a day; write it as 2024-01-31') from error
