"""Fixtures of the fault tests."""

from collections.abc import Callable, Iterator

import pytest

from tests.faults.laboratory import SOAK, Driver

_FIGURES = pytest.StashKey[list[str]]()


@pytest.fixture(scope="package")
def driver() -> Iterator[Driver]:
    """Give a process that runs the program, and kills it when asked to."""
    with Driver() as one:
        yield one


@pytest.fixture
def figures(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Give what takes a line of what a test came to; `make soak` shows them at the end of a part."""
    return request.config.stash.setdefault(_FIGURES, []).append


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Show the figures."""
    for line in config.stash.get(_FIGURES, []) if SOAK else []:
        terminalreporter.write_line(line)
