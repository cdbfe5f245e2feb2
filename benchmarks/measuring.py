"""What a program costs: the processor time, memory and wall time of it and all that it starts.

``python -m benchmarks.measuring ORDER COMMAND …`` runs the command and writes a report. It makes
itself the reaper of all descendants (prctl(2), PR_SET_CHILD_SUBREAPER), so that a process whose
parent ended first, as a pool's server does, is waited for and counted too: getrusage(2) counts
only what has been waited for.
"""

from __future__ import annotations

import ctypes
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]

_PR_SET_CHILD_SUBREAPER = 36

SAMPLE_SECONDS = 0.1

LONGEST = 1800
"""Seconds after which a run has failed."""

ENDED = (FileNotFoundError, ProcessLookupError, PermissionError)


@dataclass(frozen=True, slots=True)
class Usage:
    """What one run cost."""

    seconds: float
    """On the clock, from its start to the end of its first process."""
    cpu: float
    """Processor seconds, user and system, of all processes."""
    cpu_first: float
    """Of these, the first process's and of those that it waited for."""
    peak_bytes: int
    """Of memory, the sum over all processes of the proportional set size (proc(5): what several
    processes share counts once), looked at ten times a second."""
    processes: int
    """The most at a time."""
    exit_code: int
    said: str = ""
    """Its standard output."""


def measured(
    command: Sequence[str], folder: Path, environment: Mapping[str, str] | None = None
) -> Usage:
    """Run a command in a folder; return what it cost. Raises ``RuntimeError`` when it fails."""
    with tempfile.TemporaryDirectory() as place:
        report = Path(place) / "report.json"
        errors = Path(place) / "errors"
        order = {"report": str(report), "folder": str(folder), "environment": environment or {}}
        with errors.open("wb") as err:
            done = subprocess.run(
                [sys.executable, "-m", "benchmarks.measuring", json.dumps(order), *command],
                cwd=ROOT,
                stdout=subprocess.PIPE,
                stderr=err,
                check=False,
                timeout=LONGEST,
            )
        if done.returncode or not report.exists():
            raise RuntimeError(f"{' '.join(command)}: {errors.read_text('utf-8')[-4000:]}")
        usage = Usage(**json.loads(report.read_text()) | {"said": done.stdout.decode()})
        if usage.exit_code:
            raise RuntimeError(
                f"{' '.join(command)}: exit code {usage.exit_code}: "
                f"{errors.read_text('utf-8')[-4000:]}"
            )
        return usage


def _run(order: Mapping[str, Any], command: Sequence[str]) -> None:
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    more = order["environment"]
    path = os.pathsep.join([more["PYTHONPATH"], str(ROOT)] if "PYTHONPATH" in more else [str(ROOT)])
    environment = {**os.environ, **more, "PYTHONPATH": path}
    began = time.monotonic()
    first = subprocess.Popen(command, cwd=order["folder"], env=environment)
    watch = _Watch(os.getpid())
    watch.start()
    seconds, cpu, cpu_first, code = 0.0, 0.0, 0.0, 0
    while True:
        try:
            process, status, used = os.wait4(-1, 0)
        except ChildProcessError:
            break
        cpu += used.ru_utime + used.ru_stime
        if process == first.pid:
            seconds = time.monotonic() - began
            cpu_first = used.ru_utime + used.ru_stime
            code = first.returncode = os.waitstatus_to_exitcode(status)
    watch.ended.set()
    watch.join()
    usage = Usage(seconds, cpu, cpu_first, watch.peak, watch.processes, code)
    Path(order["report"]).write_text(json.dumps(asdict(usage)))


class _Watch(threading.Thread):
    """Looks at the memory of all descendants again and again."""

    def __init__(self, process: int) -> None:
        super().__init__(daemon=True)
        self._process = process
        self.ended = threading.Event()
        self.peak = 0
        self.processes = 0

    def run(self) -> None:
        while not self.ended.wait(SAMPLE_SECONDS):
            all_of_them = list(descendants(self._process))
            self.peak = max(self.peak, sum(map(proportional_bytes, all_of_them)))
            self.processes = max(self.processes, len(all_of_them))


def proportional_bytes(process: int) -> int:
    """Return a process's proportional set size; 0 when it has ended."""
    with suppress(*ENDED):
        for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0


def descendants(process: int) -> Iterator[int]:
    """Yield the processes that a process started, and those that they started."""
    try:
        lists = [path.read_text() for path in Path(f"/proc/{process}/task").glob("*/children")]
    except ENDED:
        return
    for child in map(int, " ".join(lists).split()):
        yield child
        yield from descendants(child)


if __name__ == "__main__":
    _run(json.loads(sys.argv[1]), sys.argv[2:])
