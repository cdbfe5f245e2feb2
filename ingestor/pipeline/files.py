"""Files: whatever the database says is due is rendered and written."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import TypeAlias

from ingestor import log
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
from ingestor.observer import Observer
from ingestor.pipeline.rounds import Round, aside
from ingestor.pipeline.services import Services
from ingestor.store import images
from ingestor.store.db.database import Database
from ingestor.store.due import ALL, Shard
from ingestor.store.stored_articles import (
    StoredArticle,
    due_files,
    record_files,
)
from ingestor.text.dates import iso_utc

FILES_A_TRANSACTION = 50
"""Files that are written before the database is told so."""


def write_due_files(services: Services, shard: Shard = ALL) -> int:
    """Write every file of this shard that is due; return how many. As :func:`write_files`."""
    return write_files(services.database, services.settings.archive, services.observer, shard=shard)


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
