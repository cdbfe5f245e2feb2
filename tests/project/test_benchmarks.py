"""The benchmark's machinery, at the smallest size: what it measures is real, how long is not asked."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import end_to_end, polling, quick
from benchmarks.end_to_end import Result
from benchmarks.goals import COMMAND_GOALS, GOALS
from benchmarks.measuring import measured
from benchmarks.memory import Idle, Sample
from benchmarks.pages import WEIGHT, article, page
from benchmarks.polling import Polled
from benchmarks.profiling import imported
from benchmarks.real_pages import real_page, real_pages
from benchmarks.report import Measured, Sizes, picture
from benchmarks.report import page as page_of
from benchmarks.sampling.sampler import FOLDER, STAGES, short_path
from benchmarks.stages import SAMPLING
from benchmarks.starting import commands, table
from ingestor.extract import extract_article
from ingestor.model import Page
from tests.support.shared import shared
from tools import ROOT

pytestmark = pytest.mark.slow

A_POOL = """
import multiprocessing, time
def burn(_):
    end = time.process_time() + 0.4
    while time.process_time() < end: pass
if __name__ == "__main__":
    pool = multiprocessing.get_context("forkserver").Pool(1)
    pool.map(burn, [0])
    pool.terminate()
    print("done")
"""

WORK_AND_WAIT = """
import os, time
def work():
    end = time.process_time() + 0.4
    while time.process_time() < end: pass
def wait():
    time.sleep(0.3)
child = os.fork()
work()
wait()
if child:
    os.waitpid(child, 0)
"""


def test_the_processor_time_of_a_pool_is_counted(tmp_path):
    """The pool's processes are children of its server, which nobody waits for."""
    (tmp_path / "pool.py").write_text(A_POOL)
    usage = measured([sys.executable, "pool.py"], tmp_path)
    assert usage.said == "done\n"
    assert usage.cpu - usage.cpu_first >= 0.4
    assert usage.processes >= 3
    assert usage.peak_bytes > 5 * 2**20


def test_a_page_has_the_weight_and_the_article_of_a_real_one():
    """A hundred kilobytes, of which our rules find the article and nothing else."""
    pages = [page(number) for number in range(1, 17)]
    assert 0.95 < sum(map(len, pages)) / len(pages) / WEIGHT < 1.05
    found = extract_article(Page(article(1).url, pages[0], "text/html; charset=utf-8"))
    assert found.body.text == article(1).expected_text
    assert found.template == "sina-article"


def test_a_real_page_carries_the_made_up_article():
    """The furniture is the real page's, the article is not."""
    furniture = real_pages(shared("sina", "pages"))
    texts = []
    for number in range(1, 4):
        body = real_page(furniture, number)
        found = extract_article(Page(article(number).url, body, "text/html; charset=utf-8"))
        assert article(number).expected_text in found.body.text
        assert len(found.body.text) < 1.1 * len(article(number).expected_text) + 200
        texts.append(found.body.text)
        assert len(body) > 200_000
    assert len(set(texts)) == 3


def test_what_fails_is_said_not_measured(tmp_path):
    """A contender that falls over is no fast contender."""
    try:
        measured([sys.executable, "-c", "raise SystemExit('it is broken')"], Path(tmp_path))
    except RuntimeError as error:
        assert "exit code 1: it is broken" in str(error)
    else:
        raise AssertionError("nothing was said")


def test_the_profile_knows_the_rooms():
    """A stage of a folder that was renamed would have no time at all."""
    ours = [part for part, _ in STAGES if part.startswith("ingestor/")]
    assert [part for part in ours if not list(ROOT.glob(f"{part}*"))] == []


def test_a_process_that_samples_itself_says_where_it_worked(tmp_path):
    """Also one that was forked; waiting is no work."""
    (tmp_path / "work.py").write_text(WORK_AND_WAIT)
    told = {"PYTHONPATH": str(SAMPLING), FOLDER: str(tmp_path)}
    measured([sys.executable, "work.py"], tmp_path, told)
    reports = [json.loads(path.read_text("utf-8")) for path in tmp_path.glob("*.json")]
    assert len(reports) == 2
    for report in reports:
        assert report["functions"]["work.py:work"] >= 0.25
        assert report["functions"].get("work.py:wait", 0) < 0.1


TOLD = """import time: self [us] | cumulative | imported package
import time:       300 |        300 |   encodings.aliases
import time:       200 |        500 | encodings
import time:      1000 |       1000 |     pydantic.main
import time:      4000 |       5000 |   ingestor.config
a line of the command's own
import time:        50 |       5050 | ingestor
"""


def test_imports_are_summed_up_by_package():
    """Each module's own time, once."""
    assert imported(TOLD) == {
        "the standard library": 500,
        "pydantic": 1000,
        "ingestor.config": 4000,
        "ingestor": 50,
    }


