"""The one way into the store for articles: which known one is it, what is its file, write it.

::

    upserts | lock their names | nothing like them known? | insert together
            | else: which known article? | a revision, or an article of its own
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from ingestor.archive.front_matter import article_path
from ingestor.identity import file_id, fingerprint, free_day, match, publication_day
from ingestor.store import articles
from ingestor.store.articles import NewArticle
from ingestor.store.db import lock_order
from ingestor.store.merge import merge_with_imported
from ingestor.store.revisions import revise
from ingestor.store.upsert import ArticleUpsert, UpsertResult
from ingestor.text.similarity import title_key


def save_articles(connection: Connection, upserts: Sequence[ArticleUpsert]) -> list[UpsertResult]:
    """Store articles: new ones, revisions of known ones, or just sightings; in this order.

    Those that have nothing in common with what is known, nor with one another, are written
    together, and first.
    """
    names = {name for upsert in upserts for name in articles.names(upsert)}
    titles = [title_key(upsert.article.title) for upsert in upserts]
    lock_order.lock_names(connection, names, titles)
    unlike = articles.unlike(connection, upserts)
    inserted = articles.insert(connection, [new_article(upserts[position]) for position in unlike])
    ids = dict(zip(unlike, inserted, strict=True))
    return [
        UpsertResult(ids[position], "new") if position in ids else _save(connection, upsert)
        for position, upsert in enumerate(upserts)
    ]


def new_article(upsert: ArticleUpsert, day: str = "") -> NewArticle:
    """Return an article that is not known yet, with its file's path.

    It is filed under ``day``, or under the one that it claims itself.
    """
    article, day = upsert.article, day or _day(upsert)
    identifier = file_id(article.url, article.document_id)
    path = article_path(upsert.categories, day, article.title, identifier)
    return NewArticle(upsert, _published_at(upsert), day, path)


def _save(connection: Connection, upsert: ArticleUpsert) -> UpsertResult:
    article = upsert.article
    page_day, announced_day = _day(upsert), _announced_day(upsert)
    known = articles.known_articles(connection, articles.addresses(upsert), article.document_id)
    same = match(known, page_day, announced_day, fingerprint(article.title, article.body.text))
    if same is not None:
        saved = revise(connection, same.article_id, upsert)
    else:
        day = free_day(known, page_day, announced_day)
        imported = merge_with_imported(connection, upsert, day)
        if imported is None:
            (article_id,) = articles.insert(connection, [new_article(upsert, day)])
            return UpsertResult(article_id, "new")
        saved = revise(connection, imported, upsert)
    articles.record_names(connection, saved.article_id, upsert)
    return saved


def _published_at(upsert: ArticleUpsert) -> datetime:
    return upsert.article.published_at or upsert.announced_at or upsert.seen_at


def _day(upsert: ArticleUpsert) -> str:
    """Return the publication day that the page claims, else the feed."""
    return publication_day(_published_at(upsert))


def _announced_day(upsert: ArticleUpsert) -> str:
    return publication_day(upsert.announced_at) if upsert.announced_at else ""
