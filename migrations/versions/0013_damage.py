"""What is known to be damaged: records of captures, and whatever no capture points to."""

import sqlalchemy as sa
from alembic import op

from ingestor.store.schema.columns import TEXT, TIME

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("captures", sa.Column("damaged", TIME))
    op.create_table(
        "damages",
        sa.Column("place", TEXT, nullable=False),
        sa.Column("found_at", TIME, nullable=False),
        sa.Column("what", TEXT, server_default="", nullable=False),
        sa.Column("lasting", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("place", name="pk_damages"),
    )
