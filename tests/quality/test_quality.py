"""How right it reads does not get worse."""

import pytest

from tools.quality import last_time, scores

LAST = last_time()


@pytest.fixture(scope="module")
def now():
    return scores()


@pytest.mark.parametrize("name", sorted(LAST))
def test_no_figure_is_lower_than_last_time(name, now):
    """What is better is kept by ``make quality QUALITY=--write``."""
    assert now[name] >= LAST[name]


def test_every_figure_is_kept(now):
    """A new one has no last time until it is written down."""
    assert set(now) == set(LAST)
