"""Feeds that mean harm announce what can be read of them, inert, or are refused with a reason."""

import pytest

from ingestor.errors import FeedUnreadable, Forbidden
from ingestor.extract import article_from_entry
from ingestor.fetch.guard import checked_url
from ingestor.identity import entry_key
from ingestor.model import Feed, FeedDocument, Response
from ingestor.sources import source
from ingestor.text.sanitize import one_line
from tests.fetch.raw_server import RawServer, page
from tests.hostile.inert import FEED, NOW, judge_entry
from tests.hostile.nasty_feeds import REFUSED, TAKEN, atom, item, rss


def read(body: str | bytes) -> FeedDocument:
    data = body.encode("utf-8", "surrogatepass") if isinstance(body, str) else body
    return source("rss").read(FEED, Response(FEED.url, FEED.url, 200, (), data, NOW))


@pytest.mark.parametrize(("body", "titles"), TAKEN.values(), ids=TAKEN)
def test_what_a_nasty_feed_announces_is_inert(body, titles):
    """Every entry of it, its text, and the file that would be written."""
    document = read(body)
    for entry in document.entries:
        judge_entry(entry)
    assert one_line(document.title) == document.title
    if titles is not None:
        assert [entry.title for entry in document.entries] == titles


@pytest.mark.parametrize(("body", "reason"), REFUSED.values(), ids=REFUSED)
def test_less_than_a_feed_is_refused_with_a_reason(body, reason):
    """Never half of it, and never "no news"."""
    with pytest.raises(FeedUnreadable, match=reason) as caught:
        read(body)
    line = str(caught.value)
    assert line.startswith(FEED.url)
    assert len(line) < 300
    assert one_line(line) == line


def test_entries_that_share_their_guid_or_its_beginning_are_told_apart():
    """None of them is lost for another."""
    for name in ("one guid for all", "guids that begin alike for long"):
        body, titles = TAKEN[name]
        page = Feed("nasty", "rss", FEED.url, ("x", "y"), "z")
        feed = FEED if name.startswith("guids") else page
        keys = {entry_key(feed, entry) for entry in read(body).entries}
        assert len(keys) == len(titles)


def test_a_link_into_the_network_is_announced_and_not_asked():
    """The guard, not the reader, refuses it, with a reason that stays with the entry."""
    body, _ = TAKEN["links into the network"]
    for entry in read(body).entries:
        with pytest.raises(Forbidden, match="inside the network"):
            checked_url(entry.url, allow_private=False)


def test_an_empty_link_is_not_taken_for_the_feeds_own_address():
    """The home page would be archived in place of the article."""
    body, _ = TAKEN["a link without an address"]
    assert [entry.url for entry in read(body).entries] == ["", ""]


def test_a_title_that_is_a_book_is_cut():
    """The text is not lost for it."""
    body, _ = TAKEN["a title that is a book"]
    long, short = read(body).entries
    title = article_from_entry(FEED, long).title
    assert (len(title), title[-2:]) == (500, "长…")
    assert article_from_entry(FEED, short).title == "乙"


@pytest.mark.slow
def test_reading_a_feed_asks_nobody_and_opens_no_file(tmp_path):
    """Neither what it names (document types, style sheets, inclusions) nor what it looks like."""
    (tmp_path / "file.xml").write_text(rss(item("secret")), encoding="utf-8")
    file = (tmp_path / "file.xml").as_uri()
    with RawServer(page(rss(item("secret")).encode())) as server:
        address = f"http://127.0.0.1:{server.port}/x"
        for place in (address, file, str(tmp_path / "file.xml")):
            for body in (
                place,
                f"{place}#<rss></rss>",
                f"{place}?<rss><channel><item/></channel></rss>",
                rss(item("x"), head=f'<!DOCTYPE rss SYSTEM "{place}">'),
                rss(item("&y;"), head=f'<!DOCTYPE rss [<!ENTITY y SYSTEM "{place}">]>'),
                rss(item("x"), head=f'<?xml-stylesheet href="{place}"?>'),
                rss(
                    item("x", f'<include xmlns="http://www.w3.org/2001/XInclude" href="{place}"/>')
                ),
                atom(f'<entry><id>1</id><title>x</title><content src="{place}"/></entry>'),
            ):
                try:
                    told = repr(read(body))
                except FeedUnreadable as error:
                    told = str(error)
                assert "secret" not in told.replace(place, "")
        assert server.requests == []


@pytest.mark.slow
def test_ten_thousand_items_are_as_many_as_are_taken():
    """The bound is the most that is taken, not the first that is refused."""
    assert len(read(rss(item("x") * 10_000)).entries) == 10_000
    with pytest.raises(FeedUnreadable, match="10001 items, 10000 at most"):
        read(rss(item("x") * 10_001))
