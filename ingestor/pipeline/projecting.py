"""Files: whatever the database says is due is rendered and written."""

from __future__ import annotations

from ingestor.archive import files
from ingestor.archive.front_matter import FileContent, render
from ingestor.dates import iso_utc
from ingestor.pipeline.services import Services
from ingestor.store import projection

FILES_A_TRANSACTION = 50
"""Files that are written before the database is told so."""


def write_files(services: Services) -> int:
    """Write every file that is due; return how many.

    Raises :class:`~ingestor.errors.StorageFailed`; the files not written stay due.
    """
    folder = services.settings.archive.dir
    count = 0
    while True:
        with services.database.reading() as connection:
            due = projection.due(connection, FILES_A_TRANSACTION)
        if not due:
            return count
        done = [
            (one, files.write(folder, one.path, render(_content(services, one)))) for one in due
        ]
        with services.database.transaction() as connection:
            for one, sha256 in done:
                projection.written(connection, one, sha256)
        services.observer.moved()
        count += len(done)


def _content(services: Services, file: projection.DueFile) -> FileContent:
    values: dict[str, str | tuple[str, ...]] = {
        "link": file.url,
        "media": file.media,
        "editor": file.editor,
        "keywords": file.keywords,
        "symbols": file.symbols,
        "updated": iso_utc(file.updated_at) if file.updated_at else "",
    }
    return FileContent(
        title=file.title,
        categories=file.categories,
        headimg=file.headimg,
        author=file.author,
        published_at=file.published_at,
        html=file.html,
        extra=tuple((key, values[key]) for key in services.settings.archive.extra_front_matter),
    )
