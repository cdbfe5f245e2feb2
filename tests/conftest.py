"""Fixtures that many tests share. Each imports what it needs: a test of pure code needs no server."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tools.fake_internet import FakeInternet
    from tools.postgres import Server
    from tools.running import Site

pytest_plugins = ["tests.support.quick"]

LONGEST_FILES = (
    "faults/test_kills.py",
    "cluster/test_cluster.py",
    "daemon/test_daemon.py",
    "project/test_soak.py",
    "pipeline/test_once.py",
    "pipeline/test_reextract.py",
    "hostile/test_patterns.py",
    "faults/test_rot.py",
    "faults/test_model.py",
    "project/test_benchmarks.py",
    "cli/test_logs.py",
)
"""A quarter of a minute and more each: one that came last would keep one processor busy and no other."""

# A slow machine is no failure, and a run tests the change, not the luck of the day: that is what
# `make fuzz` tries.
settings.register_profile(
    "house",
    deadline=None,
    derandomize="INGEST_FUZZ_EXAMPLES" not in os.environ,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("house")


@pytest.fixture
def net() -> Iterator[FakeInternet]:
    """Give a fake internet that is empty."""
    from tools.fake_internet import FakeInternet

    with FakeInternet() as internet:
        yield internet


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    """Give a PostgreSQL server; it starts when the first test wants it."""
    from tools import postgres

    with postgres.server() as server:
        yield server


@pytest.fixture
def postgresql_url(postgresql: Server) -> Iterator[str]:
    """Give the address of a PostgreSQL database with an archive's schema and nothing in it."""
    name = postgresql.migrated()
    yield postgresql.url(name)
    postgresql.drop(name)


@pytest.fixture
def store_url(request: pytest.FixtureRequest) -> str:
    """Give the address of a database, ``""`` for a file; of each kind in turn where marked so."""
    kind = getattr(request, "param", "sqlite")
    return request.getfixturevalue("postgresql_url") if kind == "postgresql" else ""


@pytest.fixture
def site(tmp_path, net: FakeInternet, store_url: str) -> Site:
    """Give a user's folder on the fake internet, with one feed configured."""
    from tools.running import Site

    place = Site(tmp_path, net, store=store_url)
    place.configure()
    return place


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest files; the others keep their order."""
    ranks = {file: rank for rank, file in enumerate(LONGEST_FILES)}
    items.sort(key=lambda item: ranks.get("/".join(item.path.parts[-2:]), len(ranks)))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that is marked ``every_store`` on each kind of database."""
    node = metafunc.definition
    wanted = node.get_closest_marker("every_store") and not node.get_closest_marker("sqlite_only")
    if wanted and "store_url" in metafunc.fixturenames:
        kinds = ["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)]
        metafunc.parametrize("store_url", kinds, indirect=True)
