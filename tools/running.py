"""Runs the program as its users do: as a process, with a configuration, against the fake internet."""

from __future__ import annotations

import os
import pty
import sqlite3
import subprocess
import sys
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from ingestor.store.db.database import Database
from ingestor.store.search.index import numbers
from ingestor.text.dates import iso_utc
from tools import forked
from tools.fake_internet import FakeInternet
from tools.made_up_sina import FEED_URL

_ONE_AFTER_THE_OTHER = """
import sys
from ingestor.cli import main
sys.modules[sys.argv[1]] = None
for line in sys.argv[2:]:
    try:
        main(line.split())
    except SystemExit as end:
        assert end.code == 2
"""


@dataclass
class Site:
    """A user's folder with a configuration, and the internet that it sees."""

    folder: Path
    net: FakeInternet
    store: str = field(default="", kw_only=True)
    """Address of its database; ``""``: a file in the folder."""

    def configure(
        self,
        *feeds: str,
        fetch: str = "",
        archive: str = "",
        schedule: str = "",
        service: str = "",
        cluster: str = "",
    ) -> None:
        """Write config.toml; each feed is the inside of a [[feeds]] section.

        Feeds are asked no slower than they say, whatever their ttl, unless ``schedule`` has
        its own ``slowest``.
        """
        if "delay_per_host" not in fetch:
            fetch = f'delay_per_host = "0s"\n{fetch}'
        if "proxy" not in fetch:
            fetch = f'proxy = "{self.net.proxy_url}"\n{fetch}'
        if "timeout" not in fetch:
            # A busy machine answers late, and a request that failed is tried again in minutes.
            fetch = f'timeout = "60s"\n{fetch}'
        if "slowest" not in schedule:
            schedule = f'slowest = "1s"\n{schedule}'
        sections = "".join(f"[[feeds]]\n{feed}\n" for feed in feeds or (feed(),))
        store = f'[store]\nurl = "{self.store}"\n' if self.store else ""
        (self.folder / "config.toml").write_text(
            f"{store}[fetch]\n{fetch}\n"
            f"[archive]\n{archive}\n[schedule]\n{schedule}\n[service]\n{service}\n[cluster]\n{cluster}\n{sections}",
            encoding="utf-8",
        )

    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("INGEST_")}
        return kept | {"SSL_CERT_FILE": self.net.ca_file, "COLUMNS": "160"}

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run ``ingest`` with these arguments."""
        return forked.run(arguments, self.folder, self.environment())

    def start(
        self, *arguments: str, stdout: int = -1, stderr: int = -1, **environment: str
    ) -> forked.Process:
        """Start ``ingest``, whose output goes to these descriptors, or nowhere."""
        with Path(os.devnull).open("r+b") as null:
            nothing = null.fileno()
            streams = [nothing, *(nothing if number < 0 else number for number in (stdout, stderr))]
            everything = self.environment() | environment
            return forked.Process(
                arguments, self.folder, everything, streams, longest=4 * forked.LONGEST
            )

    def on_a_terminal(self, *arguments: str, **environment: str) -> str:
        """Run ``ingest`` on a terminal; return what stands there afterwards, colours and all."""
        terminal, end = pty.openpty()
        environment = self.environment() | {"TERM": "xterm-256color"} | environment
        process = forked.Process(arguments, self.folder, environment, [end, end, end])
        os.close(end)
        shown = b""
        # The system says "input/output error" when the other end is closed.
        with suppress(OSError):
            while part := os.read(terminal, 65536):
                shown += part
        process.wait()
        os.close(terminal)
        return shown.decode()

    def refusals(self, *lines: str, without: str = "") -> list[str]:
        """Run commands that exit 2, all in one process; return their lines of standard error.

        ``without`` names a library that is then as if it were not installed.
        """
        done = subprocess.run(
            [sys.executable, "-c", _ONE_AFTER_THE_OTHER, without, *lines],
            cwd=self.folder,
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert (done.returncode, done.stdout) == (0, ""), done.stderr
        return done.stderr.splitlines()

    def query(self, sql: str) -> list[tuple]:
        """Ask the database as users do; moments are text, as SQLite keeps them."""
        with self._connected(writes=False) as connection:
            return [tuple(map(_as_text, row)) for row in connection.execute(sql).fetchall()]

    def change(self, *statements: str) -> None:
        """Change the database behind the program's back, with no look at what refers to what."""
        # SQLite's shell does not watch it either, unless it is asked to.
        unwatched = ["SET session_replication_role = replica"] if self.store else []
        with self._connected(writes=True) as connection, connection:
            for statement in (*unwatched, *statements):
                connection.execute(statement)

    def make_due(
        self, table: str = "articles", column: str = "next_check_at", where: str = "1 = 1"
    ) -> None:
        """Move a moment into the past: no test waits for an hour to go by."""
        self.change(f"UPDATE {table} SET {column} = '2000-01-01T00:00:00Z' WHERE {where}")

    def matching(self, pair: str) -> list[int]:
        """Return the ids of the articles that the full-text index has under two characters."""
        condition = (
            f"article_id FROM articles_fts WHERE terms @> ARRAY{numbers([pair])}"
            if self.store
            else f"rowid FROM articles_fts WHERE articles_fts MATCH '{pair}'"
        )
        return sorted(number for (number,) in self.query(f"SELECT {condition}"))

    def database(self) -> Database:
        """Open the database as the program does."""
        return Database(self.store or f"sqlite:///{self.folder}/archive.db")

    def _connected(self, *, writes: bool) -> closing:
        if self.store:
            import psycopg  # of what is installed for tests: the demo does without

            return closing(psycopg.connect(self.store.replace("+psycopg", "")))
        mode = "rw" if writes else "ro"
        return closing(sqlite3.connect(f"file:{self.folder}/archive.db?mode={mode}", uri=True))

    def files(self) -> dict[str, str]:
        """Return every archive file by its path."""
        root = self.folder / "archive"
        return {
            str(path.relative_to(root)): path.read_text("utf-8")
            for path in sorted(root.rglob("*.md"))
        }


def _as_text(value: object) -> object:
    return iso_utc(value) if isinstance(value, datetime) else value


def feed(url: str = FEED_URL, name: str = "新浪财经－國內", more: str = "") -> str:
    """Return the inside of a [[feeds]] section."""
    return f'name = "{name}"\nurl = "{url}"\n{more}'
