"""Keeping what was received: WARC/1.1 files (ISO 28500:2017), written through warcio.

Every run begins a file of its own, so that a record torn by a crash is never appended to;
files roll by size and by day. A record is on the disk before the database points to it.
"""

from __future__ import annotations

import hashlib
import io
import os
import secrets
from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

from w3lib.url import safe_url_string
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from ingestor import __version__
from ingestor.dates import iso_utc
from ingestor.errors import StorageFailed
from ingestor.model import Response, WarcPlace

MOST_BYTES = 1024**3
"""A file is closed when it has grown past this: the size that the WARC guidelines advise."""

_TRANSFER = frozenset({"transfer-encoding", "content-encoding", "content-length"})
"""Headers that describe the transfer; the body is kept without it, so they are renamed."""


class WarcArchive:
    """The WARC files of one run. Used by one thread."""

    def __init__(self, folder: Path, clock: Callable[[], datetime]) -> None:
        self._folder = folder
        self._clock = clock
        self._file: BinaryIO | None = None
        self._writer: WARCWriter | None = None
        self._day = ""

    def append(self, response: Response) -> WarcPlace:
        """Write a request record and its response record; return where the response is.

        Raises :class:`StorageFailed` when the disk refuses.
        """
        try:
            file, writer = self._open(response.fetched_at)
            record = self._response_record(writer, response)
            request = self._request_record(writer, response, record)
            offset = file.tell()
            writer.write_record(record)
            place = WarcPlace(Path(file.name).name, offset, file.tell() - offset)
            writer.write_record(request)
        except OSError as error:
            raise StorageFailed(f"{self._folder}: cannot be written: {error.strerror}") from error
        return place

    def sync(self) -> None:
        """Bring everything that was appended to the disk."""
        if self._file:
            self._file.flush()
            os.fsync(self._file.fileno())

    def close(self) -> None:
        """Bring everything to the disk and close the file."""
        if self._file:
            self.sync()
            self._file.close()
            self._file = None

    def _open(self, moment: datetime) -> tuple[BinaryIO, WARCWriter]:
        day = moment.strftime("%Y%m%d")
        if self._file and (day != self._day or self._file.tell() >= MOST_BYTES):
            self.close()
        if self._file is None:
            self._folder.mkdir(parents=True, exist_ok=True)
            stamp = self._clock().strftime("%Y%m%d%H%M%S")
            path = self._folder / f"ingestor-{stamp}-{secrets.token_hex(4)}.warc.gz"
            self._file = path.open("xb")
            self._writer = WARCWriter(self._file, gzip=True, warc_version="1.1")
            self._day = day
            about = {"software": f"ingestor/{__version__}", "format": "WARC File Format 1.1"}
            self._writer.write_record(self._writer.create_warcinfo_record(path.name, about))
        assert self._writer is not None  # noqa: S101 - opened together with the file
        return self._file, self._writer

    def _response_record(self, writer: WARCWriter, response: Response) -> object:
        headers = [
            (f"X-Archive-Orig-{name}" if name.lower() in _TRANSFER else name, value)
            for name, value in response.headers
        ]
        headers.append(("Content-Length", str(len(response.body))))
        status = f"{response.status} {_phrase(response.status)}".strip()
        return writer.create_warc_record(
            _target(response),
            "response",
            payload=io.BytesIO(response.body),
            http_headers=StatusAndHeaders(status, headers, protocol="HTTP/1.1"),
            warc_headers_dict={"WARC-Date": iso_utc(response.fetched_at)},
        )

    def _request_record(self, writer: WARCWriter, response: Response, record: object) -> object:
        address = urlsplit(_target(response))
        path = address.path or "/"
        line = f"GET {path}?{address.query} HTTP/1.1" if address.query else f"GET {path} HTTP/1.1"
        return writer.create_warc_record(
            _target(response),
            "request",
            http_headers=StatusAndHeaders(
                line, list(response.request_headers), is_http_request=True
            ),
            warc_headers_dict={
                "WARC-Date": iso_utc(response.fetched_at),
                "WARC-Concurrent-To": record.rec_headers.get_header("WARC-Record-ID"),  # type: ignore[attr-defined]
            },
        )


def body_sha256(response: Response) -> str:
    """Return the SHA-256 of a body, in hex."""
    return hashlib.sha256(response.body).hexdigest()


def _target(response: Response) -> str:
    """Return the address as it went over the wire: percent-encoded, in ASCII."""
    return str(safe_url_string(response.final_url))


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
