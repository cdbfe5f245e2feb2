"""``ingest follow``: what lands is shown once, in order, whatever stops it in between."""

import json
import os
import select
import signal
from contextlib import closing, contextmanager
from dataclasses import replace

import pytest

from ingestor.model import Body, Security
from ingestor.store import revisions
from ingestor.store.db.migrations import upgrade
from tools.filling import FIRST, arrival_of, filled, save_articles
from tools.living import LONGEST

pytestmark = pytest.mark.slow


@pytest.fixture
def archive(site):
    """Give a site whose archive has three articles, and what writes to it."""
    place = site.store or site.folder / "archive.db"
    with closing(filled(place, [(f"第{n}篇", f"正文{n}") for n in range(3)])) as database:
        site.writer = database
        yield site


def land(site, number, title, text="正文", **more):
    arrival = arrival_of(number, title, text)
    article = replace(arrival.article, **more)
    with site.writer.transaction() as connection:
        save_articles(connection, [replace(arrival, article=article)])


@contextmanager
def following(site, *arguments):
    """Run ``ingest follow`` with its output piped; it is ended whatever happens."""
    said = site.folder / "follow.err"
    reader, writer = os.pipe()
    with said.open("wb") as errors:
        process = site.start("follow", *arguments, stdout=writer, stderr=errors.fileno())
    os.close(writer)
    with os.fdopen(reader, "rb", 0) as process.stdout, said.open("rb") as process.stderr:
        try:
            yield process
        finally:
            process.kill()
            process.wait()


def line(process) -> str:
    """Return the next line of a process, or fail when none comes."""
    read = b""
    while not read.endswith(b"\n"):
        ready, _, _ = select.select([process.stdout], [], [], LONGEST)
        assert ready, "no line came"
        part = os.read(process.stdout.fileno(), 1)
        assert part, process.stderr.read().decode()
        read += part
    return read.decode().rstrip("\n")


def cursor_at(site, sequence):
    """Wait until the cursor stands behind a revision."""
    path = site.folder / "a.cursor"
    for _ in range(LONGEST * 10):
        if path.exists() and json.loads(path.read_text())["sequence"] == sequence:
            return
        select.select([], [], [], 0.1)
    raise AssertionError(f"the cursor is not at {sequence}")


@pytest.mark.every_store
def test_what_lands_is_shown_as_it_lands(archive):
    """New articles and edits, a line each; what was there before is not asked for."""
    with following(archive, "--cursor", "a.cursor") as process:
        cursor_at(archive, 3)
        land(archive, 7, "新到一篇", media="虚构日报")
        assert line(process).split("\t") == [
            "4", "2024-03-01T08:00:00Z", "new", "虚构日报", "新到一篇",
            "https://finance.sina.com.cn/a/7.shtml",
        ]  # fmt: skip
        with archive.writer.transaction() as connection:
            edit = replace(arrival_of(0, "改过", "改过的正文"), seen_at=FIRST)
            revisions.revise(connection, 1, edit)
        assert line(process).split("\t")[2:5] == ["edit", "", "改过"]


@pytest.mark.every_store
def test_json_has_an_object_a_line_with_keys_that_stay(archive):
    """For programs: docs/querying.md names them."""
    named = Body("<p>x</p>", "石门水泥提价。", (), (Security("sh", "sh600001", "石门水泥"),))
    land(archive, 7, "石门水泥", body=named, media="虚构日报")
    with following(archive, "--from", "3", "--json") as process:
        shown = json.loads(line(process))
    assert shown == {
        "sequence": 4,
        "cause": "new",
        "seen_at": "2024-03-01T08:00:00Z",
        "id": 4,
        "revision": 1,
        "url": "https://finance.sina.com.cn/a/7.shtml",
        "date": "2024-03-01",
        "published_at": "2024-03-01T08:00:00Z",
        "title": "石门水泥",
        "media": "虚构日报",
        "feeds": ["新浪财经－國內"],
        "securities": [{"symbol": "sh600001", "name": "石门水泥"}],
        "path": shown["path"],
        "text": "石门水泥提价。",
    }


def test_words_and_filters_choose_and_the_cursor_passes_the_others(archive):
    """By what the revision says itself."""
    named = Body("<p>x</p>", "石门水泥提价。", (), (Security("sh", "sh600001", "石门水泥"),))
    land(archive, 5, "石门水泥", body=named, media="虚构日报")
    land(archive, 6, "石门广告", "广告。", media="虚构日报")
    land(archive, 7, "旁的")
    for asked in (
        ("石门", "-广告"),
        ("--symbol", "sh600001"),
        ("--symbol", "石门水泥"),
        ("水泥", "--media", "虚构日报"),
        ("水泥", "--feed", "新浪财经－國內"),
    ):
        (archive.folder / "a.cursor").unlink(missing_ok=True)
        with following(archive, *asked, "--from", "0", "--cursor", "a.cursor") as process:
            assert line(process).split("\t")[0] == "4", asked
            cursor_at(archive, 6)


