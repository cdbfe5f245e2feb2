"""Entries: everything that was announced, and with it the queue of what is to be done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, or_, select, update

from ingestor.identity import EntryKeys, entry_day, fingerprint
from ingestor.model import Entry, Feed, Security
from ingestor.store.db import locks
from ingestor.store.due import entry_is_due, has_id
from ingestor.store.schema import WAITING, entries, feeds
from ingestor.store.schema.columns import ID

KEYS_A_QUERY = 500
"""Far below the number of variables that any SQLite takes in one statement (999 in old ones)."""

_WEB = {"http", "https"}

_AT_ONCE: dict[str, object] = {"state": "pending", "attempts": 0, "next_attempt_at": None}
_ANNOUNCE = entries.insert()
_RECORD = (
    update(entries)
    .where(entries.c.id == bindparam("of"))
    .values(
        state=bindparam("now"),
        error=bindparam("reason"),
        next_attempt_at=bindparam("again"),
        attempts=entries.c.attempts + bindparam("tries"),
        article_id=func.coalesce(bindparam("article", type_=ID), entries.c.article_id),
    )
)


@dataclass(frozen=True, slots=True)
class QueuedEntry:
    """An entry that is due."""

    id: int
    key: str
    feed_id: int
    feed_name: str
    entry: Entry
    attempts: int
    """How often it was tried before."""
    article_id: int | None
    """The article that an earlier try led to, such as one made from the feed's text."""
    seen_at: datetime
    due_at: datetime
    """Since when it waits for its page to be looked at."""


@dataclass(frozen=True, slots=True)
class EntryOutcome:
    """What one try changes in an entry's row."""

    entry_id: int
    state: str
    """``pending``, ``done`` or ``parked``."""
    error: str = ""
    next_attempt_at: datetime | None = None
    article_id: int | None = None
    tried: bool = True
    """Whether it counts as a try."""


def announce(
    connection: Connection,
    feed_id: int,
    feed: Feed,
    announced: Sequence[Entry],
    *,
    keys: Sequence[EntryKeys],
    now: datetime,
) -> int:
    """Write down what a feed announced; return how many entries were not known.

    ``keys`` are theirs, as :func:`~ingestor.identity.entry_keys` has them.
    A known entry whose words changed is brought up to date; where the feed's text is the
    article, that makes it due again.
    """
    locks.lock_feed(connection, feed_id)
    names = {name for keyed in keys for name in (keyed.key, keyed.own)} - {""}
    known = _known(connection, feed_id, sorted(names))
    new: dict[str, Entry] = {}
    for keyed, entry in zip(keys, announced, strict=True):
        key = _key(connection, feed_id, keyed, entry=entry, known=known)
        row = known.get(key)
        if row is None:
            # Announced twice at once: what it says last counts, as it would in two polls.
            if key not in new or _words_of(new[key]) != _words_of(entry):
                new[key] = entry
        elif _words(row.title, row.content, row.summary) != _words_of(entry):
            values = columns(entry)
            if feed.content == "feed" and row.state == "done":
                values |= _AT_ONCE
            connection.execute(update(entries).where(entries.c.id == row.id).values(**values))
    if new:
        of = {"feed_id": feed_id, "seen_at": now}
        rows = [of | {"key": key} | columns(entry) for key, entry in new.items()]
        connection.execute(_ANNOUNCE, rows)
    return len(new)


def _key(
    connection: Connection, feed_id: int, keyed: EntryKeys, *, entry: Entry, known: dict[str, Any]
) -> str:
    """Return which of its keys an entry has: its own, where its link is not its alone."""
    if keyed.own in known:
        return keyed.own
    alone = known.get(keyed.key)
    if not keyed.own or (alone and alone.title == entry.title):
        return keyed.key
    others = select(entries.c.id).where(
        entries.c.feed_id == feed_id,
        entries.c.url == entry.url,
        entries.c.key.endswith(f" {keyed.key}", autoescape=True),
    )
    shared = keyed.shared or (alone and connection.execute(others.limit(1)).first())
    return keyed.own if shared else keyed.key


def _known(connection: Connection, feed_id: int, keys: Sequence[str]) -> dict[str, Any]:
    """Return the rows of these keys, not those of the feed's whole past, which only grows."""
    known: dict[str, Any] = {}
    for first in range(0, len(keys), KEYS_A_QUERY):
        query = select(entries).where(
            entries.c.feed_id == feed_id, entries.c.key.in_(keys[first : first + KEYS_A_QUERY])
        )
        known |= {row.key: row for row in connection.execute(query)}
    return known


def due(
    connection: Connection,
    now: datetime,
    *,
    feed_ids: Sequence[int],
    limit: int,
    ids: range | None = None,
) -> list[QueuedEntry]:
    """Return entries of these feeds that are due, feed by feed, oldest first.

    With ``ids`` only those of these ids (without gaps).

    An article that two feeds announce in one pass so belongs to the same one of them, whichever
    answered first: that makes an interrupted run end as an undisturbed one.
    """
    rows = connection.execute(
        select(entries, feeds.c.name.label("feed_name"))
        .join(feeds)
        .where(entry_is_due(now), entries.c.feed_id.in_(feed_ids), has_id(ids))
        .order_by(entries.c.feed_id, entries.c.id)
        .limit(limit)
    )
    return [_queued(row) for row in rows]


