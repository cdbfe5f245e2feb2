"""Texts, moments and numbers of the database that cannot be read, and who else has them.

::

    damaged cell | revision or article | the archive's file | the kept page, or the feed's body
                 | else what is asked for again anyway is forgotten; else only a backup helps

A copy counts where it is surely the same: it has its place there by its meaning, a text has the
hash that is stored, or it is the only one that is as long and differs in a few bytes.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import PurePosixPath
from typing import Any, TypeAlias

from sqlalchemy import Connection

from ingestor.archive.front_matter import original, read_post
from ingestor.archive.storage import storage
from ingestor.archive.warc import reader
from ingestor.archive.warc.reader import CapturedBody, kept_body
from ingestor.config import Settings
from ingestor.errors import ArchiveError, IngestorError
from ingestor.extract import read_page
from ingestor.identity import document_id, entry_keys
from ingestor.maintenance import Difference, by
from ingestor.model import Article, Feed, Page, Response, WarcPlace
from ingestor.sources import source
from ingestor.store import audit, captures, entries, images
from ingestor.store.audit import DamagedCell
from ingestor.store.db.database import Database
from ingestor.store.revisions import text_sha256
from ingestor.store.schema.columns import UNREADABLE, UtcTime, metadata
from ingestor.text.dates import is_day, is_moment

MOST_WRONG_BYTES = 4
"""So many bytes of a copy may be others than those that stand in the damaged cell."""

SAID = (
    "title", "content_html", "content_text", "content_sha256", "published_at", "media", "editor",
    "summary", "headimg", "template",
)  # fmt: skip
"""What an article and its current revision both say."""

FORGOTTEN: Mapping[str, Mapping[str, object]] = {
    "feeds": {
        **dict.fromkeys(("title", "etag", "last_modified", "body_sha256", "last_error"), ""),
        **dict.fromkeys(("moved_to", "stopped"), ""),
        **dict.fromkeys(("next_poll_at", "last_ok_at", "last_new_at", "retry_at"), None),
    },
    "articles": {
        **dict.fromkeys(("etag", "last_modified"), ""),
        **dict.fromkeys(("file_sha256", "next_check_at", "gone_at", "updated_at"), None),
    },
    "captures": {**dict.fromkeys(("reason", "text_hash"), ""), "damaged": None},
    "entries": {"error": "", "next_attempt_at": None},
    "revisions": {"dates": "", "note": ""},
    "pictures": {"error": "", "next_attempt_at": None},
    "hosts": {"reason": ""},
}
"""What is asked for again, is found out again, or only says why: by table and column, the value
that it has before it is known."""


Row: TypeAlias = Mapping[str, Any]
"""A row by its columns, as far as it can be read."""

Copies: TypeAlias = Callable[[Connection, Row], Iterator[Row]]
"""Yields what somebody has of the columns of a damaged row."""


@dataclass(frozen=True, slots=True)
class TextComparison:
    """A look at every value of the database, and who else has what is damaged."""

    database: Database
    settings: Settings
    files: Collection[str]
    """Relative paths of what lies in the archive folder."""
    articles: set[int] = field(default_factory=set)
    """Ids of articles of which something is damaged, as they are found."""

    def differences(self) -> Iterator[Difference]:
        """Yield each damaged value: with its copy, if there is one."""
        for table in metadata.sorted_tables:
            with self.database.reading() as connection:
                cells = list(audit.damaged_cells(connection, table))
                yield from [self._difference(connection, cell) for cell in cells]

    def _difference(self, connection: Connection, cell: DamagedCell) -> Difference:
        row = audit.row_of(connection, cell.table, cell.row)
        if cell.table in {"articles", "revisions"} and row:
            self.articles.add(row["id"] if cell.table == "articles" else row["article_id"])
        line = f"{cell.place}: {cell.problem}"
        if (value := _by_its_form(cell)) is not None:
            return Difference(f"{line}; its form has it", by(audit.set_cell, cell, value))
        for name, copies in self._sources(cell.table):
            for columns in copies(connection, row):
                copy = columns.get(cell.column)
                if _is_readable(copy) and _has_its_hash(cell, row, copy):
                    return Difference(f"{line}; {name} has it", by(audit.set_cell, cell, copy))
        if (copy := _nearest(cell, self._alike(connection, cell))) is not None:
            return Difference(f"{line}; it is as elsewhere", by(audit.set_cell, cell, copy))
        forgotten = FORGOTTEN.get(cell.table, {})
        if cell.column in forgotten:
            repair = by(audit.set_cell, cell, forgotten[cell.column])
            return Difference(f"{line}; it is found out again", repair)
        return Difference(f"{line}; only a backup has it")

    def _sources(self, table: str) -> Sequence[tuple[str, Copies]]:
        """Return who surely has what a cell of a table held."""
        sources: Mapping[str, Sequence[tuple[str, Copies]]] = {
            "articles": (
                ("its name", _of_names), ("its revision", _of_revision),
                ("its file", self._of_file), ("its page", self._of_page),
            ),
            "revisions": (("its article", _of_article), ("its page", self._of_page)),
            "captures": (("its record", self._of_record),),
            "entries": (("the feed's body", self._of_feed),),
            "feeds": (("the configuration", self._of_configuration),),
            "images": (("the article", _of_html),),
        }  # fmt: skip
        return sources.get(table, ())

    def _alike(self, connection: Connection, cell: DamagedCell) -> Iterator[str]:
        """Yield what stands where the same texts stand, and is as long."""
        if (cell.table, cell.column) == ("articles", "path"):
            yield from self.files
        if cell.table == "feeds" and cell.column in {"name", "url", "kind"}:
            feeds = [section.feed() for section in self.settings.feeds]
            yield from (str(getattr(feed, cell.column)) for feed in feeds)
        if cell.column == "warc_file":
            yield from storage(self.settings.archive.raw_dir).names()
        for table, column in _KIN.get((cell.table, cell.column), ()):
            yield from audit.texts_as_long(connection, table, column, len(cell.raw))

    def _of_file(self, connection: Connection, row: Row) -> Iterator[Row]:
        """Yield what the article's file says, if it is the one that was written."""
        folder, path = storage(self.settings.archive.dir), str(row.get("path"))
        if path not in self.files:
            return
        data = folder.read(path)
        if hashlib.sha256(data).hexdigest() != row.get("file_sha256"):
            return
        post = read_post(data)
        body = data.decode().partition("\n---\n\n<div>\n")[2].removesuffix("\n</div>\n")
        number = int(row.get("id") or 0)
        copies = images.copies(connection, [number]).get(number, {})
        html = original(body.replace("&#123;", "{").replace("&#125;", "}"), path, copies)
        yield {
            "title": post.title,
            "headimg": post.headimg,
            "author": post.author,
            "categories": "\n".join(post.categories),
            "content_html": html,
            "date": PurePosixPath(path).name[:10],
        }

    def _of_page(self, connection: Connection, row: Row) -> Iterator[Row]:
        """Yield what today's rules read in the page, if that is the text that is stored."""
        number = row.get("capture_id") or _current(connection, row).get("capture_id")
        capture = audit.row_of(connection, "captures", number) if number else {}
        kept = self._kept(connection, capture)
        if kept is None:
            return
        article = _read(capture, kept)
        if article is None or text_sha256(article.body.text) != row.get("content_sha256"):
            return
        said = {each.name: getattr(article, each.name) for each in fields(article)}
        body = {"content_html": article.body.html, "content_text": article.body.text}
        yield said | body | {"headimg": article.headimg}

    def _of_record(self, connection: Connection, row: Row) -> Iterator[Row]:  # noqa: ARG002 - as the others
        """Yield what the capture's WARC record says."""
        try:
            place = WarcPlace(row["warc_file"], row["warc_offset"], row["warc_length"])
            record = reader.read(self.settings.archive.raw_dir, place).record
        except (IngestorError, KeyError, TypeError):
            return
        yield {
            "url": record.asked,
            "final_url": record.url,
            "fetched_at": record.fetched_at,
            "sha256": record.sha256 or None,
        }

    def _of_feed(self, connection: Connection, row: Row) -> Iterator[Row]:
        """Yield what the feed's kept bodies announce under the entry's key, guid or address."""
        stored = audit.row_of(connection, "feeds", row["feed_id"])
        configured = {section.name: section.feed() for section in self.settings.feeds}
        unconfigured = Feed(stored["name"], stored["kind"], stored["url"], (), "")
        feed = configured.get(stored["name"], unconfigured)
        for number in captures.of_address(connection, feed.url, row["seen_at"]):
            capture = audit.row_of(connection, "captures", number)
            kept = self._kept(connection, capture)
            if kept is None:
                continue
            answered, at = capture["final_url"], capture["fetched_at"]
            response = Response(feed.url, answered, 200, kept.headers, kept.body, at)
            announced = source(feed.kind).read(feed, response).entries
            for keys, entry in zip(entry_keys(feed, announced), announced, strict=True):
                names = {"key": {keys.key, keys.own}, "guid": {entry.guid}, "url": {entry.url}}
                if any(row[name] and row[name] in known for name, known in names.items()):
                    yield entries.columns(entry) | {"key": keys.key}

    def _of_configuration(self, connection: Connection, row: Row) -> Iterator[Row]:  # noqa: ARG002 - as the others
        """Yield what the configuration says of the feed of the same name or address."""
        for feed in (section.feed() for section in self.settings.feeds):
            if feed.name == row["name"] or feed.url == row["url"]:
                yield {"name": feed.name, "url": feed.url, "kind": feed.kind}

    def _kept(self, connection: Connection, capture: Row) -> CapturedBody | None:
        """Return a capture's body, if it is kept and can be read."""
        try:
            own = WarcPlace(*(capture[f"warc_{name}"] for name in ("file", "offset", "length")))
            earlier = captures.earlier(
                connection, capture["url"], capture["sha256"], before=capture["id"]
            )
            return kept_body(self.settings.archive.raw_dir, [own, *earlier], capture["sha256"])
        except (IngestorError, KeyError, TypeError):
            return None


