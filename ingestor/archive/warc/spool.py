"""WARC files on an object store: they grow in a local folder and move there once closed.

An object cannot be appended to. So a record is on the local disk before the database points to
it, as ever, and the file that it is in is uploaded when it ends: after a while, at a size, at the
day's end, when the program stops.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from ingestor import log
from ingestor.archive.object_storage import ObjectFolder
from ingestor.archive.warc.writer import WarcArchive, mark_open
from ingestor.config.values import ObjectAddress
from ingestor.errors import StorageFailed


class SpooledWarc(WarcArchive):
    """The WARC files of one run, uploaded as they end. Used by one thread.

    With a delay they are uploaded by another thread: a store that hangs holds up nothing else.
    """

    def __init__(
        self,
        address: ObjectAddress,
        clock: Callable[[], datetime],
        about: Mapping[str, str] | None = None,
        *,
        most_bytes: int,
        upload_after: timedelta,
    ) -> None:
        """Write into the address's spool.

        After ``upload_after`` a file ends, whatever its size; with zero at every sync, so that
        the database points only to what is on the store.
        """
        if address.spool is None:
            raise TypeError("WARC files on an object store need a spool")
        super().__init__(address.spool, clock, about, most_bytes=most_bytes)
        self.location = address
        self._store = ObjectFolder(address)
        self._after = upload_after
        self._looked = clock()
        self._has_closed = False
        self._uploading = threading.Thread()
        self._upload()

    def sync(self) -> None:
        """Bring everything that was appended to the disk, or with no delay to the store.

        Raises :class:`StorageFailed` when that cannot be done. With a delay a store that cannot
        be reached is waited for: what is not uploaded stays in the spool.
        """
        super().sync()
        if self._after:
            self.roll()
        else:
            self.close_file()
            # What is on the store has no mark: a kill before the database points to it leaves
            # records for `ingest verify` to find.
            self.recorded()
            upload_closed(self.folder, self._store)

    def recorded(self) -> None:
        """Hear that captures point to everything; files that have ended can be uploaded now."""
        self._has_closed = self._has_closed or bool(self._ended)
        super().recorded()

    def roll(self) -> None:
        """End a file that is due, and upload what has ended."""
        super().roll()
        now = self._clock()
        if now - self._looked >= self._after:
            self.close_file()
            self._has_closed = True
        if self._has_closed:
            self._looked = now
            self._upload()

    def close(self) -> None:
        """Bring everything to the disk, and to the store if it can be reached."""
        super().close()
        if self._uploading.is_alive():
            self._uploading.join()
        self._upload_closed()

    def close_file(self) -> bool:
        """Close the file; it is uploaded with the next ones that are due."""
        closed = super().close_file()
        self._has_closed = self._has_closed or closed
        return closed

    def _upload(self) -> None:
        """Begin to upload what has ended, unless that is under way: then the next look does so."""
        if self._uploading.is_alive():
            return
        self._has_closed = False
        # A daemon thread: what it has not uploaded by the end is in the spool still.
        self._uploading = threading.Thread(target=self._upload_closed, name="upload", daemon=True)
        self._uploading.start()

    def _upload_closed(self) -> None:
        try:
            upload_closed(self.folder, self._store)
        except StorageFailed as error:
            log.warning("warc_not_uploaded", spool=str(self.folder), error=str(error))


def upload_closed(spool: Path, store: ObjectFolder) -> None:
    """Move every WARC file that nobody writes from the spool to the store.

    Several processes may do it at a time: a file is uploaded twice then, and is the same. Raises
    :class:`StorageFailed` when the store cannot take one; it stays in the spool.
    """
    for path in sorted(spool.glob("*.warc.gz")):
        # Another process may move it meanwhile. The size is looked at before the mark: what is
        # not empty was marked, if it is being written.
        with suppress(FileNotFoundError):
            if not path.stat().st_size or mark_open(path).exists():
                continue
            store.upload(path)
            path.unlink()
            log.info("warc_uploaded", file=path.name)
