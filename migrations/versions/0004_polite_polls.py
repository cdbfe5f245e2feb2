"""What feeds and hosts ask for: other addresses, longer pauses, no more polls."""

import sqlalchemy as sa
from alembic import op

from ingestor.store.schema.columns import TEXT, TIME

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for column in (
        sa.Column("moved_to", TEXT, server_default="", nullable=False),
        sa.Column("moved_polls", sa.Integer(), server_default="0", nullable=False),
        sa.Column("retry_at", TIME, nullable=True),
        sa.Column("stopped", TEXT, server_default="", nullable=False),
    ):
        op.add_column("feeds", column)
    op.create_table(
        "hosts",
        sa.Column("host", TEXT, nullable=False),
        sa.Column("paused_until", TIME, nullable=False),
        sa.Column("reason", TEXT, server_default="", nullable=False),
        sa.PrimaryKeyConstraint("host", name=op.f("pk_hosts")),
    )
