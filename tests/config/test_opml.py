"""OPML: what is read of strangers' lists, and what is not."""

import pytest

from ingestor.config.opml import OWN, ListedFeed, opml, read_opml
from ingestor.errors import UsageError
from ingestor.model import Feed


def listed(outlines: str, before: str = "") -> list[ListedFeed]:
    text = f'<?xml version="1.0" encoding="GBK"?>{before}<opml version="1.0"><body>{outlines}</body></opml>'
    return read_opml(text.encode("gbk"))


def test_feeds_within_folders_are_read_in_their_order():
    """Folders are none; names and addresses are as they stand there."""
    feeds = listed(
        '<outline text="财经"><outline text="甲" xmlUrl="https://a.example/1"/>'
        '<outline title="乙" text="b" type="rss" xmlURL="https://a.example/2"/></outline>'
    )
    assert [(feed.title, feed.url) for feed in feeds] == [
        ("甲", "https://a.example/1"),
        ("乙", "https://a.example/2"),
    ]


def test_references_that_xml_does_not_have_cost_nothing():
    """Bare ampersands, and HTML's names."""
    (feed,) = listed('<outline text="R&D&nbsp;&eacute;" xmlUrl="https://a.example/?a=1&b=2"/>')
    assert (feed.title, feed.url) == ("R&D é", "https://a.example/?a=1&b=2")


def test_a_feed_without_an_address_is_listed_as_such():
    """So that it can be said."""
    assert [feed.url for feed in listed('<outline type="rss" text="a"/><outline text="f"/>')] == [
        ""
    ]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "not OPML"),
        (b"<html></html>", "not OPML"),
        (b"\x00\xff\xfe", "not OPML"),
        (b'<!DOCTYPE o [<!ENTITY a "b">]><opml><body>&a;</body></opml>', "entities"),
        (b" " * (33 * 1024**2), "larger than 32 MiB"),
    ],
)
def test_what_is_no_list_is_refused(data, said):
    """In one line."""
    with pytest.raises(UsageError, match=said):
        read_opml(data)


def test_what_is_written_is_read_again():
    """With what only this program knows of a feed."""
    feeds = [
        Feed('a "b" <c>', "rss", "https://a.example/?a=1&b=2", (), ""),
        Feed("d", "sina-live", "https://b.example/", (), "", content="feed", options={"tag": 10}),
        Feed("e", "sitemap", "https://c.example/s.xml", (), "", content="feed"),
    ]
    text = opml([(feeds[0], "5m"), (feeds[1], ""), (feeds[2], "")])
    assert OWN in text
    assert read_opml(text.encode()) == [
        ListedFeed('a "b" <c>', "https://a.example/?a=1&b=2", every="5m"),
        ListedFeed("d", "https://b.example/", kind="sina-live", tag="10"),
        ListedFeed("e", "https://c.example/s.xml", kind="sitemap", content="feed"),
    ]
