"""Articles put straight into a database: for tests of what is asked of the archive."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection

from ingestor.model import Article, Body, Feed
from ingestor.pipeline.save import lock_names, placed, save_article, save_placed
from ingestor.store import ArticleUpsert, UpsertResult, articles, feeds
from ingestor.store.db.database import Database
from ingestor.store.db.migrations import upgrade

FIRST = datetime(2024, 3, 1, 1, 0, tzinfo=UTC)
FEED = Feed("新浪财经－國內", "rss", "https://rsshub.example/x", ("金融", "新浪财经"), "新浪财经")


def filled(place: Path | str, texts: Iterable[tuple[str, str]], **more: object) -> Database:
    """Make an archive of these titles and texts, an hour apart, in this order.

    ``place`` is a file, or the address of a database.
    """
    database = Database(place if isinstance(place, str) else f"sqlite:///{place}")
    upgrade(database)
    hour = timedelta(hours=1)
    with database.transaction() as connection:
        feeds.register(connection, [FEED], every=hour, slowest=hour)
        for number, (title, text) in enumerate(texts):
            save_articles(connection, [arrival_of(number, title, text, **more)])[0]
    return database


def arrival_of(
    number: int, title: str, text: str, *, feed_id: int = 1, **more: object
) -> ArticleUpsert:
    """Return an arrival with the address of this number, as many hours after the first."""
    moment = FIRST + timedelta(hours=number)
    address = f"https://finance.sina.com.cn/a/{number}.shtml"
    body = Body(f"<p>{number}</p>", text)
    article = Article(address, f"doc{number}", title, moment, body, **more)
    return ArticleUpsert(article, "作者", FEED.categories, "page", moment, feed_id=feed_id)


def save_articles(connection: Connection, upserts: Sequence[ArticleUpsert]) -> list[UpsertResult]:
    """Store texts that whoever announced them vouches for, in this order.

    Those that have nothing in common with what is known, nor with one another, are written
    together, and first.
    """
    lock_names(connection, upserts)
    unlike = articles.unlike(connection, upserts)
    new = [(upserts[position], placed(upserts[position], ())) for position in unlike]
    saved = dict(zip(unlike, save_placed(connection, new), strict=True))
    for position, upsert in enumerate(upserts):
        if position not in saved:
            names, identifier = articles.addresses(upsert), upsert.article.document_id
            known = articles.known_articles(connection, names, identifier)
            saved[position] = save_article(connection, upsert, placed(upsert, known))
    return [saved[position] for position in range(len(upserts))]
