"""How fast the pages of ``ingest browse`` are, and how heavy: `make bench-browse`.

    fill an archive | ask for each kind of page some times | median, 95 of 100, bytes

The pages are asked for one after the other, as one reader does, without a socket.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import httpx

from benchmarks.filling import LAST_DAY, feed_name, fill
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
    "of an origin": ["/search?origin=page"],
    "words": ["/search?q=水泥", "/search?q=银行 净利润", "/search?q=回购&order=newest"],
    "words of a month": [f"/search?q=公司&since={MONTH}"],
    "last edited": ["/search?order=edited"],
    "edits": ["/edits"],
    "article": ["/article/77", "/article/4001", "/article/90000"],
    "medium": ["/medium/青石网"],
    "Atom": ["/search.atom?q=水泥"],
}


def measure(ask: Callable[[str], int], addresses: list[str], times: int) -> tuple[list[float], int]:
    """Return how many milliseconds each answer took, and the bytes of the largest."""
    took, largest = [], 0
    for _ in range(times):
        for address in addresses:
            began = time.perf_counter()
            largest = max(largest, ask(address))
            took.append((time.perf_counter() - began) * 1000)
    return took, largest


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
        _report(path, chosen.times)


def _report(path: Path, times: int) -> None:
    clock = Clock(now=lambda: LAST_DAY)
    with (
        closing(Database(f"sqlite:///{path}", for_reading=True)) as database,
        asyncio.Runner() as runner,
        server.opened(BrowsedArchive(database, clock)) as pages,
    ):
        transport = httpx.ASGITransport(pages)
        client = httpx.AsyncClient(transport=transport, base_url="http://localhost", timeout=600)

        def ask(address: str) -> int:
            answer = runner.run(client.get(address))
            if answer.status_code != 200:
                raise SystemExit(f"{address}: {answer.status_code}")
            return len(answer.content)

        print("| page | median | 95 of 100 | kB |\n|---|---|---|---|")
        for name, addresses in PAGES.items():
            took, largest = measure(ask, addresses, times)
            p95 = statistics.quantiles(took, n=20, method="inclusive")[-1]
            middle = statistics.median(took)
            print(f"| {name} | {middle:.0f} ms | {p95:.0f} ms | {largest / 1000:.0f} |")
        runner.run(client.aclose())


if __name__ == "__main__":
    main()
