"""Fixtures of the fault tests."""

import pytest

from tests.faults.laboratory import Driver


@pytest.fixture(scope="package")
def driver():
    """Give a process that runs the program, and kills it when asked to."""
    with Driver() as one:
        yield one