def _queued(row: Any) -> QueuedEntry:
    return QueuedEntry(
        id=row.id,
        key=row.key,
        feed_id=row.feed_id,
        feed_name=row.feed_name,
        entry=Entry(
            guid=row.guid,
            url=row.url,
            title=row.title,
            published_at=row.published_at,
            date_text=row.date_text,
            author=row.author,
            summary=row.summary,
            content=row.content,
            keywords=tuple(row.keywords.splitlines()),
            securities=tuple(map(_security, row.symbols.splitlines())),
        ),
        attempts=row.attempts,
        article_id=row.article_id,
        seen_at=row.seen_at,
        due_at=row.next_attempt_at or row.seen_at,
    )


def of_articles(
    connection: Connection, article_ids: Sequence[int]
) -> dict[int, list[tuple[Feed, QueuedEntry]]]:
    """Return the entries that led to each of these articles, each with its feed, oldest first.

    Of a feed it says what is known without the configuration, which it may have left.
    """
    query = select(
        entries, feeds.c.name.label("feed_name"), feeds.c.kind, feeds.c.url.label("feed_url")
    )
    query = query.join(feeds).where(entries.c.article_id.in_(article_ids)).order_by(entries.c.id)
    led: dict[int, list[tuple[Feed, QueuedEntry]]] = {}
    for row in connection.execute(query):
        feed = Feed(row.feed_name, row.kind, row.feed_url, (), "", content="feed")
        led.setdefault(row.article_id, []).append((feed, _queued(row)))
    return led


def announce_again(connection: Connection, article_id: int, at: datetime, reason: str) -> None:
    """Let what led to an article that turned out to be none be tried anew, from ``at`` on."""
    values = _AT_ONCE | {"next_attempt_at": at, "error": reason, "article_id": None}
    connection.execute(update(entries).where(entries.c.article_id == article_id).values(**values))


def shares_address(connection: Connection, queued: QueuedEntry) -> bool:
    """Return whether an earlier entry of the same feed has its address and is another one.

    That is one with another guid; where the feed gives none, one of the same day. One that says the
    same on the same day, or led to the same article, is none: its guid is all that has changed.
    """
    url, guid = queued.entry.url, queued.entry.guid
    scheme, mark, rest = url.partition("#")[0].partition("://")
    twins = [f"http{mark}{rest}", f"https{mark}{rest}"] if scheme in _WEB else [url]
    # "$" follows "#": so far go the addresses that differ in their fragment alone.
    parts = (entries.c.url.between(f"{twin}#", f"{twin}$") for twin in twins)
    said = _words_of(queued.entry)
    earlier = select(entries).where(
        entries.c.feed_id == queued.feed_id,
        or_(entries.c.url.in_(twins), *parts),
        entries.c.id < queued.id,
    )
    return bool(url) and any(
        (row.guid != guid and not _is_same(row, queued, said))
        or row.url.partition("#")[2] != url.partition("#")[2]
        or (not guid and entry_day(row.key) == entry_day(queued.key))
        for row in connection.execute(earlier)
    )


def _is_same(row: Row[Any], queued: QueuedEntry, said: str) -> bool:
    """Whether an earlier entry is this one under another guid."""
    if row.article_id is not None and row.article_id == queued.article_id:
        return True
    same_day = entry_day(row.key) == entry_day(queued.key)
    return same_day and _words(row.title, row.content, row.summary) == said


def record(connection: Connection, outcomes: Sequence[EntryOutcome]) -> None:
    """Write down how tries of entries went."""
    if outcomes:
        rows = [
            {
                "of": outcome.entry_id,
                "now": outcome.state,
                "reason": outcome.error,
                "again": outcome.next_attempt_at,
                "tries": int(outcome.tried),
                "article": outcome.article_id,
            }
            for outcome in outcomes
        ]
        connection.execute(_RECORD, rows)


def count(connection: Connection, state: str, feed_ids: Sequence[int] | None = None) -> int:
    """Return how many entries are in ``state``, over all feeds or over these."""
    query = select(func.count()).select_from(entries).where(entries.c.state == state)
    if state != "done":
        query = query.where(WAITING)
    if feed_ids is not None:
        query = query.where(entries.c.feed_id.in_(feed_ids))
    return int(connection.execute(query).scalar_one())


def retry(connection: Connection, feed_ids: Sequence[int] | None = None) -> int:
    """Make parked entries due at once, with all their tries; return how many there were."""
    query = update(entries).where(WAITING, entries.c.state == "parked")
    if feed_ids is not None:
        query = query.where(entries.c.feed_id.in_(feed_ids))
    return connection.execute(query.values(**_AT_ONCE)).rowcount


def columns(entry: Entry) -> dict[str, object]:
    """Return what an entry's row says of what was announced."""
    return {
        "guid": entry.guid,
        "url": entry.url,
        "title": entry.title,
        "published_at": entry.published_at,
        "date_text": entry.date_text,
        "author": entry.author,
        "summary": entry.summary,
        "content": entry.content,
        "keywords": "\n".join(entry.keywords),
        "symbols": "\n".join(f"{security.symbol} {security.name}" for security in entry.securities),
    }


def _security(line: str) -> Security:
    symbol, _, name = line.partition(" ")
    return Security(symbol[:2], symbol, name)


def _words_of(entry: Entry) -> str:
    return _words(entry.title, entry.content, entry.summary)


def _words(title: str, content: str, summary: str) -> str:
    return fingerprint(title, content or summary)
