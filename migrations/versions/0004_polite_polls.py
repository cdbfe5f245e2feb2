"""What feeds and hosts ask for: other addresses, longer pauses, no more polls."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for column in (
        sa.Column("moved_to", sa.Text(), server_default="", nullable=False),
        sa.Column("moved_polls", sa.Integer(), server_default="0", nullable=False),
        sa.Column("retry_at", sa.Text(), nullable=True),
        sa.Column("stopped", sa.Text(), server_default="", nullable=False),
    ):
        op.add_column("feeds", column)
    op.create_table(
        "hosts",
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("paused_until", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("host", name=op.f("pk_hosts")),
    )
