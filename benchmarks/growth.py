"""Is it still fast when it is large? The same work in archives of several sizes, in one run.

``python -m benchmarks.growth --sizes 0,100000,1000000`` prints tables; ``make bench-growth`` runs
it. Filling a million articles takes a quarter of an hour and 14 GB: ``--keep DIR`` keeps the
filled databases, and works on copies of them.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
import tempfile
import textwrap
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import ingestor
from benchmarks import sizes
from benchmarks.filling import CATEGORIES, FEEDS, LAST_DAY, feed_name, fill
from benchmarks.goals import LARGE_GOALS, verdicts
from benchmarks.machine import commit, machine
from benchmarks.made_texts import Writer
from benchmarks.pages import page
from benchmarks.programs import configuration, markdown, run_ours, summary
from benchmarks.searching import QUERIES_A_KIND, Latency, measured
from benchmarks.site import EMPTY_FEED, Plan, RunningSite, running
from benchmarks.starting import command_seconds, cpu_seconds, until_ready
from ingestor.model import Article, Body
from ingestor.store import ArticleUpsert
from ingestor.store.db.database import Database
from tools.filling import save_articles

TRANSACTION = 16
"""Articles saved together, as :mod:`ingestor.pipeline` does while pages come in quickly."""


COMMANDS = {
    "search": ("search", "公司"),
    "show": ("show", "5"),
    "status": ("status",),
    "stats": ("stats",),
}
"""What people ask of an archive."""


@dataclass(frozen=True, slots=True)
class Saving:
    """What it cost to save articles: medians over the rounds, in milliseconds an article."""

    wall: float
    cpu: float
    pass_wall: float
    """Of a whole pass: from 20 feeds on loopback to files and WARC records."""
    pass_cpu: float


@dataclass(frozen=True, slots=True)
class Growth:
    """An archive of one size."""

    articles: int
    saving: Saving
    searches: list[Latency]
    """By kind; the last one is of all kinds together. Empty for an empty archive."""
    search_seconds: float
    """``ingest search``, the start of the process included."""
    status_seconds: float
    """``ingest status``, likewise."""
    ready_seconds: float
    """From the daemon's start to ``READY=1``."""
    cpu_seconds: dict[str, float]
    """Processor seconds of the commands that look at it."""
    show_ms: float
    """Of reading an article with its revisions, without any start: a median."""
    database: dict[str, float]
    """Bytes an article, by what they are for; empty for an empty archive."""
    folders: dict[str, float]
    """Bytes an article of the files, the WARC, and the pages as they came."""


