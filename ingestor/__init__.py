"""ingestor: polls Sina Finance feeds and keeps every article, with its history, for good.

As a library it reads an archive (docs/python.md)::

    import ingestor

    with ingestor.open("archive.db") as archive:
        for hit in archive.search("茅台 OR 五粮液", since="2024-01-01"):
            print(hit.date, hit.title)

Importing this imports next to nothing: what it takes to read is imported by :func:`open`.
"""

from ingestor.version import __version__

TYPE_CHECKING = False
"""What :mod:`typing` has, which takes longer to import than the rest of this; checkers know it."""

if TYPE_CHECKING:
    from pathlib import Path

    from ingestor.api.archive import Archive

__all__ = ["__version__", "open"]


def open(where: "str | Path", *, raw: "str | Path | None" = None) -> "Archive":  # noqa: A001 - ingestor.open, as gzip.open
    """Open an archive to read it, also while the daemon writes.

    ``where`` is its SQLite file, a PostgreSQL address (``postgresql://…``) or its config.toml;
    ``raw`` is the folder of its WARC files, by default what the configuration says, or ``warc``
    beside the file. Nothing is made, upgraded or written. Raises
    :class:`~ingestor.errors.ArchiveError` for what is no archive, or one that cannot be read.
    """
    from ingestor.api import archive  # noqa: PLC0415 - the database alone takes 0.3 s to import

    return archive.opened(where, raw)
