"""Pictures of articles: which are to be had, and how it went."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from html import unescape

from sqlalchemy import Connection, bindparam, delete, func, select, update

from ingestor.model import Picture
from ingestor.store.due import image_is_due
from ingestor.store.schema import articles, images, pictures

_FIGURE = re.compile(
    r'<figure><img src="([^"]*)"[^<>]*>(?:<figcaption>([^<]*)</figcaption>)?</figure>'
)
"""As cleaning writes it (:func:`ingestor.extract.images.figure`)."""

_ANY = select(pictures.c.url).limit(1)
_POINT = (
    update(images)
    .where(images.c.article_id == bindparam("id"))
    .values(path=select(pictures.c.path).where(pictures.c.url == images.c.url).scalar_subquery())
)


@dataclass(frozen=True, slots=True)
class DueImage:
    """A picture that is to be asked for."""

    url: str
    attempts: int
    """How often it was tried before."""


def due(connection: Connection, now: datetime, limit: int) -> list[DueImage]:
    """Return pictures without a local copy whose time has come, the newest articles' first."""
    query = (
        select(images.c.url, func.coalesce(func.max(pictures.c.attempts), 0))
        .outerjoin(pictures, pictures.c.url == images.c.url)
        .where(image_is_due(now))
        .group_by(images.c.url)
        .order_by(func.max(images.c.article_id).desc(), func.min(images.c.position))
        .limit(limit)
    )
    return [DueImage(*row) for row in connection.execute(query)]


def downloaded(
    connection: Connection, picture: DueImage, path: str, *, is_named: bool = False
) -> None:
    """Write down where a picture's local copy lies, for every article that shows it.

    ``is_named`` says that their files name it: they are due to be written.
    """
    _record(connection, picture, path=path)
    if is_named:
        shown = select(images.c.article_id).where(images.c.url == picture.url)
        due = update(articles).where(articles.c.id.in_(shown))
        connection.execute(due.values(file_sha256=None))
    connection.execute(
        update(images).where(images.c.url == picture.url, images.c.path.is_(None)).values(path=path)
    )


def failed(
    connection: Connection, picture: DueImage, error: str, next_attempt_at: datetime | None
) -> None:
    """Write down why a picture was not to be had, and when it is tried again, if at all."""
    _record(connection, picture, error=error, next_attempt_at=next_attempt_at)


def point_to_known(connection: Connection, article_ids: Collection[int]) -> None:
    """Let articles' pictures point to the local copies that there are already."""
    if article_ids and connection.execute(_ANY).first():
        connection.execute(_POINT, [{"id": article_id} for article_id in sorted(article_ids)])


def showing(connection: Connection, urls: Collection[str]) -> list[int]:
    """Return the articles that show one of these pictures."""
    query = select(images.c.article_id).where(images.c.url.in_(urls)).distinct()
    return list(connection.execute(query).scalars())


def copies(connection: Connection, article_ids: Collection[int]) -> dict[int, dict[str, str]]:
    """Return the paths of the local copies that articles show, by their ids and addresses."""
    shown: dict[int, dict[str, str]] = {}
    query = select(*images.c["article_id", "url", "path"]).where(
        images.c.article_id.in_(article_ids), images.c.path.is_not(None)
    )
    for row in connection.execute(query.order_by(images.c.article_id, images.c.position)):
        shown.setdefault(row.article_id, {})[row.url] = row.path
    return shown


def paths(connection: Connection) -> list[str]:
    """Return the path of every local copy, each once."""
    query = select(pictures.c.path).where(pictures.c.path.is_not(None)).distinct()
    return list(connection.execute(query.order_by(pictures.c.path)).scalars())


def forget(connection: Connection, path: str) -> None:
    """Note that a local copy is not there (any more): the picture is due again."""
    connection.execute(update(images).where(images.c.path == path).values(path=None))
    connection.execute(delete(pictures).where(pictures.c.path == path))


def _record(connection: Connection, picture: DueImage, **values: object) -> None:
    connection.execute(delete(pictures).where(pictures.c.url == picture.url))
    row = {"url": picture.url, "attempts": picture.attempts + 1} | values
    connection.execute(pictures.insert().values(**row))


def of_html(html: str) -> tuple[Picture, ...]:
    """Return the pictures in an article's cleaned HTML, in order."""
    return tuple(
        Picture(unescape(url), unescape(caption)) for url, caption in _FIGURE.findall(html)
    )
