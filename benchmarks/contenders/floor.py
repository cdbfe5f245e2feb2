"""The floor: httpx, one lxml parse, one insert and one gzip write a page; nothing else.

With several processes each takes its part of the addresses and of the connections, and has its
own database and its own file.
"""

from __future__ import annotations

import gzip
import os
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import httpx
import lxml.html

from benchmarks.contenders.common import Order, order, report


def run(told: Order, name: str = "floor") -> int:
    """Take in all pages; return how many."""
    database = sqlite3.connect(told.folder / f"{name}.db", check_same_thread=False)
    database.execute("CREATE TABLE articles (url TEXT PRIMARY KEY, title TEXT, html BLOB)")
    limits = httpx.Limits(
        max_connections=told.connections, max_keepalive_connections=told.connections
    )
    done = 0
    with (
        httpx.Client(proxy=told.proxy, limits=limits, timeout=60) as client,
        ThreadPoolExecutor(told.connections) as pool,
        (told.folder / f"{name}.gz").open("wb") as file,
    ):
        for answer in pool.map(client.get, told.urls):
            page = answer.content
            title = lxml.html.fromstring(page).findtext(".//title")
            database.execute(
                "INSERT INTO articles VALUES (?, ?, ?)", (str(answer.url), title, page)
            )
            # zlib's own default; gzip's module takes 9, which costs twice as much.
            file.write(gzip.compress(page, 6))
            done += 1
    database.commit()
    database.close()
    return done


def main() -> None:
    """Do what is told, in as many processes as are told."""
    told = order()
    children = []
    for number in range(1, told.processes):
        if not (child := os.fork()):
            run(_part(told, number), f"floor-{number}")
            os._exit(0)
        children.append(child)
    run(_part(told, 0), "floor-0")
    for child in children:
        _, status = os.waitpid(child, 0)
        if status:
            raise SystemExit(1)
    report(len(told.urls))


def _part(told: Order, number: int) -> Order:
    connections = max(1, told.connections // told.processes)
    return replace(told, urls=told.urls[number :: told.processes], connections=connections)


if __name__ == "__main__":
    main()
