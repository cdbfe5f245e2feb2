"""``.ci/run``: a test that is skipped there was announced, in words that tests say."""

import re
import shutil
import subprocess

import pytest

from tools import ROOT

RUN = (ROOT / ".ci" / "run").read_text("utf-8")
WORDS = re.findall(
    r"(?:announce|needed \S+|neighbour \S+|(?:browser|promtool)=)\s*'([^']+)'", RUN
) + re.findall(r"' '([^']+ is not here)'", RUN)
SUMMARY = """
=========================== short test summary info ============================
SKIPPED [4] tests/maintenance/test_a.py:103: looked at later
SKIPPED [1] tests/neighbours/test_b.py:12: Hexo is not here (`make hexo` installs it)
SKIPPED [1] tests/api/test_c.py:76: could not import 'pandas': No module named 'pandas'
1 passed, 6 skipped in 1.00s
"""


def refused(folder, *announced: str) -> tuple[int, list[str]]:
    """Return the exit code of ``.ci/skipped`` and the places that it refuses."""
    (folder / "report").write_text(SUMMARY, "utf-8")
    (folder / "announced").write_text("".join(f"{line}\n" for line in announced), "utf-8")
    done = subprocess.run(
        ["bash", ROOT / ".ci" / "skipped", folder / "report", folder / "announced"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, re.findall(r"(test_\w)\.py", done.stderr)


pytestmark = pytest.mark.skipif(not shutil.which("bash"), reason="bash is not here")


@pytest.mark.slow
def test_a_skip_that_was_announced_passes(tmp_path):
    """By the beginning of its reason."""
    told = ("looked at later", "Hexo is not here", "could not import 'pandas'")
    assert refused(tmp_path, *told) == (0, [])


@pytest.mark.slow
def test_a_skip_that_was_not_announced_fails_the_run_and_is_named(tmp_path):
    """Be it a neighbour that was installed, or a package that everyone has."""
    assert refused(tmp_path, "looked at later") == (1, ["test_b", "test_c"])
    assert refused(tmp_path) == (1, ["test_a", "test_b", "test_c"])
    assert refused(tmp_path, "is not here", "pandas")[0] == 1


FETCH = """
set -euo pipefail
pip=out announced=announced
{}
neighbour 'A thing' 'A thing is not here' "$@" || echo "exit $?"
"""


def fetch(folder, command: str) -> tuple[str, str, str]:
    """Let `.ci/run` fetch something by a command; return its output, its errors, what is announced."""
    names = "announce|fetched|neighbour"
    functions = re.findall(rf"^(?:{names})\(\).*?(?:^\}}|\}}$)", RUN, re.MULTILINE | re.DOTALL)
    assert len(functions) == 3
    script = FETCH.format("\n".join(functions))
    done = subprocess.run(
        ["bash", "-c", script, "bash", command],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    path = folder / "announced"
    return done.stdout, done.stderr, path.read_text() if path.exists() else ""


@pytest.mark.slow
def test_what_cannot_be_fetched_is_tried_again_and_said(tmp_path):
    """And the tests that look for it are announced."""
    assert fetch(tmp_path, "echo >>tries; echo refused; exit 3") == (
        "exit 1\n",
        "without A thing: refused\n",
        "A thing is not here\n",
    )
    assert (tmp_path / "tries").read_text() == "\n\n"


@pytest.mark.slow
def test_what_is_fetched_is_fetched_once(tmp_path):
    """Without a word."""
    assert fetch(tmp_path, "echo >>tries; echo installed") == ("", "", "")
    assert (tmp_path / "tries").read_text() == "\n"


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("make"), reason="make is not here")
def test_another_python_has_an_environment_of_its_own():
    """`make test-python` installs into it and runs the quick tests in it, and nothing elsewhere."""
    told = ["make", "--dry-run", "test-python", "PYTHON=/opt/new/python3.99"]
    done = subprocess.run(told, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    assert "/opt/new/python3.99 -m venv .venv-python3.99" in done.stdout
    assert re.search(
        r"^\.venv-python3\.99/bin/python -m pytest .*-m quick$", done.stdout, re.MULTILINE
    )
    assert ".venv/" not in done.stdout


def reasons() -> set[str]:
    """Return for what tests are skipped, as they say it."""
    found: list[str] = []
    for path in (ROOT / "tests").rglob("*.py"):
        text = path.read_text("utf-8")
        found += re.findall(r"\bpytest\.skip\(\s*f?\"([^\"]+)\"", text)
        marks = r"\bmark\.skipif\((?:(?!reason=).)*reason=f?\"([^\"]+)\""
        found += re.findall(marks, text, re.DOTALL)
    return set(found)


def test_what_is_announced_is_what_tests_say():
    """Else a test that says it in other words would fail the run."""
    said = reasons()
    assert len(said) > 12
    assert [words for words in WORDS if not any(reason.startswith(words) for reason in said)] == []


def test_every_reason_of_a_skip_is_announced_somewhere():
    """But of what everyone has who runs `make test`."""
    unknown = {reason for reason in reasons() if not reason.startswith(tuple(WORDS))}
    assert unknown == {"make is not here", "bash is not here"}
