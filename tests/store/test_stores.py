"""Each kind of database keeps the same archive, and says as clearly what is wrong with it."""

import json
import os
import socket
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
from sqlalchemy import text

from ingestor.errors import ArchiveInUse, ConfigError, StorageFailed
from ingestor.store.db.database import Database, maintain
from ingestor.store.db.locks import one_of_many, only_run
from ingestor.store.db.migrations import upgrade
from ingestor.store.schema import metadata
from tools.filling import filled
from tools.made_up_sina import demo_articles, publish


@pytest.mark.every_store
def test_a_pass_on_either_ends_the_same(site):
    """The articles, the files, the summary; a second pass finds nothing new; all is consistent."""
    publish(site.net, demo_articles())
    done = site.run("--once", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["articles_new"] == 10
    assert len(site.files()) == 10
    assert json.loads(site.run("--once", "--json").stdout)["feeds_unchanged"] == 1
    assert site.run("verify").stdout == "0 disagreements; 0 foreign files\n"
    assert site.query("SELECT count(*) FROM changes") == [(10,)]


def test_an_empty_database_is_made_an_archive(site, postgresql):
    """Whoever made it with createdb need do nothing else."""
    name = postgresql.empty()
    site.store = postgresql.url(name)
    site.configure()
    publish(site.net, demo_articles())
    early = site.run("status")
    assert (early.returncode, early.stderr.count("\n")) == (1, 1)
    assert "there is no archive yet" in early.stderr
    done = site.run("--once")
    assert done.returncode == 0, done.stderr
    assert "10 articles" in site.run("status").stdout
    assert site.query("SELECT obj_description('articles'::regclass) <> ''") == [(True,)]
    postgresql.drop(name)


def test_another_programs_database_is_left_alone(site, postgresql):
    """Its tables have our names and no record of ours."""
    name = postgresql.empty()
    postgresql.execute("CREATE TABLE articles (headline text)", name)
    site.store = postgresql.url(name)
    site.configure()
    done = site.run("--once")
    assert (done.returncode, "belongs to another program" in done.stderr) == (3, True)
    postgresql.drop(name)


@pytest.mark.every_store
def test_two_runs_at_a_time_are_refused(site):
    """The second one says who has it, and exits 75."""
    publish(site.net, demo_articles())
    with closing(site.database()) as database, only_run(database):
        done = site.run("--once")
    assert done.returncode == 75
    assert f"in use by process {os.getpid()}" in done.stderr
    assert site.run("--once").returncode == 0


def test_a_database_of_two_names_is_refused(tmp_path):
    """SQLite names its journal after the file: two names of one file would have two."""
    with closing(Database(f"sqlite:///{tmp_path / 'a.db'}")) as database:
        (tmp_path / "a.db").touch()
        (tmp_path / "b.db").hardlink_to(tmp_path / "a.db")
        with pytest.raises(StorageFailed, match="hard links"), only_run(database):
            pass


def test_workers_share_an_archive_and_keep_a_run_out(site, postgresql_url):
    """Any number of them at a time; a daemon, a pass, an import are alone."""
    site.store = postgresql_url
    site.configure()
    with closing(site.database()) as one, closing(site.database()) as other:
        with one_of_many(one), one_of_many(other):
            done = site.run("--once")
            assert (done.returncode, "in use by process" in done.stderr) == (75, True)
        with only_run(one), pytest.raises(ArchiveInUse), one_of_many(other):
            pass


def test_a_server_has_its_own_types(postgresql_url):
    """Moments and ids are native ones."""
    with closing(Database(postgresql_url)) as database, database.reading() as connection:
        kinds = dict(
            connection.exec_driver_sql(
                "SELECT column_name, data_type FROM information_schema.columns"
                " WHERE table_name = 'articles'"
            ).all()
        )
    assert kinds["published_at"] == "timestamp with time zone"
    assert (kinds["id"], kinds["feed_id"], kinds["date"]) == ("bigint", "bigint", "text")


def test_texts_are_compared_alike_on_every_server(postgresql_url):
    """Character by character, as in SQLite, whatever the database's locale is."""
    with closing(Database(postgresql_url)) as database, database.reading() as connection:
        others = connection.exec_driver_sql(
            "SELECT table_name, column_name FROM information_schema.columns c"
            " JOIN information_schema.tables t USING (table_schema, table_name)"
            " WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
            " AND data_type = 'text' AND collation_name IS DISTINCT FROM 'C'"
        ).all()
    assert [one for one in others if one[0] in metadata.tables] == []


def test_programs_that_upgrade_at_once_take_turns(postgresql):
    """One of them makes the schema; the others find it made."""
    name = postgresql.empty()

    def upgraded(_: int) -> bool:
        with closing(Database(postgresql.url(name))) as database:
            return upgrade(database)

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(upgraded, range(4))) == [False, False, False, True]
    postgresql.drop(name)


