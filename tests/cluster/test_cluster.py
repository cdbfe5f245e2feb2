"""Many workers on one archive: nothing lost, nothing twice, no host asked too much."""

import json
import threading
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, date, datetime, timedelta

import pytest
from procrastinate.jobs import Job

from ingestor.clock import Clock
from ingestor.cluster import engine, engine_jobs, engine_schema, plan
from ingestor.cluster.host_limiter import SharedHostLimiter
from ingestor.cluster.plan import Claim
from ingestor.config.sections import FetchSettings
from ingestor.errors import Postponed, SchemaTooNew, StorageFailed
from ingestor.model import HostPause
from ingestor.store.coordination import leases
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
FETCH = FetchSettings(timeout=timedelta(seconds=1), connections_per_host=2)


@pytest.fixture
def database(postgresql_url):
    """Give an archive in PostgreSQL that workers could start on."""
    with closing(Database(postgresql_url)) as opened:
        engine_schema.prepare(opened)
        yield opened


@pytest.fixture
def cluster(tmp_path, net, postgresql_url):
    """Give a site on PostgreSQL, and no worker yet."""
    site = Site(tmp_path, net, store=postgresql_url)
    site.configure(feed(more='every = "2s"'), schedule='jitter = "0s"')
    return site


def taken(database, holder="a", *, places=2, delay=0.0, seconds=60.0, patience=30.0):
    with database.transaction() as connection:
        return leases.take(
            connection, HOST, holder, places=places, delay=delay, seconds=seconds, patience=patience
        )


def waiting(site) -> int:
    jobs = "SELECT count(*) FROM procrastinate_jobs WHERE status IN ('todo', 'doing')"
    return site.query(jobs)[0][0]


def test_a_host_has_so_many_places_and_no_more(database):
    """A place that is given back, or whose request must be over, is free again."""
    assert taken(database, "a").taken
    assert taken(database, "b", seconds=-1.0).taken
    assert taken(database, "c").taken
    assert not taken(database, "d").taken
    with database.transaction() as connection:
        leases.give_back(connection, HOST, "b")
    assert not taken(database, "d").taken
    with database.transaction() as connection:
        leases.give_back(connection, HOST, "a")
    assert taken(database, "d").taken


def test_turns_at_a_host_keep_their_distance(database):
    """Each turn is behind the one before, whoever asks; who would wait too long takes none."""
    waits = [taken(database, str(one), places=9, delay=10.0).wait for one in range(3)]
    assert waits[0] == 0
    assert 9 < waits[1] <= 10
    assert 19 < waits[2] <= 20
    refused = taken(database, "late", places=9, delay=10.0, patience=5.0)
    assert (refused.taken, refused.wait > 20) == (False, True)
    assert taken(database, "next", places=9, delay=10.0).wait == pytest.approx(
        refused.wait, abs=2.0
    )


def test_a_pause_that_one_worker_learns_of_holds_for_all(database):
    """Retry-After: the other one does not ask, and says until when."""
    until = (datetime.now(UTC) + timedelta(hours=1)).replace(microsecond=0)
    mine, other = (SharedHostLimiter(database, FETCH, Clock()) for _ in range(2))
    with mine.passing(HOST, 0.0):
        mine.slow_down(HOST, 0.0, HostPause(until, "HTTP 429"))
    with pytest.raises(Postponed, match="HTTP 429") as refused, other.passing(HOST, 0.0):
        pytest.fail("it passed")
    assert refused.value.until == until


def test_a_host_that_wants_fewer_requests_gets_them_from_all(database):
    """429 without a time: nobody asks again for a while."""
    gate = SharedHostLimiter(database, FETCH, Clock())
    with gate.passing(HOST, 0.0):
        gate.slow_down(HOST, 20.0, None)
    assert taken(database).wait > 10


def test_threads_of_many_workers_pass_a_few_at_a_time(database):
    """Twelve requests of three workers; never more than two are on their way."""
    gates = [SharedHostLimiter(database, FETCH, Clock()) for _ in range(3)]
    lock, running, most = threading.Lock(), [0], [0]

    def ask(number: int) -> None:
        with gates[number % 3].passing(HOST, 0.0):
            with lock:
                running[0] += 1
                most[0] = max(most[0], running[0])
            threading.Event().wait(0.05)
            with lock:
                running[0] -= 1

    with ThreadPoolExecutor(12) as pool:
        list(pool.map(ask, range(12)))
    assert most[0] == 2


def test_a_part_has_one_job_however_often_it_is_planned(database):
    """Waiting or running, whoever plans; the others of the same plan are deferred all the same."""
    with database.transaction() as connection:
        assert engine_jobs.defer(connection, [Claim("poll", 1)]) == 1
        assert engine_jobs.defer(connection, [Claim("poll", 1), Claim("poll", 2)]) == 1
        assert plan.claimed(connection) == {"poll:1", "poll:2"}


def test_a_job_that_is_deferred_with_a_transaction_goes_with_it(database):
    """What a feed announced and the job for it are there together, or not at all."""

    def fail() -> None:
        with database.transaction() as connection:
            engine_jobs.defer(connection, [Claim("ingest", 1)])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with database.reading() as connection:
        assert plan.claimed(connection) == set()


def test_the_engines_tables_are_made_once_and_never_by_an_older_one(database):
    """A second start finds them; those of a newer Procrastinate, or another's, are refused."""
    engine_schema.prepare(database)
    for comment, error in (("made by procrastinate 99.1.0", SchemaTooNew), ("mine", StorageFailed)):
        with database.transaction() as connection:
            connection.exec_driver_sql(f"COMMENT ON TABLE procrastinate_jobs IS '{comment}'")
        with pytest.raises(error):
            engine_schema.prepare(database)


def test_the_engines_own_migrations_upgrade_its_tables(database):
    """Those between the version that made the tables and the installed one, in order."""
    with database.transaction() as connection:
        connection.exec_driver_sql(
            "DROP FUNCTION procrastinate_retry_job_v2;"
            "ALTER TYPE procrastinate_job_event_type RENAME VALUE 'retried' TO 'of 3.4';"
            "COMMENT ON TABLE procrastinate_jobs IS 'made by procrastinate 3.3.0'"
        )
    engine_schema.prepare(database)
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
    lines = site.refusals("worker", "--once --since 2024-01-01 --defer", "worker --concurrency 0")
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
    with Crew(cluster) as crew:
        crew.start()
        wait_for(lambda: len(cluster.files()) == 40)
        held = cluster.run("--once")
        assert held.returncode == 3
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
    with Crew(cluster) as crew:
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
    with Crew(cluster) as crew:
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
