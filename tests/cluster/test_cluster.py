"""Many workers on one archive: nothing lost, nothing twice, no host asked too much."""

import json
import urllib.request
from contextlib import closing
from datetime import UTC, date, datetime, timedelta

import pytest
from procrastinate.jobs import Job

from ingestor.clock import Clock
from ingestor.cluster import engine, plan
from ingestor.cluster.host_limiter import SharedHostLimiter
from ingestor.cluster.plan import Claim
from ingestor.config.sections import FetchSettings
from ingestor.errors import SchemaTooNew, StorageFailed
from ingestor.model import HostPause
from ingestor.store import leases
from ingestor.store.db.database import Database
from tests.support.roll_api import ROLL, RollApi
from tools import postgres
from tools.cluster_soak import Crew, soak
from tools.fake_internet import Answer
from tools.living import wait_for
from tools.made_up_sina import made_up, publish
from tools.running import Site, feed

NOW = datetime(2026, 5, 1, 8, 0, tzinfo=UTC)
HOST = "finance.sina.example"


@pytest.fixture
def database(postgresql_url):
    """Give an archive in PostgreSQL that workers could start on."""
    with closing(Database(postgresql_url)) as opened:
        engine.prepare(opened)
        yield opened


@pytest.fixture
def cluster(tmp_path, net, postgresql_url):
    """Give a site on PostgreSQL, and no worker yet."""
    site = Site(tmp_path, net, store=postgresql_url)
    site.configure(feed(more='every = "2s"'), schedule='jitter = "0s"')
    return site


def is_taken(database, holder, *, seconds=60.0) -> bool:
    with database.transaction() as connection:
        lease = leases.acquire(connection, HOST, holder, slots=2, delay=0.0, seconds=seconds)
    return lease.taken


def waiting(site) -> int:
    jobs = "SELECT count(*) FROM procrastinate_jobs WHERE status IN ('todo', 'doing')"
    return site.query(jobs)[0][0]


def test_the_slot_of_a_worker_that_died_is_free_when_its_request_must_be_over(database):
    """Nobody released it; and whoever comes too late to release it frees no other's."""
    assert is_taken(database, "a")
    assert is_taken(database, "died", seconds=-1.0)
    assert is_taken(database, "b")
    assert not is_taken(database, "c")
    with database.transaction() as connection:
        leases.release(connection, HOST, "died")
    assert not is_taken(database, "c")


def test_a_host_whose_next_request_is_far_away_is_left_to_a_later_job(database):
    """A worker has better things to do than to wait for a crawl delay of a minute."""
    limiter = SharedHostLimiter(database, FetchSettings(), Clock())
    limiter.hold_off(HOST, 600.0)
    refused = limiter.acquire(HOST, 0.0)
    assert isinstance(refused, HostPause)
    assert refused.until > datetime.now(UTC) + timedelta(seconds=300)


def test_a_part_has_one_job_however_often_it_is_planned(database):
    """Waiting or running, whoever plans; the others of the same plan are deferred all the same."""
    with database.transaction() as connection:
        assert plan.defer(connection, [Claim("poll", 1)]) == 1
        assert plan.defer(connection, [Claim("poll", 1), Claim("poll", 2)]) == 1
        assert plan.claimed(connection) == {"poll:1", "poll:2"}


def test_a_job_that_is_deferred_with_a_transaction_goes_with_it(database):
    """What a feed announced and the job for it are there together, or not at all."""

    def fail() -> None:
        with database.transaction() as connection:
            plan.defer(connection, [Claim("ingest", 1)])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with database.reading() as connection:
        assert plan.claimed(connection) == set()


def test_the_engines_tables_are_made_once_and_never_by_an_older_one(database):
    """A second start finds them; those of a newer Procrastinate, or another's, are refused."""
    engine.prepare(database)
    for comment, error in (("made by procrastinate 99.1.0", SchemaTooNew), ("mine", StorageFailed)):
        with database.transaction() as connection:
            connection.exec_driver_sql(f"COMMENT ON TABLE procrastinate_jobs IS '{comment}'")
        with pytest.raises(error):
            engine.prepare(database)


def test_the_engines_own_migrations_upgrade_its_tables(database):
    """Those between the version that made the tables and the installed one, in order."""
    with database.transaction() as connection:
        connection.exec_driver_sql(
            "DROP FUNCTION procrastinate_retry_job_v2;"
            "ALTER TYPE procrastinate_job_event_type RENAME VALUE 'retried' TO 'of 3.4';"
            "COMMENT ON TABLE procrastinate_jobs IS 'made by procrastinate 3.3.0'"
        )
    engine.prepare(database)
    with database.reading() as connection:
        there = "SELECT count(*) FROM pg_proc WHERE proname = 'procrastinate_retry_job_v2'"
        assert connection.exec_driver_sql(there).scalar_one() == 1


@pytest.mark.parametrize(
    ("error", "attempts", "seconds"),
    [
        (StorageFailed("the server is stopping"), 99, engine.SOON),
        (KeyError("a bug"), 0, engine.LATER),
        (KeyError("a bug"), engine.MOST_TRIES, None),
    ],
    ids=["archive away", "a bug", "a bug again and again"],
)
def test_a_job_that_fails_waits_no_longer_for_being_lost_before(error, attempts, seconds):
    """What was lost with its workers many times counts as tried as often."""
    job = Job(queue="q", lock=None, queueing_lock=None, task_name="t", attempts=attempts)
    decision = engine.Retries().get_retry_decision(exception=error, job=job)
    if seconds is None:
        assert decision is None
    else:
        wait = decision.retry_at - datetime.now(UTC)
        assert seconds - 5 < wait.total_seconds() <= seconds


