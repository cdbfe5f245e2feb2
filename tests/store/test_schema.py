"""The schema is a public interface: documented, migrated, and the same either way."""

import shutil
import sqlite3
from contextlib import closing

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from ingestor.store.db.database import Database
from ingestor.store.db.migrations import at_once, folder, revision, schemas, upgrade
from ingestor.store.schema import metadata
from ingestor.store.schema.views import VIEWS
from tools import ROOT
from tools.new_schema import script, step_by_step
from tools.schema_page import page

DESIGNED = {
    "articles": "id url date title author media editor summary headimg content_html content_text content_sha256 published_at first_seen_at updated_at revision path origin",
    "revisions": "sequence article_id revision cause seen_at title content_html content_text content_sha256 capture_id",
    "sightings": "article_id feed_id guid seen_at",
    "symbols": "article_id market symbol name",
    "keywords": "article_id keyword",
    "images": "article_id position url path",
    "feeds": "id name kind url etag last_modified body_sha256 interval_s next_poll_at last_ok_at last_error failures active",
    "entries": "id feed_id guid url title published_at summary content state attempts next_attempt_at error article_id seen_at",
    "captures": "id url final_url status fetched_at sha256 warc_file warc_offset warc_length",
}


@pytest.fixture
def database(tmp_path):
    """Give a database that the migrations made."""
    made = Database(f"sqlite:///{tmp_path}/a.db")
    upgrade(made)
    yield made
    made.close()


def test_the_page_of_the_schema_is_that_of_the_tables():
    """`make docs` writes it."""
    assert (ROOT / "docs" / "schema.md").read_text("utf-8") == page()


def test_every_column_says_what_it_means():
    """Users query them all."""
    for table in metadata.tables.values():
        assert table.comment
        assert all(column.comment for column in table.columns)


@pytest.mark.parametrize(("table", "columns"), DESIGNED.items(), ids=DESIGNED)
def test_the_designed_columns_are_there(database, table, columns):
    """Names that users and checks rely on."""
    with database.reading() as connection:
        found = {row[1] for row in connection.exec_driver_sql(f"PRAGMA table_info({table})")}
    assert set(columns.split()) <= found


def test_the_migrations_make_what_the_tables_say(database):
    """No difference between one and the other."""
    with database.reading() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": False, "include_object": _ours}
        )
        assert compare_metadata(context, metadata) == []


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
def test_the_migrations_make_the_views(database, view):
    """Word for word, and with the columns that are documented."""
    with database.reading() as connection:
        (made,) = connection.exec_driver_sql(
            "SELECT sql FROM sqlite_master WHERE type = 'view' AND name = ?", (view.name,)
        ).one()
        columns = [row[1] for row in connection.exec_driver_sql(f"PRAGMA table_info({view.name})")]
    assert made == f"CREATE VIEW {view.name} AS{view.select}"
    assert columns == [name for name, _ in view.columns]


def _ours(_one, name, *_rest) -> bool:
    return not str(name).startswith(("articles_fts", "alembic"))


OLDER = [
    script.revision
    for script in ScriptDirectory(str(folder())).walk_revisions()
    if script.revision != ScriptDirectory(str(folder())).get_current_head()
]

ROWS = """
INSERT INTO feeds (id, name, kind, url) VALUES (1, 'f', 'rss', 'https://a.example/feed');
INSERT INTO articles (id, url, date, title, content_html, content_text, content_sha256,
    first_seen_at, path, origin) VALUES (1, 'https://a.example/1', '2024-01-01', 't', '<p>x</p>',
    'x', 'h', '2024-01-01T00:00:00Z', 'a/b.md', 'page');
INSERT INTO revisions (article_id, revision, cause, seen_at, title, content_html, content_text,
    content_sha256) VALUES (1, 1, 'new', '2024-01-01T00:00:00Z', 't', '<p>x</p>', 'x', 'h');
INSERT INTO entries (feed_id, key, seen_at, article_id, state)
    VALUES (1, 'k', '2024-01-01T00:00:00Z', 1, 'done');
INSERT INTO sightings (article_id, feed_id, seen_at) VALUES (1, 1, '2024-01-01T00:00:00Z');
"""


