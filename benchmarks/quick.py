"""``make bench-quick``: the ratios, from a small run, as one JSON line on standard output.

Programs that are not installed give ``null``. At this size the start of a program weighs more
than in ``make bench``, so it is there too, by itself.
"""

from __future__ import annotations

import argparse
import json
from typing import Any

from benchmarks import end_to_end, polling
from benchmarks.end_to_end import Result
from benchmarks.goals import article_ratios, poll_ratios
from benchmarks.polling import Polled
from benchmarks.programs import Program, installed
from benchmarks.site import Plan


def ratios(articles: int, feeds: int, new: int, *, contenders: bool = True) -> dict[str, Any]:
    """Return the ratios, and a few figures of ours."""

    def chosen(programs: tuple[Program, ...]) -> list[Program]:
        every = programs if contenders else [one for one in programs if not one.own_environment]
        return installed(every)

    taken = end_to_end.compare(Plan(articles, 4), chosen(end_to_end.PROGRAMS), 1)
    [quiet] = polling.idle(feeds, 1, chosen(polling.IDLE), tags=[True])
    busy = polling.everything_new(new, 1, chosen(polling.NEW))
    sizes = {"articles": articles, "idle_feeds": feeds, "new_feeds": new}
    return line(sizes, taken, quiet, busy)


def line(
    sizes: dict[str, int], taken: list[Result], quiet: list[Polled], busy: list[Polled]
) -> dict[str, float | None]:
    """Return what is printed of what was measured, ours first in each list."""
    ours = taken[0]
    figures = {
        **sizes,
        "articles_per_second": ours.per_second,
        "cpu_ms_per_article": ours.cpu_per_article * 1000,
        "start_cpu_ms": ours.start_cpu * 1000,
        "peak_mib": ours.peak_bytes / 2**20,
        "idle_feeds_per_second": quiet[0].per_second,
        "cpu_ms_per_idle_poll": quiet[0].cpu_per_feed * 1000,
        "cpu_ms_per_new_feed": busy[0].cpu_per_feed * 1000,
    }
    every = {**article_ratios(taken), **poll_ratios(quiet, busy), **figures}
    return {key: None if value is None else round(value, 3) for key, value in every.items()}


def main() -> None:
    """Measure and print the line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quick", description=__doc__)
    parser.add_argument("--articles", type=int, default=150)
    parser.add_argument("--feeds", type=int, default=200)
    parser.add_argument("--new", type=int, default=10)
    parser.add_argument("--no-contenders", action="store_true", help="Ours and the floor only.")
    told = parser.parse_args()
    found = ratios(told.articles, told.feeds, told.new, contenders=not told.no_contenders)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
