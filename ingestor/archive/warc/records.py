"""WARC/1.1 records (ISO 28500:2017) as bytes, each a gzip member of its own. Pure.

warcio builds the records; they are packed by zlib-ng, for a third of the processor time that
zlib takes for a file as small (docs/performance.md).
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from w3lib.url import safe_url_string
from zlib_ng import zlib_ng

from ingestor.archive.warc.reader import ASKED, Original
from ingestor.model import Response
from ingestor.text.dates import iso_utc

if TYPE_CHECKING:
    from warcio.warcwriter import WARCWriter

_TRANSFER = frozenset({"transfer-encoding", "content-encoding", "content-length"})
"""Headers that describe the transfer; the body is kept without it, so they are renamed."""

_LEVEL = 5
"""Of zlib-ng: level 6 takes a fifth longer for 0.3 % less, level 9 twice as long for 2 %."""

_GZIP = 16 + zlib_ng.MAX_WBITS


@dataclass(frozen=True, slots=True)
class Packed:
    """The records of one answer, ready to be written."""

    fetched_at: datetime
    sha256: str
    """Of the body, in hex."""
    answer: bytes
    request: bytes


def pack(response: Response, original: Original | None = None, sha256: str = "") -> Packed:
    """Return a response record and its request record.

    ``original`` is a response record with the same body: then a revisit record (profile
    identical-payload-digest) takes the place of the response, without the body. ``sha256`` is
    the body's, where it is known. Whatever takes long in here lets other threads run.
    """
    file = io.BytesIO()
    writer = _writer(file)
    record = _answer_record(writer, response, original)
    request = _request_record(writer, response, record)
    writer.write_record(record)
    answer = _member(file)
    writer.write_record(request)
    hashed = sha256 or body_sha256(response)
    return Packed(response.fetched_at, hashed, answer, _member(file))


def pack_warcinfo(name: str, about: Mapping[str, str], now: datetime) -> bytes:
    """Return the record that begins the file called ``name``."""
    file = io.BytesIO()
    writer = _writer(file)
    record = writer.create_warcinfo_record(name, about)
    record.rec_headers.replace_header("WARC-Date", iso_utc(now))
    writer.write_record(record)
    return _member(file)


def _writer(file: io.BytesIO) -> WARCWriter:
    writer = copy(_blank_writer())
    writer.out = file
    return writer


@cache
def _blank_writer() -> WARCWriter:
    """Return a writer to be copied: a new one asks the system for the name of this machine."""
    # Here and below: most passes write no record, and warcio brings fsspec where that is installed.
    from warcio.warcwriter import WARCWriter  # noqa: PLC0415

    return WARCWriter(io.BytesIO(), gzip=False, warc_version="1.1")


def _http_head(line: str, headers: Sequence[tuple[str, str]], **more: Any) -> Any:
    from warcio.statusandheaders import StatusAndHeaders  # noqa: PLC0415

    return StatusAndHeaders(line, list(headers), **more)


def _member(file: io.BytesIO) -> bytes:
    """Return what was written to ``file`` as a gzip member (RFC 1952), and empty it."""
    packer = zlib_ng.compressobj(_LEVEL, zlib_ng.DEFLATED, _GZIP)
    with file.getbuffer() as written:
        data = packer.compress(written) + packer.flush()
    file.seek(0)
    file.truncate()
    return data


def _answer_record(writer: WARCWriter, response: Response, original: Original | None) -> Any:
    """Return the response record, or the revisit record that stands for it."""
    headers = [
        (f"X-Archive-Orig-{name}" if name.lower() in _TRANSFER else name, value)
        for name, value in response.headers
    ]
    headers.append(("Content-Length", str(len(response.body))))
    status = f"{response.status} {_phrase(response.status)}".strip()
    http = _http_head(status, headers, protocol="HTTP/1.1")
    dated = {"WARC-Date": iso_utc(response.fetched_at)}
    if response.url != response.final_url:
        dated[ASKED] = as_sent(response.url)
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
        # Without it, warcio copies the body to a file of its own to count it.
        length=len(response.body),
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
        http_headers=_http_head(line, response.request_headers, is_http_request=True),
        warc_headers_dict={
            "WARC-Date": iso_utc(response.fetched_at),
            "WARC-Concurrent-To": record.rec_headers.get_header("WARC-Record-ID"),
        },
    )


def body_sha256(response: Response) -> str:
    """Return the SHA-256 of a body, in hex."""
    return hashlib.sha256(response.body).hexdigest()


def _target(response: Response) -> str:
    return as_sent(response.final_url)


def as_sent(url: str) -> str:
    """Return an address as it goes over the wire, and as records have it: in ASCII."""
    return str(safe_url_string(url))


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
