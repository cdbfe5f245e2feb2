"""Fixtures that many tests share."""

import os

import pytest
from hypothesis import settings

from tests.fake_internet import FakeInternet
from tests.running import Site

# A slow machine is no failure; and CI tests the change, not the luck of the day.
settings.register_profile("house", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("house")


@pytest.fixture
def net():
    """Give a fake internet that is empty."""
    with FakeInternet() as internet:
        yield internet


@pytest.fixture
def site(tmp_path, net):
    """Give a user's folder on the fake internet, with one feed configured."""
    place = Site(tmp_path, net)
    place.configure()
    return place
