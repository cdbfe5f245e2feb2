"""What a command costs that does next to nothing, and the daemon until it is ready.

``python -m benchmarks.starting`` prints the table. Processor time is user and system of a command
and of what it waited for (getrusage(2)). Bytecode is written before the first run that counts, as
an installation does it.
"""

from __future__ import annotations

import argparse
import os
import resource
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.filling import fill
from benchmarks.goals import COMMAND_GOALS, READY
from benchmarks.measuring import ROOT
from benchmarks.programs import CONTENDERS_PYTHON, configuration, markdown
from benchmarks.site import Plan, running

ARTICLES = 1_000
"""In the archive that the commands look at."""

_OURS = (sys.executable, "-m", "ingestor")
_LONGEST = 60.0

COMMANDS: Mapping[str, Sequence[str]] = {
    "--version": (*_OURS, "--version"),
    "--help": (*_OURS, "--help"),
    "wrong usage": (*_OURS, "--json", "--force"),
    "search": (*_OURS, "search", "公司"),
    "show": (*_OURS, "show", "5"),
    "status": (*_OURS, "status"),
    "stats": (*_OURS, "stats"),
    "--once, nothing new": (*_OURS, "--once"),
    "import ingestor": (sys.executable, "-c", "import ingestor"),
}
"""By the names that :data:`~benchmarks.goals.COMMAND_GOALS` have."""

OTHERS: Mapping[str, Sequence[str]] = {
    "python -c pass": (sys.executable, "-c", "pass"),
    "import typer": (sys.executable, "-c", "import typer"),
    "import sqlalchemy": (sys.executable, "-c", "import sqlalchemy"),
    "import pydantic.main": (sys.executable, "-c", "import pydantic.main"),
    "reader --version": (str(CONTENDERS_PYTHON.with_name("reader")), "--version"),
    "sqlite-utils --version": (str(CONTENDERS_PYTHON.with_name("sqlite-utils")), "--version"),
}
"""What is beside them: what ours are made of, and other programs, where they are installed."""


@dataclass(frozen=True, slots=True)
class Start:
    """A daemon that said that it is ready."""

    seconds: float
    """On the clock, from its start."""
    cpu: float
    """Processor seconds of its main process."""


def command_seconds(folder: Path, *command: str) -> float:
    """Return the seconds on the clock of a command in a folder with a configuration.

    It may find something to complain about (exit code 1). Raises ``RuntimeError`` if it fails.
    """
    started = time.perf_counter()
    run(folder, (*_OURS, *command), {0, 1})
    return time.perf_counter() - started


def run(folder: Path, command: Sequence[str], codes: Collection[int]) -> str:
    """Run a command in a folder; return what it wrote to standard error.

    Raises ``RuntimeError`` for an exit code that is none of ``codes``.
    """
    done = subprocess.run(
        command, cwd=folder, env=_environment(), capture_output=True, check=False, timeout=_LONGEST
    )
    if done.returncode not in codes:
        raise RuntimeError(f"{command}: {done.stderr.decode()[-2000:]}")
    return done.stderr.decode()


def until_ready(folder: Path) -> Start:
    """Start a daemon, wait until it tells systemd that it is ready, and stop it."""
    with (
        tempfile.TemporaryDirectory() as place,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told,
    ):
        address = f"{place}/notify"
        told.bind(address)
        told.settimeout(_LONGEST)
        started = time.perf_counter()
        environment = _environment() | {"NOTIFY_SOCKET": address}
        with subprocess.Popen(
            _OURS, cwd=folder, env=environment, stderr=subprocess.DEVNULL
        ) as daemon:
            try:
                while b"READY=1" not in told.recv(4096):
                    continue
                return Start(time.perf_counter() - started, _cpu_of(daemon.pid))
            finally:
                daemon.send_signal(signal.SIGTERM)


def _cpu_of(process: int) -> float:
    """Return the processor seconds of a process so far (proc(5), stat: utime and stime)."""
    behind_name = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, behind_name[11:13])) / os.sysconf("SC_CLK_TCK")


def commands(rounds: int) -> dict[str, float]:
    """Return the processor seconds of each command, and of what is beside them: medians.

    They are run in turns; what is not installed is left out.
    """
    others = {name: line for name, line in OTHERS.items() if Path(line[0]).exists()}
    every = {**COMMANDS, **others}
    with archive() as folder:
        for line in every.values():
            # Writes bytecode, and takes in what is new.
            run(folder, line, {0, 1, 2})
        took = [{name: _cpu(folder, line) for name, line in every.items()} for _ in range(rounds)]
        ready = [until_ready(folder).cpu for _ in range(min(rounds, 5))]
    medians = {name: statistics.median(one[name] for one in took) for name in every}
    return medians | {READY: statistics.median(ready)}


@contextmanager
def archive() -> Iterator[Path]:
    """Give a folder with an archive and three feeds, which have nothing new the second time."""
    with (
        running(Plan(1, 3, text=False, copies=3)) as site,
        tempfile.TemporaryDirectory(prefix="bench-") as place,
    ):
        folder = Path(place)
        fill(folder / "archive.db", ARTICLES)
        (folder / "config.toml").write_text(
            configuration(site.plan.feed_urls(), site.proxy), "utf-8"
        )
        yield folder


def cpu_seconds(folder: Path, *command: str) -> float:
    """Return the processor seconds of a command of ours in a folder with a configuration."""
    return _cpu(folder, (*_OURS, *command))


def _cpu(folder: Path, command: Sequence[str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    run(folder, command, {0, 1, 2})
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def table(seconds: Mapping[str, float]) -> str:
    """Return what :func:`commands` found as a table in Markdown."""
    goals = {goal.key: f"{goal.bound:.2f}" for goal in COMMAND_GOALS}
    rows = [(name, f"{cpu:.3f}", goals.get(name, "")) for name, cpu in seconds.items()]
    return markdown(("", "CPU s", "goal"), rows)


def _environment() -> dict[str, str]:
    unwanted = ("INGEST_", "PYTHONDONTWRITEBYTECODE")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(unwanted)}
    return kept | {"PYTHONPATH": str(ROOT)}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.starting", description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    print(table(commands(parser.parse_args().rounds)))


if __name__ == "__main__":
    main()
