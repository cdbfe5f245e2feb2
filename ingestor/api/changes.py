"""What lands in an archive, as it lands: every new article and every edit, each once.

Revisions become visible in the order of their ``sequence``, on PostgreSQL too
(:mod:`ingestor.store.db.locks`): who asks for those above the last one that he saw misses none.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from ingestor.errors import UsageError
from ingestor.store.db.database import Database
from ingestor.store.filters import Filters
from ingestor.store.overview import last_sequence
from ingestor.store.schema import captures, revisions
from ingestor.store.search import Query
from ingestor.store.search.hits import found_text
from ingestor.store.stored_articles import ARTICLES_A_PART, ArticleRevision, revisions_of
from ingestor.text.dates import iso_utc

POLL_SECONDS = 0.2
"""Between two looks at what has landed. A look asks one index for its end: it takes less than a
millisecond, needs no trigger in the database, and works through every pooler of connections."""


@dataclass(frozen=True, slots=True)
class Position:
    """How far somebody has followed an archive."""

    sequence: int
    """Of the last revision that he was given, 0: none."""
    archive: str = ""
    """Names the archive by its first revision; ``""``: it had none."""
    seen_at: str = ""
    """When that last revision was received: in an archive that was put back to an earlier day and
    went on, another one has its number. ``""``: it is withdrawn since, and stands there anew."""


def position(connection: Connection, sequence: int | None = None) -> Position:
    """Return the position behind a revision, ``None``: behind the last one.

    Raises :class:`UsageError` when there is no such revision yet.
    """
    last = last_sequence(connection)
    at = last if sequence is None else sequence
    if at > last:
        raise UsageError(f"there is no revision {at}: the last one of this archive is {last}")
    # An import may find that it was known before; its page came when it came.
    received = func.coalesce(captures.c.fetched_at, revisions.c.seen_at).label("received_at")
    columns = (*revisions.c["sequence", "content_sha256"], received)
    ordered = select(*columns).order_by(revisions.c.sequence)
    ordered = ordered.outerjoin(captures, captures.c.id == revisions.c.capture_id)
    first = connection.execute(ordered.limit(1)).first()
    here = connection.execute(ordered.where(revisions.c.sequence == at)).first()
    if first is None:
        return Position(0)
    named = f"{first.sequence} {iso_utc(first.received_at)} {first.content_sha256}"
    archive = hashlib.sha256(named.encode()).hexdigest()[:16]
    return Position(at, archive, iso_utc(here.received_at) if here else "")


def landed(database: Database, after: int) -> Iterator[ArticleRevision]:
    """Yield the revisions above a sequence in its order, those too that are doubted; ends."""
    if database.path and not os.access(database.path.parent, os.W_OK):
        # It may be open as a file that never changes (store.db.sqlite).
        database.close()
    query = select(*revisions.c["sequence", "article_id"]).order_by(revisions.c.sequence)
    while True:
        with database.reading() as connection:
            newer = query.where(revisions.c.sequence > after).limit(ARTICLES_A_PART)
            rows = connection.execute(newer).all()
            if not rows:
                return
            sequences = {row.sequence for row in rows}
            every = revisions_of(connection, {row.article_id for row in rows})
            part = [each for each in every if each.sequence in sequences]
        yield from sorted(part, key=lambda revision: revision.sequence)
        after = rows[-1].sequence


def is_meant(revision: ArticleRevision, query: Query | None, filters: Filters) -> bool:
    """Return whether a revision is one that is waited for, by what it says itself."""
    if revision.cause == "doubt":
        return False
    # What was imported has no feed, but its last category.
    announced = revision.feeds or revision.categories[-1:]
    return (
        (not filters.symbol or filters.symbol in revision.symbols)
        and (not filters.media or filters.media == revision.media)
        and (not filters.feeds or not set(filters.feeds).isdisjoint(announced))
        and (query is None or found_text(revision, query) is not None)
    )


def document(revision: ArticleRevision) -> dict[str, object]:
    """Return what programs are told of a revision, as JSON has it (docs/querying.md)."""
    names = zip(revision.symbols, revision.symbol_names, strict=True)
    published = revision.published_at
    return {
        "sequence": revision.sequence,
        "cause": revision.cause,
        "seen_at": iso_utc(revision.known_from),
        "id": revision.id,
        "revision": revision.revision,
        "url": revision.url,
        "date": revision.date,
        "published_at": iso_utc(published) if published else None,
        "title": revision.title,
        "media": revision.media,
        "feeds": list(revision.feeds),
        "securities": [{"symbol": symbol, "name": name} for symbol, name in names],
        "path": revision.path,
        "text": revision.content_text,
    }
