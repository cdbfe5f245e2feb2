"""The benchmark's machinery, at the smallest size: what it measures is real, how long is not asked."""

import json
import subprocess
import sys
from pathlib import Path

from benchmarks.goals import GOALS
from benchmarks.measuring import measured
from benchmarks.pages import WEIGHT, article, page
from benchmarks.real_pages import real_page, real_pages
from ingestor.extract import extract_article
from ingestor.model import Page
from tests.shared import ROOT, shared

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


def test_the_quick_benchmark_prints_one_line_of_ratios():
    """Every ratio has its key; those to programs that are left out are null."""
    tiny = ("--articles=4", "--feeds=4", "--new=1")
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.quick", "--no-contenders", *tiny],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    [line] = done.stdout.splitlines()
    found = json.loads(line)
    to_ours = {"cpu_to_floor", "rate_to_floor", "idle_cpu_to_httpx"}
    assert {goal.key for goal in GOALS} <= set(found)
    assert {key for key in found if found[key] is None} == {goal.key for goal in GOALS} - to_ours
    assert all(value > 0 for value in found.values() if value is not None)
    assert (found["articles"], found["idle_feeds"], found["new_feeds"]) == (4, 4, 1)


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
