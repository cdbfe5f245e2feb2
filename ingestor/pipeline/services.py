"""What a pass works with, and what it reports."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from urllib.parse import urlsplit

from sqlalchemy import Connection

from ingestor import log
from ingestor.archive.warc.records import Packed
from ingestor.archive.warc.writer import WarcArchive
from ingestor.clock import Clock
from ingestor.config import Settings
from ingestor.config.sections import FetchSettings
from ingestor.fetch.client import Fetcher
from ingestor.fetch.host_limiter import HostLimiter, MemoryHostLimiter
from ingestor.model import Response
from ingestor.observer import Observer
from ingestor.pipeline.captures import (
    NewCapture,
    UnreadAnswer,
    opened_warc,
    require_folders,
    unkept,
    write_warc,
)
from ingestor.pipeline.recovery import PAGES_A_START, inspect, recover
from ingestor.pipeline.rounds import Round, finish
from ingestor.store import UpsertOutcome, due, leases, overview
from ingestor.store.db.database import Database
from ingestor.text.dates import CLOCK_SKEW, iso_utc
from ingestor.workers import Workers


@dataclass(frozen=True, slots=True)
class Services:
    """The edges of the program, opened once and handed to every step."""

    settings: Settings
    database: Database
    fetcher: Fetcher
    workers: Workers
    warc: WarcArchive | None
    """``None`` when ``archive.raw`` is ``"off"``."""
    clock: Clock
    observer: Observer = field(default_factory=Observer)

    def write_warc(
        self, answers: Sequence[tuple[Response, Packed | UnreadAnswer | None]]
    ) -> list[NewCapture]:
        """Put responses into the WARC, in this order, unless raw is off.

        With each come its records, as :func:`~ingestor.pipeline.captures.write_warc` has them; what
        lies in the WARC already is not written again.
        """
        new = [
            (response, records)
            for response, records in answers
            if not isinstance(records, UnreadAnswer)
        ]
        if self.warc and new:
            written = iter(write_warc(self.warc, self.database, new))
        else:
            written = iter([unkept(response) for response, _ in new])
        return [
            records.recorded if isinstance(records, UnreadAnswer) else next(written)
            for _, records in answers
        ]

    @contextmanager
    def recording(self) -> Iterator[Connection]:
        """Open a transaction that points to what was kept, once that is on the disk."""
        if self.warc:
            self.warc.sync()
        with self.database.transaction() as connection:
            yield connection
        if self.warc:
            self.warc.recorded()

    def finish(self, work: Round) -> None:
        """Go on with work until it is through, as :func:`~ingestor.pipeline.rounds.finish` does."""
        finish(work, self.clock, self.settings.service.stop_timeout)

    def roll(self) -> None:
        """Let the WARC file end if it is time for that; between two batches."""
        if self.warc:
            self.warc.roll()


@dataclass(slots=True)
class Summary:
    """What a pass did; the numbers of ``ingest --once --json``."""

    feeds: int = 0
    feeds_failed: int = 0
    feeds_unchanged: int = 0
    entries_new: int = 0
    articles_new: int = 0
    articles_revised: int = 0
    articles_unchanged: int = 0
    entries_failed: int = 0
    entries_pending: int = 0
    seconds: float = 0.0
    problems: list[str] = field(default_factory=list)
    """A line for each feed and entry that failed; not part of the numbers."""
    feeds_with_news: set[int] = field(default_factory=set)
    """Ids of the feeds that announced new entries; not part of the numbers."""
    pages_doubted: int = 0
    """Second looks that brought a page that is not believed; not part of the numbers."""
    furniture: set[tuple[str, str]] = field(default_factory=set)
    """Texts that sites give everywhere, as was found out: host and hash; not of the numbers."""

    def count(self, outcome: UpsertOutcome) -> None:
        """Count what became of an article."""
        self.articles_new += outcome == "new"
        self.articles_revised += outcome == "revised"
        self.articles_unchanged += outcome == "unchanged"

    def numbers(self) -> dict[str, int | float]:
        """Return the numbers, in this order."""
        values = asdict(self)
        for name in ("problems", "feeds_with_news", "pages_doubted", "furniture"):
            del values[name]
        return values

    @property
    def all_well(self) -> bool:
        """Whether no feed and no entry failed, and no page was doubted."""
        return not (self.feeds_failed or self.entries_failed or self.pages_doubted)


@contextmanager
def opened(
    settings: Settings,
    database: Database,
    clock: Clock,
    observer: Observer | None = None,
    *,
    processes: int | None = None,
    limiter: HostLimiter | None = None,
) -> Iterator[Services]:
    """Open everything that a pass needs and close it again.

    ``processes`` extract, one a processor core where none is given; ``limiter`` is as the
    fetcher has it.
    Raises as :func:`require_folders`.
    """
    watching = observer or Observer()
    with ExitStack() as stack:
        with database.transaction() as connection:
            _set_clock_right(connection, settings, clock)
            pauses = leases.pauses(connection)
        slots = settings.fetch.connections_per_host
        limiter = limiter or MemoryHostLimiter(slots, clock, pauses)
        warc = None
        require_folders(settings.archive)
        recover(database, settings.archive)
        inspect(database, clock, pages=PAGES_A_START)
        if settings.archive.raw == "warc":
            warc = opened_warc(settings.archive, clock.now, _crawl(settings.fetch))
            stack.callback(warc.close)
        yield Services(
            settings=settings,
            database=database,
            fetcher=stack.enter_context(fetcher(settings, clock, watching, limiter=limiter)),
            workers=stack.enter_context(Workers(processes)),
            warc=warc,
            clock=clock,
            observer=watching,
        )


def _set_clock_right(connection: Connection, settings: Settings, clock: Clock) -> None:
    """Undo what a wrong clock did to the times at which things are due, and say so."""
    now, schedule = clock.now(), settings.schedule
    polls = max([schedule.slowest, *(feed.every or schedule.every for feed in settings.feeds)])
    pulled = due.pull_in(
        connection, now, polls=polls, rechecks=max(schedule.recheck, default=polls)
    )
    if pulled:
        log.warning("clock_was_ahead", due_again=pulled)
    newest = overview.newest_article(connection)
    if newest and newest > now + CLOCK_SKEW:
        log.warning("clock_is_behind", newest_article=iso_utc(newest), now=iso_utc(now))


def remember_pauses(services: Services) -> None:
    """Write down which hosts are to be left alone, if that is not what is written down."""
    now = services.clock.now()
    paused = services.fetcher.limiter.pauses()
    with services.database.reading() as connection:
        known = leases.pauses(connection)
    over = any(pause.until <= now for pause in known.values())
    if over or any(known.get(name) != pause for name, pause in paused.items()):
        with services.database.transaction() as connection:
            leases.record(connection, paused, now)


def fetcher(
    settings: Settings,
    clock: Clock,
    observer: Observer | None = None,
    *,
    named: str = "",
    limiter: HostLimiter | None = None,
) -> Fetcher:
    """Return the HTTP client that the configuration asks for.

    It asks the usual ports, those of the feeds' addresses, and that of the address ``named``
    by the one who runs it. ``limiter`` is where the limits for each host are shared.
    """
    addresses = [named, *(feed.url for feed in settings.feeds if feed.url)]
    ports = frozenset(port for url in addresses if (port := _port(url)))
    return Fetcher(settings.fetch, clock, observer, ports=ports, limiter=limiter)


def _crawl(settings: FetchSettings) -> dict[str, str]:
    """Return what a warcinfo says of how the files came to be (WARC/1.1, 6.2)."""
    robots = "obey" if settings.robots else "ignore"
    return {"robots": robots, "http-header-user-agent": settings.user_agent}


def _port(url: str) -> int | None:
    try:
        return urlsplit(url).port
    except ValueError:
        # Not a number: the guard says so when the address is asked.
        return None
