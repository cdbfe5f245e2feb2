"""`make test-quick`: what it leaves out, and that a test of pure code needs nothing else."""

import os
import subprocess
import sys

import pytest

from tools import ROOT

pytestmark = pytest.mark.slow

WITHOUT = (
    "httpx",
    "httpcore",
    "sqlalchemy",
    "alembic",
    "psycopg",
    "procrastinate",
    "tools.postgres",
)
WITHOUT += ("tools.fake_internet", "tools.running", "lxml", "typer")

BLOCKED = """
import sys
import pytest
for name in sys.argv[1].split():
    sys.modules[name] = None
sys.exit(pytest.main(sys.argv[2:]))
"""

A_RUN = """
import subprocess, sys
import pytest

def test_pure(): pass

def test_secret(): subprocess.run([sys.executable, "-c", ""], check=True)

@pytest.mark.slow
def test_open(): subprocess.run([sys.executable, "-c", ""], check=True)

def test_asks(net): pass
"""


def pytest_run(*arguments: str, blocked: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        # The configuration has an option of the plugin's.
        [sys.executable, "-c", BLOCKED, " ".join(blocked), "-p", "pytest_timeout", *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_test_of_pure_code_needs_that_code_alone():
    """No database, no network, no command line: none of them may even be imported."""
    done = pytest_run("tests/unit/test_policy.py", blocked=WITHOUT)
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_leaves_the_process_is_left_out_and_counted(tmp_path):
    """By its mark or by what it asks for; one that does so all the same fails, and says why."""
    (tmp_path / "test_made_up.py").write_text(A_RUN, "utf-8")
    plugin = ("-p", "tests.conftest", "--rootdir", str(ROOT), "-c", str(ROOT / "pyproject.toml"))
    done = pytest_run("-m", "quick", *plugin, str(tmp_path))
    assert "subprocess.Popen in a quick test: mark it with pytest.mark.slow" in done.stdout
    assert "FAILED" in done.stdout
    assert done.stdout.count("FAILED") == 1, done.stdout
    assert "left out: 2 tests that start processes, PostgreSQL or a server" in done.stdout
