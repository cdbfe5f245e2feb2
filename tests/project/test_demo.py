"""``make demo``: what it ends with can be pasted, and works."""

import shutil
import signal
import subprocess
import sys
import urllib.request

import pytest

from tools import ROOT
from tools.living import wait_for
from tools.running import Site

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """Give the folder of a demo, and the last lines that it printed."""
    folder = tmp_path_factory.mktemp("demo") / "demo-archive"
    done = subprocess.run(
        [sys.executable, "-m", "tools.demo", "--folder", str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder, done.stdout.splitlines()


def shell(command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, shell=True, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )


def test_the_demo_keeps_its_archive_and_ends_with_four_commands(demo):
    """Each works as it is printed."""
    folder, lines = demo
    search, show, browse, sqlite = lines[-4:]
    assert "All is well." in lines
    for command in (search, show, sqlite):
        done = shell(command)
        assert (done.returncode, done.stderr) == (0, ""), command
        assert "公司" in done.stdout, command
    assert browse.split()[1:] == ["browse", "--config", f"{folder}/config.toml"]


def test_the_pages_of_the_demo_can_be_looked_at(demo, net):
    """By the command that it prints, on a port that is free here."""
    folder, lines = demo
    log = folder.parent / "browse.log"
    with log.open("w") as written:
        process = subprocess.Popen(
            [*lines[-2].split(), "--port", "0"],
            cwd=ROOT,
            stdout=written,
            stderr=written,
            env=Site(folder, net).environment(),
        )
    try:
        wait_for(lambda: "http://" in log.read_text())
        address = next(word for word in log.read_text().split() if word.startswith("http://"))
        with urllib.request.urlopen(address, timeout=60) as page:
            assert page.status == 200
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=60)


@pytest.mark.skipif(not shutil.which("make"), reason="make is not here")
def test_running_installs_less_than_testing():
    """What `make run` and `make demo` do is planned with no word of the tests' packages."""
    for target in ("run", "demo"):
        planned = shell(f"make --dry-run --always-make {target}").stdout
        assert "'.[demo]'" in planned
        assert "'.[dev]'" not in planned
    assert "'.[dev]'" in shell("make --dry-run --always-make test").stdout


FAILING = """#!/bin/sh
[ "$1 $2" = "-m venv" ] || exit 0
mkdir -p "$3/bin" && cp /bin/true "$3/bin/python" && echo "apt install python3-venv" && exit 1
"""
"""As Debian's Python without its package python3-venv does."""


@pytest.mark.skipif(not shutil.which("make"), reason="make is not here")
def test_an_environment_that_was_not_finished_is_made_again(tmp_path):
    """Else the next `make` took it for one, and said that a network is needed."""
    python, folder = tmp_path / "python", tmp_path / "venv"
    python.write_text(FAILING)
    python.chmod(0o755)
    done = shell(f"make {folder}/bin/python VENV={folder} PYTHON={python} UV=")
    assert done.returncode != 0
    assert "apt install python3-venv" in done.stdout
    assert not (folder / "bin" / "python").exists()
