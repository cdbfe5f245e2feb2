"""A long life, shortened: after it warmed up the daemon does not grow."""

from tools.soak import soak, troubles

ARTICLES = 2_000
BATCH = 100
"""A third of the twenty batches is the warm-up: what a daemon holds is level after 700 articles."""


def test_memory_descriptors_and_log_stay_bounded(site):
    """2,000 articles through the real process; `make soak-daemon` does 100,000."""
    samples = soak(site, ARTICLES, batch_size=BATCH)
    assert samples[-1].articles == ARTICLES
    assert troubles(samples) == [], [one.line() for one in samples]
