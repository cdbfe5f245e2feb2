"""A long life, shortened: after it warmed up the daemon does not grow."""

from tools.soak import soak, troubles

ARTICLES = 3_000


def test_memory_descriptors_and_log_stay_bounded(site):
    """3,000 articles through the real process; `make soak-daemon` does 100,000."""
    samples = soak(site, ARTICLES)
    assert samples[-1].articles == ARTICLES
    assert troubles(samples) == [], [one.line() for one in samples]
