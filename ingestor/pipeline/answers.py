"""The answer of HTTP that a foreign record holds: its chunks joined, its body unpacked.

Pure; bounded as what comes from the network.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

from ingestor.archive.warc.foreign import ForeignRecord
from ingestor.fetch.body import bounded_body
from ingestor.fetch.headers import PAGE_STATUSES
from ingestor.model import Response, header
from ingestor.text.dates import CLOCK_SKEW

_STATUS = re.compile(rb"HTTP/[\d.]{1,5} +(\d{3})")
_HEADERS_END = re.compile(rb"\r?\n\r?\n")
_GZIP = b"\x1f\x8b"
_CHUNK_HEAD = re.compile(rb"([0-9a-fA-F]{1,8})[ \t]*(?:;[^\r\n]{0,200})?\r?\n")


def response_of(record: ForeignRecord, original: ForeignRecord, most: int) -> Response:
    """Return the answer of a record, unpacked; ``original`` has its body, and may be itself.

    Raises ``ValueError`` for what is no answer of HTTP, and what :func:`bounded_body` does.
    """
    block = original.block or b""
    status, end = _STATUS.match(block), _HEADERS_END.search(block)
    if not status or not end:
        raise ValueError("no answer of HTTP")
    lines = block[: end.start()].decode("latin-1").splitlines()[1:]
    pairs = (line.partition(":") for line in lines if ":" in line)
    headers = tuple((name.strip(), value.strip()) for name, _, value in pairs)
    body = block[end.end() :]
    if "chunked" in header(headers, "transfer-encoding").lower():
        body = _joined(body)
    encoding = header(headers, "content-encoding")
    if "gzip" in encoding.lower() and not body.startswith(_GZIP):
        # Some crawlers keep what they unpacked under the header that it came with.
        encoding = ""
    moment = datetime.fromisoformat(record.fields.get("warc-date", ""))
    fetched_at = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    return Response(
        record.url,
        record.url,
        int(status[1]),
        headers,
        bounded_body([body], encoding, most, record.url),
        fetched_at.replace(microsecond=0),
    )


def _joined(body: bytes) -> bytes:
    """Return a body without the lengths of its chunks (RFC 9112, 7.1); one without any as it is.

    Raises ``ValueError`` for one that breaks off.
    """
    if not _CHUNK_HEAD.match(body):
        return body
    joined, at = bytearray(), 0
    while found := _CHUNK_HEAD.match(body, at):
        length = int(found[1], 16)
        if not length:
            return bytes(joined)
        part = body[found.end() : found.end() + length]
        if len(part) < length:
            break
        joined += part
        at = found.end() + length
        at += 2 if body[at : at + 2] == b"\r\n" else 1
    raise ValueError("a body in chunks that breaks off")


def no_page(response: Response, now: datetime) -> str:
    """Return why an answer is no page that can be an article, ``""``: it may be one."""
    if response.status not in PAGE_STATUSES:
        return f"HTTP {response.status}"
    kind = response.header("content-type").lower()
    if kind and "html" not in kind and "text/plain" not in kind:
        return "no page"
    return "dated in the future" if response.fetched_at > now + CLOCK_SKEW else ""
