"""A long life, shortened: after it warmed up the daemon does not grow."""

from tests.soak import grown, soak

ARTICLES = 3_000
MOST_WAL = 64 * 1024**2
"""Bytes; SQLite checkpoints at 4 MiB, and a batch may come on top."""


def test_memory_descriptors_and_log_stay_bounded(site):
    """3,000 articles through the real process; `make soak-daemon` does 100,000."""
    samples = soak(site, ARTICLES)
    assert samples[-1].articles == ARTICLES
    assert grown(samples) < 0.05, [one.line() for one in samples]
    # A socket may be open in one moment and not in another; a leak adds some a batch.
    assert samples[-1].descriptors <= samples[len(samples) // 3].descriptors + 3
    assert max(one.wal for one in samples) < MOST_WAL