def _read(capture: Row, kept: CapturedBody) -> Article | None:
    try:
        article, _ = read_page(Page(capture["final_url"], kept.body, kept.content_type))
    except ArchiveError:
        raise
    except IngestorError:
        return None
    return article if isinstance(article, Article) else None


def _current(connection: Connection, article: Row) -> Row:
    """Return an article's current revision."""
    number = audit.current_revision(connection, article["id"]) if "id" in article else None
    return audit.row_of(connection, "revisions", number) if number else {}


def _of_revision(connection: Connection, row: Row) -> Iterator[Row]:
    """Yield what an article's current revision says of it."""
    yield _said_by(_current(connection, row))


def _of_article(connection: Connection, row: Row) -> Iterator[Row]:
    """Yield what the article says of a revision, if that is its current one."""
    article = audit.row_of(connection, "articles", row["article_id"])
    if article.get("revision") == row["revision"]:
        yield _said_by(article)


def _said_by(twin: Row) -> Row:
    """Return what an article and its revision both say; a text only where its hash is right."""
    whole = text_sha256(str(twin.get("content_text"))) == twin.get("content_sha256")
    return {name: twin.get(name) for name in SAID if whole or name not in _HASHED}


def _of_names(connection: Connection, row: Row) -> Iterator[Row]:  # noqa: ARG001 - as the others
    """Yield what an article's address and the path of its file are made of."""
    day = PurePosixPath(str(row.get("path"))).name[:10]
    yield {
        "document_id": document_id(str(row.get("url"))) or None,
        "date": day if is_day(day) else None,
    }


