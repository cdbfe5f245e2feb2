"""Stories: articles that are copies of one another, found by their bands and never dropped.

An article is grouped in the transaction that stores its text. What it costs does not grow with
the archive: each band is looked up in an index, for its latest articles alone.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

from sqlalchemy import Connection, TextClause, delete, func, insert, select, text, update

from ingestor.store.schema import BELIEVED, articles, stories, story_bands
from ingestor.text.dates import is_day
from ingestor.text.similarity import bands, is_same_story

MOST_DAYS_APART = 7
"""Copies are published within days; what reads alike much later is a report that recurs."""

_MOST_A_BAND = 50
"""Latest articles of one band that are looked at: a disclaimer is in very many texts."""

_MOST_COMPARED = 10
"""Articles whose texts are compared, those with the most bands in common first."""

_ONE_BAND = (
    "SELECT * FROM (SELECT article_id FROM story_bands WHERE band = :b{at}"
    " ORDER BY article_id DESC LIMIT {most}) AS o{at}"
)
_EXISTS = "WHERE EXISTS (SELECT 1 FROM story_bands WHERE story_bands.band = wanted.band)"
_KNOWN = {
    "sqlite": text(
        f"SELECT band FROM (SELECT value AS band FROM json_each(:bands)) AS wanted {_EXISTS}"  # noqa: S608 - constants
    ),
    "postgresql": text(
        "SELECT band FROM (SELECT CAST(value AS bigint) AS band"  # noqa: S608 - constants
        f" FROM json_array_elements_text(CAST(:bands AS json))) AS wanted {_EXISTS}"
    ),
}
_ADD_BANDS = insert(story_bands)
_ADD = insert(stories)


@dataclass(frozen=True, slots=True)
class Copy:
    """Another article that tells the same story."""

    id: int
    media: str
    title: str
    url: str


@dataclass(frozen=True, slots=True)
class Ungrouped:
    """An article that is in no story yet."""

    id: int
    day: str
    text: str


def group(connection: Connection, new: Sequence[Ungrouped]) -> None:
    """Put articles that are in no story into one each: their copies', else their own."""
    bands_of = {article.id: bands(article.text) for article in new}
    shared = _shared_bands(connection, bands_of.values())
    rows = [
        {"band": band, "article_id": article_id}
        for article_id, mine in bands_of.items()
        for band in sorted(set(mine))
    ]
    if rows:
        connection.execute(_ADD_BANDS, rows)
    connection.execute(
        _ADD, [{"article_id": article.id, "story_id": article.id} for article in new]
    )
    for article in new:
        if mine := shared.intersection(bands_of[article.id]):
            alike = _stories(connection, article, mine)
            _joined(connection, alike | {article.id}, article.id)


def _shared_bands(connection: Connection, every: Collection[tuple[int, ...]]) -> set[int]:
    """Return those of these articles' bands that others have, or two of them."""
    count = Counter(band for mine in every for band in set(mine))
    bands_ = {"bands": json.dumps(list(count))}
    known = set(connection.execute(_KNOWN[connection.dialect.name], bands_).scalars())
    return known | {band for band, times in count.items() if times > 1}


def regroup(connection: Connection, article_id: int, before: str, content: str) -> None:
    """Group an article anew whose text was ``before``; it stays while it still belongs."""
    current = _story_of(connection, article_id)
    if current is not None and before == content:
        return
    _take_bands(connection, article_id, before)
    ungrouped = _ungrouped(connection, article_id, content)
    if current is None:
        group(connection, [ungrouped])
        return
    mine = bands(content)
    alike = _stories(connection, ungrouped, set(mine))
    _add_bands(connection, article_id, mine)
    if current not in alike:
        _leave(connection, article_id, current)
        _set(connection, article_id, _joined(connection, alike, article_id))


def leave(connection: Connection, article_id: int, content: str) -> None:
    """Take an article with this text, which turned out to be none, out of its story for itself."""
    _take_bands(connection, article_id, content)
    current = _story_of(connection, article_id)
    if current is not None:
        _leave(connection, article_id, current)
        _set(connection, article_id, article_id)


def missing(connection: Connection) -> int:
    """Return how many articles are in no story: those from before there were any."""
    query = select(func.count()).select_from(articles).outerjoin(stories)
    return int(connection.execute(query.where(stories.c.article_id.is_(None))).scalar_one())


