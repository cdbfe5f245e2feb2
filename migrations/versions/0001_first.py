"""The first release."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

from ingestor.store.schema.columns import ID, TEXT, TIME

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "captures",
        sa.Column("id", ID, nullable=False),
        sa.Column("url", TEXT, nullable=False),
        sa.Column("final_url", TEXT, nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("fetched_at", TIME, nullable=False),
        sa.Column("sha256", TEXT, nullable=False),
        sa.Column("warc_file", TEXT, nullable=True),
        sa.Column("warc_offset", ID, nullable=True),
        sa.Column("warc_length", ID, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_captures")),
    )
    op.create_index(op.f("ix_captures_url"), "captures", ["url"], unique=False)
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
        sa.Column("next_poll_at", TIME, nullable=True),
        sa.Column("last_ok_at", TIME, nullable=True),
        sa.Column("last_new_at", TIME, nullable=True),
        sa.Column("last_error", TEXT, server_default="", nullable=False),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        sa.Column("active", sa.Integer(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feeds")),
        sa.UniqueConstraint("name", name=op.f("uq_feeds_name")),
    )
    op.create_table(
        "articles",
        sa.Column("id", ID, nullable=False),
        sa.Column("url", TEXT, nullable=False),
        sa.Column("date", TEXT, nullable=False),
        sa.Column("document_id", TEXT, nullable=True),
        sa.Column("title", TEXT, nullable=False),
        sa.Column("author", TEXT, server_default="", nullable=False),
        sa.Column("media", TEXT, server_default="", nullable=False),
        sa.Column("editor", TEXT, server_default="", nullable=False),
        sa.Column("summary", TEXT, server_default="", nullable=False),
        sa.Column("headimg", TEXT, server_default="", nullable=False),
        sa.Column("content_html", TEXT, nullable=False),
        sa.Column("content_text", TEXT, nullable=False),
        sa.Column("content_sha256", TEXT, nullable=False),
        sa.Column("published_at", TIME, nullable=True),
        sa.Column("first_seen_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=True),
        sa.Column("revision", sa.Integer(), server_default="1", nullable=False),
        sa.Column("path", TEXT, nullable=False),
        sa.Column("origin", TEXT, server_default="", nullable=False),
        sa.Column("template", TEXT, server_default="", nullable=False),
        sa.Column("categories", TEXT, server_default="", nullable=False),
        sa.Column("feed_id", ID, nullable=True),
        sa.Column("file_sha256", TEXT, nullable=True),
        sa.Column("checks", sa.Integer(), server_default="0", nullable=False),
        sa.Column("next_check_at", TIME, nullable=True),
        sa.Column("etag", TEXT, server_default="", nullable=False),
        sa.Column("last_modified", TEXT, server_default="", nullable=False),
        sa.CheckConstraint("origin IN ('page', 'feed', 'import')", name=op.f("ck_articles_origin")),
        sa.ForeignKeyConstraint(["feed_id"], ["feeds.id"], name=op.f("fk_articles_feed_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_articles")),
        sa.UniqueConstraint("document_id", "date", name=op.f("uq_articles_document_id_date")),
        sa.UniqueConstraint("url", "date", name=op.f("uq_articles_url_date")),
    )
    op.create_index(
        "ix_articles_check_due",
        "articles",
        ["next_check_at"],
        unique=False,
        sqlite_where=sa.text("next_check_at IS NOT NULL"),
        postgresql_where=sa.text("next_check_at IS NOT NULL"),
    )
    op.create_index(op.f("ix_articles_date"), "articles", ["date"], unique=False)
    op.create_index(
        "ix_articles_file_due",
        "articles",
        ["id"],
        unique=False,
        sqlite_where=sa.text("file_sha256 IS NULL"),
        postgresql_where=sa.text("file_sha256 IS NULL"),
    )
    op.create_index(op.f("ix_articles_first_seen_at"), "articles", ["first_seen_at"], unique=False)
    op.create_index(op.f("ix_articles_published_at"), "articles", ["published_at"], unique=False)
    op.create_table(
        "aliases",
        sa.Column("url", TEXT, nullable=False),
        sa.Column("article_id", ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["article_id"], ["articles.id"], name=op.f("fk_aliases_article_id")
        ),
        sa.PrimaryKeyConstraint("url", "article_id", name=op.f("pk_aliases")),
    )
    op.create_index(op.f("ix_aliases_article_id"), "aliases", ["article_id"], unique=False)
    op.create_table(
        "entries",
        sa.Column("id", ID, nullable=False),
        sa.Column("feed_id", ID, nullable=False),
        sa.Column("key", TEXT, nullable=False),
        sa.Column("guid", TEXT, server_default="", nullable=False),
        sa.Column("url", TEXT, server_default="", nullable=False),
        sa.Column("title", TEXT, server_default="", nullable=False),
        sa.Column("published_at", TIME, nullable=True),
        sa.Column("date_text", TEXT, server_default="", nullable=False),
        sa.Column("author", TEXT, server_default="", nullable=False),
        sa.Column("summary", TEXT, server_default="", nullable=False),
        sa.Column("content", TEXT, server_default="", nullable=False),
        sa.Column("keywords", TEXT, server_default="", nullable=False),
        sa.Column("state", TEXT, server_default="pending", nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("next_attempt_at", TIME, nullable=True),
        sa.Column("error", TEXT, server_default="", nullable=False),
        sa.Column("article_id", ID, nullable=True),
        sa.Column("seen_at", TIME, nullable=False),
        sa.CheckConstraint("state IN ('pending', 'done', 'parked')", name=op.f("ck_entries_state")),
        sa.ForeignKeyConstraint(
            ["article_id"], ["articles.id"], name=op.f("fk_entries_article_id")
        ),
        sa.ForeignKeyConstraint(["feed_id"], ["feeds.id"], name=op.f("fk_entries_feed_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_entries")),
        sa.UniqueConstraint("feed_id", "key", name=op.f("uq_entries_feed_id_key")),
    )
    op.create_index(op.f("ix_entries_article_id"), "entries", ["article_id"], unique=False)
    op.create_index(
        op.f("ix_entries_state_next_attempt_at"),
        "entries",
        ["state", "next_attempt_at"],
        unique=False,
    )
    op.create_index(op.f("ix_entries_url"), "entries", ["url"], unique=False)
    op.create_table(
        "images",
        sa.Column("article_id", ID, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("url", TEXT, nullable=False),
        sa.Column("caption", TEXT, server_default="", nullable=False),
        sa.Column("path", TEXT, nullable=True),
        sa.ForeignKeyConstraint(["article_id"], ["articles.id"], name=op.f("fk_images_article_id")),
        sa.PrimaryKeyConstraint("article_id", "position", name=op.f("pk_images")),
    )
    op.create_table(
        "keywords",
        sa.Column("article_id", ID, nullable=False),
        sa.Column("keyword", TEXT, nullable=False),
        sa.ForeignKeyConstraint(
            ["article_id"], ["articles.id"], name=op.f("fk_keywords_article_id")
        ),
        sa.PrimaryKeyConstraint("article_id", "keyword", name=op.f("pk_keywords")),
    )
    op.create_index(op.f("ix_keywords_keyword"), "keywords", ["keyword"], unique=False)
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
        sa.Column("capture_id", ID, nullable=True),
        sa.CheckConstraint(
            "cause IN ('new', 'edit', 'reextract', 'import')", name=op.f("ck_revisions_cause")
        ),
        sa.ForeignKeyConstraint(
            ["article_id"], ["articles.id"], name=op.f("fk_revisions_article_id")
        ),
        sa.ForeignKeyConstraint(
            ["capture_id"], ["captures.id"], name=op.f("fk_revisions_capture_id")
        ),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_revisions")),
        sa.UniqueConstraint(
            "article_id", "revision", name=op.f("uq_revisions_article_id_revision")
        ),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "sightings",
        sa.Column("article_id", ID, nullable=False),
        sa.Column("feed_id", ID, nullable=False),
        sa.Column("guid", TEXT, server_default="", nullable=False),
        sa.Column("seen_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["article_id"], ["articles.id"], name=op.f("fk_sightings_article_id")
        ),
        sa.ForeignKeyConstraint(["feed_id"], ["feeds.id"], name=op.f("fk_sightings_feed_id")),
        sa.PrimaryKeyConstraint("article_id", "feed_id", name=op.f("pk_sightings")),
    )
    op.create_index(op.f("ix_sightings_feed_id"), "sightings", ["feed_id"], unique=False)
    op.create_table(
        "symbols",
        sa.Column("article_id", ID, nullable=False),
        sa.Column("symbol", TEXT, nullable=False),
        sa.Column("market", TEXT, nullable=False),
        sa.Column("name", TEXT, server_default="", nullable=False),
        sa.ForeignKeyConstraint(
            ["article_id"], ["articles.id"], name=op.f("fk_symbols_article_id")
        ),
        sa.PrimaryKeyConstraint("article_id", "symbol", name=op.f("pk_symbols")),
    )
    op.create_index(op.f("ix_symbols_symbol"), "symbols", ["symbol"], unique=False)
    if op.get_bind().dialect.name == "postgresql":
        op.create_table(
            "articles_fts",
            sa.Column("article_id", ID, nullable=False),
            sa.Column("terms", ARRAY(sa.Integer()), nullable=False),
            sa.ForeignKeyConstraint(
                ["article_id"], ["articles.id"], name=op.f("fk_articles_fts_article_id")
            ),
            sa.PrimaryKeyConstraint("article_id", name=op.f("pk_articles_fts")),
        )
        op.create_index(
            op.f("ix_articles_fts_terms"), "articles_fts", ["terms"], postgresql_using="gin"
        )
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "CREATE VIRTUAL TABLE articles_fts USING fts5(title, content, content='', "
            "detail=none, tokenize='unicode61 remove_diacritics 0')"
        )
