"""How each program is started: ours with a real configuration, the contenders with their order."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.measuring import Usage, measured
from benchmarks.site import EMPTY_FEED, RunningSite, article_url

ROOT = Path(__file__).resolve().parents[1]

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
    """Let a program take in all that the site has, or nothing; return what it cost."""
    if program.module:
        return _contender(program, site, folder, nothing=nothing)
    feeds = [EMPTY_FEED] if nothing else site.plan.feed_urls()
    (folder / "config.toml").write_text(configuration(feeds, site.proxy), "utf-8")
    usage = measured([program.python, "-m", "ingestor", *ONCE], folder)
    _expect(program, summary(usage)["articles_new"], 0 if nothing else site.plan.articles)
    return usage


ONCE = ("--once", "--json", "--quiet", "--log-format", "json")


def summary(usage: Usage) -> dict[str, Any]:
    """Return what our program said about its pass."""
    numbers: dict[str, Any] = json.loads(usage.said)
    return numbers


def _contender(program: Program, site: RunningSite, folder: Path, *, nothing: bool) -> Usage:
    urls = [] if nothing else [article_url(number + 1) for number in range(site.plan.articles)]
    told = {
        "urls": urls,
        "proxy": site.proxy,
        "connections": CONNECTIONS,
        "folder": str(folder),
        "processes": program.processes,
    }
    order = folder / "order.json"
    order.write_text(json.dumps(told))
    command = [program.python, "-m", f"benchmarks.contenders.{program.module}", str(order)]
    usage = measured(command, folder)
    _expect(program, json.loads(usage.said)["articles"], len(urls))
    return usage


def _expect(program: Program, articles: int, wanted: int) -> None:
    if articles != wanted:
        raise RuntimeError(f"{program.name}: {articles} articles instead of {wanted}")
