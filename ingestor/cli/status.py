"""``ingest status``: whether all is well with the feeds, the archive and the workers."""

from __future__ import annotations

import sys
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.filesize import decimal
from rich.table import Table
from rich.text import Text

from ingestor.archive.warc.writer import mark_open
from ingestor.cli.archive import existing
from ingestor.cli.common import options, say_error, say_json
from ingestor.clock import Clock
from ingestor.config import Settings
from ingestor.errors import NoArchiveYet
from ingestor.model import HostPause
from ingestor.policy import MOVES_IN_A_ROW
from ingestor.store import leases, overview, watches
from ingestor.store.cluster import ClusterState, cluster_state
from ingestor.store.db.database import Database
from ingestor.store.db.locks import holder
from ingestor.store.doubts import Doubt, doubted_feeds, doubts
from ingestor.store.due import files_due
from ingestor.store.overview import FeedCondition, FeedHealth, Parked, feed_state, late_feeds
from ingestor.store.watches import WatchState, said_of
from ingestor.text.counts import counted
from ingestor.text.dates import iso_utc
from ingestor.text.sanitize import one_line, redact

UNBOUNDED = 100_000
"""Columns of what is no terminal."""

DOUBTS_SHOWN = 10
"""Of the pages that were not believed, by host and reason; ``--json`` has them all."""

PARKED_SHOWN = 10
"""Reasons shown of what was given up; the table ``entries`` has them all."""


@dataclass(frozen=True, slots=True)
class ArchiveState:
    """Where the archive is, how large it is, and who is at work on it."""

    database: str
    bytes: int
    """Of the database."""
    warc_bytes: int | None
    """``None``: the folder is on an object store, and is not asked."""
    held_by: str
    """``""``: no run is at work."""
    files_waiting: int = 0
    """Of articles, not yet written or not yet as the database says."""
    warc_files_waiting: int = 0
    """That have ended and are not yet on the object store."""


@dataclass(frozen=True, slots=True)
class State:
    """What the database says of how the archive is."""

    feeds: list[FeedHealth]
    parked: list[Parked]
    totals: dict[str, int | str | None]
    late: dict[str, str]
    """Feeds that are quiet for longer than they ever were, with the reason."""
    doubts: list[Doubt]
    """Pages of the last day that were not believed."""
    doubted: dict[str, str]
    """Feeds of whose hosts nothing is believed, with the reason."""
    paused: dict[str, HostPause]
    workers: ClusterState | None
    damages: list[tuple[str, str]]
    """Where the database was found to be damaged, and what is wrong there."""
    place: ArchiveState
    watches: list[WatchState]
    """Those of the configuration that have begun."""

    @property
    def all_well(self) -> bool:
        """Whether nobody has to look at it."""
        stalled = self.workers and self.workers.stalled
        failing = any(feed.active and feed.failures for feed in self.feeds)
        failing = failing or any(watch.attempts for watch in self.watches)
        return not (stalled or failing or self.parked or self.late or self.doubted or self.damages)


NOTHING = State(
    [],
    [],
    {"articles": 0, "revisions": 0, "first_day": None, "last_day": None},
    late={},
    doubts=[],
    doubted={},
    paused={},
    workers=None,
    damages=[],
    place=ArchiveState("", 0, 0, ""),
    watches=[],
)
"""The state of an archive that is not there yet."""


def status(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="As one JSON object.")] = False,
) -> None:
    """Show the feeds, their health, what is pending and what was given up.

    Exits 1 when a feed fails, does not answer or is quiet for longer than it ever was, a host
    of its articles gave nothing that is believed for an hour, an entry was given up, a job was
    lost with its worker, the database was found to be damaged, a hit of a watch is not taken, or
    nothing has run yet.
    Example: ingest status --json
    """
    settings = options(context).settings()
    try:
        database, now = existing(settings), Clock().now()
    except NoArchiveYet as error:
        # A monitor must not take this for "all is well": the folder may be the wrong one.
        say_error(f"nothing has run yet: {error}")
        if as_json:
            say_json(_document(NOTHING), indent=2)
        raise typer.Exit(1) from error
    state = _read(database, settings, now)
    database.close()
    if as_json:
        say_json(_document(state), indent=2)
    else:
        # A pipe has no width: what reads it counts on a line for each feed.
        console = Console(width=None if sys.stdout.isatty() else UNBOUNDED)
        _show_place(console, state.place)
        _show_feeds(console, state, now)
        _show_reasons(console, state)
        _show_doubts(console, state)
        _show_requests(console, state)
        _show_damages(console, state)
        _show_watches(console, state)
        if state.workers:
            _show_workers(console, state.workers)
    if not state.all_well:
        raise typer.Exit(1)


