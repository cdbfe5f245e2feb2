"""An archive whose files, WARC and pictures lie on an object store: a real S3 server."""

import json
import shutil
import signal
import socket
import subprocess
import sys
import threading
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer, ThreadingHTTPServer
from importlib import import_module
from pathlib import Path

import pytest

from ingestor.archive.object_storage import ObjectFolder
from ingestor.archive.storage import storage
from ingestor.clock import Clock
from ingestor.config import load
from ingestor.config.values import ObjectAddress
from ingestor.daemon.stages import STORE_AGAIN_SECONDS, Stages
from ingestor.errors import StorageFailed
from ingestor.pipeline.services import opened
from tests.support.s3_server import HangingRelay, RefusingRelay, S3Server, s3_server
from tools.living import Daemon, wait_for
from tools.made_up_sina import made_up, publish
from tools.running import Site, feed

ON_S3 = """dir = "s3://kept/news/archive"
raw_dir = "s3://kept/news/warc"
images = true
images_dir = "s3://kept/news/images"
"""


@dataclass
class SharedSite(Site):
    """A site whose runs have the credentials of an object store in their environment."""

    variables: dict[str, str] = field(default_factory=dict)

    def environment(self):
        return super().environment() | self.variables


@pytest.fixture(scope="module")
def server():
    """Give an S3 server for all tests of this file."""
    with s3_server() as one:
        yield one


@pytest.fixture
def s3(server):
    """Give the server with one empty bucket."""
    server.client.create_bucket(Bucket="kept")
    yield server
    for key in server.keys("kept"):
        server.client.delete_object(Bucket="kept", Key=key)
    server.client.delete_bucket(Bucket="kept")


@pytest.fixture
def site(tmp_path, net, s3):
    """Give a site with three articles on the fake internet, and its archive on the store."""
    place = SharedSite(tmp_path, net, dict(s3.environment))
    place.configure(archive=ON_S3)
    publish(net, [made_up(number) for number in range(1, 4)])
    return place


def spooled(site: Site) -> list[str]:
    return sorted(path.name for path in (site.folder / "warc-spool").glob("*"))


def below(s3: S3Server, folder: str) -> list[str]:
    prefix = f"news/{folder}/"
    return [key.removeprefix(prefix) for key in s3.keys("kept") if key.startswith(prefix)]


def articles_in(site: Site) -> int:
    return site.query("SELECT count(*) FROM articles")[0][0]


def agree(site: Site) -> bool:
    found = site.run("verify")
    assert "disagreements" in found.stdout, found.stderr
    return found.stdout == "0 disagreements; 0 foreign files\n"


