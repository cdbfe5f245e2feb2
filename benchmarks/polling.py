"""Polls: two thousand feeds of which none changed, and feeds in which everything is new.

``python -m benchmarks.polling --feeds 2000`` prints the tables. Ours is a whole pass of
``ingest --once``, its start included; the first pass, which knows nothing yet, is not counted for
the idle feeds.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.measuring import Usage
from benchmarks.programs import (
    Program,
    configuration,
    expect,
    installed,
    markdown,
    rotated,
    run_contender,
    run_ours,
    summary,
    tell,
)
from benchmarks.site import Plan, RunningSite, running

OURS = Program("ingestor")
FLOOR = Program("httpx, conditional GET", "httpx_conditional")
READER = Program("lemon24/reader", "lemon24_reader", own_environment=True)

POLLS = Program("ingestor, polls alone", "poll_step")
"""As far as a feed reader goes: entries and their texts are in the database."""

IDLE = (OURS, FLOOR, READER)
NEW = (POLLS, READER, OURS)

ENTRIES = 20
"""Of a feed in which everything is new."""


@dataclass(frozen=True, slots=True)
class Polled:
    """The medians of a program's rounds."""

    program: Program
    feeds: int
    seconds: float
    cpu: float
    received: float
    """Bytes that a feed's server sent for a poll, headers included."""
    sent: float
    """Bytes that it was sent."""

    @property
    def per_second(self) -> float:
        """Feeds a second, the start included."""
        return self.feeds / self.seconds

    @property
    def cpu_per_feed(self) -> float:
        """Processor seconds, the start included."""
        return self.cpu / self.feeds


def idle(
    feeds: int, rounds: int, wanted: Sequence[Program], tags: Sequence[bool] = (True, False)
) -> list[list[Polled]]:
    """Poll feeds that did not change.

    Returns what it costs where they have an ETag and answer 304, and where they have none and
    send the same body again; ``tags`` says which of the two, the one with ETag first.
    """
    plan = Plan(1, feeds, text=False, copies=feeds)
    found = []
    with ExitStack() as stack:
        folders = {one.name: _folder(stack) for one in wanted}
        for number, have in enumerate(tags):
            with running(replace(plan, tags=have)) as site:
                for one in wanted if number == 0 else ():
                    tell("first poll", one, poll(one, site, folders[one.name]))
                site.traffic()
                found.append(_rounds(site, wanted, rounds, folders))
    return found


def everything_new(feeds: int, rounds: int, wanted: Sequence[Program]) -> list[Polled]:
    """Take in feeds of twenty entries whose text is in the feed."""
    with running(Plan(ENTRIES * feeds, feeds)) as site:
        return _rounds(site, wanted, rounds)


def _rounds(
    site: RunningSite,
    wanted: Sequence[Program],
    rounds: int,
    folders: dict[str, Path] | None = None,
) -> list[Polled]:
    runs: dict[str, list[tuple[Usage, dict[str, int]]]] = {one.name: [] for one in wanted}
    for number in range(rounds):
        for one in rotated(wanted, number):
            with ExitStack() as stack:
                folder = folders[one.name] if folders else _folder(stack)
                usage = poll(one, site, folder)
            runs[one.name].append((usage, site.traffic()))
            tell(f"round {number + 1}", one, usage)
    return [_polled(site.plan.feeds, one, runs[one.name]) for one in wanted]


def poll(program: Program, site: RunningSite, folder: Path) -> Usage:
    """Let a program poll all feeds once; return what it cost."""
    feeds = site.plan.feed_urls()
    if program.module:
        usage = run_contender(program, site, folder, feeds)
        done = json.loads(usage.said)["done"]
    else:
        text = 'content = "feed"' if site.plan.text else ""
        told = configuration(feeds, site.proxy, more_of_a_feed=text)
        (folder / "config.toml").write_text(told, "utf-8")
        usage = run_ours(folder)
        done = summary(usage)["feeds"] - summary(usage)["feeds_failed"]
    expect(program, done, len(feeds))
    return usage


def _folder(stack: ExitStack) -> Path:
    return Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))


def _polled(feeds: int, program: Program, runs: list[tuple[Usage, dict[str, int]]]) -> Polled:
    return Polled(
        program=program,
        feeds=feeds,
        seconds=statistics.median(usage.seconds for usage, _ in runs),
        cpu=statistics.median(usage.cpu for usage, _ in runs),
        received=statistics.median(traffic["sent"] for _, traffic in runs) / feeds,
        sent=statistics.median(traffic["received"] for _, traffic in runs) / feeds,
    )


def table(results: Sequence[Polled]) -> str:
    """Return the results as a table in Markdown; ratios are ours to theirs."""
    return markdown(
        ("", "feeds/s", "ours : theirs", "CPU ms/feed", "ours : theirs", "bytes got", "bytes sent"),
        _rows(results),
    )


def _rows(results: Sequence[Polled]) -> Iterator[tuple[str, ...]]:
    ours = results[0]
    for one in results:
        yield (
            one.program.name,
            f"{one.per_second:.0f}",
            f"{ours.per_second / one.per_second:.2f}",
            f"{one.cpu_per_feed * 1000:.2f}",
            f"{ours.cpu_per_feed / one.cpu_per_feed:.2f}",
            f"{one.received:.0f}",
            f"{one.sent:.0f}",
        )


def main() -> None:
    """Compare and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.polling", description=__doc__)
    parser.add_argument("--feeds", type=int, default=2000)
    parser.add_argument("--new", type=int, default=100, help="Feeds in which all is new.")
    parser.add_argument("--rounds", type=int, default=3)
    told = parser.parse_args()
    for results in idle(told.feeds, told.rounds, installed(IDLE)):
        print(table(results), flush=True)
    print(table(everything_new(told.new, told.rounds, installed(NEW))))


if __name__ == "__main__":
    main()
