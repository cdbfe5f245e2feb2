"""The ratios that count, by name, and what is wanted of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from benchmarks import end_to_end, polling
from benchmarks.end_to_end import Result
from benchmarks.polling import Polled

Ratios = Mapping[str, float | None]
"""Ours to theirs; ``None``: theirs was not measured."""


@dataclass(frozen=True, slots=True)
class Goal:
    """What is wanted of a ratio."""

    key: str
    text: str
    kind: Literal["at most", "at least"]
    bound: float

    def reached(self, ratio: float) -> bool:
        """Whether a ratio is as wanted."""
        return ratio <= self.bound if self.kind == "at most" else ratio >= self.bound


GOALS = (
    Goal("cpu_to_floor", "CPU per article, to the floor's", "at most", 2.0),
    Goal("cpu_to_soup", "CPU per article, to requests + BeautifulSoup", "at most", 1 / 3),
    Goal("cpu_to_readability", "CPU per article, to readability-lxml", "at most", 0.45),
    Goal("cpu_to_trafilatura", "CPU per article, to trafilatura", "at most", 0.33),
    Goal("rate_to_floor", "articles/s, to the floor in as many processes", "at least", 0.45),
    Goal("rate_to_soup", "articles/s, to requests + BeautifulSoup", "at least", 4.0),
    Goal("rate_to_readability", "articles/s, to readability-lxml", "at least", 3.0),
    Goal("rate_to_trafilatura", "articles/s, to trafilatura", "at least", 4.0),
    Goal("idle_cpu_to_httpx", "CPU per idle poll, to a bare conditional GET", "at most", 1.25),
    Goal("idle_rate_to_reader", "idle feeds/s, to lemon24/reader", "at least", 2.5),
    Goal(
        "new_rate_to_reader",
        "feeds/s with 20 new entries, polls alone, to lemon24/reader",
        "at least",
        4.0,
    ),
)

FULL_GOALS = (
    Goal("entry_ms", "CPU ms per new entry, 20 in a feed with their text", "at most", 3.5),
    Goal("reextract_rate", "reextract, articles per CPU s", "at least", 300),
    Goal("same_cpu_to_httpx", "CPU per poll of the same body, to a bare GET", "at most", 1.8),
    Goal("real_cpu_to_floor", "real pages: CPU, to the floor's", "at most", 1.6),
    Goal("real_cpu_to_readability", "real pages: CPU, to readability-lxml", "at most", 0.40),
    Goal("real_cpu_to_trafilatura", "real pages: CPU, to trafilatura", "at most", 0.25),
    Goal("real_rate_to_floor", "real pages: articles/s, to that floor", "at least", 0.65),
    Goal(
        "real_rate_to_readability", "real pages: articles/s, to readability-lxml", "at least", 4.5
    ),
    Goal("real_rate_to_trafilatura", "real pages: articles/s, to trafilatura", "at least", 6.0),
)
"""Of what ``make bench`` measures beyond ``make bench-quick``."""

READY = "the daemon until READY"

COMMAND_GOALS = tuple(
    Goal(key, f"{key}, CPU s", "at most", bound)
    for key, bound in {
        "--version": 0.10,
        "--help": 0.10,
        "wrong usage": 0.10,
        "search": 0.30,
        "show": 0.30,
        "status": 0.30,
        "stats": 0.30,
        "--once, nothing new": 0.40,
        "import ingestor": 0.15,
        READY: 0.40,
    }.items()
)
"""Of commands that do next to nothing, processor seconds."""

MEMORY_GOALS = (
    Goal("daemon_mb", "the daemon's main process, MB", "at most", 150),
    Goal("daemon_growth", "growth of the daemon's main process", "at most", 0.05),
    Goal("backfill_growth", "growth of a backfill's main process", "at most", 0.05),
)


IDLE_GOALS = (
    Goal("idle_mb", "idle daemon, 3 feeds: all processes, MB", "at most", 70),
    Goal("idle_percent", "idle daemon, 3 feeds: % of a core", "at most", 0.1),
)

LONG_GOALS = (
    Goal("many_mb", "10,000 feeds, each every 5 min: main process, MB", "at most", 150),
    Goal("many_percent", "10,000 feeds, each every 5 min: % of a core", "at most", 6),
    Goal("late_seconds", "all feeds due at once: s until 95% are polled", "at most", 305),
)
"""Of what ``make bench-long`` measures beyond ``make bench``."""

LARGE_GOALS = (
    *(
        Goal(f"{verb}_seconds", f"{verb}, CPU s", "at most", 0.45)
        for verb in ("search", "show", "status", "stats")
    ),
    Goal("search_p95", "search p95 ms, the slowest kind of query", "at most", 50),
    Goal("show_ms", "an article from the database, ms", "at most", 30),
    Goal("database_kb", "database, kB an article", "at most", 10),
    Goal("warc_share", "WARC, to the pages as they came", "at most", 0.22),
)
"""Of the largest archive of ``make bench-growth``."""


def verdicts(goals: Iterable[Goal], ratios: Ratios) -> Iterator[tuple[str, ...]]:
    """Yield of each goal its text, what is wanted, what was measured, and whether it is reached."""
    for goal in goals:
        ratio = ratios.get(goal.key)
        wanted = f"{goal.kind} {goal.bound:.3g}"
        if ratio is None:
            yield goal.text, wanted, "not measured", ""
        else:
            verdict = "reached" if goal.reached(ratio) else "**missed**"
            yield goal.text, wanted, f"{ratio:.3g}", verdict


def article_ratios(results: Sequence[Result]) -> Ratios:
    """Return the ratios of taking articles in, the start of each program included."""
    by_name = {one.program.name: one for one in results}
    ours = by_name[end_to_end.OURS.name]

    def rate(other: str) -> float | None:
        theirs = by_name.get(other)
        return ours.per_second / theirs.per_second if theirs else None

    def cpu(other: str) -> float | None:
        theirs = by_name.get(other)
        return ours.cpu_per_article / theirs.cpu_per_article if theirs else None

    return {
        "cpu_to_floor": cpu(end_to_end.FLOOR.name),
        "cpu_to_soup": cpu(end_to_end.SOUP.name),
        "cpu_to_readability": cpu(end_to_end.READABILITY.name),
        "cpu_to_trafilatura": cpu(end_to_end.TRAFILATURA.name),
        "rate_to_floor": rate(end_to_end.FLOOR_MANY.name),
        "rate_to_soup": rate(end_to_end.SOUP.name),
        "rate_to_readability": rate(end_to_end.READABILITY.name),
        "rate_to_trafilatura": rate(end_to_end.TRAFILATURA.name),
    }


def poll_ratios(idle: Sequence[Polled], new: Sequence[Polled]) -> Ratios:
    """Return the ratios of polling, the start of each program included."""
    quiet = {one.program.name: one for one in idle}
    busy = {one.program.name: one for one in new}
    ours, floor = quiet[polling.OURS.name], quiet.get(polling.FLOOR.name)
    reader, reader_new = quiet.get(polling.READER.name), busy.get(polling.READER.name)
    ours_new = busy[polling.POLLS.name]
    whole = busy.get(polling.OURS.name)
    return {
        "entry_ms": whole.cpu_per_feed * 1000 / polling.ENTRIES if whole else None,
        "idle_cpu_to_httpx": ours.cpu_per_feed / floor.cpu_per_feed if floor else None,
        "idle_rate_to_reader": ours.per_second / reader.per_second if reader else None,
        "new_rate_to_reader": ours_new.per_second / reader_new.per_second if reader_new else None,
    }