def test_a_pass_fills_the_bucket_and_everything_reads_from_it(site, s3, tmp_path):
    """Files, WARC and pictures; verify, reextract, a second look, a backup. Nothing stays here."""
    done = site.run("--once", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["articles_new"] == 3
    assert sorted(below(s3, "archive")) == sorted(
        path for (path,) in site.query("SELECT path FROM articles")
    )
    (warc,) = below(s3, "warc")
    assert site.query("SELECT DISTINCT warc_file FROM captures") == [(warc,)]
    assert spooled(site) == []
    shown = site.query("SELECT DISTINCT path FROM images WHERE path IS NOT NULL")
    assert below(s3, "images") == sorted(path for (path,) in shown) != []
    assert not (site.folder / "archive").exists()
    assert agree(site)

    read = site.run("reextract", "--dry-run")
    assert "3 articles read again: 0 would change, 0 unreadable" in " ".join(read.stdout.split())

    copied = site.run("backup", str(tmp_path / "backup"))
    assert copied.returncode == 0, copied.stderr
    assert "3 files, 1 WARC file," in copied.stdout
    assert len(list((tmp_path / "backup" / "archive").rglob("*.md"))) == 3

    publish(site.net, [made_up(number) for number in range(1, 5)])
    assert site.run("--once").returncode == 0
    assert len(below(s3, "warc")) == 2
    assert agree(site)


def test_losses_on_the_store_are_said_and_mended(site, s3):
    """As on a disk; a stranger's object is left alone."""
    assert site.run("--once").returncode == 0
    gone, changed, _ = below(s3, "archive")
    (warc,), picture = below(s3, "warc"), below(s3, "images")[0]
    for key in (f"archive/{gone}", f"warc/{warc}", f"images/{picture}"):
        s3.client.delete_object(Bucket="kept", Key=f"news/{key}")
    s3.client.put_object(Bucket="kept", Key=f"news/archive/{changed}", Body=b"somebody was here")
    s3.client.put_object(Bucket="kept", Key="news/archive/about.md", Body=b"mine")
    repaired = site.run("verify", "--repair")
    assert repaired.returncode == 0, repaired.stderr
    assert f"file {gone}: is missing" in repaired.stdout
    assert f"file {changed}: is not what the database says" in repaired.stdout
    assert f"{warc} is missing" in repaired.stdout
    assert f"picture {picture}: cannot be read" in repaired.stdout
    assert "about.md: belongs to no article" in repaired.stdout
    assert site.run("verify").stdout.endswith("0 disagreements; 1 foreign file\n")
    assert "about.md" in below(s3, "archive")


def test_a_kill_in_the_middle_of_an_upload_loses_nothing(site, s3):
    """No half object is ever seen; the record is read from the spool; the next start uploads it."""
    with HangingRelay(s3.url, ".warc.gz") as relay:
        site.variables["AWS_ENDPOINT_URL"] = relay.url
        with subprocess.Popen(
            [sys.executable, "-m", "ingestor", "--once"],
            cwd=site.folder,
            env=site.environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as process:
            assert relay.hanging.wait(60)
            assert below(s3, "warc") == []
            process.send_signal(signal.SIGKILL)
    site.variables["AWS_ENDPOINT_URL"] = s3.url
    assert below(s3, "warc") == []
    (kept,) = spooled(site)
    assert site.query("SELECT count(*) FROM articles") == [(3,)]
    assert agree(site)

    assert site.run("--once").returncode == 0
    assert kept in below(s3, "warc")
    assert spooled(site) == []
    assert agree(site)


def test_a_store_that_is_away_at_the_end_costs_nothing(site, s3):
    """What cannot be uploaded stays in the spool, is said, and is uploaded by the next run."""
    site.configure(archive='raw_dir = "s3://kept/news/warc"\nraw_upload_after = "1h"')
    with RefusingRelay(s3.url, ".warc.gz") as refusing:
        site.variables["AWS_ENDPOINT_URL"] = refusing.url
        done = site.run("--once")
    assert done.returncode == 0
    assert "warc_not_uploaded" in done.stderr
    assert len(spooled(site)) == 1
    site.variables["AWS_ENDPOINT_URL"] = s3.url
    assert agree(site)
    assert site.run("--once").returncode == 0
    assert spooled(site) == []
    assert agree(site)


def test_records_can_go_to_the_store_before_the_database_points_to_them(site, s3):
    """With raw_upload_after = "0s" a machine may vanish with its spool and nothing is lost."""
    site.configure(archive=f'{ON_S3}raw_upload_after = "0s"\n')
    assert site.run("--once").returncode == 0
    pointed = {name for (name,) in site.query("SELECT DISTINCT warc_file FROM captures")}
    assert pointed <= set(below(s3, "warc"))
    assert len(pointed) > 1
    shutil.rmtree(site.folder / "warc-spool")
    assert agree(site)


def test_an_archive_moves_to_the_store_by_its_own_folder_as_the_spool(site, s3):
    """The local WARC files of before are uploaded at the next start."""
    site.configure()
    assert site.run("--once").returncode == 0
    site.configure(archive='raw_dir = "s3://kept/news/warc"\nraw_spool = "warc"')
    assert site.run("--once").returncode == 0
    assert list((site.folder / "warc").iterdir()) == []
    assert len(below(s3, "warc")) >= 1
    assert agree(site)


def test_a_store_that_hangs_holds_up_no_poll_of_the_daemon(site, s3):
    """What is announced meanwhile is archived; status says what waits; the next run writes it."""
    site.configure(feed(more='every = "1s"'), archive=ON_S3, schedule='jitter = "0s"')
    with HangingRelay(s3.url, ".md") as relay:
        site.variables["AWS_ENDPOINT_URL"] = relay.url
        with Daemon(site) as daemon:
            wait_for(relay.hanging.is_set)
            for count in range(4, 7):
                publish(site.net, [made_up(number) for number in range(1, count + 1)])
                wait_for(lambda count=count: articles_in(site) == count)
            said = site.run("status").stdout
            assert "waiting 6 files" in said, said
            assert "store_away" not in daemon.said()
            daemon.stop()
    site.variables["AWS_ENDPOINT_URL"] = s3.url
    assert below(s3, "archive") == []
    assert site.run("--once").returncode == 0
    assert len(below(s3, "archive")) == 6
    assert "waiting" not in site.run("status").stdout
    assert agree(site)


@pytest.mark.parametrize("held", [("files", ".md"), ("pictures", ".png")], ids=" ".join)
def test_what_a_store_refuses_is_due_still_and_begins_again(site, s3, monkeypatch, held):
    """After a minute, for the daemon goes on; nothing of it counts as failed."""
    stage, ending = held
    assert site.run("--once").returncode == 0
    for key in [key for key in s3.keys("kept") if key.endswith(ending)]:
        s3.client.delete_object(Bucket="kept", Key=key)
    site.change(
        "UPDATE articles SET file_sha256 = NULL",
        "UPDATE images SET path = NULL",
        "DELETE FROM pictures",
    )
    seconds, before = [0.0], set(s3.keys("kept"))
    clock = Clock(monotonic=lambda: seconds[0])
    with RefusingRelay(s3.url, ending) as relay, closing(site.database()) as database:
        for name, value in {**site.environment(), "AWS_ENDPOINT_URL": relay.url}.items():
            monkeypatch.setenv(name, value)
        monkeypatch.chdir(site.folder)
        settings = load(Path("config.toml"), {})
        with opened(settings, database, clock) as services:
            stages = Stages(services)
            in_turns(stages, stage)
            assert set(s3.keys("kept")) == before
            relay.interferes = False
            seconds[0] += STORE_AGAIN_SECONDS / 2
            in_turns(stages, stage)
            assert set(s3.keys("kept")) == before
            seconds[0] += STORE_AGAIN_SECONDS
            in_turns(stages, stage)
            assert any(key.endswith(ending) for key in s3.keys("kept"))
            assert site.query("SELECT * FROM pictures WHERE path IS NULL") == []
    # Both remember where it was.
    storage.cache_clear()
    import_module("s3fs").S3FileSystem.clear_instance_cache()


def in_turns(stages: Stages, name: str) -> None:
    """Let a stage begin what is due, and go on until nothing is under way."""
    stages.turn(name)
    wait_for(lambda: stages.turn(name) or not stages.under_way)


@contextmanager
def _answering(status: int):
    """Give the address of a server that answers everything with one status."""

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self):
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def do_GET(self):
            self.do_HEAD()

        def do_PUT(self):
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.do_HEAD()

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def nothing_listens(s3):
    return {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}


def no_credentials(s3):
    return {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}


def no_address(s3):
    return {"AWS_ENDPOINT_URL": "minio"}


UNUSABLE = {
    nothing_listens: "check the network and AWS_ENDPOINT_URL",
    no_credentials: "set AWS_ACCESS_KEY_ID",
    no_address: "check the network and AWS_ENDPOINT_URL",
}


@pytest.mark.parametrize(
    ("fault", "said"), UNUSABLE.items(), ids=lambda one: getattr(one, "__name__", "")
)
def test_a_store_that_cannot_be_used_is_said_in_one_line(site, s3, fault, said):
    """Exit 3, the key, what to do; before anything is asked or written; no secret."""
    site.variables |= fault(s3)
    done = site.run("--once")
    lines = [line for line in done.stderr.splitlines() if "archive.dir: s3://kept" in line]
    assert done.returncode == 3, done.stderr
    assert len(lines) == 1
    assert said in lines[0]
    assert "secret-for-tests" not in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_a_store_that_hangs_is_asked_twice_and_then_left_alone(server, monkeypatch):
    """Who needs it meanwhile hears at once that it is away: nothing hangs for longer."""
    with _silent() as (url, asked):
        for name, value in {**server.environment, "AWS_ENDPOINT_URL": url}.items():
            monkeypatch.setenv(name, value)
        store = ObjectFolder(ObjectAddress("s3://hangs/a", "archive.dir"), answer_seconds=0.5)
        for begins in ("archive.dir: s3://hangs/a: ", "archive.dir: s3://hangs/a: did not answer"):
            with pytest.raises(StorageFailed) as failed:
                store.write("x.md", b"x")
            assert str(failed.value).startswith(begins)
            wait_for(lambda: len(asked) == 2)
        with pytest.raises(StorageFailed, match="is left alone for"):
            store.write_all([(f"{number}.md", b"x") for number in range(100)])
        assert len(asked) == 2


@pytest.mark.slow
def test_a_store_that_answers_by_bytes_is_waited_for_a_bounded_time(server, monkeypatch):
    """Each byte comes in time, and the answer never."""
    with _dripping() as url:
        for name, value in {**server.environment, "AWS_ENDPOINT_URL": url}.items():
            monkeypatch.setenv(name, value)
        address = ObjectAddress("s3://drips/a", "archive.dir")
        store = ObjectFolder(address, answer_seconds=2, whole_seconds=4)
        with pytest.raises(StorageFailed, match="check the network"):
            store.write("x.md", b"x")
        with pytest.raises(StorageFailed, match="is left alone for"):
            store.write("y.md", b"y")


@contextmanager
def _dripping():
    """Give the address of a server whose answers never come to an end."""
    ended = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self):
            self.send_response(200)
            self.flush_headers()
            with suppress(OSError):
                while not ended.wait(0.1):
                    self.wfile.write(b"X: x\r\n")

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        ended.set()
        server.shutdown()


