"""The tables, each column with its meaning: a public interface that users query.

``docs/schema.md`` is generated from here; a test says when it is not. Times are TEXT in
ISO 8601, UTC, to the second, with Z; days are ``YYYY-MM-DD`` in Asia/Shanghai.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    literal,
    select,
)

from ingestor.store.schema import cluster  # noqa: F401 - its tables are tables like all others
from ingestor.store.schema.columns import (
    ID,
    TIME,
    covering_index,
    identifier,
    key,
    metadata,
    number,
    partial_index,
    reference,
    span,
    text,
    time,
)

feeds = Table(
    "feeds",
    metadata,
    key("Identifies the feed for ever, also when it leaves the configuration."),
    Column("name", Text, nullable=False, unique=True, comment="Name in the configuration."),
    text("kind", "Kind of feed: rss, sina-roll, sina-live.", default=None),
    text("url", "Address that is asked."),
    text("title", "Title that the feed gives itself."),
    text("etag", "ETag of the last body that was read, for If-None-Match."),
    text("last_modified", "Last-Modified of the last body that was read."),
    text("body_sha256", "SHA-256 (hex) of the last body that was read."),
    number("interval_s", "Seconds between polls; follows how often it has news.", default="300"),
    time("next_poll_at", "When it is due again; NULL: at once."),
    time("last_ok_at", "When it last answered with a feed, changed or not."),
    time("last_new_at", "When it last announced an entry that was new."),
    text("last_error", "Why the last poll failed; empty when it did not."),
    number("failures", "Polls that failed in a row."),
    text("moved_to", "Where its address redirects for good; asked instead after three in a row."),
    number("moved_polls", "Polls in a row that were redirected there."),
    time("retry_at", "It asked not to be asked before (Retry-After); NULL: it did not."),
    text("stopped", "Why it is not asked any more; empty: it is. `ingest retry` asks it again."),
    number("zone_shift_s", "Seconds by which its times are set right: it reads its zone wrongly."),
    number("active", "1 while it stands in the configuration, else 0.", default="1"),
    comment="The feeds and how they are: one row a feed that was ever configured.",
)

articles = Table(
    "articles",
    metadata,
    key("Identifies the article for ever."),
    text(
        "url",
        "Canonical address: https, without tracking parameters. An adopted article without one "
        "has `ni:///sha-256;…`, which names its content (docs/import-export.md).",
        default=None,
    ),
    text("date", "Publication day in Asia/Shanghai, YYYY-MM-DD.", default=None),
    Column("document_id", Text, comment="The publisher's own identifier, such as ihqfskcn2160999."),
    text("title", "Title of the current revision.", default=None),
    text("author", "Author for the front matter: the feed's."),
    text("media", "Who wrote it, as the page says: 央视新闻 …"),
    text("editor", "Responsible editor (责任编辑)."),
    text("summary", "The page's own description, else the beginning of the text."),
    text("headimg", "Address of the first picture; empty when there is none."),
    text("content_html", "Cleaned HTML of the current revision.", default=None),
    text("content_text", "Its text, one paragraph a line.", default=None),
    text("content_sha256", "SHA-256 (hex) of content_text as UTF-8.", default=None),
    time("published_at", "When the page claims to be published; else what the feed claims."),
    time("first_seen_at", "When this archive first had the article.", nullable=False),
    time("updated_at", "When the publisher says it last edited it, or else when that was seen."),
    time("gone_at", "Since when its page is not there any more; NULL: it is, as far as is known."),
    time("doubted_at", "Since when it is known never to have been an article; NULL: it is one."),
    number("revision", "Number of the current revision, from 1.", default="1"),
    text("path", "Its file, relative to the archive folder; never changes.", default=None),
    text("origin", "page: from its page; feed: from the feed's text; import: adopted."),
    text("template", "Which page template read it; generic when none did; feed, import."),
    text("categories", "Categories for the front matter, one a line."),
    reference("feeds", "Feed that announced it first; NULL: none did.", nullable=True),
    Column(
        "file_sha256",
        Text,
        comment="SHA-256 (hex) of the file, empty where there is none; NULL: it is due to be "
        "written, or, where doubted_at is set, to be removed.",
    ),
    number("checks", "How often its page was looked at again."),
    time("next_check_at", "When its page is looked at again; NULL: no more."),
    text("etag", "ETag of its page, for If-None-Match."),
    text("last_modified", "Last-Modified of its page."),
    UniqueConstraint("url", "date"),
    UniqueConstraint("document_id", "date"),
    CheckConstraint("origin IN ('page', 'feed', 'import')", name="origin"),
    Index(None, "published_at"),
    Index(None, "first_seen_at"),
    comment="One row an article: one canonical address on one publication day.",
)
check_at = articles.c.next_check_at
partial_index("ix_articles_check_due", check_at.is_not(None), check_at)
partial_index("ix_articles_file_due", articles.c.file_sha256.is_(None), articles.c.id)
for index, kept, *columns in (
    ("date_published_at", 2, "date", "published_at", "origin", "categories"),
    ("media_date_published_at", 3, "media", "date", "published_at", "origin", "categories"),
    # Of a list's articles: a row lies behind its texts, some pages away.
    ("listed", 0, "id", "date", "published_at", "media", "origin", "categories"),
    # An archive has few origins and lists of categories, however many articles have them.
    ("origin_categories_date_published_at", 0, "origin", "categories", "date", "published_at"),
):
    covering_index(f"ix_articles_{index}", kept, *(articles.c[name] for name in columns))
unannounced = articles.c.feed_id.is_(None)
covering_index("ix_articles_unannounced", 1, *articles.c["id", "categories"], condition=unannounced)

GONE = articles.c.gone_at.is_not(None)
"""Condition: its page is not there any more."""

BELIEVED = articles.c.doubted_at.is_(None)
"""Condition: it is an article, as far as is known."""

partial_index("ix_articles_doubted", articles.c.doubted_at.is_not(None), articles.c.id)

_doubted = articles.alias("doubted")
DOUBTED_IDS = select(_doubted.c.id).where(_doubted.c.doubted_at.is_not(None))
IS_BELIEVED = articles.c.id.not_in(DOUBTED_IDS)
""":data:`BELIEVED` for who goes through many: an index has the few that are not, and no row is read
for it, in which ``doubted_at`` lies behind the texts."""

aliases = Table(
    "aliases",
    metadata,
    Column("url", Text, primary_key=True, comment="Canonical form of another address."),
    reference("articles", "Article that it names.", primary_key=True),
    Index(None, "article_id"),
    comment="Further addresses of articles: their mobile twin, what a feed or import called them.",
)

captures = Table(
    "captures",
    metadata,
    key("Identifies the capture."),
    text("url", "Address that was asked.", default=None),
    text("final_url", "Address that answered, after redirects.", default=None),
    number("status", "HTTP status.", default=None),
    time("fetched_at", "When the answer was complete.", nullable=False),
    text("sha256", "SHA-256 (hex) of the body, without content encoding.", default=None),
    Column("warc_file", Text, comment="WARC file, relative to the raw folder; NULL: not kept."),
    Column("warc_offset", ID, comment="Byte at which the response or revisit record starts."),
    Column("warc_length", ID, comment="Length of the compressed record in bytes."),
    text(
        "reading",
        "What the look was taken for: article, edit, unchanged, another, elsewhere, gone, "
        "none (no article), doubtful; empty for a feed's body and a further page.",
    ),
    text("reason", "Why it was not believed, or what is to be said of it."),
    text("text_hash", "Names the text that was read (16 hex digits); empty when there was none."),
    reference("articles", "Article that was looked at, or that it led to.", nullable=True),
    time(
        "damaged",
        "Since when its record is known to be missing or not to be readable at its place; NULL: it "
        "is whole, as far as is known. The place stays: a file that is put back heals it.",
    ),
    Index(None, "url"),
    Index(None, "article_id"),
    comment="Bodies as received: where the WARC files hold each.",
)

damages = Table(
    "damages",
    metadata,
    Column(
        "place",
        Text,
        primary_key=True,
        comment="A WARC file and the byte at which what cannot be read begins, or a table, its "
        "row and its column.",
    ),
    time("found_at", "When it was found.", nullable=False),
    text("what", "What is wrong there."),
    number("lasting", "1: `ingest verify --repair` noted that it stays; 0: found on the way."),
    comment="Damage that no row has a column for: what verify knows, what the daemon came across.",
)

revisions = Table(
    "revisions",
    metadata,
    Column(
        "sequence",
        ID,
        primary_key=True,
        autoincrement=True,
        comment="Only grows, over all articles: ask for all that came after the last you saw.",
    ),
    reference("articles", "Article."),
    number("revision", "Number within the article, from 1.", default=None),
    text(
        "cause",
        "new; edit: by the publisher; reextract: by our rules; import: adopted, or the page that "
        "replaced what was adopted; doubt: it turned out not to be the article.",
        default=None,
    ),
    time("seen_at", "When this archive first had this revision.", nullable=False),
    text("title", "Title.", default=None),
    text("content_html", "Cleaned HTML.", default=None),
    text("content_text", "Text, one paragraph a line.", default=None),
    text("content_sha256", "SHA-256 (hex) of content_text as UTF-8.", default=None),
    reference("captures", "The page as received; NULL for a feed's text.", nullable=True),
    time("published_at", "When it claimed to be published; NULL: it did not say, nor the feed."),
    text("dates", "Each witness of that and what it states, one a line: template, feed …"),
    text("media", "Who wrote it, as it said then."),
    text("editor", "Responsible editor, as it said then."),
    text("summary", "Its description then, else the beginning of the text."),
    text("headimg", "Address of its first picture then."),
    text("template", "Which page template read it; generic when none did; feed, import."),
    text("final_url", "Address that answered, after redirects; empty for a feed's text."),
    text("note", "What is to be said of the revision, such as why it was believed."),
    UniqueConstraint("article_id", "revision"),
    CheckConstraint("cause IN ('new', 'edit', 'reextract', 'import', 'doubt')", name="cause"),
    comment="Every revision of every article, the first included.",
    sqlite_autoincrement=True,
)

IS_EDIT = revisions.c.cause == literal("edit", literal_execute=True)
"""Condition: the publisher changed the article. Written out, it lets a query use its indexes."""

partial_index("ix_revisions_edits", IS_EDIT, *revisions.c["sequence", "article_id"])
by_article = revisions.c["article_id", "sequence", "seen_at"]
partial_index("ix_revisions_edits_article", IS_EDIT, *by_article)
partial_index("ix_revisions_edits_seen", IS_EDIT, *revisions.c["seen_at", "article_id"])

entries = Table(
    "entries",
    metadata,
    key("Identifies the entry."),
    reference("feeds", "Feed that announced it."),
    text(
        "key", "What makes it this entry within its feed: identity and announced day.", default=None
    ),
    text("guid", "The feed's own identifier; empty when it gave none."),
    text("url", "Address as announced; empty when it had none."),
    text("title", "Title as announced."),
    time("published_at", "When the feed claims that it was published."),
    text("date_text", "That date as the feed wrote it."),
    text("author", "Author as announced: often the medium."),
    text("summary", "Short description as announced."),
    text("content", "Full text (HTML) as announced; empty when the feed carries none."),
    text("keywords", "Categories and tags as announced, one a line."),
    text("symbols", "Securities as announced, one a line: sh600519 and the name it had."),
    text("state", "pending, done or parked.", default="pending"),
    number("attempts", "How often it was tried."),
    time("next_attempt_at", "When it is due; NULL: at once."),
    text("error", "Why the last try failed."),
    reference("articles", "Article that it led to.", nullable=True),
    time("seen_at", "When the feed first announced it to us.", nullable=False),
    UniqueConstraint("feed_id", "key"),
    CheckConstraint("state IN ('pending', 'done', 'parked')", name="state"),
    Index(None, "article_id"),
    Index(None, "url"),
    comment="Everything that a feed ever announced: the queue and its past.",
)

WAITING = entries.c.state != literal("done", literal_execute=True)
"""Condition: it is in the queue. Written out, it lets a query use the index of these alone."""

partial_index("ix_entries_waiting", WAITING, entries.c.feed_id, entries.c.state)

sightings = Table(
    "sightings",
    metadata,
    reference("articles", "Article.", primary_key=True),
    reference("feeds", "Feed that announced it.", primary_key=True),
    text("guid", "What that feed calls it."),
    time("seen_at", "When that feed first announced it to us.", nullable=False),
    Index(None, "feed_id", "article_id"),
    comment="Which feeds announced an article: one row a pair.",
)

backfills = Table(
    "backfills",
    metadata,
    reference("feeds", "Feed.", primary_key=True),
    Column("day", Text, primary_key=True, comment="Publication day that is walked, YYYY-MM-DD."),
    number("pages", "Pages of that day whose entries are written down."),
    time("finished_at", "When the day was through; NULL: goes on behind `pages`."),
    comment="How far `ingest --once --since … --until …` has come.",
)

symbols = Table(
    "symbols",
    metadata,
    reference("articles", "Article.", primary_key=True),
    Column("symbol", Text, primary_key=True, comment="sh600519, sz000001, hk00700, us:BABA …"),
    *span(),
    text("market", "sh, sz, bj, hk or us.", default=None),
    text("name", "The security as the article writes it."),
    Index(None, "symbol", "article_id", "last_revision"),
    comment="Securities that an article names, each with the revisions that name it.",
)

securities = Table(
    "securities",
    metadata,
    Column("symbol", Text, primary_key=True, comment="sh600519, sz000001, hk00700, us:BABA …"),
    Column(
        "first_seen_at",
        TIME,
        primary_key=True,
        comment="From when on the archive knew the security under this name.",
    ),
    time("last_seen_at", "When an article last called it so.", nullable=False),
    text("market", "sh, sz, bj, hk or us.", default=None),
    text("name", "Short name: as Sina marks it, else as most articles write it; empty: not yet."),
    time(
        "published_at",
        "When the latest article was published that called it so: an older one changes no name.",
        nullable=False,
    ),
    number("marked", "1: Sina's markup says this name; 0: texts do."),
    Index(None, "name"),
    comment="What securities are called: one row for each time in which one bore a name.",
)

stories = Table(
    "stories",
    metadata,
    reference("articles", "Article.", primary_key=True),
    identifier("story_id", "The same for all articles of a story: the id of one."),
    Index(None, "story_id"),
    comment="Which articles are copies of one another, with edits (docs/querying.md).",
)

story_bands = Table(
    "story_bands",
    metadata,
    Column("band", BigInteger, primary_key=True, comment="Part of its text's MinHash."),
    reference("articles", "Article.", primary_key=True),
    comment="How copies are found without reading every text: they have a band in common.",
    sqlite_with_rowid=False,
)

keywords = Table(
    "keywords",
    metadata,
    reference("articles", "Article.", primary_key=True),
    Column("keyword", Text, primary_key=True, comment="Keyword as the page gives it."),
    *span(),
    Index(None, "keyword"),
    comment="Keywords of an article, each with the revisions that have it.",
)

images = Table(
    "images",
    metadata,
    reference("articles", "Article.", primary_key=True),
    Column("position", Integer, primary_key=True, comment="Place within the article, from 1."),
    text("url", "Address of the picture.", default=None),
    text("caption", "Its caption."),
    Column(
        "path", Text, comment="Local copy, relative to archive.images_dir; NULL when none is kept."
    ),
    comment="Pictures of an article.",
)
partial_index("ix_images_due", images.c.path.is_(None), images.c.url)

pictures = Table(
    "pictures",
    metadata,
    Column("url", Text, primary_key=True, comment="Address of the picture."),
    Column("path", Text, comment="Local copy, named after its SHA-256; NULL: there is none."),
    number("attempts", "How often it was asked for."),
    time("next_attempt_at", "When it is asked for again; NULL: no more."),
    text("error", "Why there is none."),
    Index(None, "path"),
    comment="Pictures that were asked for (archive.images), and how it went.",
)

DOUBTED = captures.c.reading.in_(
    [literal(reading, literal_execute=True) for reading in ("none", "doubtful")]
)
"""Condition: a look that brought no article."""

partial_index("ix_captures_doubted", DOUBTED, captures.c.fetched_at)
partial_index(
    "ix_captures_text_hash",
    captures.c.text_hash != literal("", literal_execute=True),
    captures.c.text_hash,
)
