"""``make profile``: writes ``docs/profile.txt``, where the time of a pass goes.

Three looks: all threads and processes by their processor clocks, the main thread by cProfile, and
the work of a worker process by cProfile.
"""

from __future__ import annotations

import argparse
import cProfile
import io
import os
import pstats
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.machine import commit, machine
from benchmarks.measuring import ROOT
from benchmarks.pages import article, page
from benchmarks.programs import configuration
from benchmarks.site import Plan, running
from benchmarks.stages import ORDER, Sampled, sampled, top
from ingestor.model import Response
from ingestor.workers.tasks import extract_page

LINES = 35

_PASS = """
import cProfile, sys
from ingestor.cli import main
profile = cProfile.Profile()
try:
    profile.runcall(main, ["--once", "--quiet", "--json"])
except SystemExit as end:
    assert not end.code, end.code
finally:
    profile.dump_stats(sys.argv[1])
"""


def of_a_pass(plan: Plan) -> str:
    """Return cProfile's lines about the main thread of a pass; other threads are not in it."""
    with running(plan) as site, tempfile.TemporaryDirectory(prefix="bench-") as folder:
        told = configuration(plan.feed_urls(), site.proxy)
        (Path(folder) / "config.toml").write_text(told, "utf-8")
        subprocess.run(
            [sys.executable, "-c", _PASS, "profile"],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.DEVNULL,
            check=True,
        )
        return _lines(pstats.Stats(str(Path(folder) / "profile"), stream=io.StringIO()), "tottime")


def of_extraction(pages: int) -> str:
    """Return cProfile's lines about what a worker does with so many pages."""
    now = datetime.now(UTC)
    kind = (("content-type", "text/html; charset=utf-8"),)
    answers = [
        Response(article(number).url, article(number).url, 200, kind, page(number), now)
        for number in range(pages)
    ]
    extract_page(answers[0])
    profile = cProfile.Profile()
    for one in answers:
        profile.runcall(extract_page, one)
    return _lines(pstats.Stats(profile, stream=io.StringIO()), "tottime")


def _lines(stats: pstats.Stats, order: str) -> str:
    stats.strip_dirs().sort_stats(order).print_stats(LINES)
    text: str = stats.stream.getvalue()  # type: ignore[attr-defined]
    # The name of the file that it was read from is nobody's business.
    return "\n".join(
        line.rstrip() for line in text[text.index("function calls") - 12 :].split("\n")
    )


def _stages(found: Sampled) -> str:
    return "\n".join(
        f"{found.stages[stage] / found.articles * 1000:8.3f} ms  {stage}" for stage in ORDER
    )


def text(articles: int) -> str:
    """Return the whole page."""
    plan = Plan(articles, 20)
    found = sampled(plan)
    parts = {
        f"A pass over {articles} pages of 100 kB ({commit()}; {machine()})": "",
        "Processor time per article by stage (all threads and processes)": _stages(found),
        "The same by the innermost function of ours": top(found.callers, articles),
        "The same by the function that runs": top(found.functions, articles),
        "The main thread, by cProfile, which makes calls dearer than they are": of_a_pass(plan),
        "A worker's extraction of 200 pages, by cProfile": of_extraction(200),
    }
    return "\n\n".join(
        f"{head}\n{'=' * len(head)}\n{body}".rstrip() for head, body in parts.items()
    )


def main() -> None:
    """Profile and write the page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.profiling", description=__doc__)
    parser.add_argument("--articles", type=int, default=1000)
    parser.add_argument("--to", type=Path, default=ROOT / "docs" / "profile.txt")
    told = parser.parse_args()
    told.to.write_text(text(told.articles) + "\n", "utf-8")
    print(told.to)


if __name__ == "__main__":
    main()
