"""Files: whatever the database says is due is rendered and written; pictures, if they are wanted.

An article never waits for its pictures, and never fails with one. What is a picture is judged by
its first bytes, and its name is its content's.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import TypeAlias

from ingestor import log, policy
from ingestor.archive.front_matter import (
    FileContent,
    asset_name,
    permalink,
    render,
    with_excerpt,
    with_local_images,
)
from ingestor.archive.storage import storage
from ingestor.config.sections import ArchiveSettings
from ingestor.config.values import Location
from ingestor.errors import FetchError
from ingestor.fetch.headers import require_page
from ingestor.model import Request, Response
from ingestor.observer import Observer
from ingestor.pipeline.rounds import Round, aside, batches
from ingestor.pipeline.services import Services
from ingestor.store import images
from ingestor.store.db import locks
from ingestor.store.db.database import Database
from ingestor.store.due import ALL, Shard
from ingestor.store.images import DueImage
from ingestor.store.stored_articles import (
    StoredArticle,
    due_files,
    record_files,
)
from ingestor.text.dates import iso_utc

FILES_A_TRANSACTION = 50
"""Files that are written before the database is told so."""


def write_files(
    database: Database,
    archive: ArchiveSettings,
    observer: Observer | None = None,
    *,
    shard: Shard = ALL,
) -> int:
    """Write every file that is due into the archive's folder; return how many.

    The file of an article that turned out to be none is removed, and counted as well.

    ``observer`` is told whenever some are written.

    Raises :class:`~ingestor.errors.StorageFailed`; the files not written stay due.
    """
    count, observer = 0, observer or Observer()
    for write in _batches(database, archive, shard):
        count += _record(database, write(), observer)
    return count


def files_in_turns(services: Services) -> Round:
    """Write every file that is due, some at a time. Raises as :func:`write_files`.

    What goes to an object store is written in a thread beside: it waits for the network.
    """
    services.roll()
    archive, database = services.settings.archive, services.database
    is_away = is_on_a_store(archive.dir, archive.images_dir)
    for write in _batches(database, archive, ALL):
        written = (yield from aside(write)) if is_away else write()
        _record(database, written, services.observer)
        yield ()


def is_on_a_store(*locations: Location) -> bool:
    """Whether one of these folders is on an object store."""
    return not all(isinstance(location, Path) for location in locations)


_Written: TypeAlias = list[tuple[StoredArticle, str]]


def _batches(
    database: Database, archive: ArchiveSettings, shard: Shard
) -> Iterator[Callable[[], _Written]]:
    """Yield what writes some of the files that are due, until there are none."""
    while True:
        with database.reading() as connection:
            due = due_files(connection, FILES_A_TRANSACTION, shard)
        if not due:
            return
        yield partial(_brought_up, archive, due, _copies(database, archive, due))


def _record(database: Database, written: _Written, observer: Observer) -> int:
    """Note what files hold now; return how many."""
    with database.transaction() as connection:
        record_files(connection, written)
    observer.moved()
    return len(written)


Copies: TypeAlias = Mapping[str, str]
"""Of an article's pictures the kept copies, by address."""


def _copies(
    database: Database, archive: ArchiveSettings, due: Sequence[StoredArticle]
) -> dict[int, dict[str, str]]:
    """Return the copies that lie, or are to lie, beside articles' files, by the articles' ids."""
    if not archive.local_images:
        return {}
    with database.reading() as connection:
        return images.copies(connection, [article.id for article in due])


def _brought_up(
    archive: ArchiveSettings, due: Sequence[StoredArticle], copies: Mapping[int, Copies]
) -> _Written:
    """Write the files of articles, and remove those of doubted ones; return what they hold now."""
    folder = storage(archive.dir)
    doubted = [article for article in due if article.doubted_at]
    for article in doubted:
        folder.remove(article.path)
        for copy in set(copies.get(article.id, {}).values()):
            folder.remove(asset_name(article.path, copy))
    believed = [article for article in due if not article.doubted_at]
    texts = [
        file_text(archive, article, _put_beside(archive, article, copies.get(article.id, {})))
        for article in believed
    ]
    hashes = folder.write_all(
        [
            (article.path, text.encode("utf-8", "replace"))
            for article, text in zip(believed, texts, strict=True)
        ]
    )
    return [*((article, "") for article in doubted), *zip(believed, hashes, strict=True)]


def _put_beside(archive: ArchiveSettings, article: StoredArticle, copies: Copies) -> Copies:
    """Write an article's pictures beside its file; return those of which the copy is whole."""
    kept, whole = storage(archive.images_dir), dict[str, bytes]()
    for copy in dict.fromkeys(copies.values()):
        try:
            data = kept.read(copy)
        except OSError as error:
            log.warning("picture_unreadable", path=copy, error=error.strerror)
            continue
        if hashlib.sha256(data).hexdigest() == PurePosixPath(copy).stem:
            whole[copy] = data
    beside = [(asset_name(article.path, copy), data) for copy, data in whole.items()]
    if beside:
        storage(archive.dir).write_all(beside)
    return {url: copy for url, copy in copies.items() if copy in whole}


