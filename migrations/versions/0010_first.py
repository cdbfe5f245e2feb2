"""The schema with which the program is first released, made from its tables.

A database that an earlier, unreleased program brought to 0010 has the same tables and goes on as it
is; a few of its columns stand in another order, and two foreign keys have longer names.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

from ingestor.store.schema.columns import ID, TEXT, TIME

revision = "0010"
down_revision = None
branch_labels = None
depends_on = None

# Written out: a migration stays as it was released, whatever the program's views become.
VIEWS = (
    """CREATE VIEW known_revisions AS
SELECT r.sequence, r.article_id, a.url, a.date, a.published_at, r.revision, r.cause,
       r.title, r.content_text, r.seen_at AS known_from,
       (SELECT n.seen_at FROM revisions n
         WHERE n.article_id = r.article_id AND n.revision = r.revision + 1) AS known_until
  FROM revisions r JOIN articles a ON a.id = r.article_id""",
    """CREATE VIEW changes AS
SELECT r.sequence, r.seen_at, r.cause, r.article_id, r.revision, a.url, a.date, r.title, a.path
  FROM revisions r JOIN articles a ON a.id = r.article_id""",
    """CREATE VIEW articles_by_symbol AS
SELECT s.symbol, s.market, s.name, s.article_id, a.date, a.published_at, a.first_seen_at,
       a.media, a.title, a.url
  FROM symbols s JOIN articles a ON a.id = s.article_id""",
    """CREATE VIEW articles_by_story AS
