"""What ``ingest status`` says of the workers of a cluster.

``ingest status`` answers whether all is well.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ingestor.cli.archive import existing
from ingestor.cli.common import options, say_error, say_json
from ingestor.clock import Clock
from ingestor.errors import NoArchiveYet
from ingestor.model import HostPause
from ingestor.policy import MOVES_IN_A_ROW
from ingestor.store import overview
from ingestor.store.coordination import leases
from ingestor.store.coordination.cluster_state import ClusterState, cluster_state
from ingestor.store.doubts import Doubt, doubted_feeds, doubts
from ingestor.store.overview import FeedHealth, Parked, late_feeds
from ingestor.text.dates import iso_utc
from ingestor.text.sanitize import one_line, redact


def as_document(state: ClusterState | None) -> dict[str, object]:
    """Return the workers as they stand in ``status --json``."""
    return {"cluster": asdict(state) if state else None}


def show(state: ClusterState | None) -> None:
    """Say who works, and what waits."""
    if state is None:
        return
    console = Console()
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
        said = ", ".join(f"{number} {what}" for what, number in counts.items())
        console.print(Text(f"days    {kind}: {said}"))
    for job in state.stalled:
        console.print(Text(f"stalled {job}: its worker is gone; another one does it"))


DOUBTS_SHOWN = 10
"""Of the pages that were not believed, by host and reason; ``--json`` has them all."""

PARKED_SHOWN = 10
"""Reasons shown of what was given up; the table ``entries`` has them all."""

NOTHING: dict[str, int | str | None] = {
    "articles": 0,
    "revisions": 0,
    "first_day": None,
    "last_day": None,
}
"""The numbers of an archive that is not there yet."""


def status(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="As one JSON object.")] = False,
) -> None:
    """Show the feeds, their health, what is pending and what was given up.

    Exits 1 when a feed fails, does not answer or is quiet for longer than it ever was, a host
    of its articles gave nothing that is believed for an hour, an entry was given up, a job was
    lost with its worker, or nothing has run yet.
    Example: ingest status --json
    """
    settings = options(context).settings()
    try:
        database, now = existing(settings), Clock().now()
    except NoArchiveYet as error:
        # A monitor must not take this for "all is well": the folder may be the wrong one.
        say_error(f"nothing has run yet: {error}")
        if as_json:
            nothing = _document([], [], NOTHING, {}) | _doubts_document([], {})
            say_json(nothing | {"hosts_paused": {}, "cluster": None}, indent=2)
        raise typer.Exit(1) from error
    with database.reading() as connection:
        feeds = overview.feed_health(connection, MOVES_IN_A_ROW)
        paused = {name: one for name, one in leases.pauses(connection).items() if one.until > now}
        parked = overview.parked(connection, PARKED_SHOWN)
        totals = overview.totals(connection)
        late = late_feeds(connection, now)
        doubted, counts = doubted_feeds(connection, now), doubts(connection, now)
        workers = cluster_state(connection, settings.cluster.stalled_after)
    database.close()
    if as_json:
        document = _document(feeds, parked, totals, late) | _doubts_document(counts, doubted)
        document |= {
            "hosts_paused": {name: iso_utc(one.until) for name, one in paused.items()},
            **as_document(workers),
        }
        say_json(document, indent=2)
    else:
        _show(feeds, parked, totals, late=late, doubted=doubted, now=now)
        _show_doubts(feeds, counts, doubted)
        _show_requests(feeds, paused)
        show(workers)
    failing = any(feed.active and feed.failures for feed in feeds)
    if (workers and workers.stalled) or failing or parked or late or doubted:
        raise typer.Exit(1)


def _document(
    feeds: list[FeedHealth],
    parked: list[Parked],
    totals: dict[str, int | str | None],
    late: dict[str, str],
) -> dict[str, object]:
    return {
        **totals,
        "feeds_late": late,
        "entries_pending": sum(one.pending for one in feeds),
        "entries_parked": sum(one.parked for one in feeds),
        "feeds": [{key: _plain(value) for key, value in asdict(one).items()} for one in feeds],
        "parked": [asdict(one) for one in parked],
    }


def _doubts_document(counts: list[Doubt], doubted: dict[str, str]) -> dict[str, object]:
    return {"doubts": [asdict(doubt) for doubt in counts], "feeds_doubted": doubted}


def _show(
    feeds: list[FeedHealth],
    parked: list[Parked],
    totals: dict[str, int | str | None],
    *,
    late: dict[str, str],
    doubted: dict[str, str],
    now: datetime,
) -> None:
    console = Console()
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name, justify in (
        ("feed", "left"),
        ("articles", "right"),
        ("last new", "right"),
        ("last ok", "right"),
        ("next poll", "right"),
        ("pending", "right"),
        ("parked", "right"),
        ("health", "left"),
    ):
        table.add_column(name, justify=justify, overflow="fold")  # type: ignore[arg-type]
    for one in feeds:
        table.add_row(
            Text(one_line(one.name)),
            str(one.articles),
            _ago(one.last_new_at, now),
            _ago(one.last_ok_at, now),
            _ago(None if one.stopped else one.next_poll_at, now),
            str(one.pending),
            Text(str(one.parked), style="red" if one.parked else ""),
            _health(one, late=one.name in late, doubted=one.name in doubted),
        )
    console.print(table)
    days = f", {totals['first_day']} to {totals['last_day']}" if totals["articles"] else ""
    console.print(f"{totals['articles']} articles in {totals['revisions']} revisions{days}")
    _show_reasons(console, feeds, parked, late)


def _show_reasons(
    console: Console, feeds: list[FeedHealth], parked: list[Parked], late: dict[str, str]
) -> None:
    for one in feeds:
        if one.active and one.failures and not one.stopped:
            console.print(Text(f"failed  {one_line(one.name)}: {redact(one_line(one.last_error))}"))
    for name, reason in late.items():
        console.print(Text(f"late    {one_line(name)}: {reason}"))
    for given_up in parked:
        console.print(
            Text(f"parked  {one_line(given_up.feed)}: {redact(one_line(given_up.error))}")
        )


def _show_doubts(feeds: list[FeedHealth], counts: list[Doubt], doubted: dict[str, str]) -> None:
    """Say which pages were not believed in the last day, and whose times are set right."""
    console = Console()
    for name, reason in doubted.items():
        console.print(Text(f"doubted {one_line(name)}: {redact(one_line(reason))}"))
    for doubt in counts[:DOUBTS_SHOWN]:
        pages = "page" if doubt.looks == 1 else "pages"
        reason = redact(one_line(doubt.reason))
        console.print(Text(f"doubts  {doubt.host}: {doubt.looks} {pages} in a day: {reason}"))
    for feed in feeds:
        if feed.active and feed.zone_shift_s:
            hours = feed.zone_shift_s // 3600
            line = f"times set right by {hours} h: its source reads its zone wrongly"
            console.print(Text(f"times   {one_line(feed.name)}: {line}"))


def _show_requests(feeds: list[FeedHealth], paused: dict[str, HostPause]) -> None:
    """Say what publishers ask for: other addresses, no more polls, fewer requests."""
    console = Console()
    for one in feeds:
        if one.active and one.stopped:
            name = one_line(one.name)
            again = f'`ingest retry --feed "{name}"` asks it again'
            console.print(Text(f"stopped {name}: {one.stopped}; {again}"))
        elif one.active and one.moved_to:
            said = f"{one_line(one.name)}: is asked at {redact(one_line(one.moved_to))} now"
            console.print(Text(f"moved   {said}; change its url in the configuration"))
    for name, pause in paused.items():
        until = iso_utc(pause.until)
        console.print(Text(f"paused  {name}: until {until}, {redact(one_line(pause.reason))}"))


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return iso_utc(value)
    return redact(value) if isinstance(value, str) else value


def _health(one: FeedHealth, *, late: bool, doubted: bool) -> Text:
    if not one.active:
        return Text("not in the configuration", style="dim")
    if one.stopped:
        return Text("stopped", style="red")
    if one.failures:
        return Text(f"failed {one.failures}×", style="red")
    if doubted:
        return Text("doubted", style="red")
    if late:
        return Text("late", style="yellow")
    return Text("ok" if one.last_ok_at else "never polled", style="green" if one.last_ok_at else "")


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
