"""Articles in the order of publication, day by day: searches go through it."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("ix_articles_date", "articles")
    op.create_index(op.f("ix_articles_date_published_at"), "articles", ["date", "published_at"])
