"""How long a search takes: a mix of what people ask, of an archive made by `filling`.

Words are taken out of the archive's own vocabulary and texts, by how common they are, so that most
queries find something. Each kind of query is asked equally often.
"""

from __future__ import annotations

import math
import random
import re
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from benchmarks.filling import APART, FEEDS, LAST_DAY, feed_name, symbol
from benchmarks.made_texts import Writer
from ingestor.store.db.database import Database
from ingestor.store.filters import Filters
from ingestor.store.search import Order, parse
from ingestor.store.search.hits import search

QUERIES_A_KIND = 25
LIMIT = 20
"""As many as ``ingest search`` shows without ``--limit``."""


_NUMBER = re.compile(r"\d+\.\d+%")
_PUNCTUATED = re.compile(r"\w{3}[，。]\w{3}")


@dataclass(frozen=True, slots=True)
class Latency:
    """What queries of one kind took, in milliseconds."""

    kind: str
    queries: int
    median: float
    p95: float
    worst: float
    cpu_p95: float
    """The same of the CPU time, which does not wait for a busy machine's other work."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One query."""

    kind: str
    words: str
    filters: Filters
    order: Order


def measured(
    database: Database, count: int, *, seed: int = 8, of_a_kind: int = QUERIES_A_KIND
) -> list[Latency]:
    """Return the latencies of the mix by kind, and of all together as the last one.

    ``count`` is how many articles the archive was filled with, by this ``seed``. Every query is
    asked once before it is measured: what is measured is not how fast the disk is.
    """
    took: dict[str, list[tuple[float, float]]] = {}
    for asked in mix(count, seed=seed, of_a_kind=of_a_kind):
        _ask(database, asked)
        took.setdefault(asked.kind, []).append(_ask(database, asked))
    every = [one for some in took.values() for one in some]
    return [latency(kind, some) for kind, some in (*took.items(), ("all", every))]


def latency(kind: str, took: list[tuple[float, float]]) -> Latency:
    """Sum up milliseconds, each by the clock and of CPU."""
    wall, cpu = (sorted(some) for some in zip(*took, strict=True))
    at = math.ceil(0.95 * len(wall)) - 1
    return Latency(kind, len(took), statistics.median(wall), wall[at], wall[-1], cpu[at])


def mix(count: int, *, seed: int = 8, of_a_kind: int = QUERIES_A_KIND) -> Iterator[Asked]:
    """Yield the queries, kind by kind, the orders in turn."""
    dice = random.Random(f"queries {seed}")
    ask = Questions(count, Writer(seed), dice)
    for kind, words in ask.kinds().items():
        for number in range(of_a_kind):
            order = list(Order)[number % 2]
            yield Asked(kind, words(), ask.filters(kind), order)
    for _ in range(of_a_kind):
        yield Asked("oldest first", ask.common(), Filters(), Order.OLDEST)


def _ask(database: Database, asked: Asked) -> tuple[float, float]:
    """Search, and return the milliseconds that it took, by the clock and of CPU."""
    started, worked = time.perf_counter(), time.process_time()
    with database.reading() as connection:
        search(connection, parse(asked.words), asked.filters, order=asked.order, limit=LIMIT)
    return (time.perf_counter() - started) * 1000, (time.process_time() - worked) * 1000


class Questions:
    """Draws what is asked."""

    def __init__(self, count: int, writer: Writer, dice: random.Random) -> None:
        self._count = count
        self._writer = writer
        self._dice = dice
        self._twos = [word for word in writer.words if len(word) == 2]

    def kinds(self) -> dict[str, Callable[[], str]]:
        """Return what draws the words of a query, by kind."""
        return {
            "1 character, common": lambda: self._dice.choice(self._writer.words[:20]),
            "1 character, any": lambda: self._part(1),
            "2 characters, common": self.common,
            "2 characters, middling": lambda: self._dice.choice(self._twos[200:2_000]),
            "2 characters, rare": lambda: self._dice.choice(self._twos[-4_000:]),
            "2 characters, from a text": lambda: self._part(2),
            "3 characters": lambda: self._part(3),
            "4 characters": lambda: self._part(4),
            "8 characters": lambda: self._part(8),
            "2 words": lambda: f"{self.common()} {self._dice.choice(self._twos[200:2_000])}",
            "2 common words": lambda: f"{self.common()} {self.common()}",
            "not this": lambda: f"{self._dice.choice(self._twos[:400])} -{self.common()}",
            "number": lambda: self._matching(_NUMBER),
            "with punctuation": lambda: self._matching(_PUNCTUATED),
            "not there": lambda: "".join(self._dice.sample(self._twos[-4_000:], 2)),
            "--since, last month": self.common,
            "--since --until, a year": self.common,
            "--since --until, a day": self.common,
            "--symbol": self.common,
            "--symbol, middling word": lambda: self._dice.choice(self._twos[200:2_000]),
            "--feed": self.common,
            "--feed, middling word": lambda: self._dice.choice(self._twos[200:2_000]),
        }

    def filters(self, kind: str) -> Filters:
        """Return the filters that a kind of query has."""
        if kind.startswith("--symbol"):
            return Filters(symbol=symbol(int(self._dice.triangular(0, 2_000, 0))))
        if kind.startswith("--feed"):
            return Filters(feeds=(feed_name(self._dice.randint(1, FEEDS)),))
        if kind == "--since, last month":
            return Filters(since=_day(30))
        if kind.startswith("--since --until"):
            ago = self._dice.uniform(0, self._count * APART / timedelta(days=1))
            length = 365 if kind.endswith("year") else 1
            return Filters(since=_day(ago), until=_day(ago - length))
        return Filters()

    def common(self) -> str:
        """Draw a word that very many articles have."""
        return self._dice.choice(self._twos[:60])

    def _matching(self, pattern: re.Pattern[str]) -> str:
        while True:
            text = "".join(self._writer.text(self._dice.randrange(self._count)).paragraphs)
            if found := pattern.findall(text):
                return str(self._dice.choice(found))

    def _part(self, length: int) -> str:
        while True:
            text = "".join(self._writer.text(self._dice.randrange(self._count)).paragraphs)
            at = self._dice.randrange(len(text) - length)
            if text[at : at + length].isalpha():
                return text[at : at + length]


def _day(ago: float) -> str:
    return (LAST_DAY - timedelta(days=ago)).date().isoformat()
