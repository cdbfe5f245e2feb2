"""``pytest -m quick``: what starts no process, no server and no PostgreSQL (`make test-quick`).

A test is of that kind unless it is marked ``slow``, or asks for a fixture that starts one of these,
or lies in a folder of such tests. What takes seconds all the same is marked so too. Nothing is
taken on trust: in such a run a test that starts a process or opens a connection fails, with a line
that says what to do.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

FIXTURES = {"net", "postgresql", "driver", "s3"}
"""A fake internet, a PostgreSQL or S3 server, a process that runs the program."""

FOLDERS = {"cluster", "faults", "neighbours"}
"""Where every test is about processes."""

_EVENTS = {"subprocess.Popen", "os.fork", "os.forkpty", "os.posix_spawn", "socket.connect"}
_LEFT_OUT = pytest.StashKey[int]()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: Sequence[pytest.Item]) -> None:
    """Mark each test as quick or as slow."""
    for item in items:
        folder = Path(item.path).parent.name
        fixtures = FIXTURES.intersection(getattr(item, "fixturenames", ()))
        if fixtures or folder in FOLDERS:
            item.add_marker("slow")
        if not item.get_closest_marker("slow"):
            item.add_marker("quick")
    if is_quick(config):
        left_out = sum(1 for item in items if item.get_closest_marker("slow"))
        config.stash[_LEFT_OUT] = left_out
        if (output := getattr(config, "workeroutput", None)) is not None:
            output["left_out"] = left_out


def is_quick(config: pytest.Config) -> bool:
    """Return whether only the quick tests were asked for."""
    return config.option.markexpr == "quick"


def pytest_configure(config: pytest.Config) -> None:
    """Watch the quick tests; an audit hook is for ever, and a run is a process."""
    if is_quick(config):
        watch = _Watch()
        config.pluginmanager.register(watch)
        sys.addaudithook(watch.hear)


class _Watch:
    """Fails a test that leaves the process it runs in."""

    def __init__(self) -> None:
        self.testing = False

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self) -> Any:
        """Look only while a test runs: pytest and its plugins do what they like."""
        self.testing = True
        try:
            return (yield)
        finally:
            self.testing = False

    def hear(self, event: str, _details: tuple[Any, ...]) -> None:
        """Refuse what a quick test must not do."""
        if self.testing and event in _EVENTS:
            pytest.fail(f"{event} in a quick test: mark it with pytest.mark.slow")


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take the number from a process of pytest-xdist; each of them collects every test."""
    node.config.stash[_LEFT_OUT] = getattr(node, "workeroutput", {}).get("left_out", 0)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Say how many tests there are beside these."""
    if left_out := config.stash.get(_LEFT_OUT, 0):
        terminalreporter.write_line(
            f"left out: {left_out:,} tests that start processes, PostgreSQL or a server,"
            " or take long: make test"
        )
