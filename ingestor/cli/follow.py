"""``ingest follow``: every new article and edit as it lands, one line each."""

from __future__ import annotations

import json
import os
import select
import signal
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from ingestor.api.changes import POLL_SECONDS, Position, document, is_meant, landed, position
from ingestor.archive import storage
from ingestor.cli.archive import existing
from ingestor.cli.common import options, say, say_json
from ingestor.cli.filters import (
    Feeds,
    Medium,
    Symbol,
    filters_of,
    known_filters,
    words_of,
)
from ingestor.errors import INTERRUPTED, StorageFailed, UsageError
from ingestor.store.db.database import Database
from ingestor.store.filters import Filters
from ingestor.store.search import Query
from ingestor.store.stored_articles import ArticleRevision
from ingestor.text.dates import iso_utc
from ingestor.text.sanitize import one_line

STANDARD_OUTPUT = 1

Words = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="QUERY", help="Only what has these words, as in `ingest search`; none: everything."
    ),
]
From = Annotated[
    str,
    typer.Option(
        "--from",
        metavar="SEQUENCE|now",
        help="Begin behind this revision, 0: with the first; where there is a cursor, that counts.",
    ),
]
Cursor = Annotated[
    Path | None,
    typer.Option("--cursor", metavar="FILE", help="Where it is kept how far this has come."),
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]

SETTINGS = {"ignore_unknown_options": True}
"""A word that is not wanted begins like an option: 茅台 -广告."""


def follow(
    context: typer.Context,
    query: Words = None,
    symbol: Symbol = "",
    feed: Feeds = None,
    media: Medium = "",
    begin: From = "now",
    cursor: Cursor = None,
    as_json: AsJson = False,
) -> None:
    """Show every new article and edit as it lands, until Ctrl-C.

    With --cursor it goes on where it stopped, nothing twice and nothing missed.

    Example: ingest follow 茅台 --json --cursor moutai.cursor | ./tell-me
    """
    filters = filters_of(symbol=symbol, media=media, feed=feed)
    words = words_of(query or [], needed=False)
    sequence = _sequence(begin)
    database = existing(options(context).settings())
    with closing(database):
        database.hold()
        wanted = _Wanted(words, known_filters(database, filters), as_json)
        kept = _Kept(cursor.resolve() if cursor else None)
        at = kept.start(database, sequence)
        code = _follow(database, wanted, kept, at)
    raise typer.Exit(code)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What is shown, and how."""

    words: Query | None
    filters: Filters
    as_json: bool

    def show(self, revision: ArticleRevision) -> None:
        """Print a revision, if it is meant; it is out when this returns."""
        if not is_meant(revision, self.words, self.filters):
            return
        if self.as_json:
            say_json(document(revision))
            return
        seen = iso_utc(revision.known_from)
        said = map(one_line, (revision.media, revision.title, revision.url))
        say("\t".join((str(revision.sequence), seen, revision.cause, *said)))


def _follow(database: Database, wanted: _Wanted, kept: _Kept, at: Position) -> int:
    """Show what lands until a signal comes, or nobody reads any more; return the exit code."""
    stop = _Stop()
    reader = select.poll()
    # For no event: what is reported all the same is that the other end is closed.
    reader.register(STANDARD_OUTPUT, 0)
    try:
        while True:
            for revision in landed(database, at.sequence):
                wanted.show(revision)
                at = kept.advance(database, at, revision)
                if stop.code is not None:
                    break
            kept.make_last()
            if stop.code is not None or reader.poll(int(POLL_SECONDS * 1000)):
                return stop.code or 0
    except BrokenPipeError:
        # What is left in the buffer would be tried once more at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), STANDARD_OUTPUT)
        return 0


class _Stop:
    """Whether Ctrl-C or SIGTERM asked for the end: between two lines, so that none is cut."""

    def __init__(self) -> None:
        self.code: int | None = None
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._ask)

    def _ask(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 - Python's signature
        self.code = INTERRUPTED if number == signal.SIGINT else 0
        # A second time it ends at once, whatever it waits for.
        signal.signal(number, signal.SIG_DFL)


class _Kept:
    """The cursor: a file that says how far somebody has followed which archive.

    It is replaced as a whole behind each line, and brought to the disk when there is nothing more
    to show: a power cut may cost some lines a second showing, but none its first.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._is_lasting = True

    def start(self, database: Database, sequence: int | None) -> Position:
        """Return where to begin: where the cursor stands, else behind a revision or the last.

        Raises :class:`UsageError` for a file that is no cursor, or another archive's.
        """
        with database.reading() as connection:
            if self._path is None or not self._path.exists():
                begin = position(connection, sequence)
                self._write(begin)
                return begin
            at = _read(self._path)
            try:
                here = position(connection, at.sequence)
            except UsageError:
                here = None
        same = here and here.archive == at.archive and here.seen_at in {"", at.seen_at}
        # Before its first revision an archive has no name.
        if not same and at != Position(0):
            raise UsageError(
                f"{self._path}: is the cursor of another archive, or this one was put back to an "
                "earlier day; remove the file, or name another one"
            )
        return at

    def advance(self, database: Database, at: Position, revision: ArticleRevision) -> Position:
        """Note that a revision is through; return the position behind it."""
        if self._path is None:
            return replace(at, sequence=revision.sequence)
        with database.reading() as connection:
            at = position(connection, revision.sequence)
        self._write(at)
        return at

    def make_last(self) -> None:
        """Bring the cursor to the disk."""
        if self._path and not self._is_lasting:
            with self._path.open("rb") as file:
                os.fsync(file.fileno())
            storage.sync_folder(self._path.parent)
        self._is_lasting = True

    def _write(self, at: Position) -> None:
        if self._path is None:
            return
        unfinished = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        try:
            unfinished.write_text(json.dumps(asdict(at)) + "\n", "utf-8")
            unfinished.replace(self._path)
        except OSError as error:
            raise StorageFailed(
                f"{self._path}: the cursor cannot be written: {error.strerror}"
            ) from error
        self._is_lasting = False


def _read(path: Path) -> Position:
    try:
        if not path.is_file():
            raise UsageError(f"{path}: is no file; --cursor names one")
        at = Position(**json.loads(path.read_text("utf-8")))
    except (ValueError, TypeError) as error:
        raise UsageError(f"{path}: is no cursor of `ingest follow`") from error
    if type(at.sequence) is not int or at.sequence < 0:
        raise UsageError(f"{path}: is no cursor of `ingest follow`")
    return at


def _sequence(begin: str) -> int | None:
    if begin == "now":
        return None
    if not (begin.isascii() and begin.isdecimal() and len(begin) < len(str(2**63))):
        raise UsageError(f'--from: "{begin}" is neither now nor the number of a revision')
    return int(begin)
