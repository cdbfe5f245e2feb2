"""WARC files as others write them, by warcio, over made-up pages."""

import gzip
import io
from datetime import datetime
from pathlib import Path

from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from ingestor.text.dates import iso_utc

HTML = ("Content-Type", "text/html; charset=utf-8")


class ForeignFile:
    """A file that grows record by record."""

    def __init__(self, path: Path, *, packed: bool = True, begun: datetime | None = None) -> None:
        self.path = path
        self._data = io.BytesIO()
        self._writer = WARCWriter(self._data, gzip=packed)
        info = self._writer.create_warcinfo_record(path.name, {"software": "x"})
        if begun:
            info.rec_headers.replace_header("WARC-Date", iso_utc(begun))
        self._writer.write_record(info)
        self._responses: dict[str, object] = {}

    def page(
        self,
        url: str,
        body: str | bytes,
        at: datetime,
        *,
        how: str = "",
        status: str = "200 OK",
        **fields: str,
    ) -> None:
        """Add a response record; ``how`` it was sent: ``gzip``, ``chunked``, both, or as it is.

        ``fields`` are further ones of the record, ``_`` written for ``-``.
        """
        data = body.encode() if isinstance(body, str) else body
        headers = [HTML]
        if "gzip" in how:
            data, headers = gzip.compress(data), [*headers, ("Content-Encoding", "gzip")]
        if "chunked" in how:
            parts = [data[start : start + 1000] for start in range(0, len(data), 1000)]
            data = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in [*parts, b""])
            headers = [*headers, ("Transfer-Encoding", "chunked")]
        record = self._writer.create_warc_record(
            url,
            "response",
            payload=io.BytesIO(data),
            http_headers=StatusAndHeaders(status, headers, protocol="HTTP/1.1"),
            warc_headers_dict={
                "WARC-Date": iso_utc(at),
                **{name.replace("_", "-"): value for name, value in fields.items()},
            },
        )
        self._writer.write_record(record)
        self._responses[url] = record

    def revisit(self, url: str, at: datetime, *, digest: bool = True) -> None:
        """Add a revisit record of the last response of an address, with its digest or without."""
        headers = self._responses[url].rec_headers
        record = self._writer.create_revisit_record(
            url,
            headers.get_header("WARC-Payload-Digest"),
            url,
            headers.get_header("WARC-Date"),
            http_headers=StatusAndHeaders("200 OK", [HTML], protocol="HTTP/1.1"),
            warc_headers_dict={"WARC-Date": iso_utc(at)},
        )
        if not digest:
            record.rec_headers.remove_header("WARC-Payload-Digest")
        self._writer.write_record(record)

    def request(self, url: str) -> None:
        """Add a request record."""
        head = StatusAndHeaders("GET / HTTP/1.1", [], is_http_request=True)
        self._writer.write_record(
            self._writer.create_warc_record(url, "request", http_headers=head)
        )

    @property
    def data(self) -> bytes:
        return self._data.getvalue()

    def write(self, data: bytes | None = None) -> Path:
        """Put the file, or other bytes, in its place."""
        self.path.write_bytes(self.data if data is None else data)
        return self.path
