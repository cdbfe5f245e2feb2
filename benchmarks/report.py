"""``make bench``: measures everything and writes ``docs/performance.md`` and its picture."""

from __future__ import annotations

import argparse
import itertools
import os
import sys
import textwrap
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import end_to_end, memory, polling, stages, starting
from benchmarks.goals import (
    COMMAND_GOALS,
    FULL_GOALS,
    GOALS,
    IDLE_GOALS,
    LONG_GOALS,
    MEMORY_GOALS,
    Ratios,
    article_ratios,
    poll_ratios,
    verdicts,
)
from benchmarks.machine import busy, commit, machine
from benchmarks.measuring import ROOT
from benchmarks.plot import bars
from benchmarks.programs import CONNECTIONS, installed, markdown
from benchmarks.site import Plan

REAL_PAGES = Path(os.environ.get("INGESTOR_SHARED", ROOT.parent / "shared")) / "sina" / "pages"

NOTES = ROOT / "benchmarks" / "notes.md"
"""What was tried, written by hand."""

UNFINISHED = ROOT / "build" / "bench-unfinished"
"""What there is of a page while it is measured: one that ends early replaces no whole one."""

GROWTH = ROOT / "benchmarks" / "growth.md"
"""What large archives cost, measured by itself because it takes long."""


COMMAND_ROUNDS = 20

MANY_SECONDS = 300
"""Between two polls of each of many feeds."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured."""

    articles: int
    real_articles: int
    feeds: int
    new_feeds: int
    rounds: int
    daemon_seconds: float
    backfill: int
    idle_seconds: float = 60
    many_feeds: int = 10_000


@dataclass
class Measured:
    """Everything that was measured."""

    sizes: Sizes
    load: float = field(default_factory=busy)
    """What others wanted of the machine before it began."""
    articles: list[end_to_end.Result] = field(default_factory=list)
    real: list[end_to_end.Result] = field(default_factory=list)
    idle: list[polling.Polled] = field(default_factory=list)
    same: list[polling.Polled] = field(default_factory=list)
    new: list[polling.Polled] = field(default_factory=list)
    commands: dict[str, float] = field(default_factory=dict)
    """Processor seconds by :mod:`benchmarks.starting`'s names."""
    reextract_rate: float | None = None
    """Articles that are read again in a processor second."""
    rest: memory.Idle | None = None
    daemon: list[memory.Sample] = field(default_factory=list)
    many: list[memory.Sample] = field(default_factory=list)
    """Of :data:`MANY_SECONDS` between two polls of each feed."""
    due: list[float] = field(default_factory=list)
    """Seconds after which each feed was polled, of those that were due at once."""
    backfill: list[memory.Sample] = field(default_factory=list)
    stages: stages.Sampled | None = None

    @property
    def ratios(self) -> Ratios:
        """All that goals are set for and that was measured, by key."""
        ratios: dict[str, float | None] = dict(self.commands)
        if self.articles:
            ratios |= article_ratios(self.articles)
        if self.real:
            ratios |= {f"real_{key}": ratio for key, ratio in article_ratios(self.real).items()}
        if self.idle:
            ratios |= poll_ratios(self.idle, self.new)
            again = poll_ratios(self.same, self.new)
            ratios["same_cpu_to_httpx"] = again["idle_cpu_to_httpx"]
        if self.daemon:
            ratios["daemon_mb"] = max(sample.main_bytes for sample in self.daemon) / 1e6
            ratios["daemon_growth"] = memory.growth(self.daemon)
        if self.backfill:
            ratios["backfill_growth"] = memory.growth(self.backfill)
        return ratios | {"reextract_rate": self.reextract_rate} | self._at_rest

    @property
    def _at_rest(self) -> dict[str, float | None]:
        found: dict[str, float | None] = {}
        if self.rest:
            found["idle_mb"] = self.rest.all_bytes / 1e6
            found["idle_percent"] = self.rest.busy * 100
        if self.many:
            first, last = self.many[0], self.many[-1]
            found["many_mb"] = max(sample.main_bytes for sample in self.many) / 1e6
            found["many_percent"] = (last.cpu - first.cpu) / (last.seconds - first.seconds) * 100
        if self.due:
            found["late_seconds"] = sorted(self.due)[int(len(self.due) * 0.95)]
        return found