class Archive:
    """A filled archive in a folder of its own."""

    def __init__(self, folder: Path, count: int) -> None:
        self.folder = folder
        self.count = count
        self.saved = 0
        """Articles that were saved on top, so that each round saves others."""
        self.took: list[tuple[float, float]] = []
        self.passes: list[tuple[float, float]] = []

    @property
    def file(self) -> Path:
        return self.folder / "archive.db"

    def save(self, writer: Writer, count: int) -> None:
        """Save articles that are new, as the pipeline does; note what it took."""
        first = self.count + self.saved
        arrivals = [_arrival(writer, number) for number in range(first, first + count)]
        self.saved += count
        with closing(Database(f"sqlite:///{self.file}")) as database:
            wall, cpu = time.perf_counter(), time.process_time()
            for at in range(0, count, TRANSACTION):
                with database.transaction() as connection:
                    save_articles(connection, arrivals[at : at + TRANSACTION])
            took = time.perf_counter() - wall, time.process_time() - cpu
        self.took.append((took[0] * 1000 / count, took[1] * 1000 / count))

    def take_in(self, site: RunningSite) -> None:
        """Run one pass over everything that a site has; note what it took."""
        feeds = site.plan.feed_urls()
        (self.folder / "config.toml").write_text(configuration(feeds, site.proxy), "utf-8")
        usage = run_ours(self.folder)
        new = summary(usage)["articles_new"]
        if new != site.plan.articles:
            raise RuntimeError(f"{new} articles were taken in instead of {site.plan.articles}")
        self.passes.append((usage.seconds * 1000 / new, usage.cpu * 1000 / new))

    def result(self, site: RunningSite, queries: int) -> Growth:
        """Measure what only looks at the archive; return everything."""
        idle = configuration([EMPTY_FEED], site.proxy)
        (self.folder / "config.toml").write_text(idle, "utf-8")
        pages = site.plan.articles
        return Growth(
            articles=self.count,
            saving=Saving(*_medians(self.took), *_medians(self.passes)),
            searches=self._searches(queries) if self.count else [],
            search_seconds=command_seconds(self.folder, "search", "公司"),
            status_seconds=command_seconds(self.folder, "status"),
            ready_seconds=until_ready(self.folder).seconds,
            cpu_seconds={
                verb: cpu_seconds(self.folder, *command) for verb, command in COMMANDS.items()
            },
            show_ms=self._shown() if self.count else 0.0,
            database=sizes.of_database(self.file) if self.count else {},
            folders={
                "files": sizes.of_folder(self.folder / "archive") / pages,
                "WARC": sizes.of_folder(self.folder / "warc") / pages,
                "pages as they came": sum(len(page(at + 1)) for at in range(pages)) / pages,
            },
        )

    def _shown(self) -> float:
        took = []
        with ingestor.open(self.file) as read:
            for number in range(1, 100):
                began = time.perf_counter()
                read.revisions(1 + number * self.count // 100)
                took.append((time.perf_counter() - began) * 1000)
        return statistics.median(took)

    def _searches(self, queries: int) -> list[Latency]:
        with closing(Database(f"sqlite:///{self.file}", for_reading=True)) as database:
            return measured(database, self.count, of_a_kind=queries)


def compare(
    counts: Sequence[int],
    pages: int,
    rounds: int,
    *,
    queries: int = QUERIES_A_KIND,
    keep: Path | None = None,
) -> list[Growth]:
    """Return how archives of these sizes are; each takes in the same articles, in turns.

    ``pages`` articles are saved a round, and as many taken in by one pass; ``queries`` of each
    kind are asked. Everything happens
    in a temporary folder; ``keep`` is one for the filled databases, to be used again.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="growth-")))
        site = stack.enter_context(running(Plan(pages, FEEDS)))
        every = [_filled(folder / str(count), count, keep) for count in counts]
        writer = Writer()
        for number in range(rounds):
            for one in (*every[number % len(every) :], *every[: number % len(every)]):
                one.save(writer, pages)
        for one in every:
            one.take_in(site)
        return [one.result(site, queries) for one in every]


def _filled(folder: Path, count: int, keep: Path | None) -> Archive:
    folder.mkdir()
    archive = Archive(folder, count)
    if keep is None:
        fill(archive.file, count, told=_told)
        return archive
    keep.mkdir(parents=True, exist_ok=True)
    kept = keep / f"{count}.db"
    if not kept.exists():
        unfinished = kept.with_suffix(".unfinished")
        unfinished.unlink(missing_ok=True)
        fill(unfinished, count, told=_told)
        unfinished.rename(kept)
    shutil.copyfile(kept, archive.file)
    return archive


def _told(count: int) -> None:
    print(f"\rfilled: {count} articles", end="", file=sys.stderr, flush=True)


def _arrival(writer: Writer, number: int) -> ArticleUpsert:
    text = writer.text(number)
    moment = LAST_DAY + timedelta(seconds=60 * number % 864_000)
    body = Body("".join(f"<p>{part}</p>\n" for part in text.paragraphs), "\n".join(text.paragraphs))
    day = moment.date().isoformat()
    address = f"https://finance.sina.com.cn/china/gncj/{day}/doc-igrowth{number:07d}.shtml"
    mobile = f"https://finance.sina.cn/china/gnxw/{day}/detail-igrowth{number:07d}.d.html"
    feed = number % FEEDS + 1
    return ArticleUpsert(
        Article(
            address, f"growth{number:07d}", text.title, moment, body, media="晨潮财讯",
            keywords=tuple(text.paragraphs[0][at : at + 2] for at in (0, 5, 9, 14)),
            aliases=(mobile,),
        ),
        "新浪财经", (*CATEGORIES, feed_name(feed)), "page", moment, feed, guid=address,
    )  # fmt: skip


def _medians(took: list[tuple[float, float]]) -> Iterator[float]:
    return (statistics.median(some) for some in zip(*took, strict=True))


def report(every: Sequence[Growth]) -> str:
    """Return the tables in Markdown, with what they say."""
    folders = every[-1].folders
    measured_on = textwrap.fill(
        f"Measured {datetime.now(UTC):%Y-%m-%d}, {commit()}, on {machine()}: the same articles "
        "into archives of several sizes, in turns. Saving is the store's part; a pass is `ingest "
        "--once` from feeds on loopback to files and WARC records.",
        100,
        break_on_hyphens=False,
    )
    searches = "Searches of the largest one, each asked once before it is measured:"
    sizes_there = (
        f"On disk; the WARC is {folders['WARC'] / folders['pages as they came']:.0%} of the pages "
        "as they came:"
    )
    return "\n\n".join(
        (
            "## Large archives",
            measured_on,
            _main_table(every),
            f"Goals of the largest one, of {every[-1].articles:,} articles:",
            markdown(
                ("", "wanted", "measured", ""), list(verdicts(LARGE_GOALS, _ratios(every[-1])))
            ),
            searches,
            _latency_table(every[-1]),
            sizes_there,
            _size_table(every[-1]),
        )
    )


def _ratios(largest: Growth) -> dict[str, float | None]:
    """Return what goals are set for."""
    folders, database = largest.folders, largest.database.get("database")
    slowest = max((kind.p95 for kind in largest.searches[:-1]), default=None)
    return {
        **{f"{verb}_seconds": cpu for verb, cpu in largest.cpu_seconds.items()},
        "search_p95": slowest,
        "show_ms": largest.show_ms if largest.articles else None,
        "database_kb": database / 1000 if database else None,
        "warc_share": folders["WARC"] / folders["pages as they came"],
    }


def _main_table(every: Sequence[Growth]) -> str:
    first = every[0].saving
    heads = (
        "articles", "save ms", "CPU ms", "× first", "a pass ms", "CPU ms", "× first",
        "search p95 ms", "CPU ms", "ingest search s", "status s", "ready s",
    )  # fmt: skip
    return markdown(heads, [_row(one, first) for one in every])


def _row(one: Growth, first: Saving) -> tuple[str, ...]:
    mine, found = one.saving, one.searches[-1] if one.searches else None
    return (
        f"{one.articles:,}",
        f"{mine.wall:.2f}",
        f"{mine.cpu:.2f}",
        f"{mine.cpu / first.cpu:.2f}",
        f"{mine.pass_wall:.1f}",
        f"{mine.pass_cpu:.1f}",
        f"{mine.pass_cpu / first.pass_cpu:.2f}",
        f"{found.p95:.0f}" if found else "",
        f"{found.cpu_p95:.0f}" if found else "",
        f"{one.search_seconds:.2f}",
        f"{one.status_seconds:.2f}",
        f"{one.ready_seconds:.2f}",
    )


def _latency_table(one: Growth) -> str:
    heads = (f"{one.articles:,} articles", "queries", "median ms", "p95 ms", "worst ms", "CPU p95")
    return markdown(
        heads,
        [
            (found.kind, str(found.queries), f"{found.median:.1f}", f"{found.p95:.1f}",
             f"{found.worst:.1f}", f"{found.cpu_p95:.1f}")
            for found in one.searches
        ],
    )  # fmt: skip


def _size_table(one: Growth) -> str:
    rows = [(what, f"{size:,.0f}") for what, size in (*one.database.items(), *one.folders.items())]
    return markdown(("bytes an article", ""), rows)


def main() -> None:
    """Compare and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.growth", description=__doc__)
    parser.add_argument("--sizes", default="0,100000,1000000", help="Separated by commas.")
    parser.add_argument("--articles", type=int, default=1000, help="That each takes in.")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--keep", type=Path, help="A folder for the filled databases.")
    parser.add_argument("--write", type=Path, help="A file for the report.")
    told = parser.parse_args()
    counts = [int(one) for one in told.sizes.split(",")]
    found = report(compare(counts, told.articles, told.rounds, keep=told.keep))
    print(found)
    if told.write:
        told.write.write_text(f"{found}\n", "utf-8")


if __name__ == "__main__":
    main()