@pytest.mark.every_store
def test_it_goes_on_where_it_was_stopped(archive):
    """By Ctrl-C, by SIGTERM, or killed: nothing twice, nothing missed."""
    shown = []
    for number, (ended_by, code) in enumerate(
        ((signal.SIGINT, 130), (signal.SIGTERM, 0), (signal.SIGKILL, -9), (signal.SIGINT, 130))
    ):
        with following(archive, "--from", "0", "--cursor", "a.cursor") as process:
            shown += [line(process).split("\t")[0] for _ in range(1 if number else 3)]
            cursor_at(archive, 3 + number)
            process.send_signal(ended_by)
            assert process.wait(LONGEST) == code
            assert process.stdout.read() == process.stderr.read() == b""
        land(archive, 10 + number, f"其间{number}")
    assert shown == ["1", "2", "3", "4", "5", "6"]


@pytest.mark.every_store
def test_what_is_committed_late_is_not_missed(archive):
    """A transaction that began first and ends last: others wait until it is through."""
    with following(archive, "--cursor", "a.cursor") as process:
        cursor_at(archive, 3)
        with archive.writer.transaction() as connection:
            save_articles(connection, [arrival_of(20, "慢的", "慢")])
            assert not select.select([process.stdout], [], [], 1)[0]
        land(archive, 21, "快的")
        assert [line(process).split("\t")[4] for _ in range(2)] == ["慢的", "快的"]


def test_a_pipe_that_is_closed_ends_it_quietly(archive):
    """Also when nothing comes any more."""
    with following(archive, "--from", "0") as process:
        assert line(process).startswith("1\t")
        process.stdout.close()
        assert process.wait(LONGEST) == 0
        assert process.stderr.read() == b""


def test_a_cursor_of_another_archive_is_refused(archive, tmp_path_factory):
    """So is that of an archive that was put back to an earlier day, and what is no cursor."""
    cursor = archive.folder / "a.cursor"
    other = filled(
        tmp_path_factory.mktemp("other") / "b.db", [("另", "一"), ("个", "库"), ("三", "四")]
    )
    other.close()
    config = archive.folder / "other.toml"
    config.write_text(f'[store]\nurl = "sqlite:///{other.path}"\n')
    with following(archive, "--config", str(config), "--cursor", "a.cursor"):
        cursor_at(archive, 3)
    kept = cursor.read_text()
    own = ["follow", "--cursor", "a.cursor"]
    refused = archive.run(*own)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "a.cursor: is the cursor of another archive" in refused.stderr
    assert cursor.read_text() == kept
    for wrong, words in (
        ("", "is no cursor"),
        ("[]", "is no cursor"),
        ("{}", "is no cursor"),
        ('{"sequence": "3"}', "is no cursor"),
        ('{"sequence": -1}', "is no cursor"),
        ('{"sequence": 99}', "another archive"),
        ('{"sequence": 3, "bogus": 1}', "is no cursor"),
    ):
        cursor.write_text(wrong)
        refused = archive.run(*own)
        assert (refused.returncode, words in refused.stderr) == (2, True), (wrong, refused.stderr)
    cursor.unlink()
    with following(archive, "--cursor", "a.cursor"):
        cursor_at(archive, 3)
    ahead = json.loads(cursor.read_text()) | {"seen_at": "2024-03-01T02:59:59Z"}
    cursor.write_text(json.dumps(ahead))
    assert "put back to an earlier day" in archive.run(*own).stderr
    assert archive.run("follow", "--cursor", str(archive.folder)).returncode == 2


@pytest.mark.every_store
def test_a_cursor_outlives_the_revision_that_it_stands_behind(archive):
    """One that was withdrawn since stands elsewhere; what comes then is shown."""
    own = ("--cursor", "a.cursor")
    with following(archive, *own):
        cursor_at(archive, 3)
        land(archive, 0, "验证", "请完成验证后继续访问")
        cursor_at(archive, 4)
    with archive.writer.transaction() as connection:
        revisions.withdraw(connection, 1, 2, FIRST)
    land(archive, 9, "新的一篇")
    with following(archive, *own) as process:
        assert "新的一篇" in line(process)


def test_what_makes_no_sense_is_one_line(archive):
    """And exits 2."""
    for wrong in (
        ("--from", "gestern"),
        ("--from", "-1"),
        ("--from", "99"),
        ("--from", "9" * 50),
        ("-广告",),
        ("--bogus",),
        ("--feed", "x"),
        ("--symbol", "无此证券"),
    ):
        done = archive.run("follow", *wrong)
        assert (done.returncode, done.stdout) == (2, ""), wrong
        assert len(done.stderr.splitlines()) <= 3, done.stderr
    (archive.folder / "file").write_text("")
    done = archive.run("follow", "--cursor", "file/a.cursor")
    assert (done.returncode, "cursor cannot be written" in done.stderr) == (3, True), done.stderr


def test_without_an_archive_it_says_so(site):
    """And makes none."""
    done = site.run("follow")
    assert (done.returncode, done.stdout) == (3, "")
    assert "there is no archive yet" in done.stderr
    assert not (site.folder / "archive.db").exists()


@pytest.mark.every_store
def test_an_archive_without_a_revision_gets_its_name_later(site):
    """Its cursor is at 0, and goes on with the first."""
    with closing(site.database()) as database:
        upgrade(database)
    with following(site, "--cursor", "a.cursor") as process:
        cursor_at(site, 0)
        with closing(filled(site.store or site.folder / "archive.db", [("一", "二")])):
            assert line(process).startswith("1\t")
            cursor_at(site, 1)
    assert json.loads((site.folder / "a.cursor").read_text())["archive"]
