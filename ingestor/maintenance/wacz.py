"""A WACZ: the pages of articles as they were received, for replayweb.page and other readers.

A ZIP file with the WARC records, an index of them (CDXJ), a list of pages and the hashes of all
(WACZ 1.1.1, specs.webrecorder.net/wacz/1.1.1). What a reader looks up by its place is stored, not
packed a second time.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import IO
from urllib.parse import urlsplit
from zipfile import ZIP_STORED, ZipFile

from ingestor import log
from ingestor.archive.storage import storage
from ingestor.archive.warc import reader
from ingestor.archive.warc.reader import CapturedBody
from ingestor.config.values import Location
from ingestor.errors import CaptureLost
from ingestor.model import WarcPlace
from ingestor.store import captures, doubts
from ingestor.store.db.database import Database
from ingestor.store.schema import captures as table
from ingestor.store.stored_articles import ArticleRevision
from ingestor.text.dates import iso_utc
from ingestor.version import __version__

_WARC = "data.warc.gz"


@dataclass(slots=True)
class _Contents:
    """What goes into the file beside the WARC records."""

    index: list[str] = field(default_factory=list)
    pages: list[str] = field(default_factory=list)
    resources: list[dict[str, object]] = field(default_factory=list)


def write(
    articles: Iterable[ArticleRevision], file: IO[bytes], database: Database, folder: Location
) -> int:
    """Write each look at articles of which the bytes are kept; return how many articles have one.

    ``folder`` is that of the WARC files. A body that came twice is in it once; a record that cannot
    be read is left out, and logged.
    """
    contents, count = _Contents(), 0
    with ZipFile(file, "w", ZIP_STORED) as packed:
        digest, length = hashlib.sha256(), 0
        with packed.open(f"archive/{_WARC}", "w", force_zip64=True) as warc:
            for article in articles:
                known = len(contents.pages)
                for place, kept in _looks(database, folder, article.id):
                    data = storage(folder).read(place.file, place.offset, place.length)
                    _list(contents, article, kept, WarcPlace(_WARC, length, len(data)))
                    warc.write(data)
                    digest.update(data)
                    length += len(data)
                count += len(contents.pages) > known
        _note(contents, f"archive/{_WARC}", digest.hexdigest(), length)
        # By address and moment: a reader looks it up by halves.
        _add(packed, contents, "indexes/index.cdx", sorted(contents.index))
        head = {"format": "json-pages-1.0", "id": "pages", "title": "Articles"}
        _add(packed, contents, "pages/pages.jsonl", [json.dumps(head), *contents.pages])
        _describe(packed, contents)
    return count


def _looks(
    database: Database, folder: Location, article_id: int
) -> Iterator[tuple[WarcPlace, CapturedBody]]:
    """Yield the records of an article's page, each body once, the oldest first."""
    columns = table.c["id", "url", "sha256", "reading", "warc_file", "warc_offset", "warc_length"]
    with database.reading() as connection:
        rows = [
            (row, captures.places_of(connection, row))
            for row in connection.execute(doubts.of_article(article_id, *columns)).all()
            if row.warc_file is not None and row.reading not in {"none", "doubtful"}
        ]
    written: set[tuple[str, str]] = set()
    for row, places in rows:
        if (row.url, row.sha256) in written:
            continue
        try:
            # A revisit record stands for an earlier one.
            kept = reader.kept_body(folder, places, row.sha256)
        except CaptureLost as error:
            log.warning("capture_lost", error=str(error))
            continue
        written.add((row.url, row.sha256))
        yield kept.record.place, kept


def _list(
    contents: _Contents, article: ArticleRevision, kept: CapturedBody, place: WarcPlace
) -> None:
    """Put a record into the index and the list of pages."""
    record = kept.record
    moment = record.fetched_at.astimezone(UTC)
    line = {
        "url": record.url,
        "mime": kept.content_type.partition(";")[0].strip() or "unk",
        "status": str(record.status),
        "digest": record.original.payload_digest,
        "length": str(place.length),
        "offset": str(place.offset),
        "filename": place.file,
    }
    contents.index.append(f"{_sort_key(record.url)} {moment:%Y%m%d%H%M%S} {json.dumps(line)}")
    page = {
        "id": f"{article.id}-{len(contents.pages)}",
        "url": record.url,
        "ts": iso_utc(moment),
        "title": article.title,
    }
    contents.pages.append(json.dumps(page, ensure_ascii=False))


def _sort_key(url: str) -> str:
    """Return an address as CDXJ sorts it: ``cn,com,sina,finance)/a/1.shtml?b=c``."""
    parts = urlsplit(url.lower())
    host = ",".join(reversed((parts.hostname or "").split(".")))
    port = f":{parts.port}" if parts.port else ""
    query = "&".join(sorted(parts.query.split("&"))) if parts.query else ""
    return f"{host}{port}){parts.path or '/'}" + (f"?{query}" if query else "")


def _add(packed: ZipFile, contents: _Contents, path: str, lines: Sequence[str]) -> None:
    data = "".join(f"{line}\n" for line in lines).encode("utf-8", "replace")
    packed.writestr(path, data)
    _note(contents, path, hashlib.sha256(data).hexdigest(), len(data))


def _note(contents: _Contents, path: str, sha256: str, length: int) -> None:
    contents.resources.append(
        {
            "name": path.rpartition("/")[2],
            "path": path,
            "hash": f"sha256:{sha256}",
            "bytes": length,
        }
    )


def _describe(packed: ZipFile, contents: _Contents) -> None:
    """Write what is in the file, and the hash of that."""
    package = {
        "profile": "data-package",
        "wacz_version": "1.1.1",
        "title": "Articles of an ingestor archive",
        "software": f"ingestor {__version__}",
        "created": iso_utc(datetime.now(UTC)),
        "resources": contents.resources,
    }
    text = json.dumps(package, indent=2)
    packed.writestr("datapackage.json", text)
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    digest = {"path": "datapackage.json", "hash": f"sha256:{sha256}"}
    packed.writestr("datapackage-digest.json", json.dumps(digest))
