"""``make demo``: ingest a made-up Sina on loopback and show what comes of it."""

from __future__ import annotations

import argparse
import json
import shlex
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import unicodedata
from collections.abc import Iterable
from contextlib import ExitStack, closing
from pathlib import Path

from tools.fake_internet import FakeInternet
from tools.made_up_sina import demo_articles, publish
from tools.running import Site

QUERIES = {
    "Articles a day, by medium": (
        ("date", "media", "articles"),
        "SELECT date, media, count(*) FROM articles GROUP BY date, media",
    ),
    "The latest titles, and how long after publication they were first seen": (
        ("published_at", "first seen after", "title"),
        (
            "SELECT published_at, "
            "printf('%d days', julianday(first_seen_at) - julianday(published_at)), title "
            "FROM articles ORDER BY published_at DESC LIMIT 5"
        ),
    ),
    "Which securities were named, and where": (
        ("symbol", "name", "title"),
        (
            "SELECT s.symbol, s.name, a.title FROM symbols s "
            "JOIN articles a ON a.id = s.article_id ORDER BY s.symbol"
        ),
    ),
}
WIDEST = 48
"""Columns of the terminal that a cell may take."""


def main() -> int:
    """Show the demo; return 0 only when all articles are in and a second run changed nothing."""
    parser = argparse.ArgumentParser(prog="python -m tools.demo", description=__doc__)
    parser.add_argument("--folder", type=Path, help="keep the archive here (a new folder)")
    chosen = parser.parse_args().folder
    with ExitStack() as stack:
        if chosen is None:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        else:
            (folder := chosen).mkdir(parents=True)
        well = _demonstrate(Site(folder, stack.enter_context(FakeInternet())))
    print("\nAll is well." if well else "\nThis is not what should have come out.")
    if chosen:
        _heading(f"The archive is in {chosen}/. Try")
        print(*commands(chosen), sep="\n")
    return 0 if well else 1


def commands(folder: Path) -> list[str]:
    """Return four commands to try on the archive in a folder, each as it is typed in a shell."""
    python, here = Path(sys.executable), Path.cwd()
    python = python.relative_to(here) if python.is_relative_to(here) else python
    program = python.with_name("ingest")
    ingest = str(program) if program.exists() else f"{python} -m ingestor"
    config = f"--config {folder}/config.toml"
    with closing(sqlite3.connect(folder / "archive.db")) as connection:
        (url,) = connection.execute("SELECT min(url) FROM articles").fetchone()
    select = "SELECT date, media, title FROM articles"
    # Not every machine has SQLite's own program.
    shell = f'sqlite3 {folder}/archive.db "{select}"'
    if not shutil.which("sqlite3"):
        script = f"import sqlite3; print(*sqlite3.connect('{folder}/archive.db').execute('{select}'), sep='\\n')"
        shell = f'{python} -c "{script}"'
    return [
        f"{ingest} search 公司 {config}",
        f"{ingest} show {shlex.quote(url)} {config}",
        f"{ingest} browse {config}",
        shell,
    ]


def _demonstrate(site: Site) -> bool:
    articles = demo_articles()
    publish(site.net, articles)
    site.configure()
    _heading("A made-up Sina is served on loopback")
    print(
        f"A feed with {len(articles)} entries, and below https://finance.sina.com.cn/ their pages."
    )
    first = _ingest(site, "ingest --once")
    files = site.files()
    _show_files(files)
    for title, (names, sql) in QUERIES.items():
        _heading(title)
        print(f'$ sqlite3 archive.db "{sql}"')
        _table(names, site.query(sql))
    site.net.forget()
    second = _ingest(site, "ingest --once, again: nothing has changed")
    asked = [f"{visit.status} {visit.url}" for visit in site.net.asked()]
    print("What was asked of Sina:", *asked, sep="\n  ")
    same = site.files() == files and second["feeds_unchanged"] == 1 and second["entries_new"] == 0
    return first["articles_new"] == len(articles) == len(files) and same


def _ingest(site: Site, title: str) -> dict[str, float]:
    _heading(title)
    print("$ ingest --once --json")
    # Not as the tests run it: that needs all that they need.
    done = subprocess.run(
        [sys.executable, "-m", "ingestor", "--once", "--json"],
        cwd=site.folder,
        env=site.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    print(done.stderr, done.stdout, sep="", end="")
    if done.returncode:
        sys.exit(f"ingest ended with exit code {done.returncode}")
    summary: dict[str, float] = json.loads(done.stdout)
    return summary


def _show_files(files: dict[str, str]) -> None:
    _heading("The files")
    folder = ""
    for path in map(Path, files):
        if str(path.parent) != folder:
            folder = str(path.parent)
            print(f"archive/{folder}/")
        print(f"  {path.name}")
    first, text = next(iter(files.items()))
    _heading(f"The beginning of {Path(first).name}")
    print(*text.splitlines()[:18], "…", sep="\n")


def _heading(text: str) -> None:
    print(f"\n── {text} ".ljust(shutil.get_terminal_size((100, 24)).columns, "─"))


def _table(names: Iterable[str], rows: Iterable[tuple[object, ...]]) -> None:
    cells = [[shortened(str(value)) for value in row] for row in [tuple(names), *rows]]
    widths = [max(map(columns, column)) for column in zip(*cells, strict=True)]
    cells.insert(1, ["─" * width for width in widths])
    for row in cells:
        padded = (
            cell + " " * (width - columns(cell)) for cell, width in zip(row, widths, strict=True)
        )
        print(" ", "  ".join(padded).rstrip())


def columns(text: str) -> int:
    """Return the columns that a text takes on a terminal: Chinese characters take two."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def shortened(text: str) -> str:
    """Cut a text to the widest that a cell may be."""
    if columns(text) <= WIDEST:
        return text
    while columns(text) >= WIDEST:
        text = text[:-1]
    return f"{text}…"


if __name__ == "__main__":
    sys.exit(main())
