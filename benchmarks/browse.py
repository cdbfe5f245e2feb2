"""How fast the pages of ``ingest browse`` are, and how heavy: `make bench-browse`.

    fill an archive, with edits | ask for each kind of page some times | median, 95 of 100, bytes

The pages are asked for one after the other, as one reader does, without a socket.
"""

from __future__ import annotations

import argparse
import asyncio
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import httpx

from benchmarks.filling import LAST_DAY, feed_name, fill, symbol
from ingestor.browse import server
from ingestor.browse.application import BrowsedArchive
from ingestor.clock import Clock
from ingestor.store.db.database import Database

DAY = LAST_DAY.date().isoformat()
MONTH = DAY[:8] + "01"
PAGES = {
    "front": ["/"],
    "newest": ["/search"],
    "second page": ["/search?page=2"],
    "twentieth page": ["/search?page=20"],
    "of a day": [f"/search?day={DAY}"],
    "of a feed": [f"/search?feed={feed_name(1)}", f"/search?feed={feed_name(9)}"],
    "of a medium": ["/search?media=青石网"],
    "of a security": [f"/search?symbol={symbol(1)}", f"/search?symbol={symbol(7)}"],
    "of a category": ["/search?category=金融", f"/search?category={feed_name(9)}"],
    "of an origin": ["/search?origin=page", "/search?origin=import"],
    "words": ["/search?q=水泥", "/search?q=银行 净利润", "/search?q=回购&order=newest"],
    "words of a month": [f"/search?q=公司&since={MONTH}"],
    "last edited": ["/search?order=edited"],
    "edits": ["/edits"],
    "article": ["/article/77", "/article/4001", "/article/90000"],
    "medium": ["/medium/青石网"],
    "security": [f"/security/{symbol(1)}", f"/security/{symbol(7)}"],
    "Atom": ["/search.atom?q=水泥"],
}


@dataclass(frozen=True, slots=True)
class Measured:
    """How the answers were."""

    took: list[float]
    """Milliseconds of each."""
    computed: list[float]
    """Milliseconds of the processor that each cost: what is left of a time on a busy machine."""
    largest: int
    """Bytes of the largest."""


def measure(ask: Callable[[str], int], addresses: list[str], times: int) -> Measured:
    """Ask for each address so often, after a first time that is not counted."""
    took, computed, largest = [], [], 0
    for address in [*addresses, *addresses * times]:
        began, cost = time.perf_counter(), time.process_time()
        largest = max(largest, ask(address))
        took.append((time.perf_counter() - began) * 1000)
        computed.append((time.process_time() - cost) * 1000)
    first = len(addresses)
    return Measured(took[first:], computed[first:], largest)


def add_edits(path: Path) -> None:
    """Let the publisher have changed the title of every twentieth article of an archive, later."""
    columns = "title, content_html, content_text, content_sha256, capture_id, published_at, summary"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            f"INSERT INTO revisions (article_id, revision, cause, seen_at, {columns})"
            " SELECT article_id, 2, 'edit', strftime('%Y-%m-%dT%H:%M:%SZ', seen_at, '+1 hour'),"
            f" '更正：' || {columns} FROM revisions WHERE article_id % 20 = 0"
        )
        connection.execute("UPDATE articles SET revision = 2 WHERE id % 20 = 0")
        connection.execute("ANALYZE revisions")


def main() -> None:
    """Print a line for each kind of page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.browse", description=__doc__)
    parser.add_argument("--articles", type=int, default=1_000_000)
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--archive", type=Path, help="use this file, or make it")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = chosen.archive or Path(folder) / "archive.db"
        if not path.exists():
            fill(path, chosen.articles)
            add_edits(path)
        _report(path, chosen.times)


def _report(path: Path, times: int) -> None:
    clock = Clock(now=lambda: LAST_DAY)
    with (
        closing(Database(f"sqlite:///{path}", for_reading=True)) as database,
        asyncio.Runner() as runner,
        server.opened(BrowsedArchive(database, clock)) as application,
    ):
        transport = httpx.ASGITransport(application)
        client = httpx.AsyncClient(transport=transport, base_url="http://localhost", timeout=600)

        def ask(address: str) -> int:
            answer = runner.run(client.get(address))
            if answer.status_code != 200:
                raise SystemExit(f"{address}: {answer.status_code}")
            return len(answer.content)

        print("| page | median | 95 of 100 | processor | kB |\n|---|---|---|---|---|")
        for name, addresses in PAGES.items():
            pages = measure(ask, addresses, times)
            p95 = statistics.quantiles(pages.took, n=20, method="inclusive")[-1]
            middle, computed = map(statistics.median, (pages.took, pages.computed))
            kilobytes = pages.largest / 1000
            print(
                f"| {name} | {middle:.0f} ms | {p95:.0f} ms | {computed:.0f} ms | {kilobytes:.0f} |"
            )
        runner.run(client.aclose())


if __name__ == "__main__":
    main()
