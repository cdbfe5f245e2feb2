"""Feeds: what the configuration names, how each is, and how far its past is walked (backfill)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, delete, select, update

from ingestor.model import Feed, FeedState, Validators
from ingestor.store.db import locks
from ingestor.store.schema import backfills, feeds

NAMES_A_QUERY = 500
"""Beyond that the whole table is read at once."""


@dataclass(frozen=True, slots=True)
class PollOutcome:
    """What a poll changes in a feed's row."""

    feed_id: int
    polled_at: datetime
    next_poll_at: datetime
    interval: timedelta
    error: str = ""
    """Why it failed; ``""``: it answered."""
    validators: Validators | None = None
    """New ones, when a body was read in full; ``None`` leaves them."""
    title: str = ""
    new_entries: int = 0
    moved: tuple[str, int] = ("", 0)
    """Where it redirects for good, and how many polls in a row said so."""
    retry_at: datetime | None = None
    """Before this it asked not to be asked."""
    stopped: str = ""
    """Why it is not to be asked any more."""
    zone_shift: timedelta | None = None
    """By how much its times were set right, when a body was read; ``None`` leaves what is known."""


_ANEW: dict[str, object] = {
    "etag": "",
    "last_modified": "",
    "body_sha256": "",
    "next_poll_at": None,
    "failures": 0,
    "moved_to": "",
    "moved_polls": 0,
    "retry_at": None,
    "stopped": "",
    "zone_shift_s": 0,
}
"""What belongs to an address, and is nothing for another."""


_NO_NEWS = (
    update(feeds)
    .where(feeds.c.id == bindparam("of"))
    .values(
        last_ok_at=bindparam("polled"),
        next_poll_at=bindparam("due"),
        interval_s=bindparam("seconds"),
        last_error="",
        failures=0,
        moved_to=bindparam("to"),
        moved_polls=bindparam("times"),
        retry_at=None,
        stopped="",
    )
)


# Not whole rows: turning thousands of moments into text and back is what reading them costs.
_CONFIGURED = select(*feeds.c["id", "name", "kind", "url", "active", "interval_s"])
_STATES = select(
    *feeds.c["id", "name", "etag", "last_modified", "body_sha256", "next_poll_at", "failures"],
    *feeds.c["interval_s", "moved_to", "moved_polls", "retry_at", "stopped"],
)


def register(
    connection: Connection,
    configured: Sequence[Feed],
    *,
    every: timedelta,
    slowest: timedelta,
) -> None:
    """Make the table agree with the configuration: add, update, switch on and off.

    ``every`` is the time between two polls of feeds that do not say their own, ``slowest``
    the bound to which it grows. A feed whose address changed begins anew.
    """
    locks.lock_configuration(connection)
    known = {row.name: row for row in connection.execute(_CONFIGURED)}
    for feed in configured:
        values: dict[str, object] = {"kind": feed.kind, "url": feed.url, "active": 1}
        row = known.pop(feed.name, None)
        least = feed.every or every
        interval = timedelta(seconds=row.interval_s) if row else least
        bounded = min(max(interval, least), max(slowest, least))
        values["interval_s"] = int(bounded.total_seconds())
        if row is None:
            connection.execute(feeds.insert().values(name=feed.name, **values))
        elif any(getattr(row, key) != value for key, value in values.items()):
            if row.url != feed.url or row.kind != feed.kind:
                values |= _ANEW
            connection.execute(update(feeds).where(feeds.c.id == row.id).values(**values))
    gone = [row.id for row in known.values() if row.active]
    if gone:
        connection.execute(update(feeds).where(feeds.c.id.in_(gone)).values(active=0))


