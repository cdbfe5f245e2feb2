"""Fixtures that many tests share."""

import os

import pytest
from hypothesis import settings

from tests import postgres
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


@pytest.fixture(scope="session")
def postgresql():
    """Give a PostgreSQL server; it starts when the first test wants it."""
    with postgres.server() as server:
        yield server


@pytest.fixture
def postgresql_url(postgresql):
    """Give the address of a PostgreSQL database with an archive's schema and nothing in it."""
    name = postgresql.migrated()
    yield postgresql.url(name)
    postgresql.drop(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request):
    """Give the address of each kind of database in turn; ``""``: a file in the test's folder."""
    return "" if request.param == "sqlite" else request.getfixturevalue("postgresql_url")


@pytest.fixture
def site(tmp_path, net):
    """Give a user's folder on the fake internet, with one feed configured."""
    place = Site(tmp_path, net)
    place.configure()
    return place


@pytest.fixture
def any_site(tmp_path, net, store_url):
    """Give a site as :func:`site` does, on each kind of database in turn."""
    place = Site(tmp_path, net, store=store_url)
    place.configure()
    return place
