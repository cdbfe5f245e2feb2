"""The systemd units, judged by systemd's own tools; no running systemd is needed."""

import os
import re
import shutil
import subprocess
from itertools import pairwise
from pathlib import Path

import pytest

from ingestor.config import load
from tools import ROOT

pytestmark = pytest.mark.slow

DEPLOY = ROOT / "deploy"
SERVICES = [
    "ingestor.service",
    "ingestor-browse.service",
    "ingestor-once.service",
    "ingestor-worker@.service",
]
MOST_EXPOSURE = 1.5
"""systemd's own scale from 0 (nothing to attack) to 10; 2.0 ends its "OK"."""

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
    """The exposure that systemd computes is at most 1.5."""
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


@pytest.fixture
def root(tmp_path):
    """Give a root folder in which the service was installed, but for the program, and what was said."""
    done = subprocess.run(
        ["sh", str(DEPLOY / "install-files.sh")],
        env={"PATH": os.environ["PATH"], "DESTDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return tmp_path, done.stdout


def test_the_service_has_its_paths_in_one_place(root):
    """In the configuration, which every command reads; no unit says others."""
    folder, _ = root
    settings = load(folder / "etc/ingestor/config.toml", {})
    state = Path("/var/lib/ingestor")
    archive = settings.archive
    assert settings.store.url == f"sqlite:///{state}/archive.db"
    assert [archive.dir, archive.raw_dir, archive.raw_spool, archive.images_dir] == [
        state / name for name in ("archive", "warc", "warc-spool", "images")
    ]
    for unit in (folder / "etc/systemd/system").iterdir():
        text = unit.read_text("utf-8")
        assert "INGEST_" not in text.replace("INGEST_STORE__URL=…", "")
        if unit.suffix == ".service":
            assert {"User=ingestor", "Group=ingestor", "UMask=0027"} <= set(text.splitlines())
            assert "DynamicUser" not in text


def test_its_group_may_read_and_others_may_not(root):
    """The state directory, and a configuration that may hold a password."""
    folder, _ = root
    modes = {
        path: (folder / path).stat().st_mode & 0o777
        for path in ("var/lib/ingestor", "etc/ingestor/config.toml", "etc/sysusers.d/ingestor.conf")
    }
    assert list(modes.values()) == [0o750, 0o640, 0o644]
    assert "u ingestor " in (folder / "etc/sysusers.d/ingestor.conf").read_text("utf-8")
    assert (folder / "usr/local/bin/ingest").readlink() == Path("/opt/ingestor/bin/ingest")


def test_installing_again_leaves_a_configuration_alone(root):
    """And says so; each step is said."""
    folder, said = root
    assert [line[:2] for line in said.splitlines()[:4]] == ["2.", "3.", "4.", "5."]
    config = folder / "etc/ingestor/config.toml"
    config.write_text("# mine\n", encoding="utf-8")
    again = subprocess.run(
        ["sh", str(DEPLOY / "install-files.sh")],
        env={"PATH": os.environ["PATH"], "DESTDIR": str(folder)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert "is there already" in again.stdout
    assert config.read_text("utf-8") == "# mine\n"


@pytest.mark.skipif(not shutil.which("systemd-sysusers"), reason="systemd-sysusers is not here")
def test_the_user_is_made_with_its_group(root):
    """By systemd's own tool, in that root folder."""
    folder, _ = root
    done = subprocess.run(
        ["systemd-sysusers", f"--root={folder}"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for name in ("passwd", "group"):
        assert re.search(r"^ingestor:", (folder / "etc" / name).read_text("utf-8"), re.MULTILINE)


def test_what_make_does_for_a_service_is_this():
    """The program first, then the files; the same below another root."""
    done = subprocess.run(
        ["make", "--dry-run", "install-service", "DESTDIR=/staged"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert "/staged/opt/ingestor" in done.stdout
    assert "DESTDIR=/staged sh deploy/install-files.sh" in done.stdout


def test_the_daemon_is_watched():
    """What systemd has to know to restart one that is stuck."""
    text = (DEPLOY / "ingestor.service").read_text("utf-8")
    for line in ("Type=notify", "WatchdogSec=60s", "Restart=on-failure", "StateDirectory=ingestor"):
        assert line in text.splitlines()