def file_text(
    archive: ArchiveSettings, article: StoredArticle, copies: Copies = MappingProxyType({})
) -> str:
    """Return the whole text of an article's file, with what is wanted beyond the schema.

    ``copies`` are those of its pictures that lie beside it.
    """
    html = with_local_images(article.content_html, article.path, copies)
    values: dict[str, str | tuple[str, ...]] = {
        "link": article.url,
        "media": article.media,
        "editor": article.editor,
        "keywords": article.keywords,
        "symbols": article.symbols,
        # As the article writes them: a name that changes later changes no file.
        "symbol_names": tuple(security.name for security in article.securities),
        "updated": iso_utc(article.updated_at) if article.updated_at else "",
        "permalink": permalink(article.path),
    }
    content = FileContent(
        title=article.title,
        categories=article.categories,
        headimg=article.headimg,
        author=article.author,
        published_at=article.published_at or article.first_seen_at,
        html=with_excerpt(html) if archive.excerpt else html,
        extra=tuple((key, values[key]) for key in archive.extra_front_matter),
    )
    return render(content)


_SIGNATURES = (
    ("jpg", re.compile(rb"\xff\xd8\xff")),
    ("png", re.compile(rb"\x89PNG\r\n\x1a\n")),
    ("gif", re.compile(rb"GIF8[79]a")),
    ("webp", re.compile(rb"RIFF....WEBP", re.DOTALL)),
    ("avif", re.compile(rb"....ftyp(?:avif|avis)", re.DOTALL)),
    ("bmp", re.compile(rb"BM.{4}\0\0\0\0", re.DOTALL)),
)
"""Formats whose files do nothing when they are opened: no SVG, which may hold scripts."""


def image_kind(data: bytes) -> str:
    """Return the ending for a picture's file, ``''`` for what is none."""
    return next((ending for ending, mark in _SIGNATURES if mark.match(data)), "")


def image_path(data: bytes, ending: str) -> str:
    """Return where a picture lies, relative to the folder: ``ab/abcd….jpg``, after its SHA-256."""
    digest = hashlib.sha256(data).hexdigest()
    return f"{digest[:2]}/{digest}.{ending}"


IMAGES_A_ROUND = 40
"""Pictures taken from the queue at a time."""

IMAGES_A_TRANSACTION = 16

ACCEPT = (("Accept", "image/avif,image/webp,image/png,image/jpeg,image/*;q=0.8"),)

_AskedPicture = tuple[DueImage, Response | FetchError]

_PictureOutcome = tuple[str, str, policy.FailureKind]
"""A picture's path, or why there is none, and what kind of trouble that is."""


def download_images(services: Services) -> Round:
    """Keep every picture that is due. Raises as :func:`image_round`."""
    while services.settings.archive.images and not services.clock.stop.is_set():
        with services.database.reading() as connection:
            due = images.due(connection, services.clock.now(), IMAGES_A_ROUND)
        if not due:
            return
        yield from image_round(services, due)


def image_round(services: Services, due: Sequence[DueImage]) -> Round:
    """Keep these pictures; yield the hashes of their addresses, which is what they go by.

    Raises :class:`~ingestor.errors.StorageFailed` when the disk refuses.
    """
    requests = [(picture, Request(picture.url, ACCEPT)) for picture in due]
    answers = services.fetcher.asked(requests, robots=True)
    is_away = is_on_a_store(services.settings.archive.images_dir)
    for batch in batches(answers, IMAGES_A_TRANSACTION, services.clock.monotonic):
        if batch:
            keep = partial(_kept_pictures, services, batch)
            _record_pictures(services, (yield from aside(keep)) if is_away else keep())
        yield [hash(picture.url) for picture, _ in batch]


def _kept_pictures(
    services: Services, batch: Sequence[_AskedPicture]
) -> list[tuple[DueImage, _PictureOutcome]]:
    """Write the files of a batch; return how each went."""
    return [(picture, _kept_picture(services, answer)) for picture, answer in batch]


def _record_pictures(
    services: Services, outcomes: Sequence[tuple[DueImage, _PictureOutcome]]
) -> None:
    """Say in one transaction how each picture of a batch went."""
    now = services.clock.now()
    named = services.settings.archive.local_images
    with services.database.transaction() as connection:
        if named:
            kept = [picture.url for picture, (path, _, _) in outcomes if path]
            locks.lock_articles(connection, images.showing(connection, kept))
        locks.lock_revisions(connection)
        for picture, (path, line, kind) in outcomes:
            if path:
                images.downloaded(connection, picture, path, is_named=named)
                continue
            retry = policy.after_failure(
                kind, picture.attempts + 1, now, chance=services.clock.chance()
            )
            images.failed(connection, picture, line, retry.next_attempt_at)
            log.info("picture_failed", url=picture.url, error=line, state=retry.state)
    services.observer.moved()


def _kept_picture(services: Services, outcome: Response | FetchError) -> _PictureOutcome:
    """Keep a picture; return how it went."""
    try:
        if isinstance(outcome, FetchError):
            raise outcome
        require_page(outcome)
    except FetchError as error:
        return "", str(error), policy.failure_kind(error)
    ending = image_kind(outcome.body)
    if not ending:
        kind = outcome.header("content-type") or "something else"
        return "", f"{outcome.url}: {kind[:80]}, not a picture", "permanent"
    # The same picture from two addresses is one file.
    path = image_path(outcome.body, ending)
    storage(services.settings.archive.images_dir).write(path, outcome.body)
    return path, "", "permanent"
