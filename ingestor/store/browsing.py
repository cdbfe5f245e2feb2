"""What ``ingest browse`` asks for beside searching: the newest articles, counts, one text."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, func, select

from ingestor.store.exports import Filters, chosen
from ingestor.store.schema import articles, revisions, symbols
from ingestor.store.search.ranking import Hit


def newest(connection: Connection, filters: Filters, limit: int) -> list[Hit]:
    """Return the articles that are meant, the last published first; ``text`` is the summary."""
    columns = ("id", "url", "date", "published_at", "title", "media", "path")
    query = chosen(select(*(articles.c[name] for name in columns), articles.c.summary), filters)
    query = query.order_by(articles.c.published_at.desc(), articles.c.id.desc()).limit(limit)
    return [
        Hit(**{name: getattr(row, name) for name in columns}, text=row.summary, score=0.0)
        for row in connection.execute(query)
    ]


def articles_a_day(connection: Connection, days: int) -> list[tuple[str, int]]:
    """Return the last ``days`` publication days that have articles, the oldest first."""
    query = select(articles.c.date, func.count()).group_by(articles.c.date)
    rows = connection.execute(query.order_by(articles.c.date.desc()).limit(days)).all()
    return [(row[0], row[1]) for row in reversed(rows)]


def symbol_counts(
    connection: Connection, ids: Sequence[int], limit: int
) -> list[tuple[str, str, int]]:
    """Return the securities that most of these articles name: code, a name, how many."""
    amount = func.count()
    query = (
        select(symbols.c.symbol, func.max(symbols.c.name), amount)
        .where(symbols.c.article_id.in_(ids))
        .group_by(symbols.c.symbol)
        .order_by(amount.desc(), symbols.c.symbol)
        .limit(limit)
    )
    return [(row[0], row[1], row[2]) for row in connection.execute(query)]


def html_of(connection: Connection, article_id: int, revision: int) -> str | None:
    """Return the cleaned HTML of one revision, or ``None`` when there is none."""
    query = select(revisions.c.content_html).where(
        revisions.c.article_id == article_id, revisions.c.revision == revision
    )
    return connection.execute(query).scalar_one_or_none()
