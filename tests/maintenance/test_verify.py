"""``ingest verify``: each disagreement is found, said on a line, and mended without a loss."""

from contextlib import closing
from pathlib import Path

import pytest

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
        index.empty(connection)


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
    forget_that_a_file_was_written: "is not written yet",
    leave_a_temporary_file: "left over",
    lose_the_index: "full-text index: 3 articles",
    lose_a_warc_file: "is missing",
    tear_a_warc_file: "ends in the middle of a record",
    point_elsewhere: "there is no record at byte",
    claim_another_body: "differs",
    forget_a_capture: "no capture points to it",
}


MAY_BE_UNFINISHED = {
    forget_that_a_file_was_written,
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
