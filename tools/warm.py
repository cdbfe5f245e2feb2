"""Importing this does what a process of the program does once: so that forks of it need not.

The whole program is imported, with what it imports late, and a feed and a page are read, which
compiles the patterns of every rule. Tests fork hundreds of runs and workers.
"""

from __future__ import annotations

import gc
import importlib
import pkgutil

import ingestor
from ingestor.extract import article_from_entry
from ingestor.model import Response
from ingestor.workers.tasks import read_feed, receive_page
from tools.filling import FEED
from tools.made_up_sina import CHINA, finance_page, made_up, rsshub_feed

IMPORTED_LATE = (
    "apscheduler.executors.pool",
    "apscheduler.schedulers.background",
    "apscheduler.triggers.interval",
    "pydantic.type_adapter",
    "rich.traceback",
    "structlog",
    "warcio.archiveiterator",
)

EXTRAS = ("ingestor.__main__", "ingestor.archive.object_storage", "ingestor.browse")
"""Large, and wanted by few runs: each fork would take longer."""


def _import_everything() -> None:
    modules = [module.name for module in pkgutil.walk_packages(ingestor.__path__, "ingestor.")]
    for name in [*modules, *IMPORTED_LATE]:
        if not name.startswith(EXTRAS):
            importlib.import_module(name)


def _read() -> None:
    article = made_up(1)
    page, feed = finance_page(article).encode(), rsshub_feed([article]).encode()
    now = article.published_at.astimezone(CHINA)
    html = (("content-type", "text/html; charset=utf-8"),)
    receive_page(Response(article.url, article.url, 200, html, page, now), kept=True)
    document = read_feed(FEED, Response(FEED.url, FEED.url, 200, (), feed, now))
    article_from_entry(FEED, document.entries[0])


_import_everything()
_read()
# A collection in a fork would write to every page of memory that it shares.
gc.freeze()
