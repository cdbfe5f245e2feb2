"""In which order writers lock, where several write at a time; SQLite, with one writer, needs none.

Each writing transaction takes what it needs in this order, and gives it back at its end, however
it ends::

    names     of the articles that it may add       advisory locks, in the order of their numbers
    articles  that it may change                    their rows, in the order of their ids
    order     before it writes a revision           one advisory lock

Of two workers that save the same article, the second finds what the first has made.
Because of *order*, revisions become visible in the order of their ``sequence``, one transaction
after the other: who asks for those above the last one that he saw misses none. Stories, which one
article may join to one, what securities are called, and the local copies of pictures are written
under it too.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sqlalchemy import Connection, or_, select

from ingestor.store.db import advisory
from ingestor.store.schema import aliases, articles


def lock_names(connection: Connection, names: Collection[str], titles: Iterable[str] = ()) -> None:
    """Wait for everybody who saves an article with one of these names, and keep others from it.

    ``names`` are canonical addresses and document ids; ``titles`` are their titles' keys, by which
    an adopted article without an address is recognised.
    """
    if not advisory.has_locks(connection):
        return
    keys = {f"article {name}" for name in names} | {f"title {title}" for title in titles}
    advisory.take(connection, *keys)
    also = select(aliases.c.article_id).where(aliases.c.url.in_(names))
    named = or_(
        articles.c.url.in_(names), articles.c.document_id.in_(names), articles.c.id.in_(also)
    )
    _rows(connection, named)


def lock_articles(connection: Connection, article_ids: Collection[int]) -> None:
    """Wait for everybody who changes one of these articles, and keep others from it."""
    if advisory.has_locks(connection):
        _rows(connection, articles.c.id.in_(article_ids))


def lock_revisions(connection: Connection) -> None:
    """Wait for everybody who writes revisions, stories or pictures, and keep others from it."""
    advisory.take(connection, "order")


def lock_feed(connection: Connection, feed_id: int) -> None:
    """Wait for everybody who writes down what this feed announces, and keep others from it."""
    advisory.take(connection, f"feed {feed_id}")


def lock_configuration(connection: Connection) -> None:
    """Wait for everybody who makes the feeds agree with a configuration."""
    advisory.take(connection, "configuration")


def lock_hosts(connection: Connection) -> None:
    """Wait for everybody who writes down which hosts are left alone."""
    advisory.take(connection, "hosts")


def _rows(connection: Connection, condition: object) -> None:
    # Others may still refer to the articles meanwhile: their ids do not change.
    query = select(articles.c.id).where(condition).order_by(articles.c.id)  # type: ignore[arg-type]
    connection.execute(query.with_for_update(key_share=True)).all()
