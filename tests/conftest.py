"""Fixtures that many tests share."""

import os

import pytest
from hypothesis import settings

from tools import postgres
from tools.fake_internet import FakeInternet
from tools.running import Site

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


@pytest.fixture
def store_url(request):
    """Give the address of a database, ``""`` for a file; of each kind in turn where marked so."""
    kind = getattr(request, "param", "sqlite")
    return request.getfixturevalue("postgresql_url") if kind == "postgresql" else ""


@pytest.fixture
def site(tmp_path, net, store_url):
    """Give a user's folder on the fake internet, with one feed configured."""
    place = Site(tmp_path, net, store=store_url)
    place.configure()
    return place


def pytest_generate_tests(metafunc):
    """Run a test that is marked ``every_store`` on each kind of database."""
    node = metafunc.definition
    wanted = node.get_closest_marker("every_store") and not node.get_closest_marker("sqlite_only")
    if wanted and "store_url" in metafunc.fixturenames:
        metafunc.parametrize("store_url", ["sqlite", "postgresql"], indirect=True)
