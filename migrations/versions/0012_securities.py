"""What securities are called, and from when on that was known.

Of an archive from before, each has the name that most of its articles write, known from the first
of them on: what it was called meanwhile was not written down.
"""

import sqlalchemy as sa
from alembic import op

from ingestor.store.schema.columns import TEXT, TIME

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

# Written out: a migration stays as it was released, whatever the program's views become.
VIEW = """
SELECT s.symbol, s.market, s.name, s.first_seen_at AS known_from,
       (SELECT min(n.first_seen_at) FROM securities n
         WHERE n.symbol = s.symbol AND n.first_seen_at > s.first_seen_at) AS known_until,
       s.last_seen_at
  FROM securities s"""

NAMES = """
INSERT INTO securities (symbol, first_seen_at, last_seen_at, market, name, published_at)
SELECT symbol, first_seen_at, last_seen_at, market, name, published_at
  FROM (SELECT s.symbol, s.market, s.name, min(r.seen_at) AS first_seen_at,
               max(r.seen_at) AS last_seen_at,
               coalesce(max(r.published_at), max(r.seen_at)) AS published_at,
               row_number() OVER (
                 PARTITION BY s.symbol
                 ORDER BY s.name = '', count(*) DESC, length(s.name), s.name
               ) AS place
          FROM symbols s
          JOIN revisions r ON r.article_id = s.article_id AND r.revision = s.first_revision
         WHERE r.cause <> 'doubt'
         GROUP BY s.symbol, s.market, s.name) AS named
 WHERE place = 1"""


def upgrade() -> None:
    op.create_table(
        "securities",
        sa.Column("symbol", TEXT, nullable=False),
        sa.Column("first_seen_at", TIME, nullable=False),
        sa.Column("last_seen_at", TIME, nullable=False),
        sa.Column("market", TEXT, nullable=False),
        sa.Column("name", TEXT, server_default="", nullable=False),
        sa.Column("published_at", TIME, nullable=False),
        sa.Column("marked", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("symbol", "first_seen_at", name="pk_securities"),
    )
    op.create_index("ix_securities_name", "securities", ["name"])
    op.drop_index("ix_symbols_symbol", "symbols")
    op.create_index("ix_symbols_symbol_article_id", "symbols", ["symbol", "article_id"])
    op.execute(NAMES)
    op.execute(f"CREATE VIEW known_securities AS{VIEW}")