def _of_html(connection: Connection, row: Row) -> Iterator[Row]:
    """Yield what the article's HTML says of a picture of it."""
    article = audit.row_of(connection, "articles", row["article_id"])
    shown = images.of_html(str(article.get("content_html")))
    if 0 < row["position"] <= len(shown):
        picture = shown[row["position"] - 1]
        yield {"url": picture.url, "caption": picture.caption}


def _by_its_form(cell: DamagedCell) -> str | None:
    """Return what can be read of a cell all the same: it is whole, but for what it is marked as.

    That is a text that is kept as bytes, or a moment with a wrong mark between its numbers.
    """
    column = metadata.tables[cell.table].c[cell.column]
    if not isinstance(column.type, UtcTime):
        text = cell.raw.decode("utf-8", "replace")
        marked_wrongly = cell.problem == audit.NO_TEXT and cell.column not in _HASHED
        return text if marked_wrongly and "\ufffd" not in text else None
    if len(cell.raw) != len(_MOMENT):
        return None
    marked = "".join(
        mark if mark != "0" else chr(byte) for mark, byte in zip(_MOMENT, cell.raw, strict=True)
    )
    return marked if is_moment(marked) else None


_MOMENT = "0000-00-00T00:00:00Z"
_URLS = (("captures", "url"), ("captures", "final_url"), ("entries", "url"), ("articles", "url"))
_KIN: Mapping[tuple[str, str], Sequence[tuple[str, str]]] = {
    ("articles", "url"): (*_URLS, ("aliases", "url")),
    ("aliases", "url"): _URLS,
    ("entries", "url"): (*_URLS, ("aliases", "url")),
    ("captures", "url"): (*_URLS, ("feeds", "url")),
    ("captures", "final_url"): (*_URLS, ("revisions", "final_url")),
    ("revisions", "final_url"): _URLS,
    ("entries", "guid"): (("sightings", "guid"), ("entries", "url")),
    ("sightings", "guid"): (("entries", "guid"),),
    ("entries", "title"): (("articles", "title"), ("revisions", "title")),
    ("entries", "summary"): (("articles", "summary"),),
    ("articles", "author"): (("articles", "author"),),
    ("articles", "categories"): (("articles", "categories"),),
    ("articles", "first_seen_at"): (("revisions", "seen_at"),),
    ("articles", "updated_at"): (("articles", "published_at"), ("revisions", "seen_at")),
    ("captures", "fetched_at"): (("revisions", "seen_at"),),
    ("captures", "sha256"): (("captures", "sha256"),),
    ("captures", "reading"): (("captures", "reading"),),
    ("revisions", "seen_at"): (("captures", "fetched_at"), ("articles", "first_seen_at")),
    ("sightings", "seen_at"): (("entries", "seen_at"),),
    ("entries", "seen_at"): (("sightings", "seen_at"), ("captures", "fetched_at")),
    ("symbols", "symbol"): (("securities", "symbol"),),
    ("symbols", "name"): (("securities", "name"), ("symbols", "name")),
    ("securities", "symbol"): (("symbols", "symbol"),),
    ("securities", "name"): (("symbols", "name"),),
    ("keywords", "keyword"): (("keywords", "keyword"),),
    ("pictures", "url"): (("images", "url"),),
}
"""Where the same texts stand, by table and column of what is damaged."""


