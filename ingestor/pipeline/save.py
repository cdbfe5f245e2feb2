"""The one way into the store for articles: what a verdict means for them.

::

    upserts with verdicts | a new article? its day and file | insert, all of them together
                          | an edit, or the same?           | a revision, or a sighting
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import Connection

from ingestor.archive.front_matter import article_path
from ingestor.identity import file_id, publication_day
from ingestor.store import ArticleUpsert, UpsertResult, articles
from ingestor.store.articles import NewArticle, merge_with_imported
from ingestor.store.db import locks
from ingestor.store.revisions import revise
from ingestor.text.similarity import title_key
from ingestor.witness.looks import (
    Announcement,
    AnotherArticle,
    Believed,
    Edited,
    KnownArticle,
    Unchanged,
)
from ingestor.witness.placement import placed_text

Placed = Believed | AnotherArticle | Edited | Unchanged
"""The verdicts that bring an article, or a sighting of one."""


def lock_names(connection: Connection, upserts: Sequence[ArticleUpsert]) -> None:
    """Lock every name of these articles until the transaction ends: nobody else adds them."""
    names = {name for upsert in upserts for name in articles.names(upsert)}
    titles = [title_key(upsert.article.title) for upsert in upserts]
    locks.lock_names(connection, names, titles)


def save_placed(
    connection: Connection, pairs: Sequence[tuple[ArticleUpsert, Placed]]
) -> list[UpsertResult]:
    """Store what was read as what it was taken for, in this order.

    Of several, those that are believed to be new are like nothing that is known: they are written
    together.
    """
    if len(pairs) == 1:
        return [save_article(connection, *pairs[0])]
    new = [
        new_article(replace(upsert, note=verdict.note), verdict.day)
        for upsert, verdict in pairs
        if isinstance(verdict, Believed)
    ]
    ids = iter(articles.insert(connection, new))
    return [
        UpsertResult(next(ids), "new")
        if isinstance(verdict, Believed)
        else save_article(connection, upsert, verdict)
        for upsert, verdict in pairs
    ]


def save_article(connection: Connection, upsert: ArticleUpsert, placed: Placed) -> UpsertResult:
    """Store what was read as what it was taken for: a new article, a revision, or a sighting."""
    match placed:
        case Believed(day=day, note=note):
            return _save_new(connection, replace(upsert, note=note), day)
        case AnotherArticle(day=day):
            return _save_new(connection, upsert, day)
        case Edited(article_id=article_id, note=note):
            saved = revise(connection, article_id, replace(upsert, note=note))
        case Unchanged(article_id=article_id):
            saved = revise(connection, article_id, upsert)
    articles.record_names(connection, saved.article_id, upsert)
    return saved


def new_article(upsert: ArticleUpsert, day: str = "") -> NewArticle:
    """Return an article that is not known yet, with its file's path.

    It is filed under ``day``, or under the one that it claims itself.
    """
    article, day = upsert.article, day or publication_day(upsert.published_at)
    identifier = file_id(article.url, article.document_id)
    path = article_path(upsert.categories, day, article.title, identifier)
    return NewArticle(upsert, upsert.published_at, day, path)


def _save_new(connection: Connection, upsert: ArticleUpsert, day: str) -> UpsertResult:
    new = new_article(upsert, day)
    imported = merge_with_imported(connection, upsert, new.day)
    if imported is not None:
        saved = revise(connection, imported, upsert)
        articles.record_names(connection, imported, upsert)
        return saved
    withdrawn = articles.doubted(connection, articles.addresses(upsert), upsert.article.document_id)
    if withdrawn is not None:
        articles.replace_withdrawn(connection, withdrawn, new)
        articles.record_names(connection, withdrawn, upsert)
        return UpsertResult(withdrawn, "new")
    (article_id,) = articles.insert(connection, [new])
    return UpsertResult(article_id, "new")


def placed(upsert: ArticleUpsert, known: Sequence[KnownArticle]) -> Placed:
    """Return what a text is that its feed vouches for, ``known`` being what is known there."""
    article = upsert.article
    day = publication_day(upsert.claimed_at) if upsert.claimed_at else ""
    return placed_text(known, Announcement(article.title, article.body.text, day))
