"""A thread that looks at all others a hundred times a second.

What a thread has worked since the last look, by its own processor clock, counts for where it
stands now. A thread that waits has worked nothing, so unlike a sampler of the wall clock this one
shows work alone.
"""

from __future__ import annotations

import atexit
import json
import os
import sys
import threading
import time
from collections import defaultdict
from multiprocessing import util
from pathlib import Path
from types import FrameType
from typing import Self

FOLDER = "BENCHMARK_SAMPLES"
"""The environment variable that names the folder of the reports."""

EVERY = 0.01

SWITCHED_EVERY = 0.0005
"""Seconds after which a running thread has to give way to the sampler, wherever it is."""

WRITTEN_EVERY = 0.2
"""Seconds between two reports: a worker process may be ended without a word."""

STAGES = (
    ("ingestor/fetch/", "fetch"),
    ("ingestor/sources/", "feeds"),
    ("ingestor/extract/", "extract"),
    ("ingestor/text/", "extract"),
    ("ingestor/workers/tasks.py", "extract"),
    ("ingestor/store/", "save"),
    ("ingestor/archive/warc", "WARC"),
    ("ingestor/archive/", "files"),
    ("ingestor/pipeline/files.py", "files"),
    ("ingestor/workers/", "hand over"),
    ("multiprocessing/", "hand over"),
    ("importlib._bootstrap", "start"),
    ("ingestor/cli/", "start"),
)
"""Part of a file's path, and the stage that its work belongs to; the innermost frame decides."""


class Sampler:
    """Samples the process that it was started in."""

    def __init__(self, folder: str) -> None:
        self._path = Path(folder) / f"{os.getpid()}.json"
        self._stages: dict[str, float] = defaultdict(float)
        self._functions: dict[str, float] = defaultdict(float)
        self._callers: dict[str, float] = defaultdict(float)
        self._worked: dict[int, float] = {}
        self._own = 0.0
        # Written by the sampler, and by the main thread at the end.
        self._writing = threading.Lock()

    @classmethod
    def start_here(cls, folder: str) -> Self:
        """Start in this process, and again in each that is forked from it."""
        sampler = cls(folder)
        threading.Thread(target=sampler.run, name="sampler", daemon=True).start()
        os.register_at_fork(after_in_child=lambda: sampler._begin_again(folder))
        # Processes of multiprocessing end without atexit.
        util.Finalize(sampler, sampler.write, exitpriority=0)
        atexit.register(sampler.write)
        return sampler

    def _begin_again(self, folder: str) -> None:
        self.__init__(folder)  # type: ignore[misc]
        threading.Thread(target=self.run, name="sampler", daemon=True).start()

    def run(self) -> None:
        """Look again and again, until the process ends."""
        # Else a thread is mostly looked at where it gives way by itself: at its reads and writes.
        sys.setswitchinterval(SWITCHED_EVERY)
        written = time.monotonic()
        while True:
            time.sleep(EVERY)
            self._look()
            self._own = time.thread_time()
            if time.monotonic() - written > WRITTEN_EVERY:
                self.write()
                written = time.monotonic()

    def _look(self) -> None:
        me = threading.get_ident()
        for thread, frame in sys._current_frames().items():  # noqa: SLF001 - there is no other way
            if thread == me:
                continue
            now = time.clock_gettime(time.pthread_getcpuclockid(thread))
            before = self._worked.get(thread, 0.0)
            # Numbers of threads are given again; a new one begins at nothing.
            worked = now - before if now >= before else now
            self._worked[thread] = now
            if worked:
                self._count(frame, worked)

    def _count(self, frame: FrameType, worked: float) -> None:
        self._stages[stage_of(frame)] += worked
        self._functions[function_of(frame)] += worked
        ours: FrameType | None = frame
        while ours and "/ingestor/" not in ours.f_code.co_filename:
            ours = ours.f_back
        if ours:
            self._callers[function_of(ours)] += worked

    def write(self) -> None:
        """Write down what was found so far."""
        report = {
            "cpu": time.process_time(),
            "own": self._own,
            "stages": dict(self._stages),
            "functions": dict(self._functions),
            "callers": dict(self._callers),
        }
        draft = self._path.with_suffix(".draft")
        with self._writing:
            draft.write_text(json.dumps(report), "utf-8")
            draft.replace(self._path)


def stage_of(frame: FrameType) -> str:
    """Return the stage of a frame: that of the innermost one that has one."""
    one: FrameType | None = frame
    while one:
        name = one.f_code.co_filename
        for part, stage in STAGES:
            if part in name:
                return stage
        one = one.f_back
    return "other"


def function_of(frame: FrameType) -> str:
    """Return a frame's function, as ``package/module.py:function``: no folder of this machine."""
    code = frame.f_code
    return f"{short_path(code.co_filename)}:{code.co_qualname}"


def short_path(name: str) -> str:
    """Return a file's path below the folder that packages are in."""
    for mark in ("/site-packages/", f"/python{sys.version_info[0]}.{sys.version_info[1]}/"):
        if mark in name:
            return name.rpartition(mark)[2]
    at = name.rfind("/ingestor/")
    return name[at + 1 :] if at >= 0 else Path(name).name
