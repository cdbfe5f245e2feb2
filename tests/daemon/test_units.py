"""The systemd units, judged by systemd's own tools; no running systemd is needed."""

import re
import shutil
import subprocess
from itertools import pairwise

import pytest

from tools import ROOT

pytestmark = pytest.mark.slow

DEPLOY = ROOT / "deploy"
SERVICES = [
    "ingestor.service",
    "ingestor-browse.service",
    "ingestor-once.service",
    "ingestor-worker@.service",
]
MOST_EXPOSURE = 2.0
"""systemd's own scale from 0 (nothing to attack) to 10; 2.0 is the bound of its "OK"."""

analyze = pytest.mark.skipif(
    not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed"
)


@pytest.fixture
def units(tmp_path):
    """Give the units, with programs that are here in the place of those that will be there."""
    for path in DEPLOY.glob("*.*"):
        if path.suffix in {".service", ".timer"}:
            text = path.read_text("utf-8").replace("/opt/ingestor/bin/ingest", "/bin/true")
            (tmp_path / path.name).write_text(text, encoding="utf-8")
    return tmp_path


@analyze
@pytest.mark.parametrize("name", [*SERVICES, "ingestor-once.timer"])
def test_systemd_finds_nothing_wrong(units, name):
    """`systemd-analyze verify` says nothing about our files, and exits 0."""
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(units / name)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "ingestor" not in done.stderr


@analyze
@pytest.mark.parametrize("name", SERVICES)
def test_the_services_are_hardened(units, name):
    """The exposure that systemd computes is at most 2.0."""
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", str(units / name)],
        capture_output=True,
        text=True,
        check=False,
    )
    found = re.search(r"Overall exposure level for \S+: ([\d.]+)", done.stdout)
    assert found, done.stderr
    assert float(found[1]) <= MOST_EXPOSURE


@pytest.mark.parametrize("name", [*SERVICES, "ingestor-once.timer"])
def test_every_setting_has_its_reason(name):
    """A comment stands above each line; what a thing is called, and [Install], need none."""
    text = (DEPLOY / name).read_text("utf-8").partition("[Install]")[0]
    lines = [line for line in text.splitlines() if line]
    bare = [
        line
        for before, line in pairwise(lines)
        if not line.startswith(("#", "[", "Description=")) and not before.startswith("#")
    ]
    assert bare == []


def test_the_daemon_is_watched():
    """What systemd has to know to restart one that is stuck."""
    text = (DEPLOY / "ingestor.service").read_text("utf-8")
    for line in ("Type=notify", "WatchdogSec=60s", "Restart=on-failure", "StateDirectory=ingestor"):
        assert line in text.splitlines()