def test_commands_are_measured_beside_what_they_are_made_of():
    """Each goal has its figure; nothing is measured that fails."""
    seconds = commands(1)
    assert {goal.key for goal in COMMAND_GOALS} <= set(seconds)
    assert min(seconds.values()) > 0
    assert seconds["python -c pass"] < seconds["--once, nothing new"]
    assert "| search | " in table(seconds)


RESULT = Result(end_to_end.OURS, 100, 10.0, 2.0, 2**28, 3, start_seconds=1.0, start_cpu=0.5)
FLOOR = replace(RESULT, program=end_to_end.FLOOR, cpu=1.0)
POLLED = Polled(polling.OURS, 100, 1.0, 0.3, received=70, sent=300)


def test_the_line_of_the_quick_benchmark_has_every_ratio():
    """Those to programs that are left out are null. `.ci/run` runs it, which fails where it does."""
    idle = [POLLED, replace(POLLED, program=polling.FLOOR)]
    sizes = {"articles": 4, "idle_feeds": 4, "new_feeds": 1}
    taken = [RESULT, FLOOR, replace(FLOOR, program=end_to_end.FLOOR_MANY)]
    found = quick.line(sizes, taken, idle, [replace(POLLED, program=polling.POLLS)])
    to_ours = {"cpu_to_floor", "rate_to_floor", "idle_cpu_to_httpx"}
    assert {goal.key for goal in GOALS} <= set(found)
    left_out = {goal.key for goal in GOALS} - to_ours | {"entry_ms"}
    assert {key for key in found if found[key] is None} == left_out
    assert all(value > 0 for value in found.values() if value is not None)
    assert (found["articles"], found["idle_feeds"], found["new_feeds"]) == (4, 4, 1)


def some(growing: int) -> list[Sample]:
    return [Sample(n, n, 100_000_000 + n * growing, 200_000_000, n / 10) for n in range(30)]


def test_the_report_says_which_goals_are_missed():
    """Honestly: also what was not measured."""
    sizes = Sizes(100, 0, 100, 10, rounds=1, daemon_seconds=1, backfill=1000)
    found = Measured(sizes, articles=[RESULT, FLOOR], idle=[POLLED], same=[POLLED])
    found.new = [replace(POLLED, program=polling.POLLS)]
    found.daemon, found.backfill = some(0), some(1_000_000)
    found.commands = {"--version": 0.08, "search": 0.5}
    found.rest, found.reextract_rate = Idle(69_000_000, 0.002), 250.0
    text = page_of(found)
    assert "| CPU per article, to the floor's | at most 2 | 2 | reached |" in text
    assert "| the daemon's main process, MB | at most 150 | 100 | reached |" in text
    assert "| growth of a backfill's main process | at most 0.05 | 0.0873 | **missed** |" in text
    assert "| --version, CPU s | at most 0.1 | 0.08 | reached |" in text
    assert "| search, CPU s | at most 0.3 | 0.5 | **missed** |" in text
    assert "| search | 0.500 | 0.30 |" in text
    assert "| reextract, articles per CPU s | at least 300 | 250 | **missed** |" in text
    assert "| idle daemon, 3 feeds: all processes, MB | at most 70 | 69 | reached |" in text
    assert "| idle daemon, 3 feeds: % of a core | at most 0.1 | 0.2 | **missed** |" in text
    assert "10,000 feeds" not in text
    found.many, found.due = some(0), [float(number) for number in range(100)]
    text = page_of(found)
    assert (
        "| 10,000 feeds, each every 5 min: main process, MB | at most 150 | 100 | reached" in text
    )
    assert "| all feeds due at once: s until 95% are polled | at most 305 | 95 | reached |" in text
    assert "| idle feeds/s, to lemon24/reader | at least 2.5 | not measured |  |" in text
    assert "| floor | 10.0 | 1.00 | 10.00 | 2.00 | 256 | 3 | 1.00 | 0.50 |" in text
    assert max(len(line) for line in text.splitlines() if not line.startswith("|")) <= 100
    assert picture(found).count("<rect") == 1 + 2 + 2 + 1


def test_a_report_of_some_parts_has_those_alone():
    """As after the first parts of a run that ends early, or with ``--only``."""
    sizes = Sizes(100, 0, 100, 10, rounds=1, daemon_seconds=1, backfill=1000)
    found = Measured(sizes, articles=[RESULT, FLOOR])
    text = page_of(found)
    assert "## From feed to archive" in text
    assert "## Memory" not in text
    assert "| the daemon's main process, MB | at most 150 | not measured |  |" in text
    assert picture(found).count("<rect") == 1 + 2 + 2


def test_paths_of_this_machine_are_in_no_profile():
    """A file is named from its package on."""
    assert short_path("/somewhere/ingestor/ingestor/store/feeds.py") == "ingestor/store/feeds.py"
    assert short_path("/x/lib/python3/site-packages/httpx/_client.py") == "httpx/_client.py"
    assert short_path("/home/me/work.py") == "work.py"