def _place(database: Database, settings: Settings) -> ArchiveState:
    with database.reading() as connection:
        size, files = overview.size(connection), files_due(connection)
    folder, sizes, waiting = settings.archive.raw_dir, None, 0
    if isinstance(folder, Path):
        sizes = sum(path.stat().st_size for path in folder.glob("*.warc.gz"))
    elif folder.spool:
        paths = folder.spool.glob("*.warc.gz")
        waiting = sum(not mark_open(path).exists() for path in paths)
    return ArchiveState(database.where, size, sizes, holder(database), files, waiting)


def _show_place(console: Console, place: ArchiveState) -> None:
    warc = "" if place.warc_bytes is None else f", and {decimal(place.warc_bytes)} of WARC files"
    console.print(Text(f"archive {one_line(place.database)}"), soft_wrap=True)
    console.print(Text(f"size    {decimal(place.bytes)}{warc}"))
    waiting = {"file": place.files_waiting, "WARC file": place.warc_files_waiting}
    if any(waiting.values()):
        line = " and ".join(counted(number, what) for what, number in waiting.items() if number)
        console.print(Text(f"waiting {line} to be written, or for the object store"))
    console.print(Text(f"held by {place.held_by or 'nobody: no run is at work'}\n"))


def _read(database: Database, settings: Settings, now: datetime) -> State:
    place = _place(database, settings)
    with database.reading() as connection:
        pauses, known = leases.pauses(connection), watches.states(connection)
        return State(
            overview.feed_health(connection, MOVES_IN_A_ROW),
            overview.parked(connection, PARKED_SHOWN),
            overview.totals(connection),
            late=late_feeds(connection, now),
            doubts=doubts(connection, now),
            doubted=doubted_feeds(connection, now),
            paused={host: pause for host, pause in pauses.items() if pause.until > now},
            workers=cluster_state(connection, settings.cluster.stalled_after),
            damages=overview.new_damage(connection),
            place=place,
            watches=[known[watch.name] for watch in settings.watch if watch.name in known],
        )


def _document(state: State) -> dict[str, object]:
    return {
        "archive": asdict(state.place),
        **state.totals,
        "feeds_late": state.late,
        "entries_pending": sum(feed.pending for feed in state.feeds),
        "entries_parked": sum(feed.parked for feed in state.feeds),
        "feeds": [
            {key: _plain(value) for key, value in asdict(feed).items()} for feed in state.feeds
        ],
        "parked": [asdict(entry) for entry in state.parked],
        "doubts": [asdict(doubt) for doubt in state.doubts],
        "feeds_doubted": state.doubted,
        "hosts_paused": {host: iso_utc(pause.until) for host, pause in state.paused.items()},
        "damages": [{"place": place, "what": what} for place, what in state.damages],
        "watches": [
            {key: _plain(value) for key, value in asdict(watch).items()} for watch in state.watches
        ],
        "cluster": asdict(state.workers) if state.workers else None,
    }


def _show_feeds(console: Console, state: State, now: datetime) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("feed", overflow="fold")
    for name in ("articles", "last new", "last ok", "next poll", "pending", "parked"):
        table.add_column(name, justify="right", overflow="fold")
    table.add_column("health", overflow="fold")
    for feed in state.feeds:
        table.add_row(
            Text(one_line(feed.name)),
            str(feed.articles),
            _ago(feed.last_new_at, now),
            _ago(feed.last_ok_at, now),
            _ago(None if feed.stopped else feed.next_poll_at, now),
            str(feed.pending),
            Text(str(feed.parked), style="red" if feed.parked else ""),
            _health(feed, late=feed.name in state.late, doubted=feed.name in state.doubted),
        )
    console.print(table)
    totals = state.totals
    days = f", {totals['first_day']} to {totals['last_day']}" if totals["articles"] else ""
    articles = counted(int(totals["articles"] or 0), "article")
    revisions = counted(int(totals["revisions"] or 0), "revision")
    console.print(f"{articles} in {revisions}{days}")


