"""What it was measured on."""

from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path

from benchmarks.measuring import ROOT


def machine() -> str:
    """Return processor, cores, memory, system and Python in a line."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    python = f"{platform.python_implementation()} {platform.python_version()}"
    parts = (f"{os.cpu_count()} cores {_processor()}", f"{memory:.0f} GiB", _system(), python)
    return ", ".join(parts)


def commit() -> str:
    """Return the commit that was measured, and whether there are changes beside it."""
    named = _git("rev-parse", "--short", "HEAD")
    if not named:
        return "no commit"
    changed = _git("status", "--porcelain", "--untracked-files=no", "--", "ingestor", "benchmarks")
    return f"commit {named} with changes" if changed else f"commit {named}"


def busy() -> float:
    """Return how many processes wanted a processor in the last minute: others share the machine."""
    return os.getloadavg()[0]


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _system() -> str:
    release = platform.freedesktop_os_release()
    kernel = ".".join(platform.release().split(".")[:2])
    return f"{release.get('PRETTY_NAME', platform.system())}, Linux {kernel}"


def _git(*arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return done.stdout.strip()
