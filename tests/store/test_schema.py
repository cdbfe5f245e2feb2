"""The schema is a public interface: documented, and the same from tables and migrations."""

import sqlite3

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from ingestor.store.db.database import Database
from ingestor.store.db.migrations import folder, schemas, upgrade
from ingestor.store.schema import metadata
from ingestor.store.schema.columns import as_stored
from ingestor.store.schema.views import VIEWS
from tests.support.migrations import migrate
from tests.support.structure import structure

DESIGNED = {
    "articles": "id url date title author media editor summary headimg content_html content_text content_sha256 published_at first_seen_at updated_at revision path origin",
    "revisions": "sequence article_id revision cause seen_at title content_html content_text content_sha256 capture_id",
    "sightings": "article_id feed_id guid seen_at",
    "symbols": "article_id market symbol name",
    "securities": "symbol market name first_seen_at last_seen_at",
    "keywords": "article_id keyword",
    "images": "article_id position url path",
    "feeds": "id name kind url etag last_modified body_sha256 interval_s next_poll_at last_ok_at last_error failures active",
    "entries": "id feed_id guid url title published_at summary content state attempts next_attempt_at error article_id seen_at",
    "captures": "id url final_url status fetched_at sha256 warc_file warc_offset warc_length reading reason damaged",
    "damages": "place found_at what lasting",
}


@pytest.fixture
def database(tmp_path):
    """Give a new database."""
    made = Database(f"sqlite:///{tmp_path}/a.db")
    upgrade(made)
    yield made
    made.close()


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


@pytest.mark.every_store
def test_the_migrations_make_what_the_tables_say(empty):
    """One database made from the tables, one by the migrations, and no difference."""
    made, migrated = empty(), empty()
    upgrade(made)
    with migrated.transaction() as connection:
        migrate(connection)
        migrated.backend.sign(connection)
    with made.reading() as one, migrated.reading() as other:
        assert structure(one) == structure(other)


@pytest.mark.every_store
def test_the_tables_are_what_is_declared(empty):
    """Alembic finds nothing that a migration would have to add."""
    made = empty()
    upgrade(made)
    with made.reading() as connection:
        assert differences(connection) == []


def differences(connection) -> list:
    options = {
        # SQLite knows none of the types by which moments and ids are declared.
        "compare_type": connection.dialect.name == "postgresql",
        "include_object": lambda _, name, *__: (
            not str(name).startswith(("articles_fts", "alembic"))
            and "articles_fts" not in str(name)
        ),
    }
    context = MigrationContext.configure(connection, opts=options)
    return compare_metadata(context, as_stored(metadata, connection.dialect))


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
def test_the_views_are_those_that_are_documented(database, view):
    """Word for word, and with the columns that are documented."""
    with database.reading() as connection:
        (made,) = connection.exec_driver_sql(
            "SELECT sql FROM sqlite_master WHERE type = 'view' AND name = ?", (view.name,)
        ).one()
        columns = [row[1] for row in connection.exec_driver_sql(f"PRAGMA table_info({view.name})")]
    assert made == f"CREATE VIEW {view.name} AS{view.select}"
    assert columns == [name for name, _ in view.columns]


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


def test_the_names_of_the_migrations_say_their_order():
    """The program looks at them alone where there is nothing to migrate."""
    walked = ScriptDirectory(str(folder())).walk_revisions()
    assert schemas(folder()) == [script.revision for script in walked][::-1]
