"""Revisions: what an article said, and from when on this archive knew it.

The current revision is the one that ``articles`` shows: the last that is believed. One that turned
out not to be the article stays in the history with the cause ``doubt``, and the one before it is
current again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, func, or_, select, update

from ingestor import log
from ingestor.identity import fingerprint
from ingestor.model import Cause, Origin, Picture
from ingestor.store import ArticleUpsert, NewRevision, UpsertResult, stories
from ingestor.store import images as pictures
from ingestor.store.db import locks
from ingestor.store.names import securities, spans
from ingestor.store.names.securities import NamedSecurity
from ingestor.store.schema import articles, captures, images, revisions
from ingestor.store.search import index
from ingestor.text.dates import iso_utc

MOST_EDITS_A_DAY = 24
"""Edits of one article that are kept in 24 hours. Publishers edit a few times; a text that is
another one at every look has a counter in it, and would fill the archive with itself."""

_INSERT = revisions.insert()
_INSERT_IMAGES = images.insert()
_RESTORED = (
    "title", "media", "editor", "summary", "headimg", "content_html", "content_text",
    "content_sha256", "template", "revision",
)  # fmt: skip
"""Columns that ``articles`` and ``revisions`` share: what a revision that is current again says."""


def revise(connection: Connection, article_id: int, upsert: ArticleUpsert) -> UpsertResult:
    """Compare what was read with the article that it is known to be; add a revision if it changed.

    What replaces an imported text is one too, also with the same words: from then on it rests on
    what the publisher sent. Its cause is ``import``, for no edit was seen.
    """
    row = _locked(connection, article_id)
    # What a page does not say, its feed said at first: to say nothing is no edit.
    article = replace(
        upsert.article,
        title=upsert.article.title or row.title,
        media=upsert.article.media or row.media,
    )
    upsert = replace(upsert, article=article)
    if upsert.origin == "feed" and row.origin == "page":
        # The page is the better witness: a feed's shorter text is no edit of it.
        return UpsertResult(article_id, "unchanged")
    imported = row.origin == "import"
    same = fingerprint(article.title, article.body.text) == fingerprint(row.title, row.content_text)
    if same and not imported:
        if row.origin != upsert.origin:
            connection.execute(
                update(articles).where(articles.c.id == article_id).values(origin=upsert.origin)
            )
        return UpsertResult(article_id, "unchanged")
    if not imported and _same_page(connection, row, upsert.capture_id):
        # The page is as it was: it is our rules that read it otherwise now.
        _replace(connection, row, upsert, cause="reextract", updated_at=row.updated_at)
        return UpsertResult(article_id, "revised")
    if _edits_lately(connection, article_id, upsert.seen_at) >= MOST_EDITS_A_DAY:
        log.warning("edit_not_kept", url=row.url, most_a_day=MOST_EDITS_A_DAY)
        return UpsertResult(article_id, "unchanged")
    cause: Cause = "import" if imported else "edit"
    _replace(connection, row, upsert, cause=cause, updated_at=_edited_at(upsert, row))
    return UpsertResult(article_id, "revised", first_page=imported)


def reextract(connection: Connection, article_id: int, upsert: ArticleUpsert) -> bool:
    """Add a revision that is ours: the page of a capture, read by today's rules.

    Address, day, file name, ``published_at`` and ``updated_at`` stay: the publisher did nothing.
    Returns whether it did: somebody may have brought a newer page since this one was looked at.
    """
    row = _locked(connection, article_id)
    if _capture_of(connection, row) != upsert.capture_id:
        return False
    _replace(connection, row, upsert, cause="reextract", updated_at=row.updated_at)
    return True


def replace_doubted(
    connection: Connection, article_id: int, upsert: ArticleUpsert, cause: Cause
) -> None:
    """Let an article that was withdrawn, with nothing good before it, say what was read now.

    Its other columns are the caller's.
    """
    row = _locked(connection, article_id)
    _replace(connection, row, upsert, cause=cause, updated_at=upsert.article.updated_at)
    doubted = update(articles).where(articles.c.id == article_id)
    connection.execute(doubted.values(doubted_at=None))


def withdraw(connection: Connection, article_id: int, revision: int, now: datetime) -> bool:
    """Take a revision back that turned out not to be the article: its cause is ``doubt`` then.

    Where it is the current one, the last good one before it is current again. Returns whether the
    article has a good one; one that has none is doubted from ``now`` on: its file is due to go,
    and its page is not looked at again.
    """
    row = _locked(connection, article_id)
    locks.lock_revisions(connection)
    mine = revisions.c.article_id == article_id
    if _take_back(connection, mine & (revisions.c.revision == revision)):
        spans.rebuild(connection, article_id, revision)
    believed = mine & (revisions.c.cause != "doubt")
    last = select(revisions).where(believed).order_by(revisions.c.revision.desc()).limit(1)
    good = connection.execute(last).first()
    if good is None:
        if row.doubted_at is None:
            index.of(connection).remove(row.id, row.title, row.content_text)
            stories.leave(connection, row.id, row.content_text)
            doubt = update(articles).where(articles.c.id == article_id)
            values = _UNASKED | {"doubted_at": now, "next_check_at": None, "checks": 0}
            connection.execute(doubt.values(**values))
        return False
    if row.revision == revision:
        _restore(connection, row, good)
    return True


def _take_back(connection: Connection, revision: ColumnElement[bool]) -> bool:
    """Let a revision that is believed be a doubt, as the latest of all changes; whether it was.

    Who asks for what came after the last that he saw is told: he has it as the article.
    """
    believed = revision & (revisions.c.cause != "doubt")
    row = connection.execute(select(revisions).where(believed)).mappings().first()
    if row is None:
        return False
    connection.execute(revisions.delete().where(believed))
    values = {name: value for name, value in row.items() if name != "sequence"}
    connection.execute(_INSERT, values | {"cause": "doubt"})
    return True


_UNASKED = {"file_sha256": None, "etag": "", "last_modified": ""}
"""The file is due; and the page is asked for as if for the first time, for what it answered last
was no article."""


def _restore(connection: Connection, row: Row[Any], good: Row[Any]) -> None:
    """Let an article say what an earlier revision says."""
    index.of(connection).remove(row.id, row.title, row.content_text)
    values = {name: getattr(good, name) for name in _RESTORED} | _UNASKED
    values |= {"origin": _origin(good), "updated_at": _last_edit(connection, row.id, good.revision)}
    connection.execute(update(articles).where(articles.c.id == row.id).values(**values))
    stories.regroup(connection, row.id, row.content_text, good.content_text)
    index.of(connection).add([(row.id, good.title, good.content_text)])
    connection.execute(images.delete().where(images.c.article_id == row.id))
    _show(connection, [(row.id, pictures.of_html(good.content_html))])


def _origin(revision: Row[Any]) -> Origin:
    """Return where the text of a revision is from."""
    if revision.capture_id is not None:
        return "page"
    return "import" if revision.cause == "import" else "feed"


def _last_edit(connection: Connection, article_id: int, revision: int) -> datetime | None:
    """Return when the last edit up to a revision was seen that is believed."""
    query = select(func.max(revisions.c.seen_at)).where(
        revisions.c.article_id == article_id,
        revisions.c.revision <= revision,
        revisions.c.cause == "edit",
    )
    seen_at: datetime | None = connection.execute(query).scalar()
    return seen_at


def _replace(
    connection: Connection,
    row: Row[Any],
    upsert: ArticleUpsert,
    *,
    cause: Cause,
    updated_at: datetime | None,
) -> None:
    """Let an article say what was read, as its next revision."""
    locks.lock_revisions(connection)
    if row.doubted_at is None:
        index.of(connection).remove(row.id, row.title, row.content_text)
    number, last_seen = _last(connection, row.id)
    values = content_columns(upsert) | {
        "revision": number + 1,
        "updated_at": updated_at,
        "feed_id": row.feed_id if row.feed_id is not None else upsert.feed_id,
        "file_sha256": None,
    }
    connection.execute(update(articles).where(articles.c.id == row.id).values(**values))
    # One that was withdrawn has left its story.
    before = "" if row.doubted_at else row.content_text
    stories.regroup(connection, row.id, before, upsert.article.body.text)
    connection.execute(images.delete().where(images.c.article_id == row.id))
    # A clock that was put back would otherwise make the older revision the later known one.
    seen_at = max(upsert.seen_at, last_seen)
    write_revisions(
        connection,
        [NewRevision(row.id, upsert, cause, number + 1, seen_at, replaces=row.revision)],
    )


def _last(connection: Connection, article_id: int) -> tuple[int, datetime]:
    """Return the highest number of an article's revisions, and when its latest one was seen."""
    query = select(func.max(revisions.c.revision), func.max(revisions.c.seen_at))
    number, seen_at = connection.execute(query.where(revisions.c.article_id == article_id)).one()
    return int(number), seen_at


