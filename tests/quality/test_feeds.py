"""Every made-up feed is read as its label says."""

import pytest

from ingestor.extract import article_from_entry
from tools.quality import feeds
from tools.quality.feeds import FIELDS, Labelled, labelled_feeds, ours, read_by_us

ALL = labelled_feeds()
IDS = [labelled.name for labelled in ALL]


def test_the_set_is_large_enough():
    """Forty feeds and more, each with what is odd about it."""
    assert len(ALL) >= 40
    assert all(labelled.right["about"] for labelled in ALL)


@pytest.mark.parametrize("labelled", ALL, ids=IDS)
def test_a_feed_is_read_as_its_label_says(labelled: Labelled):
    """Its entries in order, every field of each; or it is refused."""
    expected = labelled.right["entries"]
    read = ours(labelled)
    if labelled.right.get("refused"):
        assert read is None
        return
    assert read == [{name: entry[name] for name in FIELDS} for entry in expected]


@pytest.mark.parametrize("labelled", ALL, ids=IDS)
def test_what_a_feed_says_of_itself_is_read(labelled: Labelled):
    """Its title, whether it stops in the middle, and where it goes on."""
    document = read_by_us(labelled)
    if document:
        assert document.title == labelled.right["title"]
        assert bool(document.fault) == labelled.right.get("cut", False)
        assert document.next_url == labelled.right.get("next_url", "")


@pytest.mark.parametrize("labelled", ALL, ids=IDS)
def test_the_articles_made_of_a_feed_are_those_of_its_label(labelled: Labelled):
    """Where the label says more of them: their keywords, address, or title."""
    document = read_by_us(labelled)
    for entry, right in zip(
        document.entries if document else (), labelled.right["entries"], strict=True
    ):
        if "keywords" in right:
            assert list(entry.keywords) == right["keywords"]
        if {"article_url", "article_title"} & set(right):
            article = article_from_entry(labelled.feed, entry)
            assert article.url == right.get("article_url", article.url)
            assert article.title == right.get("article_title", article.title)


def test_the_figures_are_of_the_set():
    """All of ours are one; the table has a row for each."""
    figures = feeds.score()
    assert set(figures.values()) == {1.0}
    table = feeds.table()
    assert all(f"| {name.removeprefix('feeds ')} |" in table for name in figures)
    assert "feedparser" in table