def test_what_cannot_work_is_refused_in_a_line(site):
    """An SQLite file has no place for many workers; queues have names."""
    lines = site.refusals("worker", "worker --concurrency 0")
    assert "workers need PostgreSQL" in lines[0]
    assert lines[0].count("\n") == 0


def test_an_unknown_queue_is_named(cluster):
    """With those that there are."""
    done = cluster.run("worker", "--queues", "pol")
    assert done.returncode == 2
    assert 'there is no queue "pol"; there are: plan, poll, ingest' in done.stderr


def test_a_worker_does_all_of_it_and_stops_when_told(cluster, net):
    """Poll, ingest, files; status, metrics and verify know of it; then SIGTERM, and exit code 0."""
    publish(net, [made_up(one) for one in range(1, 41)])
    cluster.configure(
        feed(more='every = "2s"'), schedule='jitter = "0s"', service='listen = "127.0.0.1:0"'
    )
    with Crew(cluster, whole=False) as crew:
        crew.start()
        wait_for(lambda: len(cluster.files()) == 40)
        held = cluster.run("--once")
        assert held.returncode == 75
        assert f"in use by process {crew.workers[0].pid} on " in held.stderr
        state = json.loads(cluster.run("status", "--json").stdout)["cluster"]
        assert (state["workers"], state["stalled"]) == (1, [])
        assert state["names"][0].startswith(f"{crew.workers[0].pid} on ")
        assert "workers 1 alive" in cluster.run("status").stdout
        port = next(
            json.loads(line)["port"] for line in crew.said().splitlines() if "listening" in line
        )
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as page:
            assert "ingestor_workers 1.0" in page.read().decode()
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz") as page:
            assert page.status == 200
        assert "files and records that it may be writing" in cluster.run("verify").stderr
        assert crew.stop() == [0]
    assert cluster.run("verify").returncode == 0
    assert cluster.query("SELECT count(*) FROM procrastinate_jobs WHERE status = 'doing'") == [(0,)]
    assert cluster.run("--once").returncode == 0


def test_the_past_is_walked_by_workers(cluster, net):
    """Days are handed over once, done by jobs, and what they announce is in."""
    api = RollApi(net)
    cluster.configure(ROLL, schedule='jitter = "0s"\nrecheck = []')
    assert cluster.run("--once").returncode == 0
    span = ("--since", "2023-01-02", "--until", "2023-01-04")
    for number in (3, 0):
        handed = cluster.run("--once", *span, "--defer")
        assert handed.returncode == 0, handed.stderr
        assert f"{number} days of feeds handed over" in handed.stdout
    with Crew(cluster, whole=False) as crew:
        crew.start()
        wait_for(lambda: cluster.query("SELECT count(*) FROM assignments") == [(0,)])
        wait_for(
            lambda: (
                cluster.query(
                    "SELECT count(*) FROM articles WHERE date BETWEEN '2023-01-02' AND '2023-01-04'"
                )
                == [(21,)]
            )
        )
        again = cluster.run(
            "reextract", "--defer", "--since", "2023-01-02", "--until", "2023-01-03"
        )
        assert "2 days handed over" in again.stdout, again.stderr
        wait_for(lambda: cluster.query("SELECT count(*) FROM assignments") == [(0,)])
        assert crew.stop() == [0]
    assert {day for day, _ in api.asked} == {"2023-01-02", "2023-01-03", "2023-01-04"}
    assert cluster.run("verify").returncode == 0


def test_a_day_that_cannot_be_walked_is_tried_again_later(cluster, net):
    """The failure is in status; the day waits."""
    api = RollApi(net)
    day = date(2023, 1, 2).isoformat()
    net.fail("https://feed.mix.sina.com.cn/robots.txt", "404")
    cluster.configure(ROLL, schedule='jitter = "0s"\nrecheck = []')
    assert cluster.run("--once").returncode == 0
    api.broken[day, 1] = Answer(b"", status=503)
    assert cluster.run("--once", "--since", day, "--until", day, "--defer").returncode == 0
    with Crew(cluster, whole=False) as crew:
        crew.start()
        tried = "SELECT attempts, state, error FROM assignments"
        wait_for(lambda: cluster.query(tried)[0][0] == 1)
        assert crew.stop() == [0]
    attempts, state, error = cluster.query(tried)[0]
    assert (attempts, state) == (1, "pending")
    assert "HTTP 503" in error
    assert "days    backfill: 1 pending" in cluster.run("status").stdout


def test_four_workers_lose_nothing_and_do_nothing_twice(tmp_path, net):
    """SIGKILL again and again, PostgreSQL restarted in the middle; `make soak-cluster` does more."""
    with postgres.server() as server:
        outcome = soak(server, Site(tmp_path, net), 200, kill_every=2.0, most_kills=3)
    assert outcome.troubles() == [], outcome.said
    assert outcome.kills
