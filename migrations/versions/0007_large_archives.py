"""Indexes for large archives: articles by publication, and the queue without its past."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("ix_articles_date", "articles")
    op.create_index(op.f("ix_articles_date_published_at"), "articles", ["date", "published_at"])
    op.drop_index("ix_entries_state_next_attempt_at", "entries")
    op.create_index(
        "ix_entries_waiting",
        "entries",
        ["feed_id", "state"],
        sqlite_where=sa.text("state <> 'done'"),
        postgresql_where=sa.text("state <> 'done'"),
    )
