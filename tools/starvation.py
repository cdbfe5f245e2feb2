"""``make soak-starvation``: a good feed is on time, whatever another one does.

One feed announces pages that cost ten seconds each to read, and another pages that never come. A
good feed beside them has a new article every two seconds: how late is each of them?
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tools import ROOT
from tools.fake_internet import FakeInternet
from tools.living import Daemon, wait_for
from tools.made_up_sina import FEED_URL, finance_page, made_up, publish, rsshub_feed
from tools.running import Site, feed

EVERY = 2.0
"""Seconds between two polls of the good feed, and between its articles."""

PAGES = 40
"""Of each of the others."""

COSTLY_URL = "https://rsshub.example/costly"
HANGING_URL = "https://rsshub.example/hanging"

_COSTS = """
import time
import ingestor.extract, ingestor.workers.process
# Not given up, however slow the machine is, before what goes past it is done.
ingestor.workers.process.WAITED_FOR = ingestor.workers.process.TIMEOUT_AFTER = 1000
read = ingestor.extract.read_page
def read_page(page):
    if "costly" in page.url:
        end = time.{clock}() + {seconds}
        while time.{clock}() < end:
            {wait}
    return read(page)
ingestor.extract.read_page = read_page
"""
"""Python runs it at the start of every process: no page that we know costs as much by itself."""


def costs(folder: Path, seconds: float, *, busy: bool) -> dict[str, str]:
    """Return the variables with which a page of a host ``costly`` takes so long to read.

    The processor is ``busy`` meanwhile, or the reader only waits.
    """
    clock, wait = ("process_time", "pass") if busy else ("monotonic", "time.sleep(0.1)")
    place = folder / "costs"
    place.mkdir()
    text = _COSTS.format(clock=clock, seconds=seconds, wait=wait)
    (place / "sitecustomize.py").write_text(text, encoding="utf-8")
    return {"PYTHONPATH": f"{place}:{ROOT}"}


def announce_slow(net: FakeInternet) -> None:
    """Announce pages that cost much, and pages that never come."""
    for url, host, first in ((COSTLY_URL, "costly", 5_000), (HANGING_URL, "hanging", 6_000)):
        articles = [made_up(number) for number in range(first, first + PAGES)]
        text = rsshub_feed(articles, title=host, full=False)
        for article in articles:
            page = f"https://{host}.example/{article.document_id}.shtml"
            net.serve(page, finance_page(article))
            if host == "hanging":
                net.fail(page, "hang")
            text = text.replace(article.url, page)
        net.serve(url, text, content_type="application/xml")


@contextmanager
def starved(site: Site, seconds: float, *, busy: bool) -> Iterator[Daemon]:
    """Run the daemon while each page of one feed takes so long, and those of another hang."""
    publish(site.net, [made_up(1)])
    announce_slow(site.net)
    good = f'every = "{EVERY:g}s"'
    others = [
        feed(COSTLY_URL, "costly", 'every = "1h"'),
        feed(HANGING_URL, "hanging", 'every = "1h"'),
    ]
    site.configure(
        *others, feed(more=good), schedule='jitter = "0s"', fetch='robots = false\ntimeout = "20s"'
    )
    with Daemon(site, ("--quiet",), costs(site.folder, seconds, busy=busy), whole=True) as daemon:
        yield daemon


def archived(site: Site) -> set[str]:
    """Return the addresses of all articles."""
    if not (site.folder / "archive.db").exists():
        return set()
    known = "SELECT count(*) FROM sqlite_master WHERE name = 'articles'"
    if not site.query(known)[0][0]:
        return set()
    return {url for (url,) in site.query("SELECT url FROM articles")}


def lags(site: Site, number: int) -> list[float]:
    """Announce an article every two seconds; return how late each was archived, in seconds."""
    announced: dict[str, float] = {}
    late: dict[str, float] = {}
    articles = [made_up(1)]
    wait_for(lambda: archived(site))
    while len(late) < number:
        now = time.monotonic()
        if len(announced) < number and now >= max(announced.values(), default=0.0) + EVERY:
            article = made_up(len(articles) + 1)
            articles.append(article)
            publish(site.net, articles[-20:])
            announced[article.url] = now
        here = archived(site)
        for url, since in announced.items():
            if url in here:
                late.setdefault(url, time.monotonic() - since)
        time.sleep(0.05)
    return list(late.values())


def main() -> int:
    """Starve and judge; return 1 when the good feed was late."""
    parser = argparse.ArgumentParser(prog="python -m tools.starvation", description=__doc__)
    parser.add_argument("articles", type=int, nargs="?", default=100)
    number = parser.parse_args().articles
    with tempfile.TemporaryDirectory() as folder, FakeInternet() as net:
        site = Site(Path(folder), net)
        with starved(site, 9.0, busy=True) as daemon:
            late = sorted(lags(site, number))
            began = time.monotonic()
            code = daemon.stop()
            stopped = time.monotonic() - began
        polls = len(net.asked(FEED_URL))
    p95 = late[max(0, round(0.95 * len(late)) - 1)]
    print(
        f"{len(late)} articles, {polls} polls; late by: median {statistics.median(late):.1f} s, "
        f"p95 {p95:.1f} s, most {late[-1]:.1f} s; stopped in {stopped:.1f} s with exit code {code}"
    )
    return int(p95 > EVERY + 5 or stopped > 5 or code != 0)


if __name__ == "__main__":
    sys.exit(main())
