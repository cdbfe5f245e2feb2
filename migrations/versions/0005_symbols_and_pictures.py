"""Securities that a feed names with its items; local copies of pictures."""

import sqlalchemy as sa
from alembic import op

from ingestor.store.schema.columns import TEXT, TIME

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("entries", sa.Column("symbols", TEXT, server_default="", nullable=False))
    op.create_table(
        "pictures",
        sa.Column("url", TEXT, nullable=False),
        sa.Column("path", TEXT, nullable=True),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("next_attempt_at", TIME, nullable=True),
        sa.Column("error", TEXT, server_default="", nullable=False),
        sa.PrimaryKeyConstraint("url", name=op.f("pk_pictures")),
    )
    op.create_index(op.f("ix_pictures_path"), "pictures", ["path"])
    op.create_index(
        "ix_images_due",
        "images",
        ["url"],
        sqlite_where=sa.text("path IS NULL"),
        postgresql_where=sa.text("path IS NULL"),
    )
