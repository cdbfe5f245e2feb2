"""What each look was taken for, and the time of everything that an article says.

Revisions keep all that a page said, securities and keywords the revisions that name them. What an
older program wrote down without its time is dated to the current revision: never too early.
"""

import sqlalchemy as sa
from alembic import op

from ingestor.store.schema.columns import ID, TEXT, TIME

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

CAUSES = "cause IN ('new', 'edit', 'reextract', 'import', 'doubt')"
SAID = ("media", "editor", "summary", "headimg", "template")

# Written out: a migration stays as it was released, whatever the program's views become.
VIEWS = {
    "known_revisions": """
SELECT r.sequence, r.article_id, a.url, a.date, r.published_at, r.revision, r.cause,
       r.title, r.content_text, r.media, r.seen_at AS known_from,
       (SELECT min(n.seen_at) FROM revisions n
         WHERE n.article_id = r.article_id AND n.revision > r.revision
           AND n.cause <> 'doubt') AS known_until
  FROM revisions r JOIN articles a ON a.id = r.article_id
 WHERE r.cause <> 'doubt'""",
    "changes": """
SELECT r.sequence, r.seen_at, r.cause, r.article_id, r.revision, a.url, a.date, r.title, a.path
  FROM revisions r JOIN articles a ON a.id = r.article_id""",
    "articles_by_symbol": """
SELECT s.symbol, s.market, s.name, s.article_id, a.date, a.published_at, a.first_seen_at,
       a.media, a.title, a.url, b.seen_at AS known_from,
       (SELECT min(n.seen_at) FROM revisions n
         WHERE n.article_id = s.article_id AND n.revision > s.last_revision
           AND n.cause <> 'doubt') AS known_until
  FROM symbols s JOIN articles a ON a.id = s.article_id
  JOIN revisions b ON b.article_id = s.article_id AND b.revision = s.first_revision
 WHERE b.cause <> 'doubt'""",
    "articles_by_story": """
SELECT s.story_id,
       (SELECT count(*) FROM stories o JOIN articles b ON b.id = o.article_id
         WHERE o.story_id = s.story_id AND b.doubted_at IS NULL) AS articles,
       s.article_id, a.date, a.published_at, a.first_seen_at, a.media, a.title, a.url
  FROM stories s JOIN articles a ON a.id = s.article_id
 WHERE a.doubted_at IS NULL""",
    "articles_gone": """
SELECT a.id AS article_id, a.gone_at, a.date, a.published_at, a.first_seen_at, a.media, a.title,
       a.url
  FROM articles a
 WHERE a.gone_at IS NOT NULL AND a.doubted_at IS NULL""",
}


def upgrade() -> None:
    for view in ("articles_by_story", "articles_by_symbol", "changes", "known_revisions"):
        op.execute(f"DROP VIEW {view}")
    op.add_column("articles", sa.Column("gone_at", TIME))
    op.add_column("articles", sa.Column("doubted_at", TIME))
    where = sa.text("doubted_at IS NOT NULL")
    op.create_index(
        "ix_articles_doubted", "articles", ["id"], sqlite_where=where, postgresql_where=where
    )
    op.add_column("feeds", _number("zone_shift_s"))
    _captures()
    _revisions()
    for table, named in (("symbols", "symbol"), ("keywords", "keyword")):
        _span(table, named)
    for view, select in VIEWS.items():
        op.execute(f"CREATE VIEW {view} AS{select}")


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, TEXT, nullable=False, server_default="")


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=False, server_default="0")


def _captures() -> None:
    with op.batch_alter_table("captures") as captures:
        for name in ("reading", "reason", "text_hash"):
            captures.add_column(_text(name))
        captures.add_column(sa.Column("article_id", ID))
        captures.create_foreign_key("fk_captures_article_id", "articles", ["article_id"], ["id"])
    op.create_index("ix_captures_article_id", "captures", ["article_id"])
    for name, column, condition in (
        ("ix_captures_doubted", "fetched_at", "reading IN ('none', 'doubtful')"),
        ("ix_captures_text_hash", "text_hash", "text_hash != ''"),
    ):
        where = sa.text(condition)
        op.create_index(name, "captures", [column], sqlite_where=where, postgresql_where=where)


def _revisions() -> None:
    with op.batch_alter_table(
        "revisions", recreate="auto", table_kwargs={"sqlite_autoincrement": True}
    ) as revisions:
        revisions.add_column(sa.Column("published_at", TIME))
        for name in ("dates", *SAID, "final_url", "note"):
            revisions.add_column(_text(name))
        revisions.drop_constraint("ck_revisions_cause", type_="check")
        revisions.create_check_constraint("ck_revisions_cause", CAUSES)
    said = ", ".join(
        f"{name} = (SELECT a.{name} FROM articles a WHERE a.id = revisions.article_id)"
        for name in ("published_at", *SAID)
    )
    op.execute(
        f"UPDATE revisions SET {said} WHERE revision ="
        " (SELECT a.revision FROM articles a WHERE a.id = revisions.article_id)"
    )
    op.execute(
        "UPDATE revisions SET final_url ="
        " (SELECT c.final_url FROM captures c WHERE c.id = revisions.capture_id)"
        " WHERE capture_id IS NOT NULL"
    )


def _span(table: str, named: str) -> None:
    op.add_column(
        table, sa.Column("first_revision", sa.Integer(), nullable=False, server_default="1")
    )
    op.execute(
        f"UPDATE {table} SET first_revision ="
        f" (SELECT a.revision FROM articles a WHERE a.id = {table}.article_id)"
    )
    with op.batch_alter_table(table) as rows:
        rows.add_column(sa.Column("last_revision", sa.Integer()))
        rows.alter_column("first_revision", server_default=None)
        rows.drop_constraint(f"pk_{table}", type_="primary")
        rows.create_primary_key(f"pk_{table}", ["article_id", named, "first_revision"])