def group_missing(connection: Connection) -> None:
    """Group every article that is in no story."""
    query = select(articles.c.id, articles.c.date, articles.c.content_text).outerjoin(stories)
    query = query.where(stories.c.article_id.is_(None)).order_by(articles.c.id)
    # A part at a time: the texts of a whole archive do not fit into memory.
    while rows := connection.execute(query.limit(500)).all():
        ungrouped = [Ungrouped(*row) for row in rows]
        for article in ungrouped:
            # Where only its place in a story is lost, it has bands.
            _take_bands(connection, article.id, article.text)
        group(connection, ungrouped)


def others(connection: Connection, article_id: int) -> list[Copy]:
    """Return the other articles of an article's story, the earliest publication first."""
    own = select(stories.c.story_id).where(stories.c.article_id == article_id).scalar_subquery()
    query = (
        select(articles.c.id, articles.c.media, articles.c.title, articles.c.url)
        .join(stories)
        .where(stories.c.story_id == own, articles.c.id != article_id, BELIEVED)
        .order_by(articles.c.published_at, articles.c.id)
    )
    return [Copy(*row) for row in connection.execute(query)]


def _story_of(connection: Connection, article_id: int) -> int | None:
    query = select(stories.c.story_id).where(stories.c.article_id == article_id)
    return connection.execute(query).scalar_one_or_none()


def _ungrouped(connection: Connection, article_id: int, content: str) -> Ungrouped:
    query = select(articles.c.date).where(articles.c.id == article_id)
    return Ungrouped(article_id, connection.execute(query).scalar_one(), content)


def _stories(connection: Connection, article: Ungrouped, mine: Collection[int]) -> set[int]:
    """Return the stories of the other articles that tell the same as this one.

    ``mine`` are its bands, or those of them that others have.
    """
    if not mine or not is_day(article.day):
        return set()
    day, apart = date.fromisoformat(article.day), timedelta(days=MOST_DAYS_APART)
    values = {f"b{at}": band for at, band in enumerate(mine)} | {
        "id": article.id,
        "most": _MOST_COMPARED,
        "since": (day - apart).isoformat(),
        "until": (day + apart).isoformat(),
    }
    rows = connection.execute(_candidates(len(mine)), values)
    return {row.story_id for row in rows if is_same_story(row.content_text, article.text)}


@cache
def _candidates(count: int) -> TextClause:
    """Return the query for the articles that have some of so many bands, the most first."""
    every = " UNION ALL ".join(_ONE_BAND.format(at=at, most=_MOST_A_BAND) for at in range(count))
    return text(
        "SELECT a.id, a.content_text, s.story_id"  # noqa: S608 - constants
        f" FROM (SELECT article_id, count(*) AS shared FROM ({every}) AS every"
        " GROUP BY article_id) AS found JOIN articles a ON a.id = found.article_id"
        " JOIN stories s ON s.article_id = a.id"
        " WHERE a.id <> :id AND a.date BETWEEN :since AND :until"
        " ORDER BY found.shared DESC, a.id LIMIT :most"
    )


def _joined(connection: Connection, alike: set[int], alone: int) -> int:
    """Make one story of several that an article shows to be one; ``alone`` where there is none."""
    story_id = min(alike, default=alone)
    more = alike - {story_id}
    if more:
        query = update(stories).where(stories.c.story_id.in_(more))
        connection.execute(query.values(story_id=story_id))
    return story_id


def _take_bands(connection: Connection, article_id: int, content: str) -> None:
    """Take away the bands that an article with this text has."""
    gone = story_bands.c.article_id == article_id, story_bands.c.band.in_(bands(content))
    connection.execute(delete(story_bands).where(*gone))


def _add_bands(connection: Connection, article_id: int, mine: tuple[int, ...]) -> None:
    if mine:
        query = select(story_bands.c.band).where(
            story_bands.c.article_id == article_id, story_bands.c.band.in_(mine)
        )
        new = set(mine) - set(connection.execute(query).scalars())
        rows = [{"band": band, "article_id": article_id} for band in sorted(new)]
        if rows:
            connection.execute(insert(story_bands), rows)


def _leave(connection: Connection, article_id: int, story_id: int) -> None:
    """Take an article out of its story; a story that is named after it gets another name."""
    if story_id != article_id:
        return
    rest = (stories.c.story_id == story_id) & (stories.c.article_id != article_id)
    heir = connection.execute(select(func.min(stories.c.article_id)).where(rest)).scalar()
    if heir is not None:
        connection.execute(update(stories).where(rest).values(story_id=heir))


def _set(connection: Connection, article_id: int, story_id: int) -> None:
    mine = stories.c.article_id == article_id
    connection.execute(update(stories).where(mine).values(story_id=story_id))
