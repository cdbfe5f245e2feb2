"""`ingest status`: is all well? A feed is late by its own rhythm."""

import json
import sqlite3
from datetime import UTC, datetime, timedelta

from ingestor.operations.rhythm import is_unanswered, longest_silence, quiet_since
from tests.made_up_sina import made_up, publish

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
    connection = sqlite3.connect(site.folder / "archive.db")
    connection.execute(f"UPDATE feeds SET {column} = ?", (f"{past:%Y-%m-%dT%H:%M:%SZ}",))
    connection.commit()
    connection.close()


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


def test_a_feed_that_went_quiet_is_seen(site, net):
    """It answers, and has nothing new for longer than it ever had."""
    publish(net, [made_up(number) for number in range(1, 10)])
    site.run("--once")
    assert site.run("status").returncode == 0
    age(site, "last_new_at", datetime.now(UTC) - timedelta(days=3650))
    done = site.run("status")
    assert done.returncode == 1
    assert "nothing new since" in done.stdout
