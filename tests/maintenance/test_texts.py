"""Damaged texts of the database: each is named, and mended where somebody else has it."""

import sqlite3
from contextlib import closing
from datetime import timedelta

import pytest

from ingestor.clock import Clock
from ingestor.daemon.health import Freshness, Heartbeat, not_ready
from ingestor.maintenance.texts import SAID
from ingestor.observer import Observer
from tools.made_up_sina import made_up, publish
from tools.running import Site


@pytest.fixture
def full(site, net):
    """Give a site with six articles."""
    publish(net, [made_up(number) for number in range(1, 7)])
    assert site.run("--once").returncode == 0
    return site


def harm(site: Site, cells: dict[str, tuple[str, ...]], row: int = 2, bad: bytes = b"\xff") -> None:
    """Overwrite a byte in the middle of these columns of these tables, in one row."""
    with closing(sqlite3.connect(site.folder / "archive.db")) as connection, connection:
        for table, columns in cells.items():
            for column in columns:
                of = f"FROM {table} WHERE rowid = {row}"
                ((raw,),) = connection.execute(f"SELECT CAST({column} AS BLOB) {of}")
                middle = len(raw) // 2
                harmed = raw[:middle] + bad + raw[middle + 1 :]
                connection.execute(
                    f"UPDATE {table} SET {column} = CAST(? AS TEXT) WHERE rowid = {row}", [harmed]
                )


def contents(site: Site) -> list[list[tuple]]:
    tables = ("articles", "revisions", "entries", "captures", "feeds", "sightings", "images")
    with closing(sqlite3.connect(site.folder / "archive.db")) as connection:
        connection.text_factory = bytes
        return [connection.execute(f"SELECT * FROM {table}").fetchall() for table in tables]


MENDED = {
    "an article": {
        "articles": (
            "url", "document_id", "date", "title", "categories", "summary", "content_html",
            "content_text", "published_at", "first_seen_at", "updated_at", "path", "template",
            "file_sha256",
        ),
    },
    "a revision": {
        "revisions": (
            "title", "summary", "content_html", "content_text", "content_sha256", "published_at",
            "final_url", "template", "seen_at",
        ),
    },
    "an article's text and its revision's": {
        "articles": ("content_text", "content_html"), "revisions": ("content_text", "content_html"),
    },
    "a capture": {"captures": ("url", "final_url", "fetched_at", "sha256", "warc_file", "reading")},
    "an entry": {
        "entries": ("url", "guid", "title", "content", "published_at", "date_text", "seen_at"),
        "sightings": ("guid",),
    },
}  # fmt: skip


@pytest.mark.parametrize("cells", MENDED.values(), ids=MENDED)
def test_a_damaged_byte_is_named_and_mended_from_where_else_it_stands(full, cells):
    """Table, row and column; everything else is compared; afterwards each byte is what it was."""
    before = contents(full)
    harm(full, cells)
    found = full.run("verify")
    assert found.returncode == 1, found.stderr
    for table, columns in cells.items():
        for column in columns:
            assert f"{table} row 2, {column}: " in found.stdout
    repaired = full.run("verify", "--repair")
    assert repaired.returncode == 0, repaired.stdout + repaired.stderr
    assert " has it" in repaired.stdout
    assert full.run("verify").stdout == "0 disagreements; 0 foreign files\n"
    assert contents(full) == before


def test_a_damaged_byte_that_is_text_all_the_same_is_found_by_the_hash(full):
    """In an article, and in a revision that is long past."""
    before = contents(full)
    harm(full, {"articles": ("content_text",)}, row=3, bad=b"x")
    harm(full, {"revisions": ("content_text",)}, row=4, bad=b"x")
    found = full.run("verify")
    assert "articles row 3, content_text: " in found.stdout
    assert "revisions row 4, content_text: " in found.stdout
    assert full.run("verify", "--repair").returncode == 0
    assert contents(full) == before


