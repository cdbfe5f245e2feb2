"""``ingest verify``: each disagreement is found, said on a line, and mended without a loss."""

import socket
from contextlib import closing
from pathlib import Path

import pytest

from ingestor.archive.warc.writer import mark_open
from ingestor.store.search import index
from tools.made_up_sina import made_up, publish
from tools.running import Site

pytestmark = pytest.mark.every_store


@pytest.fixture
def full(site, net):
    """Give a site with three articles."""
    publish(net, [made_up(number) for number in range(1, 4)])
    assert site.run("--once").returncode == 0
    return site


def first_file(site: Site) -> Path:
    return site.folder / "archive" / next(iter(site.files()))


def warc_file(site: Site) -> Path:
    (path,) = (site.folder / "warc").glob("*.warc.gz")
    return path


def remove_a_file(site):
    first_file(site).unlink()


def change_a_file(site):
    first_file(site).write_text("somebody was here", "utf-8")


def forget_that_a_file_was_written(site):
    site.change("UPDATE articles SET file_sha256 = NULL WHERE id = 1")


def leave_a_temporary_file(site):
    first_file(site).with_name(".0123456789abcdef.ingestor-tmp").write_text("half", "utf-8")


def lose_the_index(site):
    with closing(site.database()) as database, database.transaction() as connection:
        index.of(connection).empty()


def lose_a_place_in_a_story(site):
    # Its bands stay, as after a flipped byte of one row.
    site.change("DELETE FROM stories WHERE article_id = 2")


def lose_a_warc_file(site):
    warc_file(site).unlink()


def tear_a_warc_file(site):
    path = warc_file(site)
    path.write_bytes(path.read_bytes()[:-40])


def point_elsewhere(site):
    site.change("UPDATE captures SET warc_offset = warc_offset + 1 WHERE id = 1")


def claim_another_body(site):
    site.change("UPDATE captures SET sha256 = 'x' WHERE id = 1")


def forget_a_capture(site):
    site.change("UPDATE captures SET warc_file = NULL WHERE id = 1")


MENDABLE = {
    remove_a_file: "is missing",
    change_a_file: "is not what the database says",
    leave_a_temporary_file: "left over",
    lose_the_index: "full-text index: 3 articles",
    lose_a_place_in_a_story: "1 article",
    lose_a_warc_file: "is missing",
    tear_a_warc_file: "ends in the middle of a record",
    point_elsewhere: "there is no record at byte",
    claim_another_body: "differs",
    forget_a_capture: "no capture points to it",
}


MAY_BE_UNFINISHED = {
    leave_a_temporary_file,
    tear_a_warc_file,
    forget_a_capture,
}
"""What a worker on another machine may be in the middle of: no disagreement on a server yet."""


@pytest.mark.parametrize(
    ("fault", "said"), MENDABLE.items(), ids=lambda one: getattr(one, "__name__", "")
)
def test_a_disagreement_is_said_and_mended(full, fault, said):
    """Exit 1, a line; after --repair nothing is left, and no article is lost."""
    if full.store and fault in MAY_BE_UNFINISHED:
        pytest.skip("looked at when it has lain still for an hour")
    before, rows = (
        full.files(),
        full.query("SELECT id, url, title, content_text FROM articles ORDER BY id"),
    )
    fault(full)
    found = full.run("verify")
    assert found.returncode == 1
    assert said in found.stdout
    repaired = full.run("verify", "--repair")
    assert repaired.returncode == 0, repaired.stdout + repaired.stderr
    again = full.run("verify")
    *known, last = again.stdout.splitlines()
    assert (again.returncode, last) == (0, "0 disagreements; 0 foreign files")
    assert all(line.endswith("; known") for line in known)
    assert full.files() == before
    assert full.query("SELECT id, url, title, content_text FROM articles ORDER BY id") == rows
    assert full.matching("公司")


def leave_the_warc_open(site):
    """As a killed writer does: its mark is there, and nobody holds the file."""
    mark_open(warc_file(site)).write_text(f"{socket.gethostname()}\n", "utf-8")


def forget_the_last_captures(site):
    forget_captures_from(site, 3)


def forget_captures_from(site, first):
    leave_the_warc_open(site)
    site.change(
        f"UPDATE revisions SET capture_id = NULL WHERE capture_id >= {first}",
        f"DELETE FROM captures WHERE id >= {first}",
    )


def tear_an_open_warc_file(site):
    leave_the_warc_open(site)
    with warc_file(site).open("ab") as file:
        file.write(b"\x1f\x8b\x08 and no more")


