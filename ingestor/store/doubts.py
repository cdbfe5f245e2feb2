"""Looks: what each was taken for, and which hosts answer with what is no article."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, get_args
from urllib.parse import urlsplit

from sqlalchemy import Column, Connection, Row, Select, func, or_, select

from ingestor.store.schema import (
    DOUBTED,
    WAITING,
    aliases,
    articles,
    captures,
    entries,
    feeds,
    sightings,
)
from ingestor.text.counts import counted
from ingestor.text.dates import iso_utc

COUNTED = timedelta(days=1)
"""How far back doubts are counted."""

LONG = timedelta(hours=1)
"""A host that gave nothing but what is doubted for so long is said to do so."""

_NO_ARTICLE = {"none", "doubtful"}
_SAID = {
    "article": "the article",
    "edit": "an edit of it",
    "unchanged": "unchanged",
    "another": "another article at this address",
    "elsewhere": "leads to another article",
    "gone": "gone",
    "none": "no article",
    "doubtful": "doubtful",
}


@dataclass(frozen=True, slots=True)
class Doubt:
    """How often pages of a host were not believed, for one reason."""

    host: str
    reason: str
    looks: int


@dataclass(frozen=True, slots=True)
class SeenPage:
    """A look at an article's page, and what it was taken for."""

    looked_at: datetime
    url: str
    reading: str
    """As ``captures`` have it; ``""``: from before looks were weighed."""
    reason: str

    @property
    def outcome(self) -> str:
        """Return in words what it was taken for, ``verification page, not believed``."""
        if self.reading == "none" and self._is_of_page:
            page = "" if "page" in self.reason else " page"
            return f"{self.reason}{page}, not believed"
        outcome = _SAID.get(self.reading, "kept")
        if self.reading in _NO_ARTICLE:
            outcome += ", not believed"
        return f"{outcome}: {self.reason}" if self.reason else outcome

    @property
    def _is_of_page(self) -> bool:
        """Whether the reason says what kind of page it is."""
        # What weighs pages has long patterns, and hardly any article had such a look.
        from ingestor.witness.looks import Reason  # noqa: PLC0415

        return self.reason in get_args(Reason)


def doubts(connection: Connection, now: datetime) -> list[Doubt]:
    """Return the doubts of the last day by host and reason, the most frequent first."""
    query = select(*captures.c["url", "reading", "reason"])
    rows = connection.execute(query.where(DOUBTED, captures.c.fetched_at >= now - COUNTED))
    counts = Counter((_host(row.url), _reason(row)) for row in rows)
    return [Doubt(*of, looks) for of, looks in counts.most_common()]


def doubted_feeds(connection: Connection, now: datetime) -> dict[str, str]:
    """Return why feeds have no pages that are believed, by their names.

    A host from which an article comes was not believed for an hour or longer.
    """
    hosts = _doubted_hosts(connection, now)
    if not hosts:
        return {}
    reasons: dict[str, str] = {}
    for name, host in (*_waiting(connection), *_looked_at(connection, hosts)):
        if host in hosts:
            reasons.setdefault(name, _because(host, hosts[host]))
    return reasons


def looks_at(connection: Connection, article_id: int) -> list[SeenPage]:
    """Return the looks at an article, or at an address of it, the oldest first."""
    columns = captures.c["fetched_at", "url", "reading", "reason"]
    return [seen_page(*row) for row in connection.execute(of_article(article_id, *columns))]


def seen_page(looked_at: datetime, url: str, reading: str, reason: str) -> SeenPage:
    """Return a row of ``captures`` as a look."""
    return SeenPage(looked_at, url, reading, _without_address(reason))


def of_article(article_id: int, *columns: Column[Any]) -> Select[Any]:
    """Select columns of the captures of an article, or of an address of it, the oldest first."""
    named = select(aliases.c.url).where(aliases.c.article_id == article_id)
    main = select(articles.c.url).where(articles.c.id == article_id)
    announced = select(entries.c.url).where(entries.c.article_id == article_id)
    at_address = or_(
        captures.c.url.in_(main), captures.c.url.in_(named), captures.c.url.in_(announced)
    )
    # An address that was used again has looks that led to another article.
    nobody = captures.c.article_id.is_(None)
    query = select(*columns).where(or_(captures.c.article_id == article_id, at_address & nobody))
    return query.order_by(captures.c.fetched_at, captures.c.id)


def _doubted_hosts(connection: Connection, now: datetime) -> Mapping[str, Sequence[Row[Any]]]:
    """Return the doubts of each host since it last gave anything else, if that is long ago."""
    # By an expression: SQLite would go through all looks from the first one on otherwise.
    first = select(func.min(captures.c.id + 0)).where(
        DOUBTED, captures.c.fetched_at >= now - COUNTED
    )
    since = connection.execute(first).scalar()
    if since is None:
        return {}
    columns = captures.c["url", "fetched_at", "reading", "reason", "article_id"]
    query = select(*columns).where(captures.c.id >= since, captures.c.reading != "")
    doubted: dict[str, list[Row[Any]]] = {}
    for row in connection.execute(query.order_by(captures.c.id)):
        if row.reading in _NO_ARTICLE:
            doubted.setdefault(_host(row.url), []).append(row)
        else:
            doubted.pop(_host(row.url), None)
    return {
        host: rows
        for host, rows in doubted.items()
        if rows[-1].fetched_at - rows[0].fetched_at >= LONG
    }


def _waiting(connection: Connection) -> Iterator[tuple[str, str]]:
    """Yield the feed and the host of each entry that was tried and waits."""
    query = select(feeds.c.name, entries.c.url).join(entries, entries.c.feed_id == feeds.c.id)
    rows = connection.execute(query.where(WAITING, entries.c.error != "").order_by(feeds.c.id))
    return ((row.name, _host(row.url)) for row in rows)


def _looked_at(
    connection: Connection, hosts: Mapping[str, Sequence[Row[Any]]]
) -> Iterator[tuple[str, str]]:
    """Yield the feeds of the articles that were looked at, each with the host."""
    for host, rows in hosts.items():
        ids = {row.article_id for row in rows} - {None}
        query = select(feeds.c.name).join(sightings).where(sightings.c.article_id.in_(ids))
        for name in connection.execute(query.distinct().order_by(feeds.c.name)).scalars().all():
            yield name, host


def _because(host: str, rows: Sequence[Row[Any]]) -> str:
    reasons = ", ".join(reason for reason, _ in Counter(map(_reason, rows)).most_common(3))
    since = iso_utc(rows[0].fetched_at)
    looks = counted(len(rows), "look")
    return f"{host} gave no page that is believed since {since} ({looks}: {reasons})"


def _reason(row: Row[Any]) -> str:
    return "doubtful" if row.reading == "doubtful" else _without_address(row.reason) or "other"


def _without_address(reason: str) -> str:
    """Return a reason as it is alike for all pages: an error names its page first."""
    if reason.startswith(("https://", "http://")) and ": " in reason:
        return reason.split(": ", 1)[1]
    return reason


def _host(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").lower()
    except ValueError:
        return ""
