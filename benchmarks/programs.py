"""How each program is started: ours with a real configuration, the contenders with their order."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.measuring import ROOT, Usage, measured
from benchmarks.site import EMPTY_FEED, RunningSite, article_url

CONTENDERS_PYTHON = ROOT / ".venv-bench" / "bin" / "python"
"""The contenders' own environment; ``make .venv-bench`` makes it."""

CONNECTIONS = 16
"""For every program, to one host."""


@dataclass(frozen=True, slots=True)
class Program:
    """A program that takes articles in."""

    name: str
    module: str = ""
    """Of a contender; ``""``: it is ours."""
    processes: int = 1
    own_environment: bool = False
    """It needs packages that the project does not use."""

    @property
    def python(self) -> str:
        return str(CONTENDERS_PYTHON) if self.own_environment else sys.executable

    @property
    def installed(self) -> bool:
        """Whether it can be run here."""
        return Path(self.python).exists()


def installed(programs: Sequence[Program]) -> list[Program]:
    """Return those that can be run here; say which cannot."""
    for one in programs:
        if not one.installed:
            line = f"{one.name}: not installed; `make bench-contenders` does it"
            print(line, file=sys.stderr, flush=True)
    return [one for one in programs if one.installed]


def configuration(feeds: Sequence[str], proxy: str, *, more_of_a_feed: str = "") -> str:
    """Return a config.toml for these feeds: everything as it comes, but without pauses."""
    sections = "".join(
        f'[[feeds]]\nname = "新浪财经－{number}"\nurl = "{url}"\n{more_of_a_feed}\n'
        for number, url in enumerate(feeds)
    )
    return (
        f'[fetch]\nproxy = "{proxy}"\nconnections = {CONNECTIONS}\n'
        f'connections_per_host = {CONNECTIONS}\ndelay_per_host = "0s"\n{sections}'
    )


def run(program: Program, site: RunningSite, folder: Path, *, nothing: bool = False) -> Usage:
    """Let a program take in all articles that the site has, or nothing; return what it cost."""
    if program.module:
        urls = [article_url(number + 1) for number in range(site.plan.articles)]
        usage = run_contender(program, site, folder, [] if nothing else urls)
        articles = json.loads(usage.said)["done"]
    else:
        feeds = [EMPTY_FEED] if nothing else site.plan.feed_urls()
        (folder / "config.toml").write_text(configuration(feeds, site.proxy), "utf-8")
        usage = run_ours(folder)
        articles = summary(usage)["articles_new"]
    expect(program, articles, 0 if nothing else site.plan.articles)
    return usage


def run_ours(folder: Path, environment: Mapping[str, str] | None = None) -> Usage:
    """Run one pass of ours in a folder with a configuration."""
    once = ("--once", "--json", "--quiet", "--log-format", "json")
    return measured([sys.executable, "-m", "ingestor", *once], folder, environment)


def summary(usage: Usage) -> dict[str, Any]:
    """Return what our program said about its pass."""
    numbers: dict[str, Any] = json.loads(usage.said)
    return numbers


def run_contender(program: Program, site: RunningSite, folder: Path, urls: Sequence[str]) -> Usage:
    """Let a contender do its work on these addresses."""
    told = {
        "urls": list(urls),
        "proxy": site.proxy,
        "connections": CONNECTIONS,
        "folder": str(folder),
        "processes": program.processes,
    }
    order = folder / "order.json"
    order.write_text(json.dumps(told))
    module = f"benchmarks.contenders.{program.module}"
    return measured([program.python, "-m", module, str(order)], folder)


def expect(program: Program, done: int, wanted: int) -> None:
    """Raise ``RuntimeError`` unless a program did all that it was to do."""
    if done != wanted:
        raise RuntimeError(f"{program.name}: {done} done instead of {wanted}")


def rotated(wanted: Sequence[Program], number: int) -> Iterator[Program]:
    """Yield the programs, beginning with another one each round."""
    start = number % len(wanted)
    yield from (*wanted[start:], *wanted[:start])


def tell(what: str, program: Program, usage: Usage) -> None:
    """Say on standard error how far it is."""
    costs = f"{usage.seconds:.2f} s, {usage.cpu:.2f} s CPU"
    print(f"{what}: {program.name}: {costs}", file=sys.stderr, flush=True)


def markdown(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown, its numbers to the right."""
    lines = [heads, ["---", *["--:"] * (len(heads) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
