"""Numbers of things, in words."""

import pytest

from ingestor.text.counts import counted


@pytest.mark.parametrize(
    ("number", "words", "said"),
    [
        (0, ("article",), "0 articles"),
        (1, ("article",), "1 article"),
        (2, ("torn record",), "2 torn records"),
        (1, ("entry",), "1 entry"),
        (3, ("entry",), "3 entries"),
        (2, ("day",), "2 days"),
        (2, ("other address",), "2 other addresses"),
        (2, ("match",), "2 matches"),
        (1, ("parked entry is", "parked entries are"), "1 parked entry is"),
        (0, ("parked entry is", "parked entries are"), "0 parked entries are"),
    ],
)
def test_what_is_counted_has_its_number(number, words, said):
    """One of it is in the singular, nothing and several in the plural."""
    assert counted(number, *words) == said
