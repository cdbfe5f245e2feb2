"""``make bench-cluster``: 1, 2 and 4 workers beside a single process, and what the engine costs.

Everything runs on this machine: the workers, PostgreSQL and the made-up site. So it says what an
article costs in processor time, and how that grows with the workers; how many articles a second
come of it is a matter of the cores, and is printed beside.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from pathlib import Path

from ingestor.cluster.plan import Claim, defer
from ingestor.store.db.database import Database
from tools import postgres
from tools.cluster_soak import Crew
from tools.fake_internet import FakeInternet
from tools.living import wait_for
from tools.made_up_sina import made_up, publish
from tools.running import Site, feed
from tools.soak import descendants

TICKS = os.sysconf("SC_CLK_TCK")

FETCH = 'connections_per_host = 16\ndelay_per_host = "0s"\ntimeout = "30s"'
"""The site is ours: how fast we are, not how polite."""


@dataclass(frozen=True)
class Run:
    """What taking in the articles took."""

    name: str
    articles: int
    seconds: float
    ours: float
    """Processor seconds of the program and the processes that it started."""
    server: float
    """Processor seconds of PostgreSQL."""

    def line(self) -> str:
        """Return it as a line of a Markdown table."""
        each = 1000 / self.articles
        return (
            f"| {self.name} | {self.articles / self.seconds:.0f} | "
            f"{self.ours * each:.1f} | {self.server * each:.1f} |"
        )


def processor_seconds(process: int) -> float:
    """Return what a process, its children and those that ended before used so far."""
    total = 0
    for one in (process, *descendants(process)):
        try:
            fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        # utime, stime, and of children that were waited for cutime, cstime: proc(5).
        total += sum(map(int, fields[11:15]))
    return total / TICKS


@dataclass
class Bench:
    """A server and a site."""

    server: postgres.Server
    net: FakeInternet
    folder: Path
    number: int

    def site(self, name: str, *, local: bool = False) -> Site:
        """Return a new user's folder, with a database of its own."""
        folder = self.folder / name
        folder.mkdir()
        site = Site(
            folder, self.net, store="" if local else self.server.url(self.server.migrated())
        )
        site.configure(
            feed(more='every = "1h"'), fetch=FETCH, schedule='jitter = "0s"\nrecheck = []'
        )
        return site

    def measured(self, name: str, pids: Callable[[], list[int]], work: Callable[[], None]) -> Run:
        """Do something, and measure it from the outside."""
        server = self.server.process.pid
        before, began = processor_seconds(server), time.monotonic()
        ours = sum(map(processor_seconds, pids()))
        work()
        seconds = time.monotonic() - began
        used = sum(map(processor_seconds, pids())) - ours
        return Run(name, self.number, seconds, used, processor_seconds(server) - before)

    def once(self, name: str, *, local: bool) -> Run:
        """Take the articles in by one pass of one process."""
        site = self.site(name.replace(" ", "-"), local=local)
        before = sum(os.times()[2:4])
        run = self.measured(name, list, lambda: self._pass(site))
        # The pass is over: its time stands with this process, which waited for it.
        used = sum(os.times()[2:4]) - before
        return replace(run, ours=used, server=0.0 if local else run.server)

    def _pass(self, site: Site) -> None:
        subprocess.run(
            [sys.executable, "-m", "ingestor", "--once", "--quiet"],
            cwd=site.folder, env=site.environment(), check=True,
        )  # fmt: skip
        assert site.query("SELECT count(*) FROM articles") == [(self.number,)]

    def workers(self, number: int) -> Run:
        """Take the articles in by so many workers, of two jobs at a time each."""
        site = self.site(f"workers-{number}")
        publish(self.net, [])
        with Crew(site, ("--concurrency", "2", "--quiet")) as crew:
            for _ in range(number):
                crew.start()
            alive = "SELECT count(*) FROM procrastinate_workers"
            there = "SELECT to_regclass('procrastinate_workers') IS NOT NULL"
            wait_for(lambda: site.query(there)[0][0] and site.query(alive) == [(number,)], 120)
            crew.revive()
            polled = "SELECT count(*) FROM feeds WHERE last_ok_at IS NOT NULL"
            wait_for(lambda: site.query(polled) == [(1,)], 120)
            # Warm: each process has read a page before.
            self._announce(site, first=100_001, number=number * 64)
            self._announce(site, first=1, number=self.number, measured=False)
            run = self.measured(
                f"{number} worker{'s' if number > 1 else ''}",
                lambda: [one.pid for one in crew.workers],
                lambda: self._wait(site, self.number + number * 64),
            )
            assert crew.stop() == [0] * number, crew.said()
        return run

    def _announce(self, site: Site, *, first: int, number: int, measured: bool = True) -> None:
        publish(self.net, [made_up(one) for one in range(first, first + number)])
        with closing(Database(site.store)) as database, database.transaction() as connection:
            connection.exec_driver_sql("UPDATE feeds SET next_poll_at = NULL")
        if measured:
            self._wait(site, number)

    def _wait(self, site: Site, number: int) -> None:
        written = "SELECT count(*) FROM articles WHERE file_sha256 IS NOT NULL"
        wait_for(lambda: site.query(written)[0][0] >= number, 900)

    def engine(self, jobs: int) -> str:
        """Measure jobs that find nothing to do: what is left is the engine."""
        site = self.site("engine")
        with Crew(site, ("--concurrency", "2", "--quiet")) as crew:
            crew.start()
            alive = "SELECT to_regclass('procrastinate_workers') IS NOT NULL"
            wait_for(lambda: site.query(alive)[0][0], 120)
            wait_for(lambda: site.query("SELECT count(*) FROM articles")[0][0] > 0, 900)
            self._wait(site, self.number)
            claims = [Claim("ingest", 10**9 + one) for one in range(jobs)]
            with closing(Database(site.store)) as database:
                began = time.monotonic()
                with database.transaction() as connection:
                    defer(connection, claims)
                deferred = time.monotonic() - began
            left = "SELECT count(*) FROM procrastinate_jobs WHERE queue_name = 'ingest'"
            run = self.measured(
                "engine",
                lambda: [crew.workers[0].pid],
                lambda: wait_for(lambda: site.query(left) == [(0,)], 600),
            )
            assert crew.stop() == [0], crew.said()
        each = 1000 / jobs
        return (
            f"{jobs} jobs that find nothing: {jobs / run.seconds:.0f} a second, "
            f"{run.ours * each:.1f} ms of the worker's processor time and "
            f"{run.server * each:.1f} ms of PostgreSQL's each; "
            f"deferred in one batch at {jobs / deferred:.0f} a second"
        )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cluster", description=__doc__)
    parser.add_argument("articles", type=int, nargs="?", default=1_000)
    parser.add_argument("--jobs", type=int, default=1_000)
    given = parser.parse_args()
    with ExitStack() as stack:
        # As it would run: every commit waits for the disk.
        server = stack.enter_context(postgres.server(("shared_buffers=256MB",)))
        net = stack.enter_context(FakeInternet())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        bench = Bench(server, net, folder, given.articles)
        articles = [made_up(one) for one in range(1, given.articles + 1)]
        publish(net, articles)
        print("| | articles a second | ms of ours an article | ms of PostgreSQL's |")
        print("|---|---|---|---|")
        print(bench.once("one process on SQLite", local=True).line(), flush=True)
        print(bench.once("one process on PostgreSQL", local=False).line(), flush=True)
        for number in (1, 2, 4):
            print(bench.workers(number).line(), flush=True)
        publish(net, articles)
        print(bench.engine(given.jobs), flush=True)
        load = " ".join(f"{one:.1f}" for one in os.getloadavg())
        print(f"{os.cpu_count()} cores; load at the end {load}")


if __name__ == "__main__":
    main()