@contextmanager
def _silent():
    """Give the address of a server that takes requests and answers none, and those requests."""
    asked: list[bytes] = []
    held: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def listen() -> None:
            with suppress(OSError):
                while True:
                    held.append(listening.accept()[0])
                    asked.append(held[-1].recv(65536))

        threading.Thread(target=listen, daemon=True).start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}", asked
        listening.shutdown(socket.SHUT_RDWR)
    for connection in held:
        connection.close()


def test_refused_credentials_and_a_missing_bucket_are_told_apart(site, s3):
    """By `ingest check` too."""
    with _answering(403) as url:
        site.variables["AWS_ENDPOINT_URL"] = url
        refused = site.run("check")
    site.variables["AWS_ENDPOINT_URL"] = s3.url
    site.configure(archive='images = true\nimages_dir = "s3://somebody-elses"')
    missing = site.run("check")
    assert (refused.returncode, missing.returncode) == (3, 3)
    assert "archive.dir: s3://kept/news/archive: access is refused; set AWS_" in refused.stderr
    assert "archive.images_dir: s3://somebody-elses: there is no such bucket" in missing.stderr


def test_what_is_needed_is_said_when_it_is_not_installed(site):
    """Exit 2, and how to install it."""
    (line,) = site.refusals("--once", without="s3fs")
    assert "archive.dir: s3://kept/news/archive needs s3fs: pip install 'sina-ingestor[s3]'" in line


def test_an_export_is_not_written_to_a_store(site):
    """It is said, and no folder of that name appears here."""
    done = site.run("export", "s3://kept/export.jsonl")
    assert done.returncode == 2
    assert "an export is written to this machine" in done.stderr
    assert not (site.folder / "s3:").exists()


@pytest.mark.slow
def test_local_folders_need_none_of_it(tmp_path):
    """Nor the time to import it."""
    script = (
        "import sys; from pathlib import Path; import ingestor.cli.run;"
        "from ingestor.archive.storage import storage;"
        "storage(Path(sys.argv[1])).write('a', b'hello');"
        "print([one for one in ('ingestor.archive.object_storage', 's3fs', 'botocore') if one in sys.modules])"
    )
    command = [sys.executable, "-c", script, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "[]\n"
