"""Stories: which articles are copies of one another. Views by security and by story."""

import sqlalchemy as sa
from alembic import op

from ingestor.store.schema.columns import ID

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# Written out: a migration stays as it was released, whatever the program's views become.
ARTICLES_BY_SYMBOL = """CREATE VIEW articles_by_symbol AS
SELECT s.symbol, s.market, s.name, s.article_id, a.date, a.published_at, a.first_seen_at,
       a.media, a.title, a.url
  FROM symbols s JOIN articles a ON a.id = s.article_id"""

ARTICLES_BY_STORY = """CREATE VIEW articles_by_story AS
SELECT s.story_id,
       (SELECT count(*) FROM stories o WHERE o.story_id = s.story_id) AS articles,
       s.article_id, a.date, a.published_at, a.first_seen_at, a.media, a.title, a.url
  FROM stories s JOIN articles a ON a.id = s.article_id"""


def upgrade() -> None:
    op.create_table(
        "stories",
        sa.Column("article_id", ID, nullable=False),
        sa.Column("story_id", ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["article_id"], ["articles.id"], name=op.f("fk_stories_article_id_articles")
        ),
        sa.PrimaryKeyConstraint("article_id", name=op.f("pk_stories")),
    )
    op.create_index(op.f("ix_stories_story_id"), "stories", ["story_id"])
    op.create_table(
        "story_bands",
        sa.Column("band", sa.BigInteger(), nullable=False),
        sa.Column("article_id", ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["article_id"], ["articles.id"], name=op.f("fk_story_bands_article_id_articles")
        ),
        sa.PrimaryKeyConstraint("band", "article_id", name=op.f("pk_story_bands")),
        sqlite_with_rowid=False,
    )
    op.execute(ARTICLES_BY_SYMBOL)
    op.execute(ARTICLES_BY_STORY)
