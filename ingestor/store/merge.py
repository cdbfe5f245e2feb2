"""Adopted articles without an address, and the page that turns out to be one of them.

An archive that was adopted knows no addresses. When a feed, or a backfill, later brings the
page, it must not become a second article: the page of the same title and the same day, with
nearly the same text, is that article, and gives it its address.
"""

from __future__ import annotations

from sqlalchemy import Connection, and_, insert, select, update

from ingestor.identity import CONTENT_SCHEME
from ingestor.store.schema import aliases, articles
from ingestor.store.upsert import ArticleUpsert
from ingestor.text.similarity import likeness, title_key

# A range, not LIKE, which SQLite looks up in no index: ";" is the character after ":".
WITHOUT_ADDRESS = and_(
    articles.c.url >= CONTENT_SCHEME, articles.c.url < CONTENT_SCHEME.replace(":", ";")
)
"""Condition: the article's address is only a name for its content."""


_ANY = select(articles.c.id).where(WITHOUT_ADDRESS).limit(1)


def any_without_address(connection: Connection) -> bool:
    """Return whether there is an article whose address is only a name for its content."""
    return connection.execute(_ANY).first() is not None


def merge_with_imported(connection: Connection, arrival: ArticleUpsert, day: str) -> int | None:
    """Return the adopted article that an arrival with an address is, now under that address.

    ``day`` is the arrival's publication day. ``None``: there is none, or none that is
    certainly the same.
    """
    if not any_without_address(connection):
        return None
    article = arrival.article
    key = title_key(article.title)
    rows = connection.execute(
        select(articles.c.id, articles.c.title, articles.c.content_text).where(
            articles.c.date == day, articles.c.origin == "import", WITHOUT_ADDRESS
        )
    ).all()
    for row in rows:
        if title_key(row.title) != key:
            continue
        if likeness(row.content_text, article.body.text) == "same":
            give_address(connection, row.id, article.url, article.document_id)
            return int(row.id)
    return None


def give_address(connection: Connection, article_id: int, url: str, document_id: str) -> None:
    """Put an article under its real address; the one it had goes on naming it."""
    mine = articles.c.id == article_id
    before = connection.execute(select(articles.c.url).where(mine)).scalar_one()
    values = {"url": url, "document_id": document_id or None}
    connection.execute(update(articles).where(mine).values(**values))
    connection.execute(insert(aliases).values(url=before, article_id=article_id))
