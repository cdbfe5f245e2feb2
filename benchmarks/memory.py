"""What the program holds in memory: the daemon over thousands of feeds, and a long backfill.

``python -m benchmarks.memory --feeds 2000 --seconds 180 --articles 3000`` prints the tables.
"""

from __future__ import annotations

import argparse
import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from benchmarks.measuring import ENDED, ROOT, descendants, proportional_bytes
from benchmarks.past import API, FIRST
from benchmarks.programs import configuration, markdown
from benchmarks.site import Plan, running

A_DAY = 500
"""Articles of a day of the backfill: what Sina's busiest channel has, about."""

ROUND_SECONDS = 30
"""How often the daemon asks each feed."""


@dataclass(frozen=True, slots=True)
class Sample:
    """The program's size at one moment."""

    seconds: float
    """Since it was started."""
    done: int
    """Polls or articles so far."""
    main_bytes: int
    """Resident set of the main process."""
    all_bytes: int
    """Proportional set size of all processes together."""
    cpu: float
    """Processor seconds of all processes that live."""


REST_SECONDS = 75.0
"""Worker processes end a minute after their last work."""


@dataclass(frozen=True, slots=True)
class Idle:
    """A daemon that has nothing to do."""

    all_bytes: int
    """Proportional set size of all processes together."""
    busy: float
    """Share of a core that they use."""


def daemon(feeds: int, seconds: float, every: int = ROUND_SECONDS) -> list[Sample]:
    """Let the daemon poll feeds that do not change; sample it after it polled each once.

    It asks each feed ``every`` so many seconds.
    """
    schedule = f'every = "{every}s"\nslowest = "{every}s"\njitter = "5s"\n'
    with running(Plan(1, feeds, text=False, copies=feeds)) as site, _folder() as folder:
        told = configuration(site.plan.feed_urls(), site.proxy)
        (folder / "config.toml").write_text(f"[schedule]\n{schedule}{told}", "utf-8")
        polls = 0

        def polled() -> int:
            nonlocal polls
            polls += site.traffic()["requests"]
            return polls

        with _program(folder) as process:
            _wait_until(process, lambda: _all_polled(folder, feeds))
            end = time.monotonic() + seconds
            return list(_samples(process, polled, lambda: time.monotonic() > end, seconds / 40))


def idle(seconds: float, rest: float = REST_SECONDS) -> Idle:
    """Let the daemon take in what three feeds have, and look at it while nothing is due.

    That begins after so many seconds of ``rest``, when its worker processes have ended.
    """
    with running(Plan(3, 3)) as site, _folder() as folder:
        told = configuration(site.plan.feed_urls(), site.proxy)
        schedule = '[schedule]\nevery = "1h"\njitter = "0s"\n'
        (folder / "config.toml").write_text(f"{schedule}{told}", "utf-8")
        with _program(folder) as process:
            _wait_until(process, lambda: _articles(folder) >= site.plan.articles)
            time.sleep(rest)
            first, last = _looks(process, seconds)
            return Idle(last.all_bytes, (last.cpu - first.cpu) / (last.seconds - first.seconds))


def _looks(process: subprocess.Popen[bytes], seconds: float) -> tuple[Sample, Sample]:
    """Return a first and a last sample of a process, so many seconds apart."""
    found = list(_samples(process, lambda: 0, _counter(2), seconds))
    return found[0], found[-1]


def _counter(times: int) -> Callable[[], bool]:
    """Return what says that it is over after so many times."""
    left = iter(range(times))
    return lambda: next(left, None) is None


def due_at_once(feeds: int) -> list[float]:
    """Start the daemon when so many feeds are due, each with a new article.

    Returns after how many seconds, whole ones, each of them had been polled.
    """
    with running(Plan(feeds, feeds)) as site, _folder() as folder:
        (folder / "config.toml").write_text(
            configuration(site.plan.feed_urls(), site.proxy), "utf-8"
        )
        began = time.time()
        with _program(folder) as process:
            _wait_until(process, lambda: _all_polled(folder, feeds))
        with closing(sqlite3.connect(folder / "archive.db")) as asked:
            query = "SELECT unixepoch(last_ok_at) FROM feeds ORDER BY 1"
            return [moment - began for (moment,) in asked.execute(query)]


