"""The image, built and run: `make image`. Without an engine, in a Debian root folder."""

import os
import shutil

import pytest

from tools.fake_internet import FakeInternet
from tools.image import Image, built, missing
from tools.living import wait_for
from tools.made_up_sina import made_up, publish
from tools.running import Site

pytestmark = pytest.mark.skipif(
    "INGEST_IMAGE" not in os.environ, reason="takes minutes and the network: make image"
)
BUILD_TOOLS = (
    "pip",
    "gcc",
    "cc",
    "g++",
    "make",
    "ld",
    "as",
    "git",
    "cargo",
    "uv",
    "apt-listchanges",
)


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    """Give the built image."""
    if reason := missing():
        pytest.skip(reason)
    return built(tmp_path_factory.mktemp("image"))


@pytest.fixture
def empty(image: Image, tmp_path):
    """Give an empty volume."""
    os.chown(tmp_path, *map(int, image.owner().split(":")))
    return tmp_path


@pytest.fixture
def volume(image: Image, tmp_path):
    """Give a volume with a configuration, for a feed on a fake internet that has one article."""
    with FakeInternet() as net:
        site = Site(tmp_path, net)
        site.configure()
        publish(net, [made_up(1)])
        shutil.copy(net.ca_file, tmp_path / "ca.pem")
        user, group = map(int, image.owner().split(":"))
        for path in (tmp_path, *tmp_path.iterdir()):
            os.chown(path, user, group)
        yield site


def ingest(image: Image, site: Site, *arguments: str):
    return image.run(
        site.folder, *image.stage.command("ENTRYPOINT"), *arguments, SSL_CERT_FILE="/data/ca.pem"
    )


def test_the_final_image_has_no_build_tools(image, empty):
    """Neither Debian's nor Python's, and not the sources either."""
    script = " ".join(["for tool in", *BUILD_TOOLS, "; do command -v $tool; done; true"])
    done = image.run(empty, "sh", "-c", script)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    for python in ("/usr/local/bin/python", "/opt/ingestor/bin/python"):
        done = image.run(empty, python, "-m", "pip", "--version")
        assert "No module named pip" in done.stderr
    assert not (image.root / "source").exists()


def test_it_runs_as_a_user_without_rights(image, empty):
    """Not root, with no capability, and in the volume."""
    assert image.owner().split(":")[0] == "10001"
    done = image.run(empty, "sh", "-c", "id -u; pwd; grep CapEff /proc/self/status")
    assert done.stdout.split() == ["10001", "/data", "CapEff:", "0" * 16]


def test_one_pass_over_a_read_only_root(image, volume):
    """The article is in the volume, whose files are the user's; nothing else may be written."""
    done = ingest(image, volume, "--once")
    assert done.returncode == 0, done.stderr
    assert len(volume.files()) == 1
    assert volume.query("SELECT count(*) FROM articles") == [(1,)]
    assert (volume.folder / "archive.db").stat().st_uid == 10001
    refused = image.run(volume.folder, "sh", "-c", "touch /opt/ingestor/x /etc/x /home/x")
    assert refused.stderr.count("Read-only file system") == 3
    assert ingest(image, volume, "status").returncode == 0


def test_the_health_check_tells_a_daemon_from_none(image, volume):
    """Its command in the image: healthy beside a running daemon, not without; SIGTERM exits 0."""
    check = image.stage.command("HEALTHCHECK")
    assert image.run(volume.folder, *check).returncode == 1
    command = image.stage.command("ENTRYPOINT")
    certificate = {"SSL_CERT_FILE": "/data/ca.pem"}
    with image.start(volume.folder, command, environment=certificate) as daemon:
        wait_for(lambda: image.run(volume.folder, *check).returncode == 0)
        wait_for(lambda: len(volume.files()) == 1)
        daemon.terminate()
        _, said = daemon.communicate(timeout=60)
    assert daemon.returncode == 0, said