def _show_reasons(console: Console, state: State) -> None:
    for feed in state.feeds:
        if feed.active and feed.failures and not feed.stopped:
            error = redact(one_line(feed.last_error))
            console.print(Text(f"failed  {one_line(feed.name)}: {error}"))
    for name, reason in state.late.items():
        console.print(Text(f"late    {one_line(name)}: {reason}"))
    for entry in state.parked:
        console.print(Text(f"parked  {one_line(entry.feed)}: {redact(one_line(entry.error))}"))


def _show_doubts(console: Console, state: State) -> None:
    """Say which pages were not believed in the last day, and whose times are set right."""
    for name, reason in state.doubted.items():
        console.print(Text(f"doubted {one_line(name)}: {redact(one_line(reason))}"))
    for doubt in state.doubts[:DOUBTS_SHOWN]:
        reason = redact(one_line(doubt.reason))
        console.print(
            Text(f"doubts  {doubt.host}: {counted(doubt.looks, 'page')} in a day: {reason}")
        )
    for feed in state.feeds:
        if feed.active and feed.zone_shift_s:
            hours = feed.zone_shift_s // 3600
            line = f"times set right by {hours} h: its source reads its zone wrongly"
            console.print(Text(f"times   {one_line(feed.name)}: {line}"))


def _show_requests(console: Console, state: State) -> None:
    """Say what publishers ask for: other addresses, no more polls, fewer requests."""
    for feed in state.feeds:
        if feed.active and feed.stopped:
            name = one_line(feed.name)
            again = f'`ingest retry --feed "{name}"` asks it again'
            console.print(Text(f"stopped {name}: {feed.stopped}; {again}"))
        elif feed.active and feed.moved_to:
            where = f"{one_line(feed.name)}: is asked at {redact(one_line(feed.moved_to))} now"
            console.print(Text(f"moved   {where}; change its url in the configuration"))
    for host, pause in state.paused.items():
        until = iso_utc(pause.until)
        console.print(Text(f"paused  {host}: until {until}, {redact(one_line(pause.reason))}"))


def _show_damages(console: Console, state: State) -> None:
    """Say where the database was found to be damaged."""
    for place, what in state.damages:
        line = place if what in place else f"{place}: {what}"
        console.print(Text(f"damaged {one_line(line)}; `ingest verify --repair` may mend it"))


def _show_watches(console: Console, state: State) -> None:
    """Say which watches' hits are not taken."""
    for watch in state.watches:
        if watch.attempts:
            console.print(Text(f"watch   {one_line(watch.name)}: {said_of(watch)}"))


def _show_workers(console: Console, state: ClusterState) -> None:
    """Say who works, and what waits."""
    names = f": {', '.join(state.names)}" if state.names else ""
    console.print(Text(f"workers {state.workers} alive{names}"))
    for name, queue in state.queues.items():
        again = f" ({queue.again} again)" if queue.again else ""
        console.print(
            Text(
                f"queue   {name}: {queue.waiting} waiting{again}, "
                f"{queue.running} running, {queue.failed} failed"
            )
        )
    for kind, counts in state.assignments.items():
        days = ", ".join(f"{number} {what}" for what, number in counts.items())
        console.print(Text(f"days    {kind}: {days}"))
    for job in state.stalled:
        console.print(Text(f"stalled {job}: its worker is gone; another one does it"))


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return iso_utc(value)
    return redact(value) if isinstance(value, str) else value


_STYLES = {
    FeedCondition.UNKNOWN: "dim",
    FeedCondition.STOPPED: "red",
    FeedCondition.FAILING: "red",
    FeedCondition.DOUBTED: "red",
    FeedCondition.LATE: "yellow",
    FeedCondition.NEVER: "",
    FeedCondition.OK: "green",
}


def _health(feed: FeedHealth, *, late: bool, doubted: bool) -> Text:
    state = feed_state(feed, late=late, doubted=doubted)
    said = {
        FeedCondition.UNKNOWN: "not in the configuration",
        FeedCondition.FAILING: f"failed {feed.failures}×",
    }
    return Text(said.get(state, state), style=_STYLES[state])


def _ago(moment: datetime | None, now: datetime) -> str:
    """Return how far away a moment is: ``5m ago``, ``in 3h``, ``-`` for none."""
    if moment is None:
        return "-"
    seconds = (now - moment).total_seconds()
    size = next(
        f"{int(abs(seconds) // unit)}{name}"
        for unit, name in ((86400, "d"), (3600, "h"), (60, "m"), (1, "s"))
        if abs(seconds) >= unit or unit == 1
    )
    return f"{size} ago" if seconds >= 0 else f"in {size}"
