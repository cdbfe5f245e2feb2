"""Health and metrics: what probes and Prometheus get from a running daemon."""

import json
import re
import sqlite3
import urllib.error
import urllib.request
from contextlib import closing
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from sqlalchemy import event

from ingestor.clock import Clock
from ingestor.config import load
from ingestor.daemon.folder_sizes import FolderSize, measured
from ingestor.daemon.health import Heartbeat
from ingestor.daemon.metrics import MOST_HOSTS, Metrics
from ingestor.daemon.stages import Stages
from ingestor.observer import Observer
from ingestor.pipeline.services import opened
from ingestor.store.db.database import Database
from tools import ROOT
from tools.living import Daemon, wait_for
from tools.made_up_sina import FEED_URL, made_up, publish
from tools.running import feed

LISTENING = {"service": 'listen = "127.0.0.1:0"', "schedule": 'jitter = "0s"'}


def ask(daemon, path):
    """Return status and text of a page of the daemon, whose port it logs."""
    wait_for(lambda: '"listening"' in daemon.said())
    (port,) = re.findall(r'"port": (\d+)', daemon.said())
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(f"http://127.0.0.1:{port}{path}", timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_a_daemon_at_work_is_alive_and_ready_and_counts(site, net):
    """Two articles, one of which only the feed has."""
    publish(net, [made_up(1), made_up(2)])
    net.fail(made_up(2).url, "404")
    site.configure(**LISTENING)
    with Daemon(site) as daemon:
        wait_for(lambda: ask(daemon, "/readyz") == (200, "ok\n"))
        assert ask(daemon, "/healthz") == (200, "ok\n")
        wait_for(lambda: 'ingestor_articles_total{origin="page"} 1.0' in ask(daemon, "/metrics")[1])
        wait_for(lambda: 'ingestor_folder_files{folder="warc"}' in ask(daemon, "/metrics")[1])
        text = ask(daemon, "/metrics")[1]
        assert daemon.stop() == 0
    for line in (
        'ingestor_polls_total{result="changed"} 1.0',
        "ingestor_publication_lag_seconds_count",
        f'ingestor_request_seconds_count{{host="{urlsplit(FEED_URL).hostname}",result="answered"}} 1.0',
        'ingestor_entries{state="pending"}',
        'ingestor_entries{state="parked"} 0.0',
        "ingestor_received_bytes_total",
        'ingestor_extractions_total{template="',
        'ingestor_revisions_total{cause="new"}',
        'ingestor_robots_requests_total{result="answered"} 1.0',
        'ingestor_feeds{state="late"} 0.0',
        'ingestor_folder_bytes{folder="archive"}',
        'ingestor_database_bytes{file="main"}',
        'ingestor_disk_bytes{state="free"}',
        "ingestor_moving 1.0",
    ):
        assert line in text


@pytest.fixture
def idle(site, net):
    """Give the database of an archive in which nothing is due, and the statements it is asked."""
    publish(net, [made_up(1)])
    site.configure(schedule='every = "1h"\nslowest = "1h"')
    site.run("--once")
    with closing(Database(f"sqlite:///{site.folder}/archive.db")) as database:
        asked = []
        event.listen(
            database.engine,
            "before_cursor_execute",
            lambda *given: asked.append(given[2]) if given[2] != "BEGIN" else None,
        )
        yield database, asked


def test_a_daemon_without_work_asks_the_database_nothing(site, idle):
    """Until anybody changes it, such as `ingest retry`: then each asks again."""
    database, asked = idle
    settings = load(site.folder / "config.toml", {})
    clock = Clock()
    heartbeat = Heartbeat(database, clock, Observer(clock.monotonic), timedelta(minutes=5))
    with opened(settings, database, clock, heartbeat.observer) as services:
        stages = Stages(services)
        assert not stages.have_work()
        assert heartbeat.check()
        asked.clear()
        for _ in range(3):
            assert not stages.have_work()
            assert heartbeat.check()
        assert asked == []
        site.change("UPDATE feeds SET next_poll_at = NULL")
        assert stages.have_work()
        assert heartbeat.check()
        assert heartbeat.snapshot.due == 1


def test_a_daemon_whose_feeds_fail_is_alive_but_not_ready(site, net):
    """With the reason; an address that is not there is 404."""
    net.fail(FEED_URL, "500")
    site.configure(**LISTENING)
    with Daemon(site) as daemon:
        wait_for(lambda: "1 of 1 feed failing" in ask(daemon, "/readyz")[1])
        assert ask(daemon, "/readyz")[0] == 503
        assert ask(daemon, "/healthz")[0] == 200
        assert ask(daemon, "/archive.db")[0] == 404
        assert daemon.stop() == 0


def test_a_daemon_whose_feeds_are_late_is_not_ready(site, net):
    """By the feed's own rhythm, with the reason that `ingest status` has."""
    publish(net, [made_up(number) for number in range(1, 10)])
    site.configure(feed(more='content = "feed"'), **LISTENING)
    site.run("--once")
    with closing(sqlite3.connect(site.folder / "archive.db")) as connection, connection:
        connection.execute("UPDATE feeds SET last_new_at = '2014-05-06T00:00:00Z'")
    with Daemon(site) as daemon:
        wait_for(lambda: "1 of 1 feed late" in ask(daemon, "/readyz")[1])
        assert "nothing new since 2014-05-06" in ask(daemon, "/readyz")[1]
        assert ask(daemon, "/healthz")[0] == 200
        assert 'ingestor_feeds{state="late"} 1.0' in ask(daemon, "/metrics")[1]
        assert daemon.stop() == 0


def test_a_folder_is_as_large_as_all_that_is_in_it(tmp_path):
    """Below it too; one that is not there holds nothing."""
    (tmp_path / "below").mkdir()
    (tmp_path / "a").write_bytes(b"123")
    (tmp_path / "below" / "b").write_bytes(b"45")
    assert measured(tmp_path, Clock()) == FolderSize(files=2, bytes=5)
    assert measured(tmp_path / "none", Clock()) == FolderSize(files=0, bytes=0)


def test_a_stuck_daemon_is_not_alive(site, net):
    """What the watchdog acts on is what the probe says."""
    publish(net, [made_up(1)])
    service = f'{LISTENING["service"]}\nstuck_after = "1s"'
    site.configure(feed(more='every = "1s"'), schedule="", service=service)
    with Daemon(site) as daemon:
        wait_for(lambda: ask(daemon, "/healthz")[0] == 200)
        with closing(sqlite3.connect(site.folder / "archive.db", timeout=30)) as others:
            others.execute("BEGIN IMMEDIATE")
            wait_for(lambda: 'step "work"' in ask(daemon, "/healthz")[1])
            assert ask(daemon, "/healthz")[0] == 503
        daemon.process.kill()


def test_an_address_that_cannot_be_had_is_said(site, net):
    """Exit 2, and the key."""
    site.configure(service='listen = "127.0.0.1:99999"')
    done = site.run()
    assert done.returncode == 2
    assert "service.listen" in done.stderr


def test_hosts_beyond_the_bound_share_a_label():
    """A feed that announces thousands of hosts fills no memory."""
    metrics = Metrics(Clock())
    for number in range(MOST_HOSTS + 20):
        metrics.requested(f"h{number}.example", answered=True, seconds=0.1, received=1)
    samples = {
        sample.labels["host"]
        for family in metrics.registry.collect()
        for sample in family.samples
        if "host" in sample.labels
    }
    assert len(samples) == MOST_HOSTS + 1
    assert "other" in samples


@pytest.mark.parametrize("name", ["docs/operations.md", "deploy/grafana-dashboard.json"])
def test_rules_and_panels_ask_for_metrics_that_exist(name):
    """An alert on a metric that nobody writes would never ring."""
    sources = "".join(
        path.read_text("utf-8") for path in (ROOT / "ingestor" / "daemon").glob("*.py")
    )
    asked = set(
        re.findall(r"\b(ingestor_[a-z_]+?)(?:_total|_bucket)?\b", (ROOT / name).read_text("utf-8"))
    )
    assert len(asked) >= 6
    assert {metric for metric in asked if f'"{metric}"' not in sources} == set()


def test_every_alert_has_something_to_do():
    """A row of the table for each rule."""
    text = (ROOT / "docs" / "operations.md").read_text("utf-8")
    alerts = re.findall(r"- alert: (\w+)", text)
    assert alerts
    assert alerts == re.findall(r"^\| (Ingestor\w+) \|", text, re.MULTILINE)


def test_the_dashboard_is_one():
    """JSON with panels that each ask for something."""
    board = json.loads((ROOT / "deploy" / "grafana-dashboard.json").read_text("utf-8"))
    assert all(panel["targets"][0]["expr"] for panel in board["panels"])