def measure(sizes: Sizes, only: Collection[str]) -> Iterator[Measured]:
    """Measure the parts of these names, one after the other; yield all there is after each."""
    found = Measured(sizes)
    for name, part in {**PARTS, **LONG_PARTS}.items():
        if name in only:
            _say(name)
            part(found)
            yield found


def _measure_commands(found: Measured) -> None:
    found.commands = starting.commands(COMMAND_ROUNDS)


def _measure_articles(found: Measured) -> None:
    plan, programs = Plan(found.sizes.articles, 20), installed(end_to_end.PROGRAMS)
    found.articles = end_to_end.compare(plan, programs, found.sizes.rounds)


def _measure_real(found: Measured) -> None:
    if REAL_PAGES.is_dir():
        plan = Plan(found.sizes.real_articles, 20, real=str(REAL_PAGES))
        found.real = end_to_end.compare(plan, installed(end_to_end.PROGRAMS), 1)


def _measure_stages(found: Measured) -> None:
    found.stages = stages.sampled(Plan(found.sizes.articles, 20))


def _measure_polls(found: Measured) -> None:
    sizes = found.sizes
    idle, new = installed(polling.IDLE), installed(polling.NEW)
    found.idle, found.same = polling.idle(sizes.feeds, sizes.rounds, idle)
    found.new = polling.everything_new(sizes.new_feeds, sizes.rounds, new)


def _measure_daemon(found: Measured) -> None:
    found.daemon = memory.daemon(found.sizes.feeds, found.sizes.daemon_seconds)


def _measure_backfill(found: Measured) -> None:
    found.backfill = memory.backfill(found.sizes.backfill)


def _measure_reextract(found: Measured) -> None:
    found.reextract_rate = end_to_end.reextracted(Plan(found.sizes.articles, 20))


def _measure_idle(found: Measured) -> None:
    found.rest = memory.idle(found.sizes.idle_seconds)


def _measure_many(found: Measured) -> None:
    # Over two intervals, so that each feed counts as often as any other.
    found.many = memory.daemon(found.sizes.many_feeds, 2 * MANY_SECONDS, MANY_SECONDS)


def _measure_due(found: Measured) -> None:
    found.due = memory.due_at_once(found.sizes.feeds)


PARTS: Mapping[str, Callable[[Measured], None]] = {
    "commands": _measure_commands,
    "articles": _measure_articles,
    "real": _measure_real,
    "stages": _measure_stages,
    "polls": _measure_polls,
    "reextract": _measure_reextract,
    "idle": _measure_idle,
    "daemon": _measure_daemon,
    "backfill": _measure_backfill,
}
"""What ``make bench`` measures, by the names that ``--only`` takes."""

LONG_PARTS: Mapping[str, Callable[[Measured], None]] = {"many": _measure_many, "due": _measure_due}
"""What takes longer, and only ``make bench-long`` measures: a page of its own."""


def _say(what: str) -> None:
    print(f"{datetime.now(UTC):%H:%M:%S} {what}", file=sys.stderr, flush=True)


def page(found: Measured) -> str:
    """Return ``docs/performance.md``."""
    sections = [_head(found)]
    sections += [_commands(found)] if found.commands else []
    sections += [_articles(found)] if found.articles else []
    sections += [_polls(found)] if found.idle else []
    sections += [_memory(found)] if found.daemon or found.backfill or found.rest else []
    sections += [_long(found)] if found.many or found.due else []
    by_hand = [path.read_text("utf-8").rstrip() for path in (GROWTH, NOTES) if path.exists()]
    return "\n\n".join([*map(_wrapped, itertools.chain.from_iterable(sections)), *by_hand])


