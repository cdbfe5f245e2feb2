"""Articles that are new: written together, by a few statements for all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from ingestor.model import Cause
from ingestor.store import stories
from ingestor.store.db import lock_order
from ingestor.store.revisions import Revision, content_columns, write_revisions
from ingestor.store.schema import articles
from ingestor.store.stories import Ungrouped
from ingestor.store.upsert import Arrival

_INSERT = articles.insert().returning(articles.c.id, sort_by_parameter_order=True)


@dataclass(frozen=True, slots=True)
class NewArticle:
    """An arrival that is no known article."""

    arrival: Arrival
    published_at: datetime
    day: str
    """Publication day that it is filed under."""


def insert(
    connection: Connection, new: Sequence[NewArticle], path_of: Callable[[Arrival, str], str]
) -> list[int]:
    """Store new articles, each with its first revision; return their ids, in this order.

    ``path_of(arrival, day)`` gives the file of one, relative to the archive.
    """
    if not new:
        return []
    rows = [
        {
            "url": one.arrival.article.url,
            "date": one.day,
            "document_id": one.arrival.article.document_id or None,
            "author": one.arrival.author,
            "published_at": one.published_at,
            "first_seen_at": one.arrival.seen_at,
            "updated_at": one.arrival.article.updated_at,
            "revision": 1,
            "path": path_of(one.arrival, one.day),
            "categories": "\n".join(one.arrival.categories),
            "feed_id": one.arrival.feed_id,
            **content_columns(one.arrival),
        }
        for one in new
    ]
    ids = list(connection.execute(_INSERT, rows).scalars())
    numbered = list(zip(ids, new, strict=True))
    lock_order.in_order(connection)
    stories.group(
        connection,
        [Ungrouped(at, one.day, one.arrival.article.body.text) for at, one in numbered],
    )
    write_revisions(connection, [Revision(at, one.arrival, _cause(one)) for at, one in numbered])
    return ids


def _cause(new: NewArticle) -> Cause:
    return "import" if new.arrival.origin == "import" else "new"
