"""The tables, each column with its meaning: a public interface that users query.

``docs/schema.md`` is generated from here; a test says when it is not. Times are TEXT in
ISO 8601, UTC, to the second, with Z; days are ``YYYY-MM-DD`` in Asia/Shanghai.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

from ingestor.store.types import UtcText

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _text(name: str, comment: str, *, default: str | None = "") -> Column[str]:
    return Column(name, Text, nullable=False, server_default=default, comment=comment)


def _time(name: str, comment: str, *, nullable: bool = True) -> Column[Any]:
    return Column(name, UtcText, nullable=nullable, comment=comment)


def _number(name: str, comment: str, *, default: str | None = "0") -> Column[int]:
    return Column(name, Integer, nullable=False, server_default=default, comment=comment)


def _id(comment: str) -> Column[int]:
    return Column("id", Integer, primary_key=True, comment=comment)


def _of(table: str, comment: str, **options: Any) -> Column[int]:
    """Make a reference to a row of ``table``, named after it."""
    name = f"{table.removesuffix('s')}_id"
    options.setdefault("nullable", False)
    return Column(name, Integer, ForeignKey(f"{table}.id"), comment=comment, **options)


feeds = Table(
    "feeds",
    metadata,
    _id("Identifies the feed for ever, also when it leaves the configuration."),
    Column("name", Text, nullable=False, unique=True, comment="Name in the configuration."),
    _text("kind", "Kind of feed: rss, sina-roll, …", default=None),
    _text("url", "Address that is asked."),
    _text("title", "Title that the feed gives itself."),
    _text("etag", "ETag of the last body that was read, for If-None-Match."),
    _text("last_modified", "Last-Modified of the last body that was read."),
    _text("body_sha256", "SHA-256 (hex) of the last body that was read."),
    _number(
        "interval_s", "Seconds between two polls; follows how often it has news.", default="300"
    ),
    _time("next_poll_at", "When it is due again; NULL: at once."),
    _time("last_ok_at", "When it last answered with a feed, changed or not."),
    _time("last_new_at", "When it last announced an entry that was new."),
    _text("last_error", "Why the last poll failed; empty when it did not."),
    _number("failures", "Polls that failed in a row."),
    _text("moved_to", "Where its address redirects for good; asked instead after three in a row."),
    _number("moved_polls", "Polls in a row that were redirected there."),
    _time("retry_at", "It asked not to be asked before (Retry-After); NULL: it did not."),
    _text("stopped", "Why it is not asked any more; empty: it is. `ingest retry` asks it again."),
    _number("active", "1 while it stands in the configuration, else 0.", default="1"),
    comment="The feeds and how they are: one row a feed that was ever configured.",
)

articles = Table(
    "articles",
    metadata,
    _id("Identifies the article for ever."),
    _text(
        "url",
        "Canonical address: https, without tracking parameters. An adopted article without one "
        "has `ni:///sha-256;…`, which names its content (docs/import-export.md).",
        default=None,
    ),
    _text("date", "Publication day in Asia/Shanghai, YYYY-MM-DD.", default=None),
    Column("document_id", Text, comment="The publisher's own identifier, such as ihqfskcn2160999."),
    _text("title", "Title of the current revision.", default=None),
    _text("author", "Author for the front matter: the feed's."),
    _text("media", "Who wrote it, as the page says: 央视新闻 …"),
    _text("editor", "Responsible editor (责任编辑)."),
    _text("summary", "The page's own description, else the beginning of the text."),
    _text("headimg", "Address of the first picture; empty when there is none."),
    _text("content_html", "Cleaned HTML of the current revision.", default=None),
    _text("content_text", "Its text, one paragraph a line.", default=None),
    _text("content_sha256", "SHA-256 (hex) of content_text as UTF-8.", default=None),
    _time("published_at", "When the page claims to be published; else what the feed claims."),
    _time("first_seen_at", "When this archive first had the article.", nullable=False),
    _time("updated_at", "When the publisher says it last edited it, or else when that was seen."),
    _number("revision", "Number of the current revision, from 1.", default="1"),
    _text("path", "Its file, relative to the archive folder; never changes.", default=None),
    _text("origin", "page: from its page; feed: from the feed's text; import: adopted."),
    _text("template", "Which page template read it; generic when none did; feed, import."),
    _text("categories", "Categories for the front matter, one a line."),
    _of("feeds", "Feed that announced it first; NULL: none did.", nullable=True),
    Column(
        "file_sha256", Text, comment="SHA-256 (hex) of the file; NULL: it is due to be written."
    ),
    _number("checks", "How often its page was looked at again."),
    _time("next_check_at", "When its page is looked at again; NULL: no more."),
    _text("etag", "ETag of its page, for If-None-Match."),
    _text("last_modified", "Last-Modified of its page."),
    UniqueConstraint("url", "date"),
    UniqueConstraint("document_id", "date"),
    CheckConstraint("origin IN ('page', 'feed', 'import')", name="origin"),
    Index(None, "date"),
    Index(None, "published_at"),
    Index(None, "first_seen_at"),
    comment="One row an article: one canonical address on one publication day.",
)
Index(
    "ix_articles_check_due",
    articles.c.next_check_at,
    sqlite_where=articles.c.next_check_at.is_not(None),
    postgresql_where=articles.c.next_check_at.is_not(None),
)
Index(
    "ix_articles_file_due",
    articles.c.id,
    sqlite_where=articles.c.file_sha256.is_(None),
    postgresql_where=articles.c.file_sha256.is_(None),
)

aliases = Table(
    "aliases",
    metadata,
    Column("url", Text, primary_key=True, comment="Canonical form of another address."),
    _of("articles", "Article that it names.", primary_key=True),
    Index(None, "article_id"),
    comment="Further addresses of articles: their mobile twin, what a feed or import called them.",
)

captures = Table(
    "captures",
    metadata,
    _id("Identifies the capture."),
    _text("url", "Address that was asked.", default=None),
    _text("final_url", "Address that answered, after redirects.", default=None),
    _number("status", "HTTP status.", default=None),
    _time("fetched_at", "When the answer was complete.", nullable=False),
    _text("sha256", "SHA-256 (hex) of the body, without content encoding.", default=None),
    Column("warc_file", Text, comment="WARC file, relative to the raw folder; NULL: not kept."),
    Column("warc_offset", Integer, comment="Byte at which the response or revisit record starts."),
    Column("warc_length", Integer, comment="Length of the compressed record in bytes."),
    Index(None, "url"),
    comment="Bodies as received: where the WARC files hold each.",
)

revisions = Table(
    "revisions",
    metadata,
    Column(
        "sequence",
        Integer,
        primary_key=True,
        autoincrement=True,
        comment="Only grows, over all articles: ask for all that came after the last you saw.",
    ),
    _of("articles", "Article."),
    _number("revision", "Number within the article, from 1.", default=None),
    _text(
        "cause",
        "new; edit: by the publisher; reextract: by our rules; import: adopted, or the page that "
        "replaced what was adopted.",
        default=None,
    ),
    _time("seen_at", "When this archive first had this revision.", nullable=False),
    _text("title", "Title.", default=None),
    _text("content_html", "Cleaned HTML.", default=None),
    _text("content_text", "Text, one paragraph a line.", default=None),
    _text("content_sha256", "SHA-256 (hex) of content_text as UTF-8.", default=None),
    _of("captures", "The page as received; NULL for a feed's text.", nullable=True),
    UniqueConstraint("article_id", "revision"),
    CheckConstraint("cause IN ('new', 'edit', 'reextract', 'import')", name="cause"),
    comment="Every revision of every article, the first included.",
    sqlite_autoincrement=True,
)

entries = Table(
    "entries",
    metadata,
    _id("Identifies the entry."),
    _of("feeds", "Feed that announced it."),
    _text(
        "key", "What makes it this entry within its feed: identity and announced day.", default=None
    ),
    _text("guid", "The feed's own identifier; empty when it gave none."),
    _text("url", "Address as announced; empty when it had none."),
    _text("title", "Title as announced."),
    _time("published_at", "When the feed claims that it was published."),
    _text("date_text", "That date as the feed wrote it."),
    _text("author", "Author as announced: often the medium."),
    _text("summary", "Short description as announced."),
    _text("content", "Full text (HTML) as announced; empty when the feed carries none."),
    _text("keywords", "Categories and tags as announced, one a line."),
    _text("state", "pending, done or parked.", default="pending"),
    _number("attempts", "How often it was tried."),
    _time("next_attempt_at", "When it is due; NULL: at once."),
    _text("error", "Why the last try failed."),
    _of("articles", "Article that it led to.", nullable=True),
    _time("seen_at", "When the feed first announced it to us.", nullable=False),
    UniqueConstraint("feed_id", "key"),
    CheckConstraint("state IN ('pending', 'done', 'parked')", name="state"),
    Index(None, "state", "next_attempt_at"),
    Index(None, "article_id"),
    Index(None, "url"),
    comment="Everything that a feed ever announced: the queue and its past.",
)

sightings = Table(
    "sightings",
    metadata,
    _of("articles", "Article.", primary_key=True),
    _of("feeds", "Feed that announced it.", primary_key=True),
    _text("guid", "What that feed calls it."),
    _time("seen_at", "When that feed first announced it to us.", nullable=False),
    Index(None, "feed_id"),
    comment="Which feeds announced an article: one row a pair.",
)

backfills = Table(
    "backfills",
    metadata,
    _of("feeds", "Feed.", primary_key=True),
    Column("day", Text, primary_key=True, comment="Publication day that is walked, YYYY-MM-DD."),
    _number("pages", "Pages of that day whose entries are written down."),
    _time("finished_at", "When the day was through; NULL: goes on behind `pages`."),
    comment="How far `ingest --once --since … --until …` has come.",
)

hosts = Table(
    "hosts",
    metadata,
    Column("host", Text, primary_key=True, comment="Host name, with an unusual port."),
    _time("paused_until", "When it may be asked again.", nullable=False),
    _text("reason", "What it answered."),
    comment="Hosts that asked to be left alone for a while (Retry-After).",
)

symbols = Table(
    "symbols",
    metadata,
    _of("articles", "Article.", primary_key=True),
    Column("symbol", Text, primary_key=True, comment="sh600519, sz000001, hk00700, us:BABA …"),
    _text("market", "sh, sz, bj, hk or us.", default=None),
    _text("name", "The security as the article writes it."),
    Index(None, "symbol"),
    comment="Securities that an article names.",
)

keywords = Table(
    "keywords",
    metadata,
    _of("articles", "Article.", primary_key=True),
    Column("keyword", Text, primary_key=True, comment="Keyword as the page gives it."),
    Index(None, "keyword"),
    comment="Keywords of an article.",
)

images = Table(
    "images",
    metadata,
    _of("articles", "Article.", primary_key=True),
    Column("position", Integer, primary_key=True, comment="Place within the article, from 1."),
    _text("url", "Address of the picture.", default=None),
    _text("caption", "Its caption."),
    Column("path", Text, comment="Local copy; NULL when none is kept."),
    comment="Pictures of an article.",
)

FULL_TEXT_INDEX = (
    "CREATE VIRTUAL TABLE articles_fts USING fts5("
    "title, content, content='', detail=none, tokenize='unicode61 remove_diacritics 0')"
)
"""SQLite's full-text table: contentless, its rowid is ``articles.id``.

It holds overlapping pairs of Chinese characters, so that any word of two characters is a
token; see :mod:`ingestor.store.search`.
"""
