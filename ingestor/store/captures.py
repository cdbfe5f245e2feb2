"""Captures: what came of each look, and where the WARC files hold it as it was received."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any

from sqlalchemy import (
    BindParameter,
    Connection,
    Row,
    bindparam,
    func,
    literal,
    or_,
    select,
    update,
)

from ingestor.errors import Forbidden
from ingestor.identity import canonical_url
from ingestor.model import Response, WarcPlace
from ingestor.store.schema import captures
from ingestor.text.similarity import alphanumerics

LOOKED_BACK = 50
"""So many captures of an address are looked through for a body that came before. A body that
came so often is kept whole again: looking stays cheap, and damage reaches no further."""

_TRIED = 3
"""Of several records, should the first one be lost."""

MOST_SAME = 200
"""Looks at one text that are weighed, the latest first."""

_LEAD = (
    update(captures).where(captures.c.id == bindparam("of")).values(article_id=bindparam("article"))
)
_READ = (
    update(captures)
    .where(captures.c.id == bindparam("of"))
    .values(
        article_id=bindparam("article"),
        reading=bindparam("taken_for"),
        reason=bindparam("why"),
        text_hash=bindparam("shows"),
    )
)
_INSERT = captures.insert().returning(captures.c.id, sort_by_parameter_order=True)
_URLS: BindParameter[str] = bindparam("urls", expanding=True)
_ASKED = select(captures.c.url).distinct().where(captures.c.url.in_(_URLS))


@dataclass(frozen=True, slots=True)
class Reading:
    """What a look at a page was taken for."""

    reading: str = ""
    """``article``, ``edit``, ``unchanged``, ``another``, ``elsewhere``, ``gone``, ``none`` (no
    article) or ``doubtful``; ``""`` for a feed's body and an article's further pages."""
    reason: str = ""
    text_hash: str = ""
    """Names the text that was read (:func:`text_hash`)."""


NO_READING = Reading()


@dataclass(frozen=True, slots=True)
class KeptCapture:
    """A capture whose answer is in a WARC file, as far as is known."""

    id: int
    url: str
    """Address that was asked."""
    final_url: str
    """Address that answered."""
    status: int
    fetched_at: datetime
    sha256: str
    place: WarcPlace
    reading: Reading
    is_damaged: bool
    """Its record is known to be missing or damaged."""
    earlier: tuple[WarcPlace, ...] = ()
    """Where earlier captures with this body lie, where somebody asked for them."""

    @property
    def places(self) -> tuple[WarcPlace, ...]:
        """Return where the body may lie: its own record, and those before it."""
        return (self.place, *self.earlier)


KEPT = captures.c[
    "id", "url", "final_url", "status", "fetched_at", "sha256", "warc_file", "warc_offset",
    "warc_length", "reading", "reason", "text_hash", "damaged",
]  # fmt: skip
"""What :func:`kept_capture` wants of a row."""


def kept_capture(row: Any, earlier: Sequence[WarcPlace] = ()) -> KeptCapture:
    """Return a row that has a place as a record."""
    return KeptCapture(
        id=row.id,
        url=row.url,
        final_url=row.final_url,
        status=row.status,
        fetched_at=row.fetched_at,
        sha256=row.sha256,
        place=WarcPlace(row.warc_file, row.warc_offset, row.warc_length),
        reading=Reading(row.reading, row.reason, row.text_hash),
        is_damaged=row.damaged is not None,
        earlier=tuple(earlier),
    )


def text_hash(text: str) -> str:
    """Return what names a text, however it is spaced and punctuated; ``''`` for an empty one."""
    words = alphanumerics(text)
    return blake2b(words.encode("utf-8", "replace"), digest_size=8).hexdigest() if words else ""


def record(
    connection: Connection, looks: Sequence[tuple[Response, str, WarcPlace | None, Reading]]
) -> list[int]:
    """Write down captures: the answer, the SHA-256 of its body, where it lies, what it is.

    One whose bytes are not kept has no place. Returns their ids, in this order.
    """
    if not looks:
        return []
    rows = [
        {
            "url": response.url,
            "final_url": response.final_url,
            "status": response.status,
            "fetched_at": response.fetched_at,
            "sha256": sha256,
            "warc_file": place and place.file,
            "warc_offset": place and place.offset,
            "warc_length": place and place.length,
            "reading": reading.reading,
            "reason": reading.reason,
            "text_hash": reading.text_hash,
        }
        for response, sha256, place, reading in looks
    ]
    return list(connection.execute(_INSERT, rows).scalars())


def record_readings(
    connection: Connection, read: Sequence[tuple[int, int | None, Reading]]
) -> None:
    """Write down what captures were taken for later on: each with its article."""
    rows = [
        {
            "of": capture_id,
            "article": article_id,
            "taken_for": reading.reading,
            "why": reading.reason,
            "shows": reading.text_hash,
        }
        for capture_id, article_id, reading in read
    ]
    if rows:
        connection.execute(_READ, rows)


def lead_to(connection: Connection, led: Sequence[tuple[int, int]]) -> None:
    """Write down which article each capture was a look at: pairs of capture and article."""
    if led:
        rows = [{"of": capture_id, "article": article_id} for capture_id, article_id in led]
        connection.execute(_LEAD, rows)


@dataclass(frozen=True, slots=True)
class SameText:
    """The looks at which a text was read."""

    addresses: frozenset[str]
    """Canonical: where it was read within a day."""
    doubted_before: frozenset[str]
    """Where it was doubted an hour ago or earlier."""


def same_text(
    connection: Connection, text_hash: str, now: datetime, own: Collection[str] = ()
) -> SameText:
    """Return at which addresses a text was read about ``now``, or before.

    A look that ended at one of its ``own`` addresses was none at another.
    """
    columns = ("url", "final_url", "fetched_at", "reading")
    query = select(*(captures.c[name] for name in columns)).where(
        captures.c.text_hash == text_hash,
        captures.c.text_hash != literal("", literal_execute=True),
        # What a kept page is read again for has a future.
        captures.c.fetched_at <= now + timedelta(days=1),
    )
    rows = connection.execute(query.order_by(captures.c.id.desc()).limit(MOST_SAME)).all()
    day, hour = now - timedelta(days=1), now - timedelta(hours=1)
    return SameText(
        frozenset(
            _canonical(row.url)
            for row in rows
            if row.fetched_at >= day and _canonical(row.final_url) not in own
        ),
        frozenset(
            _canonical(row.url)
            for row in rows
            if row.fetched_at <= hour and row.reading in {"none", "doubtful"}
        ),
    )


def _canonical(url: str) -> str:
    try:
        return canonical_url(url)
    except Forbidden:
        return url


def asked_before(connection: Connection, urls: Collection[str]) -> set[str]:
    """Return those of these addresses that there are captures of."""
    return set(connection.execute(_ASKED, {"urls": list(urls)}).scalars())


def last_asked(connection: Connection, urls: Collection[str]) -> dict[str, datetime]:
    """Return when these addresses last gave a body that is kept, those that did."""
    query = (
        select(captures.c.url, func.max(captures.c.fetched_at).label("at"))
        .where(captures.c.url.in_(urls))
        .group_by(captures.c.url)
    )
    return {row.url: row.at for row in connection.execute(query)} if urls else {}


def earlier(
    connection: Connection, url: str, sha256: str, *, before: int | None = None
) -> list[WarcPlace]:
    """Return where earlier captures of an address that had this body lie, the longest first.

    ``before`` is the id of a capture (``None``: that which is about to be made). The longest
    record is the one that has the body; the others are revisits of it. Those that are known to be
    damaged come last.
    """
    query = select(captures).where(captures.c.url == url)
    if before is not None:
        query = query.where(captures.c.id < before)
    newest = query.order_by(captures.c.id.desc()).limit(LOOKED_BACK).subquery()
    rows = connection.execute(
        select(newest.c.warc_file, newest.c.warc_offset, newest.c.warc_length)
        .where(newest.c.sha256 == sha256, newest.c.warc_file.is_not(None))
        .order_by(newest.c.damaged.is_not(None), newest.c.warc_length.desc(), newest.c.id)
        .limit(_TRIED)
    )
    return [WarcPlace(*row) for row in rows]


def places_of(connection: Connection, capture: Row[Any]) -> tuple[WarcPlace, ...]:
    """Return where a capture's body may be read: its own record, and those that it may revisit.

    ``()``: it is not kept.
    """
    if capture.warc_file is None:
        return ()
    own = WarcPlace(capture.warc_file, capture.warc_offset, capture.warc_length)
    return (own, *earlier(connection, capture.url, capture.sha256, before=capture.id))


def of_address(connection: Connection, url: str, until: datetime) -> list[int]:
    """Return captures of an address up to a moment that are kept, the last ones first."""
    query = select(captures.c.id).where(
        captures.c.url == url,
        captures.c.fetched_at <= until,
        captures.c.warc_file.is_not(None),
    )
    last = query.order_by(captures.c.fetched_at.desc(), captures.c.id.desc()).limit(_TRIED)
    return list(connection.execute(last).scalars())


def sha256_of(connection: Connection, final_url: str, fetched_at: datetime) -> str | None:
    """Return the hash of what an address answered at a moment, ``None`` when it is not kept."""
    query = select(captures.c.sha256).where(
        captures.c.fetched_at == fetched_at,
        captures.c.final_url == final_url,
        captures.c.warc_file.is_not(None),
    )
    return connection.execute(query).scalar()


def end_in(connection: Connection, warc_file: str) -> int:
    """Return where the last record of a WARC file ends that a capture points to; 0 if none."""
    end = func.max(captures.c.warc_offset + captures.c.warc_length)
    return connection.execute(select(end).where(captures.c.warc_file == warc_file)).scalar() or 0


def mark_damaged(connection: Connection, capture_ids: Collection[int], now: datetime) -> None:
    """Note that the records of captures cannot be read at their places; the places stay."""
    found = update(captures).where(captures.c.id.in_(capture_ids), captures.c.damaged.is_(None))
    connection.execute(found.values(damaged=now))


def mark_whole(connection: Connection, capture_ids: Collection[int]) -> None:
    """Note that the records of captures can be read again."""
    whole = update(captures).where(captures.c.id.in_(capture_ids))
    connection.execute(whole.values(damaged=None))


@dataclass(frozen=True, slots=True)
class RecordedAnswer:
    """What a WARC record says of the answer that it holds."""

    asked: str
    """Address that was asked, as it was sent."""
    url: str
    """Address that answered, as it was sent."""
    status: int
    fetched_at: datetime
    sha256: str
    place: WarcPlace

    @property
    def values(self) -> dict[str, object]:
        """Return the columns that a record knows better than any row."""
        return {
            "status": self.status,
            "fetched_at": self.fetched_at,
            "sha256": self.sha256,
            "warc_file": self.place.file,
            "warc_offset": self.place.offset,
            "warc_length": self.place.length,
            "damaged": None,
        }


def correct(connection: Connection, capture_id: int, answer: RecordedAnswer) -> None:
    """Let a capture say what its record says."""
    wrong = update(captures).where(captures.c.id == capture_id)
    connection.execute(wrong.values(**answer.values))


def record_unlisted(connection: Connection, answer: RecordedAnswer) -> int:
    """Let a capture point to a record that none points to, and return its id.

    That is the capture of the same answer whose own place has no record, else a new one.
    """
    lost = select(captures.c.id).where(
        captures.c.final_url == answer.url,
        captures.c.sha256 == answer.sha256,
        captures.c.fetched_at == answer.fetched_at,
        or_(captures.c.warc_file.is_(None), captures.c.damaged.is_not(None)),
    )
    known = connection.execute(lost.order_by(captures.c.id)).scalar()
    if known is not None:
        correct(connection, known, answer)
        return int(known)
    values = answer.values | {"url": answer.asked, "final_url": answer.url}
    result = connection.execute(captures.insert().returning(captures.c.id).values(**values))
    return int(result.scalar_one())


def unread(connection: Connection, urls: Collection[str]) -> list[KeptCapture]:
    """Return the captures of these addresses that no look has read, the oldest first.

    Their runs died before they could say what they are.
    """
    query = select(*KEPT).where(
        captures.c.url.in_(urls),
        captures.c.reading == "",
        captures.c.article_id.is_(None),
        captures.c.warc_file.is_not(None),
        captures.c.damaged.is_(None),
    )
    return [kept_capture(row) for row in connection.execute(query.order_by(captures.c.id))]


def in_file(connection: Connection, warc_file: str) -> list[KeptCapture]:
    """Return the captures that lie in a WARC file."""
    query = select(*KEPT).where(captures.c.warc_file == warc_file).order_by(captures.c.id)
    return [kept_capture(row) for row in connection.execute(query)]
