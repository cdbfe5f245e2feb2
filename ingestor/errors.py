"""Every error that the program expects, and what each means for the one who runs it.

::

    IngestorError                    one clear line for a person
    ├── UsageError                   exit 2: the command line is wrong
    ├── ConfigError                  exit 2: the configuration is wrong
    ├── ArchiveError                 exit 3: the archive itself is unusable
    │   ├── ArchiveInUse             another run holds it
    │   ├── NoArchiveYet             nothing has run yet
    │   ├── SchemaTooNew             made by a newer program
    │   ├── SchemaTooOld             made before there was a first release
    │   └── StorageFailed            read-only, disk full, not a database
    │       └── StoreAway            an object store that does not answer, or refuses
    ├── FetchError                   one request failed; tried again later
    │   ├── Gone                     404, 410, or a page that says it was removed
    │   ├── Refused                  401, 403, 451, robots.txt
    │   ├── Forbidden                an address that we never ask (guard)
    │   ├── TooLarge                 a bound was passed
    │   ├── Postponed                the host asked to be left alone for now; not asked
    │   └── Unreachable              DNS, connection, timeout, 5xx, broken HTTP
    │       └── CutOff               an answer that ends before its end
    ├── DeliveryFailed               a hit of a watch was not taken; tried again later
    ├── WorkersFailed                no worker process can be started; ends the run
    ├── WorkerDied                   a body that kills the process that reads it
    ├── TooSlow                      a body that takes too long to read
    ├── FeedUnreadable               a body that is not a (whole) feed
    ├── NoArticle                    a page without an article that can be read
    │   └── NoPage                   nothing, or JSON, where a page was
    ├── NotBelieved                  a page that does not show that it is the article
    ├── PostUnreadable               a file of another archive that cannot be imported
    └── CaptureLost                  a kept page that is not where the database says

An expected failure of one feed or one article becomes a stored outcome; anything that is
not in this tree is a bug and stops the run with its traceback.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from ingestor.text.sanitize import shortened, visible

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from ingestor.model import Response


INTERRUPTED = 130
"""The exit code of what Ctrl-C ended, as shells have it (128 + SIGINT)."""


class IngestorError(Exception):
    """An expected failure whose text is one line that a person can act on.

    It may quote what a stranger wrote, and is stored and shown: nothing unseen gets into it.
    """

    most_characters: ClassVar[int] = 3_000
    """Of its text: it may hold an address, which has 2,000 at most."""

    def __init__(self, text: str = "") -> None:
        super().__init__(shortened(visible(text), self.most_characters))


class UsageError(IngestorError):
    """The command line asks for something that makes no sense."""


class ConfigError(IngestorError):
    """The configuration cannot be used; the text names the file and the key, a line a mistake."""

    most_characters = 100_000


class ArchiveError(IngestorError):
    """The archive as a whole cannot be read or written."""


class ArchiveInUse(ArchiveError):
    """Another run holds the archive."""


class NoArchiveYet(ArchiveError):
    """There is no database, or an empty one: nothing has run yet."""


class SchemaTooNew(ArchiveError):
    """The database was made by a newer version of the program."""


class SchemaTooOld(ArchiveError):
    """The database was made before the first migration: an earlier version has to upgrade it."""


class StorageFailed(ArchiveError):
    """The disk is full or read-only, or the file is not an archive."""


class StoreAway(StorageFailed):
    """An object store does not answer, or takes nothing: what is to lie there can wait."""


class DeliveryFailed(IngestorError):
    """What a watch waits for was not taken by what it is for; tried again later."""

    def __init__(self, line: str, wait: timedelta | None = None, *, is_final: bool = False) -> None:
        super().__init__(line)
        self.wait = wait
        """What the receiver asks for; ``None``: it does not."""
        self.is_final = is_final
        """It asked never to be told again."""


class WorkersFailed(IngestorError):
    """Worker processes end before they can work, whatever they are given."""


class FetchError(IngestorError):
    """One request did not bring a usable answer."""


class Gone(FetchError):
    """The page is not there (any more)."""


class Refused(FetchError):
    """The server, or its robots.txt, does not let us."""


class Forbidden(FetchError):
    """The address is one that this program never asks."""


class TooLarge(FetchError):
    """The answer passed a bound on its size."""


class Postponed(FetchError):
    """Not asked, because the host wants to be left alone: no failure of what was to be asked."""

    def __init__(self, line: str, until: datetime) -> None:
        super().__init__(line)
        self.until = until
        """When it may be asked again, in UTC."""


class Unreachable(FetchError):
    """No complete answer: name look-up, connection, timeout, server error."""


class CutOff(Unreachable):
    """An answer that ends before its end: what came of it may be a part of a feed."""

    def __init__(self, line: str, body: bytes = b"", response: Response | None = None) -> None:
        super().__init__(line)
        self.body = body
        """What came, unpacked."""
        self.response = response
        """The answer with that as its body, where its head came whole."""


class WorkerDied(IngestorError):
    """A body that ended the process that read it, twice, or needs more memory than any real one."""


class TooSlow(IngestorError):
    """Reading a body takes more processor time than any real one needs."""


class FeedUnreadable(IngestorError):
    """A body that is no feed, or only a part of one; never "no news"."""


class NoArticle(IngestorError):
    """A page in which no article can be found."""


class NoPage(NoArticle):
    """An empty answer, or a server's error as JSON, with status 200: tried again later."""


class NotBelieved(IngestorError):
    """A page that does not show that it is the article that was asked for; tried again later."""


class PostUnreadable(IngestorError):
    """A file without front matter, date or text; the text says what is wrong with it."""


class CaptureLost(IngestorError):
    """A kept page that is not (any more) where the database says, or is another one."""