def _wrapped(part: str) -> str:
    """Return a paragraph in lines of a hundred characters; what has lines already stays."""
    if "\n" in part or part.startswith(("#", "!")):
        return part
    return textwrap.fill(part, 100, break_long_words=False, break_on_hyphens=False)


def _head(found: Measured) -> Iterator[str]:
    yield "# Performance"
    yield (
        "Written by `make bench`, which measures our program and others side by side in one run, "
        "in turns, and takes medians. A ratio says something; a figure alone says more about the "
        "machine. `make bench-quick` prints the ratios of a small run as one JSON line, "
        "`make profile` writes [profile.txt](profile.txt)."
    )
    yield (
        f"Measured {datetime.now(UTC):%Y-%m-%d}, {commit()}, {found.sizes.rounds} rounds, on "
        f"{machine()}; before it began, {found.load:.1f} processes were busy. "
        "Everything is on one machine: the site that is asked shares its processors, but its time "
        "is not counted."
    )
    yield "## Goals"
    yield markdown(("", "wanted", "measured", ""), list(_goals(found)))
    yield "![Articles a second and processor time](performance.svg)"


def _goals(found: Measured) -> Iterator[tuple[str, ...]]:
    every = (*COMMAND_GOALS, *GOALS, *FULL_GOALS, *MEMORY_GOALS, *IDLE_GOALS)
    long = LONG_GOALS if found.many or found.due else ()
    return verdicts((*every, *long), found.ratios)


def _commands(found: Measured) -> Iterator[str]:
    yield "## Commands"
    yield (
        f"Processor seconds of a whole command on an archive of {starting.ARTICLES} articles, "
        f"medians of {COMMAND_ROUNDS}; below them, what they are made of, and other programs."
    )
    yield starting.table(found.commands)


def _articles(found: Measured) -> Iterator[str]:
    sizes = found.sizes
    yield "## From feed to archive"
    yield (
        f"{sizes.articles} pages of 100 kB on average, with a made-up article on each and the "
        "proportions of real pages (46% style sheets, 15% scripts), gzip as sent by the server, "
        f"announced by 20 feeds that carry the text as RSSHub's do; {CONNECTIONS} connections for "
        "everyone, plain http through a proxy on loopback. Ours is `ingest --once` with its "
        "defaults (WARC, fsync, full text, stories, files, robots.txt) but without a pause between "
        "requests. The others are handed the addresses, and none of them waits for the disk before "
        "its end. *Floor*: httpx, one lxml parse, one "
        "insert, one gzip write a page, one commit at the end. Processor time is user and system "
        "of all processes; the start of each program is included, and shown by itself (a pass over "
        "nothing). Memory is the sum of proportional set sizes."
    )
    yield end_to_end.table(found.articles)
    yield (
        "Not beside them, for they do something else: news-please crawls whole sites by Scrapy, "
        "and its time is the crawl's; fundus reads only the publishers that it has a parser for, "
        "and Sina is none of them; Miniflux's readability is a part of a server in Go, without a "
        "command that takes one page."
    )
    if found.real:
        yield (
            f"The same with {sizes.real_articles} pages that have the furniture of real ones "
            "(230 to 410 kB), one round:"
        )
        yield end_to_end.table(found.real)
    if found.stages:
        yield "### By stage"
        yield (
            "Ours once more, each process looking at its own threads a hundred times a second; "
            "this looking costs a little too."
        )
        yield stages.table(found.stages)


def _polls(found: Measured) -> Iterator[str]:
    sizes = found.sizes
    yield "## Polls"
    yield (
        f"{sizes.feeds} feeds of which none changed; the first poll is not counted. Ours is a "
        "whole `ingest --once`, its start included. They answer 304:"
    )
    yield polling.table(found.idle)
    yield "They know no ETag and send the same body again, which we also keep a record of:"
    yield polling.table(found.same)
    if found.daemon:
        each = memory.cpu_per_poll(found.daemon) * 1000
        yield f"In the running daemon a poll that answers 304 takes {each:.2f} ms."
    yield (
        f"{sizes.new_feeds} feeds of {polling.ENTRIES} entries, all new, with their text. Polls "
        "alone, the daemon's first step, go as far as a feed reader: entries and texts are in the "
        "database, the feeds' bodies in the WARC. A whole pass of ours makes articles of them: "
        "cleaned, searchable, with history and files:"
    )
    yield polling.table(found.new)


