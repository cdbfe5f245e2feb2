"""Indexes by which a list is answered that somebody waits for.

The articles of a medium by their days, the edits, what a feed announced last; on SQLite also what a
list is narrowed down by, as an article's row has that behind its texts.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

IS_EDIT = sa.text("cause = 'edit'")
UNANNOUNCED = sa.text("feed_id IS NULL")


def upgrade() -> None:
    on_sqlite = op.get_bind().dialect.name == "sqlite"
    if on_sqlite:
        op.drop_index("ix_articles_date_published_at", "articles")
        listed = ["date", "published_at", "origin", "categories"]
        op.create_index("ix_articles_date_published_at", "articles", listed)
    _partial("ix_articles_unannounced", "articles", UNANNOUNCED, "id", *["categories"] * on_sqlite)
    media = ["media", "date", "published_at"]
    op.create_index("ix_articles_media_date_published_at", "articles", media)
    _partial("ix_revisions_edits", "revisions", IS_EDIT, "sequence", "article_id")
    _partial("ix_revisions_edits_seen", "revisions", IS_EDIT, "seen_at", "article_id")
    op.drop_index("ix_sightings_feed_id", "sightings")
    op.create_index("ix_sightings_feed_id_article_id", "sightings", ["feed_id", "article_id"])
    op.drop_index("ix_symbols_symbol_article_id", "symbols")
    named = ["symbol", "article_id", "last_revision"]
    op.create_index("ix_symbols_symbol_article_id_last_revision", "symbols", named)


def _partial(name: str, table: str, condition: sa.TextClause, *columns: str) -> None:
    op.create_index(name, table, list(columns), sqlite_where=condition, postgresql_where=condition)