def _is_readable(copy: object) -> bool:
    return copy not in {None, UNREADABLE} and "\ufffd" not in str(copy)


def _has_its_hash(cell: DamagedCell, row: Row, copy: object) -> bool:
    """Whether a copy of a text has the hash that is stored; what is no text has none."""
    if cell.column not in _HASHED:
        return True
    other = str(row.get(_HASHED[cell.column]))
    if "\ufffd" in other:
        # Both are damaged: whoever has the one has the other as well (:func:`_said_by`).
        return True
    content, sha256 = (copy, other) if cell.column == "content_text" else (other, copy)
    return text_sha256(str(content)) == sha256


_HASHED = {"content_text": "content_sha256", "content_sha256": "content_text"}


def _nearest(cell: DamagedCell, copies: Iterable[str]) -> str | None:
    """Return the copy that differs from what stands there in the fewest bytes, if it is alone.

    Of a moment only what is no digit may differ: others are everywhere.
    """
    most = MOST_WRONG_BYTES
    if isinstance(metadata.tables[cell.table].c[cell.column].type, UtcTime):
        most = sum(byte not in b"0123456789-:TZ" for byte in cell.raw)
    apart: dict[int, set[str]] = defaultdict(set)
    for copy in copies:
        data = copy.encode("utf-8", "replace")
        if len(data) == len(cell.raw) and _is_readable(copy):
            wrong = sum(ours != theirs for ours, theirs in zip(cell.raw, data, strict=True))
            apart[wrong].add(copy)
    fewest = min(apart, default=most + 1)
    nearest = apart.get(fewest, set())
    return nearest.pop() if fewest <= most and len(nearest) == 1 else None
