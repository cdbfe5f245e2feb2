"""lemon24/reader, a feed reader library, with as many threads as connections."""

from __future__ import annotations

import os

from reader import make_reader

from benchmarks.contenders.common import Order, order, report


def run(told: Order) -> int:
    """Update all feeds; return how many went well."""
    os.environ["HTTP_PROXY"] = os.environ["http_proxy"] = told.proxy
    with make_reader(str(told.folder / "reader.db")) as reader:
        known = reader.get_feed_counts().total
        for url in told.urls[known:]:
            reader.add_feed(url)
        results = list(reader.update_feeds_iter(workers=told.connections, scheduled=False))
    # What it does with what it got is its own affair, but it has to have got it.
    return sum(not isinstance(one.value, Exception) for one in results)


if __name__ == "__main__":
    report(run(order()))