def _locked(connection: Connection, article_id: int) -> Row[Any]:
    """Return an article, which nobody else changes until the transaction ends."""
    query = select(articles).where(articles.c.id == article_id)
    return connection.execute(query.with_for_update(key_share=True)).one()


def _capture_of(connection: Connection, row: Row[Any]) -> int | None:
    """Return the capture that an article's current revision was read from, if any."""
    current = select(revisions.c.capture_id).where(
        revisions.c.article_id == row.id, revisions.c.revision == row.revision
    )
    return connection.execute(current).scalar()


def _same_page(connection: Connection, row: Row[Any], capture_id: int | None) -> bool:
    """Return whether a capture has the bytes that the current revision was read from."""
    if capture_id is None:
        # Asked for one without an id, a database looks through all captures.
        return False
    current = _capture_of(connection, row)
    query = select(captures.c.sha256).where(
        or_(captures.c.id == capture_id, captures.c.id == current)
    )
    hashes = connection.execute(query).scalars().all()
    return len(hashes) == 2 and hashes[0] == hashes[1]


def content_columns(upsert: ArticleUpsert) -> dict[str, Any]:
    """Return the columns of ``articles`` that a revision changes."""
    return _said(upsert) | {"origin": upsert.origin}


def _said(upsert: ArticleUpsert) -> dict[str, Any]:
    """Return what ``articles`` and ``revisions`` both say of what was read."""
    article = upsert.article
    return {
        "title": article.title,
        "media": article.media,
        "editor": article.editor,
        "summary": article.summary,
        "headimg": article.headimg,
        "content_html": article.body.html,
        "content_text": article.body.text,
        "content_sha256": text_sha256(article.body.text),
        "template": article.template,
    }