def test_what_is_asked_for_again_is_forgotten(full):
    """Validators of the feed: the next poll has them again."""
    harm(full, {"feeds": ("name", "url", "etag", "body_sha256")}, row=1)
    assert full.run("verify", "--repair").returncode == 0
    assert full.query("SELECT etag, body_sha256 FROM feeds") == [("", "")]
    assert full.run("--once").returncode == 0
    assert full.query("SELECT count(*) FROM feeds WHERE etag <> ''") == [(1,)]


def test_what_nobody_else_has_is_named_and_left(full):
    """Exit 1 as long as it is so: only a backup helps, and nothing is guessed."""
    harm(full, {"articles": ("title",), "revisions": ("title",)})
    full.change("UPDATE captures SET warc_file = NULL", "UPDATE articles SET file_sha256 = 'x'")
    before = full.query("SELECT hex(title) FROM articles")
    repaired = full.run("verify", "--repair")
    assert repaired.returncode == 1
    assert "articles row 2, title: byte" in repaired.stdout
    assert "only a backup has it" in repaired.stdout
    assert full.query("SELECT hex(title) FROM articles") == before


ALL = {
    "articles": (
        *SAID,
        "url",
        "date",
        "document_id",
        "first_seen_at",
        "path",
        "categories",
        "etag",
    ),
    "revisions": (*SAID, "seen_at", "final_url", "dates"),
    "entries": ("key", "url", "title", "guid", "content", "seen_at", "published_at", "date_text"),
    "captures": ("url", "final_url", "fetched_at", "sha256", "warc_file", "reading", "text_hash"),
    "sightings": ("guid", "seen_at"),
}
COMMANDS = (
    ("search", "公司"), ("search", "公司", "--order", "newest"), ("show", "2", "--revisions", "--diff"),
    ("export", "lines", "--format", "jsonl"), ("export", "table", "--format", "parquet"),
    ("export", "posts", "--format", "files"), ("backup", "copy"), ("reextract", "--dry-run"),
)  # fmt: skip


def with_a_byte_overwritten(site: Site) -> None:
    cells = {
        table: tuple(column for column in columns if column not in {"media", "editor", "headimg"})
        for table, columns in ALL.items()
    }
    harm(site, cells)


def marked_as_bytes(site: Site) -> None:
    for table, columns in ALL.items():
        values = ", ".join(f"{column} = CAST({column} AS BLOB)" for column in columns)
        site.change(f"UPDATE {table} SET {values} WHERE rowid = 2")


@pytest.mark.parametrize("damage", [with_a_byte_overwritten, marked_as_bytes])
def test_every_command_survives_damaged_texts(full, damage):
    """A row in which nothing is whole: the others are shown, and it as far as it can be read."""
    damage(full)
    for command in COMMANDS:
        done = full.run(*command)
        assert done.returncode in {0, 1}, (command, done.stderr)
        assert "a bug" not in done.stderr, (command, done.stderr)
    assert (full.folder / "lines").read_text("utf-8").count("\n") == 6
    full.make_due()
    assert "a bug" not in full.run("--once").stderr
    for again in ((), ("--repair",), ()):
        assert "a bug" not in full.run("verify", *again).stderr


def test_damage_that_is_come_across_is_said_by_status_and_health(full):
    """Found at a start, noted, and forgotten when verify has mended it."""
    harm(full, {"articles": ("content_text",)}, bad=b"x")
    assert "database_damaged" in full.run("--once").stderr
    status = full.run("status")
    assert status.returncode == 1
    assert "damaged articles row 2, content_text" in status.stdout
    with closing(full.database()) as database:
        assert any("damaged in 1 place:" in reason for reason in unready(database))
    assert full.run("verify", "--repair").returncode == 0
    assert full.run("status").returncode == 0
    with closing(full.database()) as database:
        assert not any("damaged" in reason for reason in unready(database))


def unready(database) -> list[str]:
    """Return why a daemon on this database would not be ready."""
    clock = Clock()
    heartbeat = Heartbeat(database, clock, Observer(clock.monotonic), timedelta(minutes=5))
    heartbeat.check()
    return not_ready(heartbeat, Freshness(database, clock), 60)