def _memory(found: Measured) -> Iterator[str]:
    yield "## Memory"
    if found.rest:
        yield (
            f"The daemon with three feeds of which none is due, {memory.REST_SECONDS:.0f} s after "
            f"its last work: {found.rest.all_bytes / 2**20:.0f} MiB in all processes, "
            f"{found.rest.busy:.2%} of a core."
        )
    if found.daemon:
        yield (
            f"The daemon with {found.sizes.feeds} feeds that it polls every "
            f"{memory.ROUND_SECONDS} s, from when it had polled all; the main process grew by "
            f"{memory.growth(found.daemon):.1%}:"
        )
        yield memory.table(found.daemon, "polls")
    if found.backfill:
        yield (
            f"A backfill (`--since`) of {found.sizes.backfill} articles; the main process grew by "
            f"{memory.growth(found.backfill):.1%} after the first third:"
        )
        yield memory.table(found.backfill, "articles")


def _long(found: Measured) -> Iterator[str]:
    yield "## Many feeds"
    if found.many:
        yield f"{found.sizes.many_feeds} feeds, each polled every {MANY_SECONDS} s:"
        yield memory.table(found.many, "polls")
    if found.due:
        yield (
            f"{found.sizes.feeds} feeds with a new article each, all due as the daemon starts: all "
            f"polled after {max(found.due):.0f} s."
        )


def picture(found: Measured) -> str:
    """Return the picture that goes with the page."""
    rates = [(one.program.name, one.per_second) for one in found.articles]
    costs = [(one.program.name, one.cpu_per_article * 1000) for one in found.articles]
    polls = [(one.program.name, one.per_second) for one in found.idle]
    panels = (
        ("Articles a second (more is better)", rates),
        ("Processor time, ms an article (less is better)", costs),
        ("Idle feeds polled a second (more is better)", polls),
    )
    return bars([panel for panel in panels if panel[1]])


def _parts(listed: str) -> list[str]:
    names = listed.split(",")
    if unknown := set(names) - PARTS.keys() - LONG_PARTS.keys():
        raise argparse.ArgumentTypeError(f"no such part: {', '.join(sorted(unknown))}")
    return names


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.report", description=__doc__)
    parser.add_argument("--articles", type=int, default=1000)
    parser.add_argument("--real-articles", type=int, default=300)
    parser.add_argument("--feeds", type=int, default=2000)
    parser.add_argument("--new-feeds", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--daemon-seconds", type=float, default=120)
    parser.add_argument("--backfill", type=int, default=2000)
    parser.add_argument("--idle-seconds", type=float, default=60)
    parser.add_argument("--many-feeds", type=int, default=10_000)
    parser.add_argument("--to", type=Path, help="docs, or build/bench with --only")
    named = ", ".join([*PARTS, *LONG_PARTS])
    parser.add_argument("--only", type=_parts, default=PARTS, metavar="PARTS", help=f"Of {named}.")
    told = vars(parser.parse_args())
    folder, only, began = told.pop("to"), told.pop("only"), time.monotonic()
    # What measures a part does not replace the page that has all of them.
    folder = folder or ROOT / ("docs" if only is PARTS else "build/bench")
    sizes = Sizes(**told)
    for found in measure(sizes, only):
        # After each part: what ends it early costs no more than the part that it was at.
        _write(found, UNFINISHED)
    _write(found, folder)
    for text, wanted, measured, verdict in _goals(found):
        print(f"{verdict.strip('*'):8} {text}: {measured} ({wanted})")
    _say(f"{folder / 'performance.md'}, after {time.monotonic() - began:.0f} s")


def _write(found: Measured, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "performance.md").write_text(page(found) + "\n", "utf-8")
    (folder / "performance.svg").write_text(picture(found), "utf-8")


if __name__ == "__main__":
    main()