def test_what_a_server_does_otherwise_is_said(site, postgresql_url):
    """Exit 2, one line, and what to use instead."""
    site.store = postgresql_url
    site.configure()
    done = site.run("backup", "copy")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "pg_dump" in done.stderr


def test_check_says_where_the_archive_is_and_no_password(site, postgresql_url):
    """The server trusts everybody on loopback, so that any password does."""
    site.store = postgresql_url.replace("postgres@", "postgres:secret@")
    site.configure()
    publish(site.net, demo_articles())
    done = site.run("check")
    assert done.returncode == 0, done.stderr
    assert "ready" in done.stdout
    assert "secret" not in done.stdout + done.stderr


def test_a_character_that_a_server_cannot_hold_is_left_out(postgresql_url):
    """A NUL, which a feed in JSON may carry: on SQLite it is kept."""
    database = filled(postgresql_url, [("题\x00目", "文\x00章")])
    with closing(database), database.reading() as connection:
        rows = connection.exec_driver_sql("SELECT title, content_text FROM articles").all()
    assert [tuple(row) for row in rows] == [("题目", "文章")]


def nobody_answers(server) -> tuple[str, str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    return f"postgresql://u:secret@127.0.0.1:{port}/x", "no server answers there"


def no_such_database(server) -> tuple[str, str]:
    return server.url("nothing"), "there is no such database"


def no_such_user(server) -> tuple[str, str]:
    return server.url(user="nobody:secret"), "there is no such database or user"


def no_such_host(server) -> tuple[str, str]:
    return "postgresql://u:secret@host.invalid/x", "there is no host of this name"


@pytest.mark.parametrize(
    "wrong",
    [nobody_answers, no_such_database, no_such_user, no_such_host],
    ids=lambda f: f.__name__,
)
def test_a_server_that_cannot_be_used_is_one_line(site, postgresql, wrong):
    """It says what is wrong, exits 3, and never says the password."""
    site.store, sentence = wrong(postgresql)
    site.configure()
    done = site.run("--once")
    assert (done.returncode, done.stderr.count("\n")) == (3, 1), done.stderr
    assert sentence in done.stderr
    assert "secret" not in done.stderr


def test_a_connection_without_rights_is_one_line(postgresql, postgresql_url):
    """A role that may read and not write, and a server that is set to be read-only."""
    name = postgresql_url.rpartition("/")[2]
    postgresql.execute("CREATE ROLE reader LOGIN", name)
    postgresql.execute("GRANT SELECT ON feeds TO reader", name)
    for url, sentence in (
        (postgresql.url(name, user="reader"), "this user may not do that"),
        (f"{postgresql_url}?options=-cdefault_transaction_read_only=on", "is read-only"),
    ):
        with (
            closing(Database(url)) as database,
            pytest.raises(StorageFailed, match=sentence),
            database.transaction() as connection,
        ):
            connection.exec_driver_sql("UPDATE feeds SET kind = 'rss'")
    postgresql.execute("DROP OWNED BY reader; DROP ROLE reader", name)


def test_a_database_that_is_not_utf8_is_refused(postgresql):
    """Chinese does not fit into it."""
    postgresql.execute(
        "CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C' STRATEGY wal_log"
    )
    with (
        closing(Database(postgresql.url("latin"))) as database,
        pytest.raises(StorageFailed, match="--encoding=UTF8"),
        database.reading(),
    ):
        pass
    postgresql.drop("latin")


def test_drivers_of_others_are_refused():
    """Only one is tested."""
    with pytest.raises(ConfigError, match='"postgresql\\+pg8000" is not supported'):
        Database("postgresql+pg8000://localhost/x")


def test_without_the_driver_one_line_says_what_to_install(site, postgresql_url):
    """The extra brings it."""
    site.store = postgresql_url
    site.configure()
    (line,) = site.refusals("--once", without="psycopg")
    assert "pip install 'sina-ingestor[cluster]'" in line


def test_who_writes_puts_maintenance_off(tmp_path):
    """Nothing waits for another program, and nothing fails; the next time comes."""
    with closing(filled(tmp_path / "a.db", [("石门水泥", "提价")])) as database:
        with database.reading() as connection:
            connection.execute(text("SELECT id FROM articles WHERE url = 'https://x'")).all()
        with closing(sqlite3.connect(database.path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            maintain(database)
        maintain(database)
        with database.reading() as connection:
            assert connection.execute(text("SELECT count(*) FROM articles")).scalar() == 1
