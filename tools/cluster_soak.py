"""Worker processes of a cluster on a fake site, killed and replaced while they work.

``python -m tools.cluster_soak 5000`` is ``make soak-cluster``.
"""

from __future__ import annotations

import argparse
import itertools
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from tools import postgres
from tools.fake_internet import Answer, FakeInternet
from tools.forked import Process
from tools.living import LONGEST, wait_for
from tools.made_up_sina import finance_page, made_up, publish
from tools.running import Site, feed

PLACES = 3
"""Requests to a host at a time, over all workers."""

DELAY = 0.02
"""Seconds between two requests to a host, over all workers."""

PAGE_SECONDS = 0.1
"""How long the fake site takes for a page."""


@dataclass
class Crew:
    """Workers of one site; in a ``with`` block they are killed at the end if need be."""

    site: Site
    arguments: tuple[str, ...] = ()
    prefix: tuple[str, ...] = ()
    """What each worker's command begins with, such as ``ip netns exec NAME``."""
    whole: bool = True
    """Whether each is ``python -m ingestor``; else they are forked, for a tenth of the time."""
    workers: list[subprocess.Popen | Process] = field(default_factory=list)
    _started: itertools.count = field(default_factory=itertools.count)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for one in self.workers:
            if one.poll() is None:
                one.kill()
            one.wait()

    def start(self, *arguments: str, folder: Path | None = None) -> subprocess.Popen | Process:
        """Start one more worker."""
        command = ["worker", *self.arguments, *arguments]
        worker: subprocess.Popen | Process
        with (self.site.folder / f"worker-{next(self._started)}.txt").open("wb") as errors:
            if self.whole:
                worker = subprocess.Popen(
                    [*self.prefix, sys.executable, "-m", "ingestor", *command],
                    cwd=folder or self.site.folder,
                    env=self.site.environment(),
                    stderr=errors,
                )
            else:
                worker = self.site.start(*command, stderr=errors.fileno())
        self.workers.append(worker)
        return worker

    def kill(self, worker: subprocess.Popen | Process) -> None:
        """Kill a worker as the kernel does, with no time for anything."""
        worker.kill()
        worker.wait()
        self.workers.remove(worker)

    def revive(self) -> None:
        """Start workers again that found no server, as systemd does; no other may have ended."""
        for one in [one for one in self.workers if one.poll() is not None]:
            assert one.returncode == 3, self.said()
            self.workers.remove(one)
            self.start()

    def stop(self) -> list[int]:
        """Tell all workers to stop; return their exit codes."""
        for one in self.workers:
            one.send_signal(signal.SIGTERM)
        return [one.wait(timeout=LONGEST) for one in self.workers]

    def said(self) -> str:
        """Return what the workers wrote to standard error, all of them."""
        logs = sorted(self.site.folder.glob("worker-*.txt"))
        return "\n".join(path.read_text("utf-8", "replace") for path in logs)


class SlowSite:
    """Sina's pages, each answered slowly; counts how many are at a time, and when each began."""

    def __init__(self, net: FakeInternet, articles: list) -> None:
        self._pages = {urlsplit(one.url).path: finance_page(one) for one in articles}
        self._lock = threading.Lock()
        self._running = 0
        self.most = 0
        self.began: list[float] = []
        # With their texts, thousands would make a feed larger than any may be.
        publish(net, articles, full=False)
        for one in articles:
            net.remove(one.url)
        net.serve_function("https://finance.sina.com.cn/", self._answer)

    def _answer(self, url: str, _headers: object) -> Answer:
        found = self._pages.get(urlsplit(url).path)
        with self._lock:
            self._running += 1
            self.most = max(self.most, self._running)
            self.began.append(time.monotonic())
        threading.Event().wait(PAGE_SECONDS)
        with self._lock:
            self._running -= 1
        return Answer(found.encode()) if found else Answer(b"nothing here", status=404)


