"""Fixtures that many tests share."""

import pytest

from tests.fake_internet import FakeInternet
from tests.running import Site


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
