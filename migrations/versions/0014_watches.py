"""What is waited for, and how far each of it has come."""

import sqlalchemy as sa
from alembic import op

from ingestor.store.schema.columns import ID, TEXT, TIME

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "watches",
        sa.Column("name", TEXT, nullable=False),
        sa.Column("sequence", ID, nullable=False),
        sa.Column("delivered", sa.Integer(), server_default="0", nullable=False),
        sa.Column("delivered_at", TIME),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("next_attempt_at", TIME),
        sa.Column("error", TEXT, server_default="", nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_watches"),
    )
