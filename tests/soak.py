"""``make soak-daemon``: the daemon stays as small as it was after it warmed up.

A feed on the fake internet announces one batch after the other, as fast as the daemon takes
them in; its memory, descriptors and write-ahead log are read from outside.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.fake_internet import FakeInternet
from tests.living import Daemon, wait_for
from tests.made_up_sina import FEED_URL, made_up, publish
from tests.running import Site, feed

BATCH = 200
"""Articles announced at a time: what Sina's busiest feeds hold."""


@dataclass(frozen=True)
class Sample:
    """The daemon's size at one moment."""

    articles: int
    rss: int
    descriptors: int
    wal: int

    def line(self) -> str:
        """Return it as a line of a table."""
        return (
            f"{self.articles:>8} articles  {self.rss / 1024**2:7.1f} MiB  "
            f"{self.descriptors:3} descriptors  WAL {self.wal / 1024**2:6.1f} MiB"
        )


def soak(site: Site, articles: int, *, show: bool = False) -> list[Sample]:
    """Let the daemon take in so many articles; return its size after each batch."""
    site.configure(
        feed(more='every = "1s"\ncontent = "feed"'),
        feed("https://rsshub.example/pages", "pages", 'every = "1s"'),
        schedule='jitter = "0s"',
    )
    samples = []
    with Daemon(site, ("--quiet",)) as daemon:
        for first in range(0, articles, BATCH):
            batch = [made_up(number) for number in range(first + 1, first + BATCH + 1)]
            _announce(site.net, batch)
            wait_for(lambda done=first + BATCH: _files(site) >= done, 300)
            samples.append(_sample(site, daemon.process.pid, first + BATCH))
            if show:
                print(samples[-1].line(), flush=True)
        code = daemon.stop()
        if code:
            raise AssertionError(f"exit code {code}: {daemon.said()}")
    return samples


def _announce(net: FakeInternet, batch: list) -> None:
    """Nine of ten through the feed's text, one of ten through its page: both ways are taken."""
    net.pages.clear()
    net.forget()
    cut = len(batch) // 10
    publish(net, batch[cut:], feed_url=FEED_URL)
    publish(net, batch[:cut], feed_url="https://rsshub.example/pages")


def _files(site: Site) -> int:
    if not (site.folder / "archive.db").exists():
        return 0
    written = "SELECT count(*) FROM articles WHERE file_sha256 IS NOT NULL"
    known = "SELECT count(*) FROM sqlite_master WHERE name = 'articles'"
    return site.query(written)[0][0] if site.query(known)[0][0] else 0


def _sample(site: Site, process: int, articles: int) -> Sample:
    folder = Path(f"/proc/{process}")
    status = dict(line.split(":", 1) for line in (folder / "status").read_text().splitlines())
    wal = site.folder / "archive.db-wal"
    return Sample(
        articles=articles,
        rss=int(status["VmRSS"].split()[0]) * 1024,
        descriptors=len(list((folder / "fd").iterdir())),
        wal=wal.stat().st_size if wal.exists() else 0,
    )


def main() -> int:
    """Soak and judge; return 1 when it grew."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("articles", type=int, nargs="?", default=100_000)
    with tempfile.TemporaryDirectory() as folder, FakeInternet() as net:
        samples = soak(Site(Path(folder), net), parser.parse_args().articles, show=True)
    growth = grown(samples)
    print(f"memory after warm-up: {growth:+.1%}")
    return 1 if growth > 0.05 else 0


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
