"""Keeping what was received: WARC/1.1 files (ISO 28500:2017), written through warcio.

Every run begins a file of its own, so that a record torn by a crash is never appended to;
files roll by size and by day. A record is on the disk before the database points to it. A
body that is kept already is not kept twice: a revisit record refers to it.
"""

from __future__ import annotations

import hashlib
import io
import os
import secrets
import socket
from collections.abc import Callable, Mapping
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from w3lib.url import safe_url_string
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from ingestor import __version__
from ingestor.archive.files import sync_folder
from ingestor.archive.warc_reading import Original
from ingestor.archive.warc_sealing import mark_open, take
from ingestor.dates import iso_utc
from ingestor.errors import StorageFailed
from ingestor.model import Response, WarcPlace

MOST_BYTES = 1024**3
"""A file is closed when it has grown past this: the size that the WARC guidelines advise."""

_STANDARD = "https://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/"

_TRANSFER = frozenset({"transfer-encoding", "content-encoding", "content-length"})
"""Headers that describe the transfer; the body is kept without it, so they are renamed."""


class WarcArchive:
    """The WARC files of one run. Used by one thread."""

    def __init__(
        self,
        folder: Path,
        clock: Callable[[], datetime],
        about: Mapping[str, str] | None = None,
        *,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        """Write into ``folder``; ``about`` are further fields of each file's warcinfo."""
        self.folder = folder
        self._clock = clock
        self._about = about or {}
        self._most_bytes = most_bytes
        self._file: BinaryIO | None = None
        self._writer: WARCWriter | None = None
        self._day = ""
        self._whole = True

    def append(self, response: Response, original: Original | None = None) -> WarcPlace:
        """Write a response record and its request record; return where the response is.

        ``original`` is a response record with the same body: then a revisit record (profile
        identical-payload-digest) takes the place of the response, without the body. Raises
        :class:`StorageFailed` when the disk refuses.
        """
        try:
            file, writer = self._open(response.fetched_at)
            record = _answer_record(writer, response, original)
            request = _request_record(writer, response, record)
            offset = file.tell()
            self._whole = False
            writer.write_record(record)
            place = WarcPlace(Path(file.name).name, offset, file.tell() - offset)
            writer.write_record(request)
            self._whole = True
        except OSError as error:
            raise StorageFailed(f"{self.folder}: cannot be written: {error.strerror}") from error
        return place

    def sync(self) -> None:
        """Bring everything that was appended to the disk."""
        if self._file:
            self._file.flush()
            os.fsync(self._file.fileno())

    def close(self) -> None:
        """Bring everything to the disk and close the file.

        One that ends in half a record (the disk was full) keeps its mark: the next start seals it.
        """
        if self._file:
            self.sync()
            self._file.close()
            if self._whole:
                mark_open(Path(self._file.name)).unlink(missing_ok=True)
            self._file = None

    def _open(self, moment: datetime) -> tuple[BinaryIO, WARCWriter]:
        day = moment.strftime("%Y%m%d")
        # Answers come in no strict order: one of yesterday's begins no file after midnight.
        if self._file and (day > self._day or self._file.tell() >= self._most_bytes):
            self.close()
        if self._file is None:
            self._day = day
            self._file, self._writer = self._begin()
        assert self._writer is not None  # noqa: S101 - opened together with the file
        return self._file, self._writer

    def _begin(self) -> tuple[BinaryIO, WARCWriter]:
        self.folder.mkdir(parents=True, exist_ok=True)
        now = self._clock()
        stamp = now.strftime("%Y%m%d%H%M%S")
        path = self.folder / f"ingestor-{stamp}-{secrets.token_hex(4)}.warc.gz"
        mark_open(path).touch()
        file = path.open("xb")
        take(file)
        sync_folder(self.folder)
        writer = WARCWriter(file, gzip=True, warc_version="1.1")
        about = {
            "software": f"ingestor/{__version__}",
            "hostname": socket.gethostname(),
            "format": "WARC File Format 1.1",
            "conformsTo": _STANDARD,
            **self._about,
        }
        record = writer.create_warcinfo_record(path.name, about)
        record.rec_headers.replace_header("WARC-Date", iso_utc(now))
        writer.write_record(record)
        return file, writer


def _answer_record(writer: WARCWriter, response: Response, original: Original | None) -> Any:
    """Return the response record, or the revisit record that stands for it."""
    headers = [
        (f"X-Archive-Orig-{name}" if name.lower() in _TRANSFER else name, value)
        for name, value in response.headers
    ]
    headers.append(("Content-Length", str(len(response.body))))
    status = f"{response.status} {_phrase(response.status)}".strip()
    http = StatusAndHeaders(status, headers, protocol="HTTP/1.1")
    dated = {"WARC-Date": iso_utc(response.fetched_at)}
    if original:
        return writer.create_revisit_record(
            _target(response),
            original.payload_digest,
            original.url,
            original.date,
            http_headers=http,
            warc_headers_dict=dated | {"WARC-Refers-To": original.record_id},
        )
    return writer.create_warc_record(
        _target(response),
        "response",
        payload=io.BytesIO(response.body),
        http_headers=http,
        warc_headers_dict=dated,
    )


def _request_record(writer: WARCWriter, response: Response, record: Any) -> Any:
    address = urlsplit(_target(response))
    path = address.path or "/"
    line = f"GET {path}?{address.query} HTTP/1.1" if address.query else f"GET {path} HTTP/1.1"
    return writer.create_warc_record(
        _target(response),
        "request",
        http_headers=StatusAndHeaders(line, list(response.request_headers), is_http_request=True),
        warc_headers_dict={
            "WARC-Date": iso_utc(response.fetched_at),
            "WARC-Concurrent-To": record.rec_headers.get_header("WARC-Record-ID"),
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
