"""Indexes by which a list with any filters is answered, however rarely what it asks for occurs.

On SQLite what a list asks of an article's row, by its id and by its origin and categories, and
what is beside a medium; on either an article's edits.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

IS_EDIT = sa.text("cause = 'edit'")


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.drop_index("ix_articles_media_date_published_at", "articles")
        medium = ["media", "date", "published_at", "origin", "categories"]
        op.create_index("ix_articles_media_date_published_at", "articles", medium)
        listed = ["id", "date", "published_at", "media", "origin", "categories"]
        op.create_index("ix_articles_listed", "articles", listed)
        kinds = ["origin", "categories", "date", "published_at"]
        op.create_index("ix_articles_origin_categories_date_published_at", "articles", kinds)
    op.create_index(
        "ix_revisions_edits_article",
        "revisions",
        ["article_id", "sequence", "seen_at"],
        sqlite_where=IS_EDIT,
        postgresql_where=IS_EDIT,
    )
