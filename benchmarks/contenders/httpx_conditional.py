"""The floor of polling: a conditional GET by httpx for each feed; nothing is read or stored.

Tags that were seen are kept in a file beside the order.
"""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import httpx

from benchmarks.contenders.common import Order, order, report


def run(told: Order) -> int:
    """Ask all feeds; return how many answered."""
    path = told.folder / "tags.json"
    tags: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    limits = httpx.Limits(
        max_connections=told.connections, max_keepalive_connections=told.connections
    )
    with (
        httpx.Client(proxy=told.proxy, limits=limits, timeout=60) as client,
        ThreadPoolExecutor(told.connections) as pool,
    ):

        def ask(url: str) -> httpx.Response:
            return client.get(url, headers={"If-None-Match": tags[url]} if url in tags else {})

        answers = list(pool.map(ask, told.urls))
    found = {str(one.url): one.headers["ETag"] for one in answers if "ETag" in one.headers}
    if found != tags:
        path.write_text(json.dumps(found))
    return sum(one.status_code in {200, 304} for one in answers)


if __name__ == "__main__":
    report(run(order()))
