"""``ingest backup``: what is copied can be restored by copying it back."""

import shutil
import sqlite3
import threading
from contextlib import closing

import pytest

from tools.made_up_sina import FEED_URL, made_up, publish, rsshub_feed
from tools.running import Site


@pytest.fixture
def full(site, net):
    """Give a site with three articles."""
    publish(net, [made_up(number) for number in range(1, 4)])
    assert site.run("--once").returncode == 0
    return site


def restored(site: Site) -> None:
    """Restore as docs/backup.md says."""
    for name in ("archive", "warc"):
        shutil.rmtree(site.folder / name)
    for path in site.folder.glob("archive.db*"):
        path.unlink()
    shutil.copytree(site.folder / "copy", site.folder, dirs_exist_ok=True)


def test_a_restored_archive_is_the_one_that_was_backed_up(full, net):
    """Files, rows and WARC; and the next pass goes on from there."""
    files, rows = full.files(), full.query("SELECT * FROM revisions")
    done = full.run("backup", "copy")
    assert done.returncode == 0, done.stderr
    publish(net, [made_up(number) for number in range(1, 6)])
    full.run("--once")
    restored(full)
    assert full.files() == files
    assert full.query("SELECT * FROM revisions") == rows
    assert full.run("verify").stdout.startswith("0 disagreements")
    full.run("--once")
    assert full.query("SELECT count(*) FROM articles") == [(5,)]


def test_a_file_that_is_not_what_the_database_says_is_written_anew(full):
    """The copy is right even where the original is not."""
    files = full.files()
    paths = [full.folder / "archive" / name for name in files]
    paths[0].unlink()
    paths[1].write_text("somebody was here", "utf-8")
    full.run("backup", "copy")
    restored(full)
    assert full.files() == files


def test_a_backup_beside_a_run_that_writes_is_consistent(site, net):
    """Its database is whole, and verify finds no disagreement in it."""
    many = [made_up(number) for number in range(1, 31)]
    publish(net, many[:5])
    site.run("--once")
    publish(net, many)
    worker = threading.Thread(target=site.run, args=("--once",))
    worker.start()
    done = [site.run("backup", f"copy{number}") for number in range(3)]
    worker.join()
    assert [one.returncode for one in done] == [0, 0, 0], [one.stderr for one in done]
    for number in range(3):
        copy = Site(site.folder / f"copy{number}", net)
        copy.configure()
        assert copy.run("verify").stdout.startswith("0 disagreements")
        with closing(sqlite3.connect(copy.folder / "archive.db")) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        copy.run("--once")
        assert copy.query("SELECT count(*) FROM articles") == [(30,)]


def test_a_backup_never_overwrites(full):
    """Exit 2, a line, nothing touched."""
    (full.folder / "copy").mkdir()
    (full.folder / "copy" / "mine").write_text("x", "utf-8")
    done = full.run("backup", "copy")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert [path.name for path in (full.folder / "copy").iterdir()] == ["mine"]


def test_a_backup_that_cannot_be_written_says_so(full):
    """Exit 3, and no folder that looks like a backup."""
    (full.folder / "occupied").write_text("x", "utf-8")
    done = full.run("backup", "occupied/copy")
    assert (done.returncode, done.stderr.count("\n")) == (3, 1)


def test_a_lost_warc_file_is_said_and_the_rest_backed_up(full, net):
    """Exit 1."""
    for path in (full.folder / "warc").iterdir():
        path.unlink()
    net.serve(FEED_URL, rsshub_feed([made_up(number) for number in range(1, 4)]))
    done = full.run("backup", "copy")
    assert done.returncode == 1
    assert "is missing" in done.stderr
    assert (full.folder / "copy" / "archive.db").exists()


READS = [
    ("status",), ("search", "公司"), ("show", "1"), ("stats",), ("verify",),
    ("export", "-"), ("reextract", "--dry-run"), ("import", "posts", "--dry-run"),
]  # fmt: skip


def test_looking_at_a_backup_changes_no_byte_of_it(full):
    """Its file is in no write-ahead mode, and no command that only reads puts it there."""
    full.run("backup", "copy")
    copy = Site(full.folder / "copy", full.net)
    (copy.folder / "posts").mkdir()
    before = (copy.folder / "archive.db").read_bytes()
    for command in READS:
        done = copy.run(*command)
        assert done.returncode == 0, (command, done.stderr)
        assert (copy.folder / "archive.db").read_bytes() == before, command
        assert not list(copy.folder.glob("archive.db-*")), command


def test_a_backup_has_the_configuration_as_it_is(full):
    """With its rights, for a proxy's password may stand in it; also one that --config names."""
    (full.folder / "config.toml").rename(full.folder / "mine.toml")
    (full.folder / "mine.toml").chmod(0o600)
    text = (full.folder / "mine.toml").read_text("utf-8")
    done = full.run("backup", "copy", "--config", "mine.toml")
    assert "the configuration (config.toml)" in done.stdout
    copied = full.folder / "copy" / "config.toml"
    assert copied.read_text("utf-8") == text
    assert copied.stat().st_mode & 0o777 == 0o600
