"""Disks that are full or read-only, and others who hold the database."""

import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing

import pytest

from tests.faults.laboratory import (
    SOAK,
    assert_nothing_is_damaged,
    assert_sealed,
    assert_sound,
    holdings,
    output,
    said,
)
from tools.living import LONGEST
from tools.made_up_sina import made_up, publish
from tools.running import Site

FOREIGN_WRITER_SECONDS = 30.0 if SOAK else 6.0
"""Longer than the five seconds after which SQLite's drivers give up by default."""


@pytest.fixture
def reference(driver, site, tmp_path, net):
    """Give an archive that nothing disturbed."""
    publish(net, [made_up(number) for number in range(1, 13)])
    one = Site(tmp_path / "reference", net)
    one.folder.mkdir()
    one.configure()
    driver.run(one, "--once")
    return one


@pytest.mark.parametrize("kilobytes", [1, 8, 40, 64, 120, 200, 240])
def test_a_full_disk_is_said_and_what_was_in_work_comes_later(driver, site, reference, kilobytes):
    """Exit 3, one line that says where; with room again the archive is as if undisturbed."""
    code = driver.run(site, "--once", most_file_bytes=kilobytes * 1024)
    assert code == 3, said(site)
    (line,) = [one for one in said(site).splitlines() if one.startswith("ingest: ")]
    assert "disk is full" in line or "cannot be written" in line
    assert str(site.folder) in line
    assert_sound(site, [reference.files()])
    assert_nothing_is_damaged(driver, site, f"{kilobytes} kB")
    assert driver.run(site, "--once") == 0, said(site)
    assert site.files() == reference.files()
    assert holdings(site) == holdings(reference)
    assert_sealed(site)
    assert driver.run(site, "verify") == 0, output(site)


def test_an_archive_folder_that_cannot_be_written_is_said(driver, site, reference, tmp_path):
    """Nothing is lost: the files are due, and are written when it can be."""
    (tmp_path / "occupied").write_text("x", "utf-8")
    site.configure(archive='dir = "occupied/archive"')
    assert driver.run(site, "--once") == 3
    assert "occupied" in said(site)
    assert site.query("SELECT count(*) FROM articles WHERE file_sha256 IS NULL") == [(12,)]
    site.configure()
    assert driver.run(site, "--once") == 0
    assert site.files() == reference.files()


@pytest.mark.skipif(not shutil.which("setpriv"), reason="setpriv (util-linux) is not here")
def test_a_folder_that_may_not_be_written_is_said(site, reference):
    """One line, exit 3, and what was there is as it was."""
    shutil.copy2(reference.folder / "archive.db", site.folder)
    before = (site.folder / "archive.db").read_bytes()
    (site.folder / "archive.db").chmod(0o444)
    site.folder.chmod(0o555)
    done = subprocess.run(
        # Root may write everywhere, unless it gives that up.
        [
            *("setpriv", "--bounding-set", "-dac_override,-dac_read_search"),
            *(sys.executable, "-m", "ingestor", "--once", "--quiet"),
        ],
        cwd=site.folder,
        env=site.environment(),
        capture_output=True,
        text=True,
        timeout=LONGEST,
        check=False,
    )
    site.folder.chmod(0o755)
    assert done.returncode == 3, done.stderr
    assert done.stderr.count("\n") == 1
    assert "archive.db" in done.stderr
    assert (site.folder / "archive.db").read_bytes() == before


def test_a_foreign_writer_is_waited_for(driver, site, reference):
    """Somebody's script holds the database: the run waits, and never says "locked"."""
    driver.run(site, "--once", "--feed", "新浪财经－國內", kill_at=1)
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with closing(sqlite3.connect(site.folder / "archive.db")) as connection:
            connection.execute("BEGIN IMMEDIATE")
            held.set()
            time.sleep(FOREIGN_WRITER_SECONDS)
            connection.rollback()
            done.set()

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait()
    assert driver.run(site, "--once") == 0, said(site)
    assert done.is_set()
    holder.join()
    assert "locked" not in said(site)
    assert site.files() == reference.files()


def test_two_runs_at_once_never_double(site, reference):
    """One works, the others say who does; together they leave one archive."""
    outcomes = []
    runs = [threading.Thread(target=lambda: outcomes.append(site.run("--once"))) for _ in range(4)]
    for one in runs:
        one.start()
    for one in runs:
        one.join()
    codes = sorted(one.returncode for one in outcomes)
    assert codes[0] == 0
    assert set(codes) <= {0, 75}
    for one in outcomes:
        assert "locked" not in one.stderr
        assert one.returncode == 0 or "in use by" in one.stderr
    assert site.files() == reference.files()
    assert holdings(site) == holdings(reference)


def test_a_lock_that_a_killed_run_left_is_no_lock(driver, site, reference):
    """Its owner is dead: the next run works."""
    assert driver.run(site, "--once", kill_at=8) == -9
    assert (site.folder / "archive.db.lock").exists()
    assert driver.run(site, "--once") == 0
    assert site.files() == reference.files()
