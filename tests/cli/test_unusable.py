"""What the system refuses, before or while the program runs: one clear line, and exit 3."""

import os
import resource
import shutil
import signal
import subprocess
import sys

import pytest

from tools.living import LONGEST, Daemon, wait_for
from tools.made_up_sina import made_up, publish, rsshub_feed
from tools.running import Site, feed

RESTLESS = {"schedule": 'jitter = "0s"', "fetch": "robots = false"}

pytestmark = pytest.mark.slow


def remove_database(folder):
    for path in folder.glob("archive.db*"):
        path.unlink()


def move_database(folder):
    (folder / "archive.db").rename(folder / "moved.db")


def replace_database(folder):
    shutil.copy(folder / "archive.db", folder / "copy.db")
    (folder / "copy.db").replace(folder / "archive.db")


def remove_folder(folder):
    shutil.move(folder, folder.with_name("moved"))
    folder.mkdir()


def move_raw(folder):
    (folder / "warc").rename(folder / "old")


TAKEN_AWAY = {
    "the database is removed": (remove_database, "archive.db: was moved, removed or replaced"),
    "it is moved": (move_database, "archive.db: was moved, removed or replaced"),
    "another is put in its place": (replace_database, "archive.db: was moved, removed or replaced"),
    "its folder is moved": (remove_folder, "archive.db: was moved, removed or replaced"),
    "the raw files are moved": (move_raw, "was moved or removed while it grew"),
}


@pytest.mark.parametrize(("take_away", "said"), TAKEN_AWAY.values(), ids=TAKEN_AWAY)
def test_an_archive_that_is_taken_away_ends_the_daemon(tmp_path, net, take_away, said):
    """No new empty archive begins in its place."""
    site = Site(tmp_path / "archive", net)
    site.folder.mkdir()
    publish(net, [made_up(1)])
    site.configure(feed(more='every = "1s"'), **RESTLESS)
    with Daemon(site, ("--quiet",)) as daemon:
        wait_for(site.files)
        errors = os.dup(daemon._errors.fileno())
        take_away(site.folder)
        publish(net, [made_up(1), made_up(2)])
        assert daemon.process.wait(timeout=LONGEST) == 3
        lines = os.pread(errors, 100_000, 0).decode().splitlines()
        os.close(errors)
    # The heartbeat may say it as well, in the log.
    (line,) = [line for line in lines if not line.startswith("{")]
    assert said in line
    database = site.folder / "archive.db"
    assert not database.exists() or site.query("SELECT count(*) FROM articles") == [(1,)]


def unprivileged(site, *arguments):
    """Start ``ingest`` as somebody who may not write everywhere, as root may."""
    return subprocess.Popen(
        [
            *("setpriv", "--bounding-set", "-dac_override,-dac_read_search"),
            *(sys.executable, "-m", "ingestor", "--quiet", *arguments),
        ],
        cwd=site.folder,
        env=site.environment(),
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.skipif(not shutil.which("setpriv"), reason="setpriv (util-linux) is not here")
@pytest.mark.parametrize("name", ["archive", "warc", "."])
def test_a_folder_that_becomes_read_only_is_said(site, net, name):
    """While it runs, or at the latest when it stops."""
    publish(net, [made_up(1)])
    site.configure(feed(more='every = "1s"'), **RESTLESS)
    process = unprivileged(site)
    try:
        wait_for(site.files)
        folders = [
            path for path in [site.folder / name, *(site.folder / name).rglob("*")] if path.is_dir()
        ]
        for folder in folders:
            folder.chmod(0o555)
        publish(net, [made_up(1), made_up(2)])
        if name != "archive":
            # What is open may be written still.
            wait_for(lambda: len(site.files()) == 2, 5, fails=False)
            process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=LONGEST)
    finally:
        process.kill()
        process.wait()
        for folder in folders:
            folder.chmod(0o755)
    assert process.returncode == 3, errors
    assert errors.count("\n") == 1
    assert "Permission denied" in errors or "read-only" in errors


@pytest.mark.parametrize("descriptors", [12, 20, 24])
def test_too_few_descriptors_are_said(site, net, descriptors):
    """And are no failure of the feeds: none is asked later for it."""
    urls = [f"https://site{number}.example/feed" for number in range(20)]
    for number, url in enumerate(urls):
        net.serve(url, rsshub_feed([made_up(number)]), content_type="application/xml")
    site.configure(*(feed(url, url) for url in urls), fetch="robots = false")

    def limit():
        resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))

    done = subprocess.run(
        [sys.executable, "-m", "ingestor", "--once", "--quiet"],
        cwd=site.folder,
        env=site.environment(),
        preexec_fn=limit,
        capture_output=True,
        text=True,
        timeout=LONGEST,
        check=False,
    )
    assert done.returncode == 3, done.stderr
    assert done.stderr.count("\n") == 1
    assert "ulimit -n" in done.stderr or "more files" in done.stderr
    if descriptors > 12:
        assert site.query("SELECT coalesce(sum(failures), 0) FROM feeds") == [(0,)]


WRONG_ADDRESSES = {
    "an unknown host": ("nobody@no-such-host.invalid/x", "there is no host of this name"),
    "a port where nobody listens": ("nobody@127.0.0.1:1/x", "no server answers"),
    "a port that is none": ("nobody@127.0.0.1:99999/x", "invalid port"),
    "a socket that is not there": ("/x?host=/nonexistent", "no server answers"),
    "an unknown option": ("nobody@127.0.0.1:1/x?colour=red", "option"),
    "a wrong value of an option": ("nobody@127.0.0.1:1/x?sslmode=red", "sslmode"),
}


@pytest.mark.parametrize("command", ["--once", "status", "worker"])
@pytest.mark.parametrize(("address", "said"), WRONG_ADDRESSES.values(), ids=WRONG_ADDRESSES)
def test_a_wrong_address_of_a_server_is_said(site, command, address, said):
    """Whatever of it is wrong."""
    site.store = f"postgresql+psycopg://{address}"
    site.configure()
    done = site.run(command)
    assert done.returncode == 3, done.stderr
    (line,) = done.stderr.splitlines()
    assert said in line


def test_a_server_that_lacks_the_user_or_the_database_is_said(site, postgresql):
    """Each by its reason."""
    for user, database in (("nobody", "postgres"), ("postgres", "nowhere")):
        site.store = postgresql.url(database, user)
        site.configure()
        done = site.run("--once")
        assert (done.returncode, "there is no such database or user" in done.stderr) == (3, True)


def test_an_address_that_is_none_is_a_wrong_configuration(site):
    """Exit 2."""
    site.store = "postgresql+psycopg://nobody@[::1/x"
    site.configure()
    done = site.run("--once")
    assert (done.returncode, "store.url" in done.stderr) == (2, True), done.stderr
