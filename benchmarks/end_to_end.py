"""A thousand pages from feed to archive, by our program and by others, in turns.

``python -m benchmarks.end_to_end --articles 1000 --rounds 3`` prints a table.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measuring import Usage, measured
from benchmarks.programs import Program, installed, markdown, rotated, run, tell
from benchmarks.site import Plan, RunningSite, running

OURS = Program("ingestor")
FLOOR = Program("floor", "floor")
# A main process and a worker for each processor, as ours has.
FLOOR_MANY = Program("floor, as many processes", "floor", 1 + (os.cpu_count() or 1))
SOUP = Program("requests + BeautifulSoup", "requests_soup", own_environment=True)
READABILITY = Program("httpx + readability-lxml", "httpx_readability", own_environment=True)
TRAFILATURA = Program("httpx + trafilatura", "httpx_trafilatura", own_environment=True)

PROGRAMS = (OURS, FLOOR, FLOOR_MANY, SOUP, READABILITY, TRAFILATURA)


@dataclass(frozen=True, slots=True)
class Result:
    """The medians of a program's rounds."""

    program: Program
    articles: int
    seconds: float
    cpu: float
    peak_bytes: int
    processes: int
    start_seconds: float
    """Of a run over nothing."""
    start_cpu: float

    @property
    def per_second(self) -> float:
        """Articles a second, the start included."""
        return self.articles / self.seconds

    @property
    def cpu_per_article(self) -> float:
        """Processor seconds, the start included."""
        return self.cpu / self.articles


def compare(plan: Plan, wanted: Sequence[Program], rounds: int) -> list[Result]:
    """Let the programs do the same work in turns; return their medians, in this order."""
    runs: dict[str, list[Usage]] = {one.name: [] for one in wanted}
    starts: dict[str, list[Usage]] = {one.name: [] for one in wanted}
    with running(plan) as site:
        for number in range(rounds):
            # Each program comes first once: caches and heat favour nobody.
            for one in rotated(wanted, number):
                starts[one.name].append(once(one, site, nothing=True))
                runs[one.name].append(once(one, site))
                tell(f"round {number + 1}", one, runs[one.name][-1])
    return [_result(plan, one, runs[one.name], starts[one.name]) for one in wanted]


def reextracted(plan: Plan) -> float:
    """Take in what a site has, and read it all again; return the articles per processor second."""
    with running(plan) as site, tempfile.TemporaryDirectory(prefix="bench-") as folder:
        run(OURS, site, Path(folder))
        again = (sys.executable, "-m", "ingestor", "--quiet", "reextract")
        return plan.articles / measured(again, Path(folder)).cpu


def once(program: Program, site: RunningSite, *, nothing: bool = False) -> Usage:
    """Run a program in a new folder."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        return run(program, site, Path(folder), nothing=nothing)


def _result(plan: Plan, program: Program, runs: list[Usage], starts: list[Usage]) -> Result:
    return Result(
        program=program,
        articles=plan.articles,
        seconds=statistics.median(one.seconds for one in runs),
        cpu=statistics.median(one.cpu for one in runs),
        peak_bytes=round(statistics.median(one.peak_bytes for one in runs)),
        processes=max(one.processes for one in runs),
        start_seconds=statistics.median(one.seconds for one in starts),
        start_cpu=statistics.median(one.cpu for one in starts),
    )


def table(results: Sequence[Result]) -> str:
    """Return the results as a table in Markdown; ratios are ours to theirs."""
    heads = (
        "",
        "articles/s",
        "ours : theirs",
        "CPU ms/article",
        "ours : theirs",
        "peak MiB",
        "processes",
        "start s",
        "start CPU s",
    )
    return markdown(heads, _rows(results))


def _rows(results: Sequence[Result]) -> Iterator[tuple[str, ...]]:
    ours = results[0]
    for one in results:
        yield (
            one.program.name,
            f"{one.per_second:.1f}",
            f"{ours.per_second / one.per_second:.2f}",
            f"{one.cpu_per_article * 1000:.2f}",
            f"{ours.cpu_per_article / one.cpu_per_article:.2f}",
            f"{one.peak_bytes / 2**20:.0f}",
            f"{one.processes}",
            f"{one.start_seconds:.2f}",
            f"{one.start_cpu:.2f}",
        )


def main() -> None:
    """Compare and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.end_to_end", description=__doc__)
    parser.add_argument("--articles", type=int, default=1000)
    parser.add_argument("--feeds", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--titles-only", action="store_true", help="Feeds without texts.")
    parser.add_argument("--real", default="", help="A folder of real pages.")
    parser.add_argument("--only", action="append", help="A program's name (repeatable).")
    told = parser.parse_args()
    plan = Plan(told.articles, told.feeds, text=not told.titles_only, real=told.real)
    wanted = [one for one in installed(PROGRAMS) if not told.only or one.name in told.only]
    print(table(compare(plan, wanted, told.rounds)))


if __name__ == "__main__":
    main()
