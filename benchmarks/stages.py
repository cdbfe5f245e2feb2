"""What each stage of ours costs: a pass that samples itself (see ``benchmarks.sampling``).

``python -m benchmarks.stages --articles 1000`` prints processor milliseconds per article.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.end_to_end import OURS
from benchmarks.measuring import Usage
from benchmarks.programs import configuration, markdown, run_ours, tell
from benchmarks.sampling.sampler import FOLDER
from benchmarks.site import Plan, running

SAMPLING = Path(__file__).resolve().parent / "sampling"

ORDER = ("start", "feeds", "fetch", "extract", "hand over", "save", "WARC", "files", "other")

ABOUT = {
    "start": "imports, configuration, the command line",
    "feeds": "reading the feeds' bodies",
    "fetch": "asking for pages and feeds, unpacking them",
    "extract": "decoding, parsing, cleaning",
    "hand over": "to worker processes and back",
    "save": "the database: SQL, full text, copies of a story",
    "WARC": "hashing, packing, writing what was received",
    "files": "rendering and writing front-matter files",
    "other": "all else: the pipeline itself, threads that ended between two looks",
}


@dataclass
class Sampled:
    """Processor seconds of one pass over so many articles."""

    articles: int
    usage: Usage
    stages: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    functions: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    """By the function that runs, of whatever library."""
    callers: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    """By the innermost function of ours on the stack."""

    def add(self, report: dict[str, dict[str, float]], cpu: float) -> None:
        """Add what one process reports, of the ``cpu`` seconds that it worked."""
        unseen = max(0.0, cpu - sum(report["stages"].values()))
        parts = (
            (self.stages, {"other": unseen}),
            (self.stages, report["stages"]),
            (self.functions, report["functions"]),
            (self.callers, report["callers"]),
        )
        for known, more in parts:
            for name, seconds in more.items():
                known[name] += seconds


def sampled(plan: Plan) -> Sampled:
    """Let ours take in what the plan says, sampling itself."""
    with (
        running(plan) as site,
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        tempfile.TemporaryDirectory(prefix="bench-") as reports,
    ):
        told = configuration(plan.feed_urls(), site.proxy)
        (Path(folder) / "config.toml").write_text(told, "utf-8")
        usage = run_ours(Path(folder), {"PYTHONPATH": str(SAMPLING), FOLDER: reports})
        tell("sampled", OURS, usage)
        found = Sampled(plan.articles, usage)
        for path in sorted(Path(reports).glob("*.json")):
            report = json.loads(path.read_text("utf-8"))
            found.add(report, report["cpu"] - report["own"])
        return found


def table(found: Sampled) -> str:
    """Return the stages as a table in Markdown."""
    return markdown(("stage", "", "CPU ms/article", "share"), _rows(found))


def _rows(found: Sampled) -> Iterator[tuple[str, ...]]:
    whole = sum(found.stages.values())
    for stage in ORDER:
        seconds = found.stages[stage]
        each = f"{seconds / found.articles * 1000:.2f}"
        yield stage, ABOUT[stage], each, f"{seconds / whole:.0%}"
    yield "all", "", f"{whole / found.articles * 1000:.2f}", "100%"


def top(counted: dict[str, float], articles: int, most: int = 30) -> str:
    """Return the functions that cost most, one a line."""
    whole = sum(counted.values())
    return "\n".join(
        f"{seconds / articles * 1000:8.3f} ms  {seconds / whole:5.1%}  {name}"
        for name, seconds in sorted(counted.items(), key=lambda one: -one[1])[:most]
    )


def main() -> None:
    """Sample and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.stages", description=__doc__)
    parser.add_argument("--articles", type=int, default=1000)
    parser.add_argument("--feeds", type=int, default=20)
    parser.add_argument("--real", default="", help="A folder of real pages.")
    told = parser.parse_args()
    found = sampled(Plan(told.articles, told.feeds, real=told.real))
    print(table(found))
    print("\nBy the innermost function of ours:\n" + top(found.callers, told.articles))
    print("\nBy the function that runs:\n" + top(found.functions, told.articles))


if __name__ == "__main__":
    main()