@pytest.mark.parametrize("revision", OLDER)
def test_an_older_archive_is_upgraded_with_what_is_in_it(tmp_path, revision):
    """From every version that was released: no row lost, and the schema is today's."""
    database = Database(f"sqlite:///{tmp_path}/a.db")
    with database.transaction() as connection:
        configuration = Config()
        configuration.set_main_option("script_location", str(folder()))
        configuration.attributes["connection"] = connection
        command.upgrade(configuration, revision)
    with closing(sqlite3.connect(tmp_path / "a.db")) as connection:
        connection.executescript(ROWS)
    assert upgrade(database) is True
    with database.reading() as connection:
        for table in ("feeds", "articles", "revisions", "entries", "sightings", "changes"):
            count = connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one()
            assert (table, count) == (table, 1)
        context = MigrationContext.configure(
            connection, opts={"compare_type": False, "include_object": _ours}
        )
        assert compare_metadata(context, metadata) == []
    database.close()


def test_upgrading_twice_does_nothing_more(database):
    """The second start finds it done."""
    assert upgrade(database) is False


def test_sqlite_is_set_up_for_readers_beside_a_writer(database, tmp_path):
    """WAL, foreign keys on, our mark in the file."""
    with database.reading() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
        assert connection.exec_driver_sql("PRAGMA application_id").scalar() == 0x53494E41


def test_the_database_itself_refuses_a_second_article(database, tmp_path):
    """One a canonical address and publication day, whoever writes."""
    insert = "INSERT INTO articles (url, date, title, content_html, content_text, content_sha256, first_seen_at, path, origin) VALUES ('https://a.example/', '2024-01-01', '', '', '', '', '2024-01-01T00:00:00Z', 'x', 'page')"
    connection = sqlite3.connect(tmp_path / "a.db")
    connection.execute(insert)
    with pytest.raises(sqlite3.IntegrityError):
        connection.execute(insert)
    connection.close()


def test_a_new_database_is_as_the_migrations_make_it(database, tmp_path):
    """Every statement, row and mark. A migration is not done before `make docs` was run."""
    assert at_once(folder(), "sqlite").read_text("utf-8") == script(), "run `make docs`"
    assert contents(database.path) == contents(step_by_step(tmp_path))


def contents(path):
    """Return all that is in a database."""
    connection = sqlite3.connect(path)
    schema = connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_master").fetchall()
    rows = {
        name: connection.execute(f"SELECT * FROM {name}").fetchall()
        for kind, name, *_ in schema
        if kind == "table"
    }
    marks = [
        connection.execute(f"PRAGMA {one}").fetchone()
        for one in ("application_id", "user_version", "encoding", "auto_vacuum", "journal_mode")
    ]
    connection.close()
    return sorted(schema, key=lambda one: one[:2]), rows, marks


def test_a_migration_that_the_new_schema_lacks_is_run(tmp_path):
    """As long as `make docs` was not run."""
    scripts = tmp_path / "migrations"
    shutil.copytree(folder(), scripts)
    later = """revision, down_revision = "9999", "{}"\ndef upgrade():
    from alembic import op
    op.execute("CREATE TABLE later (x)")
"""
    head = schemas(folder())[-1]
    (scripts / "versions" / "9999_later.py").write_text(later.format(head), "utf-8")
    made = Database(f"sqlite:///{tmp_path}/a.db")
    assert upgrade(made, scripts)
    with made.reading() as connection:
        assert revision(connection) == "9999"
        assert connection.exec_driver_sql("SELECT count(*) FROM later").scalar() == 0
    made.close()


def test_the_names_of_the_migrations_say_their_order():
    """The program looks at them alone where there is nothing to migrate."""
    walked = ScriptDirectory(str(folder())).walk_revisions()
    assert schemas(folder()) == [script.revision for script in walked][::-1]
