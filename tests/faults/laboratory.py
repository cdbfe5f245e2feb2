"""What the fault tests share: runs that die, and what must be true of an archive afterwards."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Self

import psycopg

from ingestor.archive.warc.reader import whole_length
from tools import ROOT
from tools.living import LONGEST
from tools.running import Site

SOAK = "INGEST_SOAK" in os.environ
"""`make soak`: hundreds of kills and places, instead of a few."""

TABLES = {
    "articles": "SELECT url, date, title, content_text, origin, revision, path FROM articles",
    "sightings": "SELECT a.url, f.name, s.guid FROM sightings s JOIN articles a ON a.id = s.article_id JOIN feeds f ON f.id = s.feed_id",
    "revisions": "SELECT a.url, r.revision, r.cause, r.title, r.content_sha256 FROM revisions r JOIN articles a ON a.id = r.article_id",
    "entries": "SELECT f.name, e.key, e.state FROM entries e JOIN feeds f ON f.id = e.feed_id",
    "symbols": "SELECT a.url, s.symbol FROM symbols s JOIN articles a ON a.id = s.article_id",
}
"""What an archive holds, without what depends on the moment: ids and times."""

INDEXED = {"sqlite": "articles_fts_docsize", "postgresql": "articles_fts"}
"""The tables with a row for each article of the full-text index."""

DOUBLES = {
    "an article": "SELECT url, date FROM articles GROUP BY url, date HAVING count(*) > 1",
    "a document": "SELECT document_id, date FROM articles WHERE document_id IS NOT NULL GROUP BY 1, 2 HAVING count(*) > 1",
    "a sighting": "SELECT article_id, feed_id FROM sightings GROUP BY 1, 2 HAVING count(*) > 1",
    "an entry": "SELECT feed_id, key FROM entries GROUP BY 1, 2 HAVING count(*) > 1",
    "a file": "SELECT path FROM articles GROUP BY path HAVING count(*) > 1",
}


class Driver:
    """A process that runs ``ingest`` on command; see :mod:`tests.faults.driver`."""

    seconds = 0.0
    """How long the last run took."""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.driver"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate(timeout=LONGEST)

    def run(self, site: Site, *arguments: str, kill_at: int = 0, **more: float) -> int:
        """Run ``ingest`` and return its exit code, ``-9`` when it was killed.

        ``clock_shift`` puts its clock forward by seconds, ``most_file_bytes`` bounds the
        files that it can write. ``kill_after`` kills it after seconds; it has worker processes then.
        """
        command = {
            "folder": str(site.folder),
            "environment": site.environment(),
            "arguments": arguments,
            "kill_at": kill_at,
            **more,
        }
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        self.seconds = answer["seconds"]
        return answer["code"]


def points_of(site: Site) -> list[str]:
    """Return the points that the last run of the driver passed."""
    return (site.folder / "driver.points").read_text("utf-8").splitlines()


def said(site: Site) -> str:
    """Return what the last run of the driver wrote to standard error."""
    return (site.folder / "driver.err").read_text("utf-8")


def output(site: Site) -> str:
    """Return what the last run of the driver wrote to standard output."""
    return (site.folder / "driver.out").read_text("utf-8")


def holdings(site: Site) -> dict[str, list[tuple]]:
    """Return everything that an archive holds, in an order of its own."""
    indexed = INDEXED["postgresql" if site.store else "sqlite"]
    tables = TABLES | {"index": f"SELECT count(*) FROM {indexed}"}
    return {name: sorted(site.query(sql)) for name, sql in tables.items()}


def assert_sound(site: Site, files: list[dict[str, str]]) -> None:
    """Assert what holds at any moment, also right after a kill.

    ``files`` are the states of the files that are whole: a file is one of them, to the byte.
    """
    for path, text in site.files().items():
        assert any(text == whole.get(path) for whole in files), f"{path} is not whole"
    if site.store:
        assert_rows_are_sound(site.query)
        return
    if not (site.folder / "archive.db").exists():
        return
    with closing(sqlite3.connect(site.folder / "archive.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        made = connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'entries'")
        if made.fetchone() == (0,):
            return
        assert_rows_are_sound(lambda sql: connection.execute(sql).fetchall())


def assert_rows_are_sound(query: Callable[[str], list[tuple]]) -> None:
    """Assert that nothing is in a database twice, and that no feed counts as read too early."""
    for what, sql in DOUBLES.items():
        assert query(sql) == [], f"{what} is there twice"
    lost = (
        "SELECT name FROM feeds WHERE body_sha256 <> '' AND id NOT IN (SELECT feed_id FROM entries)"
    )
    assert query(lost) == [], "validators moved without their entries"


def assert_sealed(site: Site) -> None:
    """Assert that the start cut away what the kill tore: nothing is appended, nothing is left."""
    assert list((site.folder / "warc").glob("*.open")) == []
    for path in (site.folder / "warc").glob("*.warc.gz"):
        assert whole_length(path) == path.stat().st_size > 0


def assert_nothing_is_damaged(driver: Driver, victim: Site, name: str) -> None:
    """Assert that verify, straight after a run that was cut off, takes what that left for what it is."""
    code = driver.run(victim, "verify")
    if "no archive yet" not in said(victim) and "made by an older version" not in said(victim):
        assert code == 0, f"{name}: {output(victim)}{said(victim)}"


def copy_of(site: Site, folder: Path) -> Site:
    """Return a copy of a user's folder: the configuration and the archive."""
    folder.mkdir(parents=True)
    for path in site.folder.glob("config.toml"):
        shutil.copy2(path, folder)
    for path in site.folder.glob("archive.db*"):
        shutil.copy2(path, folder)
    for name in ("archive", "warc"):
        if (site.folder / name).exists():
            shutil.copytree(site.folder / name, folder / name)
    if not site.store:
        return Site(folder, site.net)
    server, _, name = site.store.rpartition("/")
    copied = f"{name}_{folder.parent.name}_{folder.name}"
    with closing(psycopg.connect(f"{server}/postgres".replace("+psycopg", ""))) as connection:
        connection.autocommit = True
        connection.execute(f'CREATE DATABASE "{copied}" TEMPLATE "{name}" STRATEGY wal_log')
    configuration = folder / "config.toml"
    text = configuration.read_text("utf-8").replace(site.store, f"{server}/{copied}")
    configuration.write_text(text, "utf-8")
    return Site(folder, site.net, store=f"{server}/{copied}")