def states(connection: Connection, configured: Iterable[Feed]) -> list[FeedState]:
    """Return the state of these configured feeds, in this order."""
    configured = list(configured)
    query = _STATES
    if len(configured) <= NAMES_A_QUERY:
        query = query.where(feeds.c.name.in_([feed.name for feed in configured]))
    rows = {row.name: row for row in connection.execute(query)}
    return [
        FeedState(
            id=(row := rows[feed.name]).id,
            feed=feed,
            validators=Validators(row.etag, row.last_modified, row.body_sha256),
            next_poll_at=row.next_poll_at,
            failures=row.failures,
            interval=timedelta(seconds=row.interval_s),
            moved_to=row.moved_to,
            moved_polls=row.moved_polls,
            retry_at=row.retry_at,
            stopped=row.stopped,
        )
        for feed in configured
        if feed.name in rows
    ]


def record_no_news(connection: Connection, outcomes: Sequence[PollOutcome]) -> None:
    """Write down, together, how polls went that were answered and brought nothing new."""
    rows = [
        {
            "of": outcome.feed_id,
            "polled": outcome.polled_at,
            "due": outcome.next_poll_at,
            "seconds": int(outcome.interval.total_seconds()),
            "to": outcome.moved[0],
            "times": outcome.moved[1],
        }
        for outcome in outcomes
    ]
    connection.execute(_NO_NEWS, rows)


def record_poll(connection: Connection, outcome: PollOutcome) -> None:
    """Write down how a poll went."""
    values: dict[str, object] = {
        "next_poll_at": outcome.next_poll_at,
        "interval_s": int(outcome.interval.total_seconds()),
        "last_error": outcome.error,
        "failures": feeds.c.failures + 1 if outcome.error else 0,
        "moved_to": outcome.moved[0],
        "moved_polls": outcome.moved[1],
        "retry_at": outcome.retry_at,
        "stopped": outcome.stopped,
    }
    if not outcome.error:
        values["last_ok_at"] = outcome.polled_at
    if outcome.validators:
        values |= {
            "etag": outcome.validators.etag,
            "last_modified": outcome.validators.last_modified,
            "body_sha256": outcome.validators.body_sha256,
            "title": outcome.title,
        }
    if outcome.zone_shift is not None:
        values["zone_shift_s"] = int(outcome.zone_shift.total_seconds())
    if outcome.new_entries:
        values["last_new_at"] = outcome.polled_at
    connection.execute(update(feeds).where(feeds.c.id == outcome.feed_id).values(**values))


def postpone(connection: Connection, feed_id: int, until: datetime) -> None:
    """Ask a feed no sooner than ``until``; it was not asked, so nothing else is known."""
    connection.execute(update(feeds).where(feeds.c.id == feed_id).values(next_poll_at=until))


def resume(connection: Connection, feed_ids: Sequence[int]) -> int:
    """Ask feeds again that had been stopped; return how many there were."""
    stopped = update(feeds).where(feeds.c.stopped != "", feeds.c.id.in_(feed_ids))
    values = {"stopped": "", "next_poll_at": None, "failures": 0}
    return connection.execute(stopped.values(**values)).rowcount


def ids(connection: Connection) -> dict[str, int]:
    """Return the id of every feed that was ever configured, by its name."""
    rows = connection.execute(select(feeds.c.name, feeds.c.id).order_by(feeds.c.id))
    return {row.name: row.id for row in rows}


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a day of a feed is."""

    pages: int = 0
    """Pages whose entries are written down."""
    finished: bool = False


def progress_of(connection: Connection, feed_id: int, day: str) -> Progress:
    """Return how far a day is."""
    where = (backfills.c.feed_id == feed_id) & (backfills.c.day == day)
    row = connection.execute(select(backfills).where(where)).first()
    return Progress(row.pages, row.finished_at is not None) if row else Progress()


def record_progress(
    connection: Connection, feed_id: int, day: str, *, pages: int, finished_at: datetime | None
) -> None:
    """Write down how far a day is."""
    forget_progress(connection, feed_id, day)
    connection.execute(
        backfills.insert().values(feed_id=feed_id, day=day, pages=pages, finished_at=finished_at)
    )


def forget_progress(connection: Connection, feed_id: int, day: str) -> None:
    """Let a day be walked from its beginning."""
    connection.execute(
        delete(backfills).where(backfills.c.feed_id == feed_id, backfills.c.day == day)
    )
