"""``make demo``: ingest a made-up Sina on loopback and show what comes of it."""

from __future__ import annotations

import json
import sys
import tempfile
import unicodedata
from pathlib import Path

from tests.fake_internet import FakeInternet
from tests.made_up_sina import demo_articles, publish
from tests.running import Site

QUERIES = {
    "Articles a day, by medium": "SELECT date, media, count(*) AS articles FROM articles GROUP BY date, media",
    "The latest titles": "SELECT published_at, title FROM articles ORDER BY published_at DESC LIMIT 5",
    "Which securities were named": "SELECT s.symbol, s.name, a.title FROM symbols s JOIN articles a ON a.id = s.article_id",
}


def main() -> int:
    """Show the demo; return 0 only when all articles are in and a second run changed nothing."""
    with tempfile.TemporaryDirectory() as folder, FakeInternet() as net:
        articles = demo_articles()
        publish(net, articles)
        site = Site(Path(folder), net)
        site.configure()
        print(
            f"A made-up Sina is served on loopback: a feed with {len(articles)} entries, and their pages.\n"
        )
        print("$ ingest --once --json")
        first = json.loads(_shown(site.run("--once", "--json")))
        files = site.files()
        print("\nThe files:")
        for path in files:
            print(f"  archive/{path}")
        print(f"\nThe beginning of the first:\n{next(iter(files.values()))[:700]}…\n")
        for title, sql in QUERIES.items():
            print(f'{title}:\n  sqlite3 archive.db "{sql}"')
            for row in site.query(sql):
                print("    " + "  ".join(_padded(str(value), 24) for value in row))
        print("\n$ ingest --once --json        (again: nothing changed)")
        second = json.loads(_shown(site.run("--once", "--json")))
        same = (
            site.files() == files and second["feeds_unchanged"] == 1 and second["entries_new"] == 0
        )
        return 0 if first["articles_new"] == len(articles) == len(files) and same else 1


def _shown(done: object) -> str:
    print(done.stderr, done.stdout, sep="", end="")
    return done.stdout


def _padded(text: str, width: int) -> str:
    """Pad to a width on the terminal, where Chinese characters take two columns."""
    shown = sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)
    return text + " " * max(0, width - shown)


if __name__ == "__main__":
    sys.exit(main())
