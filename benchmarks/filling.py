"""Fills an archive's database with made-up articles, fast: rows, not requests.

    writer | rows of every table that a saved article fills | one transaction a part

Every table and index gets what a real save would put there (``tests/project/test_benchmarks.py``
lets ``ingest verify`` say so), but for two things: no files and no WARC records are made, and the
bands by which copies are found are drawn, not computed: the texts have no copies.
"""

from __future__ import annotations

import hashlib
import random
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

from benchmarks.made_texts import MadeText, Writer
from ingestor.archive.front_matter import article_path
from ingestor.identity import publication_day
from ingestor.store.db.database import Database
from ingestor.store.db.migrations import upgrade
from ingestor.store.search import tokens
from ingestor.text.dates import iso_utc
from ingestor.text.similarity import BANDS

FEEDS = 20
CATEGORIES = ("金融", "新浪财经")
LAST_DAY = datetime(2026, 11, 1, tzinfo=UTC)
"""When the last article was published; what is measured afterwards comes later."""

APART = timedelta(seconds=190)
"""Between two articles: some 450 a day, as the busy channels have together."""

BACKFILLED = 0.2
"""Share of the articles that came last and are the oldest: a backfill after some time."""

ARTICLES_A_PART = 5_000
_QUICK = (
    "journal_mode = OFF",
    "synchronous = OFF",
    "locking_mode = EXCLUSIVE",
    "cache_size = -400000",
)
_MEDIA = ("晨潮财讯", "北岸日报", "青石网", "四方财经", "海岬通讯社", "南塘早报", "云上证券")

