"""Views for what was known at a moment, and for consumers of changes."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# Written out: a migration stays as it was released, whatever the program's views become.
KNOWN_REVISIONS = """CREATE VIEW known_revisions AS
SELECT r.sequence, r.article_id, a.url, a.date, a.published_at, r.revision, r.cause,
       r.title, r.content_text, r.seen_at AS known_from,
       (SELECT n.seen_at FROM revisions n
         WHERE n.article_id = r.article_id AND n.revision = r.revision + 1) AS known_until
  FROM revisions r JOIN articles a ON a.id = r.article_id"""

CHANGES = """CREATE VIEW changes AS
SELECT r.sequence, r.seen_at, r.cause, r.article_id, r.revision, a.url, a.date, r.title, a.path
  FROM revisions r JOIN articles a ON a.id = r.article_id"""


def upgrade() -> None:
    op.execute(KNOWN_REVISIONS)
    op.execute(CHANGES)