SELECT s.story_id,
       (SELECT count(*) FROM stories o WHERE o.story_id = s.story_id) AS articles,
       s.article_id, a.date, a.published_at, a.first_seen_at, a.media, a.title, a.url
  FROM stories s JOIN articles a ON a.id = s.article_id""",
)

FULL_TEXT_INDEX = (
    "CREATE VIRTUAL TABLE articles_fts USING fts5("
    "title, content, content='', detail=none, tokenize='unicode61 remove_diacritics 0')"
)


def upgrade() -> None:
    make_tables()
    for view in VIEWS:
        op.execute(view)
    if op.get_bind().dialect.name == "postgresql":
        op.create_table(
            "articles_fts",
            sa.Column("article_id", ID, nullable=False),
            sa.Column("terms", ARRAY(sa.Integer()), nullable=False),
            sa.ForeignKeyConstraint(
                ["article_id"], ["articles.id"], name="fk_articles_fts_article_id"
            ),
            sa.PrimaryKeyConstraint("article_id", name="pk_articles_fts"),
        )
        op.create_index("ix_articles_fts_terms", "articles_fts", ["terms"], postgresql_using="gin")
    else:
        op.execute(FULL_TEXT_INDEX)


def make_tables() -> None:
    op.create_table(
        "captures",
        sa.Column("id", ID, nullable=False),
        sa.Column("url", TEXT, nullable=False),
        sa.Column("final_url", TEXT, nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("fetched_at", TIME, nullable=False),
        sa.Column("sha256", TEXT, nullable=False),
        sa.Column("warc_file", TEXT),
        sa.Column("warc_offset", ID),
        sa.Column("warc_length", ID),
        sa.PrimaryKeyConstraint("id", name="pk_captures"),
    )
    op.create_index("ix_captures_url", "captures", ["url"])
    op.create_table(
        "feeds",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("url", TEXT, server_default="", nullable=False),
        sa.Column("title", TEXT, server_default="", nullable=False),
        sa.Column("etag", TEXT, server_default="", nullable=False),
        sa.Column("last_modified", TEXT, server_default="", nullable=False),
        sa.Column("body_sha256", TEXT, server_default="", nullable=False),
        sa.Column("interval_s", sa.Integer(), server_default="300", nullable=False),
        sa.Column("next_poll_at", TIME),
        sa.Column("last_ok_at", TIME),
        sa.Column("last_new_at", TIME),
        sa.Column("last_error", TEXT, server_default="", nullable=False),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        sa.Column("moved_to", TEXT, server_default="", nullable=False),
        sa.Column("moved_polls", sa.Integer(), server_default="0", nullable=False),
        sa.Column("retry_at", TIME),
        sa.Column("stopped", TEXT, server_default="", nullable=False),
        sa.Column("active", sa.Integer(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_feeds"),
        sa.UniqueConstraint("name", name="uq_feeds_name"),
    )
    op.create_table(
        "host_leases",
        sa.Column("host", TEXT, nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("held_until", sa.Double(), nullable=False),
        sa.Column("holder", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("host", "place", name="pk_host_leases"),
    )
    op.create_table(
        "host_turns",
        sa.Column("host", TEXT, nullable=False),
        sa.Column("free_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("host", name="pk_host_turns"),
    )
    op.create_table(
        "hosts",
        sa.Column("host", TEXT, nullable=False),
        sa.Column("paused_until", TIME, nullable=False),
        sa.Column("reason", TEXT, server_default="", nullable=False),
        sa.PrimaryKeyConstraint("host", name="pk_hosts"),
    )
    op.create_table(
        "pictures",
        sa.Column("url", TEXT, nullable=False),
        sa.Column("path", TEXT),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("next_attempt_at", TIME),
        sa.Column("error", TEXT, server_default="", nullable=False),
        sa.PrimaryKeyConstraint("url", name="pk_pictures"),
    )
    op.create_index("ix_pictures_path", "pictures", ["path"])
    op.create_table(
        "articles",
        sa.Column("id", ID, nullable=False),
        sa.Column("url", TEXT, nullable=False),
        sa.Column("date", TEXT, nullable=False),
        sa.Column("document_id", TEXT),
        sa.Column("title", TEXT, nullable=False),
        sa.Column("author", TEXT, server_default="", nullable=False),
        sa.Column("media", TEXT, server_default="", nullable=False),
        sa.Column("editor", TEXT, server_default="", nullable=False),
        sa.Column("summary", TEXT, server_default="", nullable=False),
        sa.Column("headimg", TEXT, server_default="", nullable=False),
        sa.Column("content_html", TEXT, nullable=False),
        sa.Column("content_text", TEXT, nullable=False),
        sa.Column("content_sha256", TEXT, nullable=False),
        sa.Column("published_at", TIME),
        sa.Column("first_seen_at", TIME, nullable=False),
        sa.Column("updated_at", TIME),
        sa.Column("revision", sa.Integer(), server_default="1", nullable=False),
        sa.Column("path", TEXT, nullable=False),
        sa.Column("origin", TEXT, server_default="", nullable=False),
        sa.Column("template", TEXT, server_default="", nullable=False),
        sa.Column("categories", TEXT, server_default="", nullable=False),
        sa.Column("feed_id", ID),
        sa.Column("file_sha256", TEXT),
        sa.Column("checks", sa.Integer(), server_default="0", nullable=False),
        sa.Column("next_check_at", TIME),
        sa.Column("etag", TEXT, server_default="", nullable=False),
        sa.Column("last_modified", TEXT, server_default="", nullable=False),
        sa.CheckConstraint("origin IN ('page', 'feed', 'import')", name="ck_articles_origin"),
        sa.ForeignKeyConstraint(["feed_id"], ["feeds.id"], name="fk_articles_feed_id"),
        sa.PrimaryKeyConstraint("id", name="pk_articles"),
        sa.UniqueConstraint("document_id", "date", name="uq_articles_document_id_date"),
        sa.UniqueConstraint("url", "date", name="uq_articles_url_date"),
    )
    op.create_index(
        "ix_articles_check_due",
        "articles",
        ["next_check_at"],
        sqlite_where=sa.text("next_check_at IS NOT NULL"),
        postgresql_where=sa.text("next_check_at IS NOT NULL"),
    )
    op.create_index("ix_articles_date_published_at", "articles", ["date", "published_at"])
    op.create_index(
        "ix_articles_file_due",
        "articles",
        ["id"],
        sqlite_where=sa.text("file_sha256 IS NULL"),
        postgresql_where=sa.text("file_sha256 IS NULL"),
    )
    op.create_index("ix_articles_first_seen_at", "articles", ["first_seen_at"])
    op.create_index("ix_articles_published_at", "articles", ["published_at"])
    op.create_table(
        "assignments",
        sa.Column("id", ID, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("feed_id", ID),
        sa.Column("first_day", TEXT, nullable=False),
        sa.Column("last_day", TEXT, nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("next_attempt_at", TIME),
        sa.Column("state", TEXT, server_default="pending", nullable=False),
        sa.Column("error", TEXT, server_default="", nullable=False),
        sa.ForeignKeyConstraint(["feed_id"], ["feeds.id"], name="fk_assignments_feed_id"),
        sa.PrimaryKeyConstraint("id", name="pk_assignments"),
    )
    op.create_index("ix_assignments_kind_state", "assignments", ["kind", "state"])
    op.create_table(
        "backfills",
        sa.Column("feed_id", ID, nullable=False),
        sa.Column("day", TEXT, nullable=False),
        sa.Column("pages", sa.Integer(), server_default="0", nullable=False),
        sa.Column("finished_at", TIME),
        sa.ForeignKeyConstraint(["feed_id"], ["feeds.id"], name="fk_backfills_feed_id"),
        sa.PrimaryKeyConstraint("feed_id", "day", name="pk_backfills"),
    )
    op.create_table(
        "aliases",
        sa.Column("url", TEXT, nullable=False),
        sa.Column("article_id", ID, nullable=False),
        sa.ForeignKeyConstraint(["article_id"], ["articles.id"], name="fk_aliases_article_id"),
        sa.PrimaryKeyConstraint("url", "article_id", name="pk_aliases"),
    )
    op.create_index("ix_aliases_article_id", "aliases", ["article_id"])
    op.create_table(
        "entries",
        sa.Column("id", ID, nullable=False),
        sa.Column("feed_id", ID, nullable=False),
        sa.Column("key", TEXT, nullable=False),
        sa.Column("guid", TEXT, server_default="", nullable=False),
        sa.Column("url", TEXT, server_default="", nullable=False),
        sa.Column("title", TEXT, server_default="", nullable=False),
        sa.Column("published_at", TIME),
        sa.Column("date_text", TEXT, server_default="", nullable=False),
        sa.Column("author", TEXT, server_default="", nullable=False),
        sa.Column("summary", TEXT, server_default="", nullable=False),
        sa.Column("content", TEXT, server_default="", nullable=False),
        sa.Column("keywords", TEXT, server_default="", nullable=False),
        sa.Column("symbols", TEXT, server_default="", nullable=False),
        sa.Column("state", TEXT, server_default="pending", nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("next_attempt_at", TIME),
        sa.Column("error", TEXT, server_default="", nullable=False),
        sa.Column("article_id", ID),
        sa.Column("seen_at", TIME, nullable=False),
        sa.CheckConstraint("state IN ('pending', 'done', 'parked')", name="ck_entries_state"),
        sa.ForeignKeyConstraint(["article_id"], ["articles.id"], name="fk_entries_article_id"),
        sa.ForeignKeyConstraint(["feed_id"], ["feeds.id"], name="fk_entries_feed_id"),
        sa.PrimaryKeyConstraint("id", name="pk_entries"),
        sa.UniqueConstraint("feed_id", "key", name="uq_entries_feed_id_key"),
    )
    op.create_index("ix_entries_article_id", "entries", ["article_id"])
    op.create_index("ix_entries_url", "entries", ["url"])
    op.create_index(
        "ix_entries_waiting",
        "entries",
        ["feed_id", "state"],
        sqlite_where=sa.text("state != 'done'"),
        postgresql_where=sa.text("state != 'done'"),
    )
    op.create_table(
        "images",
        sa.Column("article_id", ID, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("url", TEXT, nullable=False),
        sa.Column("caption", TEXT, server_default="", nullable=False),
        sa.Column("path", TEXT),
        sa.ForeignKeyConstraint(["article_id"], ["articles.id"], name="fk_images_article_id"),
        sa.PrimaryKeyConstraint("article_id", "position", name="pk_images"),
    )
    op.create_index(
        "ix_images_due",
        "images",
        ["url"],
        sqlite_where=sa.text("path IS NULL"),
        postgresql_where=sa.text("path IS NULL"),
    )
    op.create_table(
        "keywords",
        sa.Column("article_id", ID, nullable=False),
        sa.Column("keyword", TEXT, nullable=False),
        sa.ForeignKeyConstraint(["article_id"], ["articles.id"], name="fk_keywords_article_id"),
        sa.PrimaryKeyConstraint("article_id", "keyword", name="pk_keywords"),
    )
    op.create_index("ix_keywords_keyword", "keywords", ["keyword"])
    op.create_table(
        "revisions",
        sa.Column("sequence", ID, autoincrement=True, nullable=False),
        sa.Column("article_id", ID, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("cause", TEXT, nullable=False),
        sa.Column("seen_at", TIME, nullable=False),
        sa.Column("title", TEXT, nullable=False),
        sa.Column("content_html", TEXT, nullable=False),
        sa.Column("content_text", TEXT, nullable=False),
        sa.Column("content_sha256", TEXT, nullable=False),
        sa.Column("capture_id", ID),
        sa.CheckConstraint(
            "cause IN ('new', 'edit', 'reextract', 'import')", name="ck_revisions_cause"
        ),
        sa.ForeignKeyConstraint(["article_id"], ["articles.id"], name="fk_revisions_article_id"),
        sa.ForeignKeyConstraint(["capture_id"], ["captures.id"], name="fk_revisions_capture_id"),
        sa.PrimaryKeyConstraint("sequence", name="pk_revisions"),
        sa.UniqueConstraint("article_id", "revision", name="uq_revisions_article_id_revision"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "sightings",
        sa.Column("article_id", ID, nullable=False),
        sa.Column("feed_id", ID, nullable=False),
        sa.Column("guid", TEXT, server_default="", nullable=False),
        sa.Column("seen_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(["article_id"], ["articles.id"], name="fk_sightings_article_id"),
        sa.ForeignKeyConstraint(["feed_id"], ["feeds.id"], name="fk_sightings_feed_id"),
        sa.PrimaryKeyConstraint("article_id", "feed_id", name="pk_sightings"),
    )
    op.create_index("ix_sightings_feed_id", "sightings", ["feed_id"])
    op.create_table(
        "stories",
        sa.Column("article_id", ID, nullable=False),
        sa.Column("story_id", ID, nullable=False),
        sa.ForeignKeyConstraint(["article_id"], ["articles.id"], name="fk_stories_article_id"),
        sa.PrimaryKeyConstraint("article_id", name="pk_stories"),
    )
    op.create_index("ix_stories_story_id", "stories", ["story_id"])
    op.create_table(
        "story_bands",
        sa.Column("band", sa.BigInteger(), nullable=False),
        sa.Column("article_id", ID, nullable=False),
        sa.ForeignKeyConstraint(["article_id"], ["articles.id"], name="fk_story_bands_article_id"),
        sa.PrimaryKeyConstraint("band", "article_id", name="pk_story_bands"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "symbols",
        sa.Column("article_id", ID, nullable=False),
        sa.Column("symbol", TEXT, nullable=False),
        sa.Column("market", TEXT, nullable=False),
        sa.Column("name", TEXT, server_default="", nullable=False),
        sa.ForeignKeyConstraint(["article_id"], ["articles.id"], name="fk_symbols_article_id"),
        sa.PrimaryKeyConstraint("article_id", "symbol", name="pk_symbols"),
    )
    op.create_index("ix_symbols_symbol", "symbols", ["symbol"])