Values = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class _Made:
    """An article that is about to become rows."""

    id: int
    text: MadeText
    feed: int
    published_at: datetime

    @property
    def document_id(self) -> str:
        letters = "".join(chr(97 + self.id // 26**at % 26) for at in range(7))
        return f"h{letters}{self.id:07d}"

    @property
    def day(self) -> str:
        return publication_day(self.published_at)

    @property
    def url(self) -> str:
        return f"https://finance.sina.com.cn/china/gncj/{self.day}/doc-i{self.document_id}.shtml"


def fill(path: Path, count: int, *, seed: int = 8, told: Callable[[int], object] = int) -> None:
    """Make an archive of ``count`` articles at ``path``; ``told`` hears how many there are.

    ``path`` must not be there. Raises ``sqlite3.Error`` when it cannot be written.
    """
    database = Database(f"sqlite:///{path}")
    upgrade(database)
    database.close()
    dice = random.Random(f"bands {seed}")
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        # What is lost with the power while filling is made again.
        for pragma in _QUICK:
            connection.execute(f"PRAGMA {pragma}")
        connection.execute("BEGIN")
        connection.executemany(_INSERTS["feeds"], _feeds())
        connection.execute("CREATE TEMP TABLE drawn (band INTEGER, article_id INTEGER)")
        made = _made(count, Writer(seed))
        while part := list(islice(made, ARTICLES_A_PART)):
            _write(connection, part, dice)
            told(part[-1].id)
        # In the order of the index: one by one they would take longer than all the rest.
        connection.execute("INSERT INTO story_bands SELECT * FROM drawn ORDER BY band, article_id")
        connection.execute("COMMIT")
        connection.execute("PRAGMA analysis_limit = 1000")
        connection.execute("ANALYZE")
        connection.execute("PRAGMA journal_mode = WAL")


def feed_name(number: int) -> str:
    """Return the name of feed ``number``, from 1."""
    return f"新浪财经－第{number}频道"


def _feeds() -> Iterator[Values]:
    last = iso_utc(LAST_DAY)
    for number in range(1, FEEDS + 1):
        url = f"https://rsshub.example/sina/finance/{number}"
        yield number, feed_name(number), "rss", url, last, last


def _made(count: int, writer: Writer) -> Iterator[_Made]:
    live = round(count * (1 - BACKFILLED))
    start = LAST_DAY - count * APART
    for at in range(count):
        dice = random.Random(at)
        place = at - live if at >= live else at + count - live
        moment = start + place * APART + timedelta(seconds=dice.randrange(-1200, 1200))
        text = writer.text(at)
        # Half of the articles come from three feeds: some are much busier than others.
        feed = dice.choices((1, 2, 3, 4 + at % (FEEDS - 3)), (20, 15, 15, 50))[0]
        yield _Made(at + 1, text, feed, moment)


def _write(connection: sqlite3.Connection, made: list[_Made], dice: random.Random) -> None:
    rows: dict[str, list[Values]] = defaultdict(list)
    for one in made:
        for table, values in _rows(one):
            rows[table].append(values)
        rows["drawn"] += [(dice.getrandbits(64) - (1 << 63), one.id) for _ in range(BANDS)]
    for table, statement in _INSERTS.items():
        if rows[table]:
            connection.executemany(statement, rows[table])


def _rows(one: _Made) -> Iterator[tuple[str, Values]]:
    text = "\n".join(one.text.paragraphs)
    html = "".join(f"<p>{part}</p>\n" for part in one.text.paragraphs)
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    title, published, media = one.text.title, iso_utc(one.published_at), _MEDIA[one.id % 7]
    seen = iso_utc(one.published_at + timedelta(seconds=100 + one.id % 200))
    categories = (*CATEGORIES, feed_name(one.feed))
    file = article_path(categories, one.day, title, one.document_id)
    mobile = f"https://finance.sina.cn/china/gnxw/{one.day}/detail-i{one.document_id}.d.html"
    picture = f"https://n.sinaimg.cn/made-up/{one.id}.jpg" if one.id % 2 else ""
    # What follows stands in the order of the columns of _INSERTS.
    yield "captures", (one.id, one.url, one.url, 200, seen, sha256, f"{one.day}.warc.gz", one.id)
    yield (
        "articles",
        (one.id, one.url, one.day, one.document_id, title, "新浪财经", media, "林小满", text[:110],
         picture, html, text, sha256, published, seen, published, file, "page", "sina_article",
         "\n".join(categories), one.feed, sha256, 3, f'"{sha256[:16]}"'),
    )  # fmt: skip
    yield "revisions", (one.id, one.id, seen, title, html, text, sha256, one.id)
    key = f"{one.document_id}@{one.day}"
    yield (
        "entries",
        (one.id, one.feed, key, one.url, one.url, title, published, text[:110], "done", one.id,
         seen),
    )  # fmt: skip
    yield "aliases", (mobile, one.id)
    yield "sightings", (one.id, one.feed, one.url, seen)
    yield "stories", (one.id, one.id)
    if picture:
        yield "images", (one.id, picture, title)
    for word in dict.fromkeys(one.text.paragraphs[0][at : at + 2] for at in (0, 5, 9, 14)):
        yield "keywords", (one.id, word, 1)
    if one.id % 3:
        yield "symbols", (one.id, symbol(one.text.subject), 1, "sh", title[:4])
    yield "articles_fts", (one.id, tokens(title), tokens(text))


def symbol(subject: int) -> str:
    """Return the code of the security that a subject is."""
    return f"sh{600_000 + subject}"


def _insert(table: str, columns: str, more: str = "", constants: str = "") -> str:
    places = ", ".join("?" for _ in columns.split(","))
    return f"INSERT INTO {table} ({columns}{more}) VALUES ({places}{constants})"


_INSERTS = {
    "feeds": _insert("feeds", "id, name, kind, url, last_ok_at, last_new_at"),
    "captures": _insert(
        "captures",
        "id, url, final_url, status, fetched_at, sha256, warc_file, warc_offset",
        ", warc_length",
        ", 20000",
    ),
    "articles": _insert(
        "articles",
        "id, url, date, document_id, title, author, media, editor, summary, headimg, content_html, "
        "content_text, content_sha256, published_at, first_seen_at, updated_at, path, origin, "
        "template, categories, feed_id, file_sha256, checks, etag",
    ),
    "revisions": _insert(
        "revisions",
        "article_id, sequence, seen_at, title, content_html, content_text, content_sha256, "
        "capture_id",
        ", revision, cause",
        ", 1, 'new'",
    ),
    "entries": _insert(
        "entries",
        "id, feed_id, key, guid, url, title, published_at, summary, state, article_id, seen_at",
        ", attempts",
        ", 1",
    ),
    "aliases": _insert("aliases", "url, article_id"),
    "sightings": _insert("sightings", "article_id, feed_id, guid, seen_at"),
    "stories": _insert("stories", "article_id, story_id"),
    "images": _insert("images", "article_id, url, caption", ", position", ", 1"),
    "keywords": _insert("keywords", "article_id, keyword, first_revision"),
    "symbols": _insert("symbols", "article_id, symbol, first_revision, market, name"),
    "drawn": _insert("drawn", "band, article_id"),
    "articles_fts": _insert("articles_fts", "rowid, title, content"),
}
