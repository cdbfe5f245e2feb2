"""``make soak-daemon``: the daemon stays as small as it was after it warmed up.

A feed on the fake internet announces one batch after the other, as fast as the daemon takes
them in; its memory, descriptors and write-ahead log are read from outside.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tools.fake_internet import FakeInternet
from tools.living import Daemon, wait_for
from tools.made_up_sina import FEED_URL, made_up, publish
from tools.running import Site, feed

BATCH = 200
"""Articles announced at a time: what Sina's busiest feeds hold."""

ENDED = (FileNotFoundError, ProcessLookupError)
"""What reading of a process that has just ended raises: workers are replaced now and then."""

PAGES_URL = "https://rsshub.example/pages"
"""Feed of the articles whose pages are asked."""

PAGES_KEPT = 10 * BATCH
"""Addresses that answer after the batch that announced them."""


@dataclass(frozen=True)
class Sample:
    """The daemon's size at one moment."""

    articles: int
    rss: int
    """Bytes of the process itself."""
    workers: int
    """Bytes of the processes that it started, together; pages that they share count again."""
    descriptors: int
    wal: int

    def line(self) -> str:
        """Return it as a line of a table."""
        return (
            f"{self.articles:>8} articles  {self.rss / 1024**2:7.1f} MiB  "
            f"workers {self.workers / 1024**2:7.1f} MiB  "
            f"{self.descriptors:3} descriptors  WAL {self.wal / 1024**2:6.1f} MiB"
        )


def soak(site: Site, articles: int, *, batch_size: int = BATCH, show: bool = False) -> list[Sample]:
    """Let the daemon take in so many articles; return its size after each batch."""
    site.configure(
        feed(more='every = "1s"\ncontent = "feed"'),
        feed(PAGES_URL, "pages", 'every = "1s"'),
        # Rechecks as well: of the articles whose page was asked.
        schedule='jitter = "0s"\nrecheck = ["3s"]',
    )
    samples = []
    with Daemon(site, ("--quiet",), whole=True) as daemon:
        for done in range(batch_size, articles + 1, batch_size):
            batch = [made_up(number) for number in range(done - batch_size + 1, done + 1)]
            _announce(site.net, batch)
            try:
                wait_for(lambda done=done: _files(site) >= done, 900)
            except pytest.fail.Exception as error:
                waiting = site.query("SELECT state, error FROM entries WHERE state <> 'done'")
                raise AssertionError(f"it stalled: {waiting} {daemon.said()[-4000:]}") from error
            samples.append(_sample(site, daemon.process.pid, done))
            if show:
                print(samples[-1].line(), flush=True)
        code = daemon.stop()
        if code:
            raise AssertionError(f"exit code {code}: {daemon.said()}")
    return samples


def _announce(net: FakeInternet, batch: list) -> None:
    """Nine of ten through the feed's text, one of ten through its page: both ways are taken."""
    # The pages of the batch before are still asked: by the rechecks.
    kept = dict(list(net.pages.items())[-PAGES_KEPT:])
    net.pages.clear()
    net.pages.update(kept)
    net.forget()
    cut = len(batch) // 10
    publish(net, batch[cut:], feed_url=FEED_URL)
    publish(net, batch[:cut], feed_url=PAGES_URL)


def _files(site: Site) -> int:
    if not (site.folder / "archive.db").exists():
        return 0
    known = "SELECT count(*) FROM sqlite_master WHERE name = 'articles'"
    # Not by counting: the question is asked twenty times a second, of a growing table.
    written = (
        "SELECT (SELECT coalesce(max(id), 0) FROM articles)"
        " - (SELECT count(*) FROM articles WHERE file_sha256 IS NULL)"
    )
    return site.query(written)[0][0] if site.query(known)[0][0] else 0


def _sample(site: Site, process: int, articles: int) -> Sample:
    wal = site.folder / "archive.db-wal"
    return Sample(
        articles=articles,
        rss=_rss(process),
        workers=sum(map(_rss, descendants(process))),
        descriptors=len(list(Path(f"/proc/{process}/fd").iterdir())),
        wal=wal.stat().st_size if wal.exists() else 0,
    )


def _rss(process: int) -> int:
    """Return the bytes of memory that a process holds; 0 when it has ended."""
    try:
        text = Path(f"/proc/{process}/status").read_text()
    except ENDED:
        return 0
    status = dict(line.split(":", 1) for line in text.splitlines())
    return int(status.get("VmRSS", "0").split()[0]) * 1024


def descendants(process: int) -> Iterator[int]:
    """Yield the processes that a process started, and those that they started."""
    try:
        lists = [path.read_text() for path in Path(f"/proc/{process}/task").glob("*/children")]
    except ENDED:
        return
    for child in map(int, " ".join(lists).split()):
        yield child
        yield from descendants(child)


def main() -> int:
    """Soak and judge; return 1 when it grew."""
    parser = argparse.ArgumentParser(prog="python -m tools.soak", description=__doc__)
    parser.add_argument("articles", type=int, nargs="?", default=100_000)
    with tempfile.TemporaryDirectory() as folder, FakeInternet() as net:
        samples = soak(Site(Path(folder), net), parser.parse_args().articles, show=True)
    print(f"memory after warm-up: {grown(samples):+.1%}")
    found = troubles(samples)
    print("\n".join(found))
    return 1 if found else 0


MOST_GROWTH = 0.05
MOST_WAL = 64 * 1024**2
"""Bytes; SQLite checkpoints at 4 MiB, and a batch may come on top."""


def troubles(samples: list[Sample]) -> list[str]:
    """Return what grew and must not; nothing when all stayed as it was."""
    found = []
    if grown(samples) >= MOST_GROWTH:
        found.append(f"memory grew by {grown(samples):.1%}")
    # A socket may be open in one moment and not in another; a leak adds some a batch.
    warm, late = samples[len(samples) // 3].descriptors, samples[-1].descriptors
    if late > warm + 3:
        found.append(f"descriptors grew from {warm} to {late}")
    largest = max(one.wal for one in samples)
    if largest >= MOST_WAL:
        found.append(f"the write-ahead log grew to {largest} bytes")
    return found


def grown(samples: list[Sample]) -> float:
    """Return how much the memory grew from the end of the warm-up, a third, to the end."""
    third = len(samples) // 3
    warm, late = (
        statistics.median(one.rss for one in part)
        for part in (samples[third : third + 3], samples[-3:])
    )
    return late / warm - 1


if __name__ == "__main__":
    sys.exit(main())
