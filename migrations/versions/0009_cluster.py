"""What the workers of a cluster share: turns at hosts, requests on their way, work handed over."""

import sqlalchemy as sa
from alembic import op

from ingestor.store.schema.columns import ID, TEXT, TIME

revision = "0009"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "host_turns",
        sa.Column("host", TEXT, nullable=False),
        sa.Column("free_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("host", name=op.f("pk_host_turns")),
    )
    op.create_table(
        "host_leases",
        sa.Column("host", TEXT, nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("held_until", sa.Double(), nullable=False),
        sa.Column("holder", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("host", "place", name=op.f("pk_host_leases")),
    )
    op.create_table(
        "assignments",
        sa.Column("id", ID, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("feed_id", ID, nullable=True),
        sa.Column("first_day", TEXT, nullable=False),
        sa.Column("last_day", TEXT, nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("next_attempt_at", TIME, nullable=True),
        sa.Column("state", TEXT, server_default="pending", nullable=False),
        sa.Column("error", TEXT, server_default="", nullable=False),
        sa.ForeignKeyConstraint(["feed_id"], ["feeds.id"], name=op.f("fk_assignments_feed_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assignments")),
    )
    op.create_index(op.f("ix_assignments_kind_state"), "assignments", ["kind", "state"])
