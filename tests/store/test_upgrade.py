"""Upgrades: a copy is made first, no row is lost, and the way back leads to what was."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import select

from ingestor.errors import SchemaTooNew, SchemaTooOld, StorageFailed
from ingestor.store import audit
from ingestor.store.db.database import Database
from ingestor.store.db.migrations import copy_path, folder, revision, schemas, upgrade
from ingestor.store.revisions import text_sha256
from ingestor.store.schema import securities
from tests.support.migrations import head, migrate, with_a_second

BEFORE_THE_RELEASE = Path(__file__).with_name("schema-0010.sql")

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


@pytest.fixture
def older(empty):
    """Give a database of today's schema and one row a table, which tomorrow's program finds."""
    made = empty()
    upgrade(made)
    fill(made)
    return made


def fill(database):
    with database.transaction() as connection:
        for statement in ROWS.split(";")[:-1]:
            connection.exec_driver_sql(statement)


def counts(database) -> set[int]:
    with database.reading() as connection:
        return {
            connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one()
            for table in ("feeds", "articles", "revisions", "entries", "sightings", "changes")
        }


def schema(database) -> str | None:
    with database.reading() as connection:
        return revision(connection)


@pytest.mark.every_store
def test_an_upgrade_keeps_every_row(older, tmp_path):
    """It is done once; the second start finds it done."""
    scripts = with_a_second(tmp_path)
    assert upgrade(older, scripts) is True
    assert (schema(older), counts(older)) == ("9999", {1})
    with older.reading() as connection:
        assert connection.exec_driver_sql("SELECT weight FROM feeds").all() == [(1,)]
    assert upgrade(older, scripts) is False


@pytest.mark.every_store
def test_a_new_database_goes_through_a_migration_that_its_tables_lack(empty, tmp_path):
    """The tables are those of the shipped migrations; what comes after them is run."""
    database = empty()
    assert upgrade(database, with_a_second(tmp_path)) is True
    assert schema(database) == "9999"


def test_an_upgrade_copies_the_database_first(older, tmp_path):
    """The copy is one whole file of the old schema, with the rows that were in the WAL."""
    upgrade(older, with_a_second(tmp_path))
    copy = copy_path(older.path, head())
    assert copy.name == f"{older.path.name}.schema-{head()}"
    with closing(Database(f"sqlite:///{copy}")) as again:
        assert (schema(again), counts(again)) == (head(), {1})
        assert upgrade(again) is False


def test_nothing_is_copied_when_nothing_is_to_be_done(older, tmp_path):
    """Neither for a new database, nor for one that is up to date."""
    assert upgrade(older) is False
    assert not list(tmp_path.glob("*.schema-*"))


@pytest.mark.every_store
def test_a_failed_upgrade_leaves_the_database_as_it_was(older, tmp_path):
    """Nothing of it is there, and the next try begins anew."""
    broken = with_a_second(tmp_path, 'raise RuntimeError("no")')
    for _ in range(2):
        with pytest.raises(RuntimeError):
            upgrade(older, broken)
    assert (schema(older), counts(older)) == (head(), {1})
    with older.reading() as connection:
        assert not older.engine.dialect.has_table(connection, "later")


def test_a_failed_upgrade_leaves_the_copy(older, tmp_path):
    """Whole, and under its name."""
    with pytest.raises(RuntimeError):
        upgrade(older, with_a_second(tmp_path, 'raise RuntimeError("no")'))
    with closing(Database(f"sqlite:///{copy_path(older.path, head())}")) as copy:
        assert counts(copy) == {1}
    assert not list(tmp_path.glob("*.unfinished"))


def test_without_room_for_the_copy_nothing_is_upgraded(older, tmp_path):
    """A line that names the copy."""
    copy_path(older.path, head()).mkdir()
    with pytest.raises(StorageFailed, match="copy before the upgrade"):
        upgrade(older, with_a_second(tmp_path))
    assert schema(older) == head()


def test_an_archive_from_before_the_release_goes_on(tmp_path):
    """What its nine migrations made is what the first one makes: nothing is copied for it."""
    path = tmp_path / "a.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(BEFORE_THE_RELEASE.read_text("utf-8"))
    with closing(Database(f"sqlite:///{path}")) as database:
        fill(database)
        assert upgrade(database) is (head() != "0010")
        assert (schema(database), counts(database)) == (head(), {1})
    assert bool(list(tmp_path.glob("*.schema-*"))) is (head() != "0010")


@pytest.mark.every_store
@pytest.mark.parametrize(
    ("version", "error", "line"),
    [
        ("0009", SchemaTooOld, "before the first release .* an earlier version first"),
        ("9999", SchemaTooNew, "a newer version .* upgrade the program"),
    ],
)
def test_another_versions_archive_is_refused(older, version, error, line):
    """One clear line says which version helps; nothing is done to the archive."""
    with older.transaction() as connection:
        connection.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{version}'")
    with pytest.raises(error, match=line):
        upgrade(older)
    assert (schema(older), counts(older)) == (version, {1})


NAMED = """
INSERT INTO articles (id, url, date, title, content_html, content_text, content_sha256,
    first_seen_at, path, origin) VALUES ({id}, 'https://a.example/{id}', '2024-01-0{id}', 't',
    '<p>x</p>', 'x', 'h', '2024-01-0{id}T00:00:00Z', 'a/{id}.md', 'page');
