"""`ingest status`: is all well? A feed is late by its own rhythm."""

import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from ingestor.policy import is_unanswered, longest_silence, quiet_since
from ingestor.store.db.locks import only_run
from tools import forked
from tools.living import LONGEST
from tools.made_up_sina import FEED_URL, made_up, publish
from tools.running import feed

NOW = datetime(2024, 5, 6, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def every(pause, count=20):
    return [NOW - pause * number for number in range(count)]


def test_a_feed_may_be_silent_for_three_of_its_longest_pauses():
    """Once a day is no trouble for a weekly, and half a day is none for anybody."""
    assert longest_silence(every(24 * HOUR)) == 72 * HOUR
    assert longest_silence(every(HOUR / 4)) == 12 * HOUR
    assert longest_silence(every(HOUR, 5)) is None


def test_a_feed_is_quiet_when_it_is_silent_for_longer():
    """And not when there is no rhythm to judge by."""
    assert quiet_since(NOW - 13 * HOUR, 12 * HOUR, NOW) == NOW - 13 * HOUR
    assert quiet_since(NOW - 11 * HOUR, 12 * HOUR, NOW) is None
    assert quiet_since(NOW - 1000 * HOUR, None, NOW) is None


def test_a_feed_without_an_answer_for_three_intervals_is_unanswered():
    """With some grace; one that was never polled is new, not late."""
    assert is_unanswered(NOW - 4 * HOUR, HOUR, NOW)
    assert not is_unanswered(NOW - 3 * HOUR, HOUR, NOW)
    assert not is_unanswered(None, HOUR, NOW)


def age(site, column, past):
    site.change(f"UPDATE feeds SET {column} = '{past:%Y-%m-%dT%H:%M:%SZ}'")


@pytest.mark.every_store
def test_a_daemon_that_does_not_run_is_seen(site, net):
    """Exit 1 and a line, in the table and as JSON."""
    publish(net, [made_up(1)])
    site.run("--once")
    assert site.run("status").returncode == 0
    age(site, "last_ok_at", datetime.now(UTC) - 9 * HOUR)
    done = site.run("status")
    assert done.returncode == 1
    assert "does the daemon run?" in done.stdout
    assert len(json.loads(site.run("status", "--json").stdout)["feeds_late"]) == 1


@pytest.mark.every_store
def test_a_feed_that_went_quiet_is_seen(site, net):
    """It answers, and has nothing new for longer than it ever had."""
    publish(net, [made_up(number) for number in range(1, 10)])
    site.run("--once")
    assert site.run("status").returncode == 0
    age(site, "last_new_at", datetime.now(UTC) - timedelta(days=3650))
    done = site.run("status")
    assert done.returncode == 1
    assert "nothing new since" in done.stdout


def test_before_the_first_run_it_says_so(site):
    """Exit 1, for nobody knows yet whether all is well; nothing is made by looking."""
    for made in (False, True):
        if made:
            (site.folder / "archive.db").touch()
        done = site.run("status", "--json")
        assert done.returncode == 1
        assert "nothing has run yet" in done.stderr
        assert json.loads(done.stdout)["articles"] == 0
    assert (site.folder / "archive.db").stat().st_size == 0


GREEN = "\x1b[32m"


def test_colours_are_for_terminals(site, net):
    """Not for those who say that they want none, and not for files."""
    publish(net, [made_up(1)])
    site.run("--once")
    assert f"{GREEN}ok" in site.on_a_terminal("status")
    plain = site.on_a_terminal("status", NO_COLOR="1")
    assert " ok" in plain
    assert GREEN not in plain
    assert "\x1b" not in site.run("status").stdout


def without_rights(site, *arguments):
    """Run it as somebody who may not write what belongs to others, which root may."""
    return subprocess.run(
        [
            *("setpriv", "--bounding-set", "-dac_override,-dac_read_search"),
            *(sys.executable, "-m", "ingestor", *arguments),
        ],
        cwd=site.folder,
        env=site.environment(),
        capture_output=True,
        text=True,
        timeout=LONGEST,
        check=False,
    )


@pytest.fixture
def read_only(site, net):
    """Give a site with an article in a folder that may not be written."""
    publish(net, [made_up(1)])
    site.run("--once")
    for path in site.folder.glob("archive.db*"):
        path.chmod(0o444)
    site.folder.chmod(0o555)
    yield site
    site.folder.chmod(0o755)


@pytest.mark.skipif(not shutil.which("setpriv"), reason="setpriv (util-linux) is not here")
def test_an_archive_that_may_not_be_written_can_be_looked_at(read_only):
    """Whole, and as it was; who wants to write is told."""
    before = sorted(path.name for path in read_only.folder.iterdir())
    assert made_up(1).title in without_rights(read_only, "show", "1").stdout
    verified = without_rights(read_only, "verify")
    assert (verified.returncode, verified.stdout) == (0, "0 disagreements; 0 foreign files\n")
    assert "are not looked at" in verified.stderr
    refused = without_rights(read_only, "retry")
    assert refused.returncode == 3
    assert "is read-only" in refused.stderr
    assert sorted(path.name for path in read_only.folder.iterdir()) == before


@pytest.mark.skipif(not shutil.which("setpriv"), reason="setpriv (util-linux) is not here")
def test_also_what_stands_in_the_write_ahead_log_is_seen(read_only):
    """The daemon of another user writes, and has not brought it into the file yet."""
    read_only.folder.chmod(0o755)
    with closing(sqlite3.connect(read_only.folder / "archive.db")) as writer:
        writer.execute("UPDATE feeds SET failures = 3, last_error = 'out of paper'")
        writer.commit()
        read_only.folder.chmod(0o555)
        assert "out of paper" in without_rights(read_only, "status").stdout


@pytest.mark.every_store
def test_it_says_which_archive_how_large_and_who_holds_it(site, net):
    """A run that is at work is named by its process; looking takes no lock of its own."""
    publish(net, [made_up(1)])
    site.run("--once")
    done = site.run("status")
    lines = done.stdout.splitlines()
    assert lines[0].startswith("archive ")
    assert lines[0].endswith("archive.db" if not site.store else "")
    assert re.fullmatch(r"size    \S+ [kM]?B\w*, and \S+ \S+ of WARC files", lines[1])
    assert lines[2] == "held by nobody: no run is at work"
    with closing(site.database()) as database, only_run(database):
        said = site.run("status").stdout.splitlines()[2]
        told = json.loads(site.run("status", "--json").stdout)["archive"]
    assert said.startswith(f"held by process {os.getpid()}")
    assert told["held_by"] == said.removeprefix("held by ")
    assert told["bytes"] > 0


NAMES = [
    "新浪财经－国内与国际宏观经济政策解读以及各部委公告和地方政府文件的一个很长的名字",
    "新浪财经－國內",
    "a feed with a name of many words, which any table of eighty columns would wrap",
]


@pytest.mark.parametrize("columns", [None, "40"])
def test_in_a_pipe_each_feed_is_a_line(site, net, columns):
    """Whatever the terminal's width is said to be: `ingest status | grep NAME` finds it."""
    publish(net, [made_up(1)])
    site.configure(*(feed(f"{FEED_URL}?{number}", name) for number, name in enumerate(NAMES)))
    site.run("--once")
    environment = {name: text for name, text in site.environment().items() if name != "COLUMNS"}
    for command in ("status", "feed list"):
        told = environment | ({"COLUMNS": columns} if columns else {})
        done = forked.run(command.split(), site.folder, told)
        lines = done.stdout.splitlines()
        for name in NAMES:
            assert any(name in line for line in lines), (command, done.stdout, done.stderr)
