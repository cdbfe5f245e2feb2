"""``make profile``: writes ``docs/profile.txt``, where the time of a pass goes.

Four looks: all threads and processes by their processor clocks, the main thread by cProfile, the
work of a worker process by cProfile, and what commands import by ``python -X importtime``.
"""

from __future__ import annotations

import argparse
import cProfile
import io
import os
import pstats
import re
import subprocess
import sys
import tempfile
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.machine import commit, machine
from benchmarks.measuring import ROOT
from benchmarks.pages import article, page
from benchmarks.programs import configuration
from benchmarks.site import Plan, running
from benchmarks.stages import ORDER, Sampled, sampled, top
from benchmarks.starting import COMMANDS, archive, run
from ingestor.model import Response
from ingestor.workers.tasks import extract_page

LINES = 35

PACKAGES = 20
"""So many are listed of what a command imports; the others are summed up."""

LOOKED_AT = ("--version", "status", "--once, nothing new")
"""Commands whose imports are listed."""

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


def of_imports() -> str:
    """Return what commands import, by package: milliseconds without those that it imports."""
    parts = []
    with archive() as folder:
        for name in LOOKED_AT:
            python, *rest = COMMANDS[name]
            # The first one writes bytecode, and takes in what is new.
            run(folder, (python, *rest), {0, 1})
            took = imported(run(folder, (python, "-X", "importtime", *rest), {0, 1}))
            rows = took.most_common(PACKAGES)
            rows.append(("all others", took.total() - sum(row[1] for row in rows)))
            lines = (f"{row[1] / 1000:8.1f} ms  {row[0]}" for row in rows)
            parts.append("\n".join([f"ingest {name}: {took.total() / 1000:.1f} ms", *lines]))
    return "\n\n".join(parts)


def imported(told: str) -> Counter[str]:
    """Return the microseconds that each package's own modules took, of what importtime told.

    Modules of the standard library are one package; of ours each is one.
    """
    took: Counter[str] = Counter()
    for own, name in re.findall(r"^import time: +(\d+) \| +\d+ \| +(\S+)$", told, re.MULTILINE):
        package = name.partition(".")[0]
        if package in sys.stdlib_module_names:
            package = "the standard library"
        took[name if package == "ingestor" else package] += int(own)
    return took


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
        "What commands import, by importtime, which makes it dearer than it is": of_imports(),
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
