"""Upgrades: a copy is made first, and the way back leads to what was."""

import shutil
import sqlite3

import pytest
from alembic.script import ScriptDirectory

from ingestor.errors import StorageFailed
from ingestor.store.db.database import Database
from ingestor.store.db.migrations import copy_path, folder, upgrade

NEXT = """
revision = "9999"
down_revision = "{head}"


def upgrade():
    from alembic import op

    op.execute("CREATE TABLE later (x)")
    {more}


def downgrade():
    pass
"""


@pytest.fixture
def head():
    return ScriptDirectory(str(folder())).get_current_head()


@pytest.fixture
def older(tmp_path):
    """Give a database of today's schema, which tomorrow's program finds."""
    made = Database(f"sqlite:///{tmp_path}/a.db")
    upgrade(made)
    with made.transaction() as connection:
        connection.exec_driver_sql("INSERT INTO feeds (name, kind) VALUES ('one', 'rss')")
    yield made
    made.close()


def tomorrow(tmp_path, head, more=""):
    scripts = tmp_path / "migrations"
    shutil.copytree(folder(), scripts)
    text = NEXT.format(head=head, more=more)
    (scripts / "versions" / "9999_next.py").write_text(text, encoding="utf-8")
    return scripts


def tables(path):
    connection = sqlite3.connect(path)
    found = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
    feeds = connection.execute("SELECT name FROM feeds").fetchall()
    connection.close()
    return found, feeds


def test_an_upgrade_copies_the_database_first(older, tmp_path, head):
    """The copy is one whole file of the old schema, with the rows that were in the WAL."""
    assert upgrade(older, tomorrow(tmp_path, head))
    copy = copy_path(older.path, head)
    assert copy.name == f"a.db.schema-{head}"
    found, feeds = tables(copy)
    assert "later" not in found
    assert feeds == [("one",)]
    assert "later" in tables(older.path)[0]
    again = Database(f"sqlite:///{copy}")
    assert not upgrade(again)
    again.close()


def test_nothing_is_copied_when_nothing_is_to_be_done(older, tmp_path):
    """Neither for a new database, nor for one that is up to date."""
    assert not upgrade(older)
    assert not list(tmp_path.glob("*.schema-*"))


def test_a_failed_upgrade_leaves_the_database_and_the_copy(older, tmp_path, head):
    """And the next try begins anew."""
    broken = tomorrow(tmp_path, head, 'raise RuntimeError("no")')
    for _ in range(2):
        with pytest.raises(RuntimeError):
            upgrade(older, broken)
    assert "later" not in tables(older.path)[0]
    assert tables(copy_path(older.path, head))[1] == [("one",)]
    assert not list(tmp_path.glob("*.unfinished"))


def test_without_room_for_the_copy_nothing_is_upgraded(older, tmp_path, head):
    """A line that names the copy."""
    copy_path(older.path, head).mkdir()
    with pytest.raises(StorageFailed, match="copy before the upgrade"):
        upgrade(older, tomorrow(tmp_path, head))
    assert "later" not in tables(older.path)[0]
