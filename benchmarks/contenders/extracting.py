"""httpx, an extractor and SQLite, as the documentation of each shows it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx

from benchmarks.contenders.common import Order


def run(told: Order, extract: Callable[[str], tuple[str, str]]) -> int:
    """Take in all pages; return how many."""
    database = sqlite3.connect(told.folder / "articles.db")
    database.execute("PRAGMA journal_mode = WAL")
    # So a commit waits for no disk: what it promises is less than ours, and this is about the work.
    database.execute("PRAGMA synchronous = NORMAL")
    database.execute("CREATE TABLE articles (url TEXT PRIMARY KEY, title TEXT, body TEXT)")
    limits = httpx.Limits(
        max_connections=told.connections, max_keepalive_connections=told.connections
    )
    done = 0
    with (
        httpx.Client(proxy=told.proxy, limits=limits, timeout=60) as client,
        ThreadPoolExecutor(told.connections) as pool,
    ):
        for answer in pool.map(client.get, told.urls):
            answer.raise_for_status()
            title, body = extract(answer.text)
            with database:
                database.execute(
                    "INSERT INTO articles VALUES (?, ?, ?)", (str(answer.url), title, body)
                )
            done += 1
    database.close()
    return done
