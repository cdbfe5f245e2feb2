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

    Exits 1 when a feed fails, does not answer or is quiet for longer than it ever was, an
    entry was given up, a job was lost with its worker, or nothing has run yet.
    Example: ingest status --json
    """
    settings = options(context).settings()
    try:
        database, now = existing(settings), Clock().now()
    except NoArchiveYet as error:
        # A monitor must not take this for "all is well": the folder may be the wrong one.
        say_error(f"nothing has run yet: {error}")
        if as_json:
            say_json(
                _document([], [], NOTHING, {}) | {"hosts_paused": {}, "cluster": None}, indent=2
            )
        raise typer.Exit(1) from error
    with database.reading() as connection:
        feeds = overview.feed_health(connection, MOVES_IN_A_ROW)
        paused = {name: one for name, one in leases.pauses(connection).items() if one.until > now}
        parked = overview.parked(connection, PARKED_SHOWN)
        totals = overview.totals(connection)
        late = late_feeds(connection, now)
        workers = cluster_state(connection, settings.cluster.stalled_after)
    database.close()
    if as_json:
        document = _document(feeds, parked, totals, late) | {
            "hosts_paused": {name: iso_utc(one.until) for name, one in paused.items()},
            **as_document(workers),
        }
        say_json(document, indent=2)
    else:
        _show(feeds, parked, totals, late=late, now=now)
        _show_requests(feeds, paused)
        show(workers)
    if (
        (workers and workers.stalled)
        or any(one.active and one.failures for one in feeds)
        or parked
        or late
    ):
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


def _show(
    feeds: list[FeedHealth],
    parked: list[Parked],
    totals: dict[str, int | str | None],
    *,
    late: dict[str, str],
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
            _health(one, late=one.name in late),
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


def _health(one: FeedHealth, *, late: bool) -> Text:
    if not one.active:
        return Text("not in the configuration", style="dim")
    if one.stopped:
        return Text("stopped", style="red")
    if one.failures:
        return Text(f"failed {one.failures}×", style="red")
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
