"""How far each feed's past has been walked."""

import sqlalchemy as sa
from alembic import op

from ingestor.store.schema.columns import ID, TEXT, TIME

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "backfills",
        sa.Column("feed_id", ID, nullable=False),
        sa.Column("day", TEXT, nullable=False),
        sa.Column("pages", sa.Integer(), server_default="0", nullable=False),
        sa.Column("finished_at", TIME, nullable=True),
        sa.ForeignKeyConstraint(["feed_id"], ["feeds.id"], name=op.f("fk_backfills_feed_id")),
        sa.PrimaryKeyConstraint("feed_id", "day", name=op.f("pk_backfills")),
    )