INSERT INTO revisions (article_id, revision, cause, seen_at, title, content_html, content_text,
    content_sha256) VALUES ({id}, 1, '{cause}', '2024-01-0{id}T00:00:00Z', 't', '<p>x</p>', 'x',
    'h');
INSERT INTO symbols (article_id, symbol, first_revision, market, name)
    VALUES ({id}, 'sz000002', 1, 'sz', '{name}');
"""


@pytest.mark.every_store
def test_a_security_gets_the_name_that_most_articles_write(empty):
    """Known from the first of them on, not earlier; what was withdrawn says nothing."""
    database = empty()
    told = ("从在万科A", "万科A", "", "万科A", "万科企业", "万科企业", "万科企业")
    with database.transaction() as connection:
        migrate(connection, "0011")
        if connection.dialect.name == "sqlite":
            # What a server says of its columns are today's words, of columns that there are today.
            database.backend.sign(connection)
        for number, name in enumerate(told, start=1):
            cause = "doubt" if name == "万科企业" else "new"
            rows = NAMED.format(id=number, name=name, cause=cause)
            for statement in rows.split(";")[:-1]:
                connection.exec_driver_sql(statement)
    assert upgrade(database) is True
    with database.reading() as connection:
        (row,) = connection.execute(select(securities)).all()
        first, last = row.first_seen_at.day, row.last_seen_at.day
    assert (row.symbol, row.market, row.name, first, last) == ("sz000002", "sz", "万科A", 2, 4)


CAPTURED = """
INSERT INTO feeds (id, name, kind, url) VALUES (1, 'f', 'rss', 'https://a.example/feed');
INSERT INTO captures (id, url, final_url, status, fetched_at, sha256, warc_file, warc_offset,
    warc_length) VALUES (7, 'https://a.example/1', 'https://a.example/1', 200,
    '2024-01-01T00:00:00Z', 'h', 'a.warc.gz', 9, 99);
INSERT INTO articles (id, url, date, title, content_html, content_text, content_sha256,
    first_seen_at, path, origin, revision, feed_id) VALUES (1, 'https://a.example/1',
    '2024-01-01', 't', '<p>x</p>', 'x', '{sha256}', '2024-01-01T00:00:00Z', 'a/b.md', 'page', 2, 1);
INSERT INTO revisions (article_id, revision, cause, seen_at, title, content_html, content_text,
    content_sha256, capture_id) VALUES
    (1, 1, 'new', '2024-01-01T00:00:00Z', 't', '<p>y</p>', 'y', '{other}', 7),
    (1, 2, 'edit', '2024-01-01T00:00:00Z', 't', '<p>x</p>', 'x', '{sha256}', 7);
INSERT INTO sightings (article_id, feed_id, seen_at) VALUES (1, 1, '2024-01-01T00:00:00Z');
INSERT INTO symbols (article_id, symbol, market, name) VALUES (1, 'sz000002', 'sz', '万科A');
INSERT INTO keywords (article_id, keyword) VALUES (1, '地产');
INSERT INTO images (article_id, position, url) VALUES (1, 1, 'https://a.example/1.jpg');
"""


@pytest.mark.every_store
@pytest.mark.parametrize("version", [name for name in schemas(folder()) if name != head()])
def test_rows_that_refer_to_one_another_come_through_every_upgrade(empty, version):
    """A table that others refer to is made anew on the way; nothing dangles, nothing contradicts."""
    database = empty()
    with database.transaction() as connection:
        migrate(connection, "0010")
        if connection.dialect.name == "sqlite":
            database.backend.sign(connection)
        hashes = {"sha256": text_sha256("x"), "other": text_sha256("y")}
        for statement in CAPTURED.format(**hashes).split(";")[:-1]:
            connection.exec_driver_sql(statement)
    with database.upgrading() as connection:
        migrate(connection, version)
    assert upgrade(database) is True
    with database.reading() as connection:
        assert list(audit.all_damages(connection)) == []
        assert list(audit.contradictions(connection)) == []
        read_from = connection.exec_driver_sql("SELECT revision, capture_id FROM revisions")
        assert sorted(map(tuple, read_from)) == [(1, 7), (2, 7)]
    if database.path:
        with database.reading() as connection:
            assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