def _named(revision: NewRevision) -> Iterator[NamedSecurity]:
    """Yield the securities that a revision names, each once."""
    upsert = revision.upsert
    each = {security.symbol: security for security in reversed(upsert.article.body.securities)}
    seen_at = revision.seen_at or upsert.seen_at
    # A page that claims to come from the future would be the latest one for ever.
    published_at = min(upsert.published_at, seen_at)
    for security in each.values():
        yield NamedSecurity(security, published_at, seen_at)


def insert_rows(connection: Connection, new: Sequence[NewRevision]) -> None:
    """Write the rows of revisions, and what they call securities; nothing of what is current."""
    rows = [
        {
            "article_id": revision.article_id,
            "revision": revision.number,
            "cause": revision.cause,
            "seen_at": revision.seen_at or revision.upsert.seen_at,
            "published_at": revision.upsert.claimed_at,
            "dates": "\n".join(
                f"{date.witness} {iso_utc(date.moment)}"
                for date in revision.upsert.article.stated_dates
            ),
            "final_url": revision.upsert.final_url,
            "note": revision.upsert.note,
            "capture_id": revision.upsert.capture_id,
            **_said(revision.upsert),
        }
        for revision in new
    ]
    connection.execute(_INSERT, rows)
    securities.record(connection, [named for revision in new for named in _named(revision)])


def write_revisions(connection: Connection, new: Sequence[NewRevision]) -> None:
    """Write revisions and all that hangs on an article's current content.

    No picture may hang on it yet: those of the content before are taken away by the caller.
    """
    insert_rows(connection, new)
    texts = [(revision.article_id, revision.upsert.article) for revision in new]
    index.of(connection).add([(at, article.title, article.body.text) for at, article in texts])
    spans.write(connection, new)
    _show(connection, [(at, article.body.pictures) for at, article in texts])


def _show(connection: Connection, new: Sequence[tuple[int, Sequence[Picture]]]) -> None:
    """Write down the pictures that articles have now."""
    rows: list[dict[str, Any]] = [
        {"article_id": at, "position": place, "url": picture.url, "caption": picture.caption}
        for at, shown in new
        for place, picture in enumerate(shown, start=1)
    ]
    if rows:
        connection.execute(_INSERT_IMAGES, rows)
        pictures.point_to_known(connection, {row["article_id"] for row in rows})


def _edits_lately(connection: Connection, article_id: int, now: datetime) -> int:
    query = (
        select(func.count())
        .select_from(revisions)
        .where(
            revisions.c.article_id == article_id,
            revisions.c.cause == "edit",
            revisions.c.seen_at > now - timedelta(days=1),
        )
    )
    return int(connection.execute(query).scalar_one())


def _edited_at(upsert: ArticleUpsert, row: Row[Any]) -> datetime | None:
    """When the publisher says that it edited, if that is news; else when we saw it."""
    claimed = upsert.article.updated_at
    if row.origin == "import":
        return claimed or row.updated_at
    if claimed and (row.updated_at is None or claimed > row.updated_at):
        return claimed
    return upsert.seen_at


def text_sha256(text: str) -> str:
    """Return the SHA-256 of a text as UTF-8, in hex: the column ``content_sha256``."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