def leave_a_file_half_written(site):
    forget_that_a_file_was_written(site)
    (path,) = site.query("SELECT path FROM articles WHERE id = 1")[0]
    file = site.folder / "archive" / path
    file.rename(file.with_name(".0123456789abcdef.ingestor-tmp"))


LEFT = {
    forget_the_last_captures: "2 records",
    tear_an_open_warc_file: "1 torn record",
    forget_that_a_file_was_written: "1 due file",
    leave_a_file_half_written: "1 due file, 1 temporary file",
}


@pytest.mark.sqlite_only
@pytest.mark.parametrize(
    ("left", "said"), LEFT.items(), ids=lambda case: getattr(case, "__name__", "")
)
def test_what_an_interrupted_run_left_is_no_disagreement(full, left, said):
    """It is said with what it is, and the next run does take it up."""
    before = full.files()
    left(full)
    found = full.run("verify")
    line = f"left by an interrupted run: {said}; the next run takes them up"
    assert (found.returncode, line in found.stdout) == (0, True), found.stdout
    full.run("--once")
    assert full.run("verify").stdout == "0 disagreements; 0 foreign files\n"
    assert full.files() == before


@pytest.mark.sqlite_only
def test_damage_before_what_an_interrupted_run_left_is_a_disagreement(full):
    """A record without a capture, before one that has one: no start takes it up."""
    forget_a_capture(full)
    flipped = full.query("SELECT warc_offset + 30 FROM captures WHERE id = 3")[0][0]
    with warc_file(full).open("r+b") as file:
        file.seek(flipped)
        file.write(b"????")
    forget_captures_from(full, 4)
    found = full.run("verify")
    assert found.returncode == 1
    assert "2 disagreements" in found.stdout, found.stdout
    assert "left by an interrupted run: 1 record; " in found.stdout


CONTRADICTIONS = {
    "a text that is not its hash": (
        "UPDATE articles SET content_text = 'x', content_sha256 = 'y' WHERE id = 1",
        "content_sha256",
    ),
    "a revision that is gone": ("DELETE FROM revisions WHERE article_id = 1", "is missing"),
    "another title than the revision's": (
        "UPDATE articles SET title = 'x' WHERE id = 1",
        "current revision",
    ),
    "a reference to nothing": (
        "UPDATE sightings SET feed_id = 99 WHERE article_id = 1",
        "row of feeds",
    ),
}


@pytest.mark.parametrize(("sql", "said"), CONTRADICTIONS.values(), ids=CONTRADICTIONS)
def test_what_only_a_backup_mends_is_left_and_said(full, sql, said):
    """The database is the truth: where it contradicts itself, nothing is guessed."""
    full.change(sql)
    repaired = full.run("verify", "--repair")
    assert repaired.returncode == 1
    assert said in repaired.stdout


def test_a_foreign_file_is_said_and_left_alone(full):
    """A Hexo site's own posts lie in the same folder; they are no disagreement."""
    path = first_file(full).with_name("about.md")
    path.write_text("mine", "utf-8")
    assert full.run("verify", "--repair").returncode == 0
    found = full.run("verify")
    assert found.returncode == 0
    assert "about.md: belongs to no article" in found.stdout
    assert path.read_text("utf-8") == "mine"


def test_a_warc_folder_that_is_not_there_is_never_forgotten(full):
    """It may only not be mounted."""
    full.folder.joinpath("warc").rename(full.folder / "elsewhere")
    repaired = full.run("verify", "--repair")
    assert repaired.returncode == 1
    assert "is not there" in repaired.stdout
    full.folder.joinpath("elsewhere").rename(full.folder / "warc")
    assert full.run("verify").returncode == 0


@pytest.mark.sqlite_only
@pytest.mark.parametrize(
    ("fault", "done"),
    [
        (remove_a_file, "is missing; written again"),
        (leave_a_temporary_file, "killed; removed"),
        (lose_the_index, "not as indexed; indexed again"),
        (forget_a_capture, "; recorded in the database"),
        (lose_a_warc_file, "; marked as lost; only a backup has it"),
    ],
    ids=lambda case: getattr(case, "__name__", ""),
)
def test_a_repair_says_what_it_did(full, fault, done):
    """On the line of what it was done about; a look alone says what is wrong."""
    fault(full)
    assert done not in full.run("verify").stdout
    repaired = full.run("verify", "--repair").stdout
    assert done in repaired
    if fault is not lose_a_warc_file:
        assert "1 disagreement, 1 mended; 0 foreign files" in repaired