@dataclass(frozen=True)
class Outcome:
    """What a soak came to."""

    wanted: int
    articles: list[tuple]
    """Address and number of each article."""
    entries: dict[str, int]
    most: int
    """Requests to one host at a time, at most."""
    pace: float
    """Requests a second to the site, over all of it."""
    kills: int
    codes: list[int]
    verified: tuple[int, str]
    said: str

    def troubles(self) -> list[str]:
        """Return what is not as it should be."""
        found = []
        addresses = Counter(url for url, _ in self.articles)
        if twice := [url for url, number in addresses.items() if number > 1]:
            found.append(f"{len(twice)} articles twice: {twice[:3]}")
        if len(addresses) != self.wanted:
            found.append(f"{len(addresses)} articles of {self.wanted}")
        if set(self.entries) != {"done"}:
            found.append(f"entries: {self.entries}")
        if self.most > PLACES:
            found.append(f"{self.most} requests at a time, {PLACES} allowed")
        if self.pace > 1.02 / DELAY:
            found.append(f"{self.pace:.1f} requests a second, {1 / DELAY:.0f} allowed")
        if any(self.codes):
            found.append(f"exit codes {self.codes}")
        if self.verified[0]:
            found.append(f"verify: {self.verified[1]}")
        return found


def soak(
    server: postgres.Server,
    site: Site,
    number: int,
    *,
    workers: int = 4,
    kill_every: float = 3.0,
    most_kills: int = 10_000,
) -> Outcome:
    """Let workers take in articles while they are killed and the server is restarted once."""
    site.store = server.url(server.migrated())
    articles = [made_up(one) for one in range(1, number + 1)]
    slow = SlowSite(site.net, articles)
    site.configure(
        feed(more='every = "2s"'),
        fetch=f'connections_per_host = {PLACES}\ndelay_per_host = "{DELAY}s"\ntimeout = "1s"',
        schedule='jitter = "0s"\nrecheck = []',
        cluster='stalled_after = "3s"',
    )
    dice, kills, restarted = random.Random(9), 0, False
    with Crew(site, ("--concurrency", "2")) as crew:
        for _ in range(workers):
            crew.start()
        while (done := _taken_in(site)) < number:
            crew.revive()
            wait_for(lambda: _taken_in(site) >= number, kill_every, fails=False)
            if not restarted and done >= number // 3:
                server.restart()
                restarted = True
            if done < number and kills < most_kills and done:
                crew.kill(dice.choice(crew.workers))
                crew.start()
                kills += 1
        if not restarted:
            server.restart()
        wait_for(lambda: not site.query("SELECT 1 FROM articles WHERE file_sha256 IS NULL"))
        codes = crew.stop()
        said = crew.said()
    checked = site.run("verify")
    seconds = slow.began[-1] - slow.began[0]
    return Outcome(
        wanted=number,
        articles=site.query("SELECT url, id FROM articles"),
        entries=dict(site.query("SELECT state, count(*) FROM entries GROUP BY 1")),
        most=slow.most,
        pace=len(slow.began) / seconds,
        kills=kills,
        codes=codes,
        verified=(checked.returncode, checked.stdout[-500:]),
        said=said,
    )


def _taken_in(site: Site) -> int:
    return site.query("SELECT count(*) FROM entries WHERE state = 'done'")[0][0]


def main() -> int:
    """Soak and judge; return 1 when something is wrong."""
    parser = argparse.ArgumentParser(prog="python -m tools.cluster_soak", description=__doc__)
    parser.add_argument("articles", type=int, nargs="?", default=5_000)
    with ExitStack() as stack:
        server = stack.enter_context(postgres.server())
        net = stack.enter_context(FakeInternet())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        outcome = soak(server, Site(folder, net), parser.parse_args().articles)
        print(
            f"{len(outcome.articles)} articles, {outcome.kills} kills, "
            f"{outcome.most} requests at a time, {outcome.pace:.1f} a second"
        )
        found = outcome.troubles()
        print("\n".join(found or ["all well"]))
        if found:
            print(outcome.said[-5000:])
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