def backfill(articles: int) -> list[Sample]:
    """Let ``ingest --once --since`` walk over so many articles; sample it all the while."""
    feed = f'name = "国内滚动"\nkind = "sina-roll"\nurl = "{API}"\n'
    with running(Plan(0, 0, past=A_DAY)) as site, _folder() as folder:
        told = configuration([], site.proxy) + f"[[feeds]]\n{feed}"
        (folder / "config.toml").write_text(told, "utf-8")
        last = FIRST + timedelta(days=max(1, articles // A_DAY) - 1)
        span = ("--once", "--since", FIRST.isoformat(), "--until", last.isoformat(), "--json")
        every = max(0.25, articles / 10_000)
        with _program(folder, *span) as process:
            found = list(
                _samples(process, lambda: _articles(folder), lambda: _ended(process), every)
            )
            if process.wait():
                raise RuntimeError(f"the backfill failed: {_said(folder)}")
        if _articles(folder) < articles // A_DAY * A_DAY:
            raise RuntimeError(f"{_articles(folder)} articles instead of {articles}")
        return [one for one in found if one.done]


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        yield Path(folder)


@contextmanager
def _program(folder: Path, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    with (
        (folder / "stderr.txt").open("wb") as errors,
        subprocess.Popen(
            [sys.executable, "-m", "ingestor", "--quiet", *arguments],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.DEVNULL,
            stderr=errors,
        ) as process,
    ):
        try:
            yield process
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait(60)


def _wait_until(process: subprocess.Popen[bytes], condition: Callable[[], bool]) -> None:
    while not condition():
        if _ended(process):
            raise RuntimeError("the daemon ended")
        time.sleep(0.5)


def _samples(
    process: subprocess.Popen[bytes],
    done: Callable[[], int],
    over: Callable[[], bool],
    every: float,
) -> Iterator[Sample]:
    began = time.monotonic()
    while not over():
        every_process = [process.pid, *descendants(process.pid)]
        yield Sample(
            seconds=time.monotonic() - began,
            done=done(),
            main_bytes=_resident(process.pid),
            all_bytes=sum(map(proportional_bytes, every_process)),
            cpu=sum(map(_worked, every_process)),
        )
        time.sleep(every)


def _ended(process: subprocess.Popen[bytes]) -> bool:
    return process.poll() is not None


def _resident(process: int) -> int:
    with suppress(*ENDED):
        for line in Path(f"/proc/{process}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
    return 0


def _worked(process: int) -> float:
    """Return the processor seconds of a process and of those that it waited for (proc(5))."""
    with suppress(*ENDED):
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
    return 0.0


def _ask(folder: Path, sql: str) -> int:
    """Ask the database; 0 as long as there is none."""
    try:
        with closing(sqlite3.connect(f"file:{folder}/archive.db?mode=ro", uri=True)) as asked:
            return int(asked.execute(sql).fetchone()[0] or 0)
    except sqlite3.OperationalError:
        return 0


def _articles(folder: Path) -> int:
    return _ask(folder, "SELECT max(id) FROM articles")


def _all_polled(folder: Path, feeds: int) -> bool:
    return _ask(folder, "SELECT count(*) FROM feeds WHERE last_ok_at IS NOT NULL") >= feeds


def _said(folder: Path) -> str:
    return (folder / "stderr.txt").read_text("utf-8")[-4000:]


def growth(samples: Sequence[Sample]) -> float:
    """Return how much the main process grew from the end of the first third to the end."""
    third = len(samples) // 3
    warm, late = (
        statistics.median(one.main_bytes for one in part)
        for part in (samples[third : 2 * third], samples[-third:])
    )
    return late / warm - 1


def cpu_per_poll(samples: Sequence[Sample]) -> float:
    """Return the processor seconds of a poll while the daemon runs: without any start."""
    first, last = samples[0], samples[-1]
    return (last.cpu - first.cpu) / max(1, last.done - first.done)


def table(samples: Sequence[Sample], what: str) -> str:
    """Return a few of the samples as a table in Markdown."""
    chosen = samples[:: max(1, (len(samples) - 1) // 8)]
    rows = (
        (
            f"{one.done}",
            f"{one.seconds:.0f}",
            f"{one.main_bytes / 2**20:.0f}",
            f"{one.all_bytes / 2**20:.0f}",
            f"{one.cpu:.1f}",
        )
        for one in chosen
    )
    return markdown((what, "s", "main process MiB", "all processes MiB", "CPU s"), rows)


def main() -> None:
    """Sample and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.memory", description=__doc__)
    parser.add_argument("--feeds", type=int, default=2000)
    parser.add_argument("--seconds", type=float, default=180)
    parser.add_argument("--articles", type=int, default=3000)
    told = parser.parse_args()
    polled = daemon(told.feeds, told.seconds)
    print(table(polled, "polls"), f"grown by {growth(polled):.1%}", sep="\n\n", flush=True)
    walked = backfill(told.articles)
    print(table(walked, "articles"), f"grown by {growth(walked):.1%}", sep="\n\n")


if __name__ == "__main__":
    main()
