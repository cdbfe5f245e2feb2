"""Kind ``sitemap``: sitemaps, news sitemaps, text sitemaps, and indexes of them."""

import gzip
from datetime import UTC, date, datetime

import pytest

from ingestor import sources
from ingestor.errors import FeedUnreadable
from ingestor.model import Feed, FeedDocument, Response
from ingestor.sources.sitemap import MOST_ADDRESSES, day_of, parts_of_day

NOW = datetime(2024, 5, 1, 12, 0, tzinfo=UTC)
FEED = Feed("f", "sitemap", "https://a.example/sitemap.xml", ("x", "y"), "z")
PROTOCOL = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
NEWS = 'xmlns:news="http://www.google.com/schemas/sitemap-news/0.9"'
IMAGE = 'xmlns:image="http://www.google.com/schemas/sitemap-image/1.1"'


def read(body: str | bytes, content_type: str = "application/xml") -> FeedDocument:
    data = body.encode() if isinstance(body, str) else body
    response = Response(FEED.url, FEED.url, 200, (("Content-Type", content_type),), data, NOW)
    return sources.source("sitemap").read(FEED, response)


def urlset(items: str) -> str:
    return f'<?xml version="1.0"?><urlset {PROTOCOL} {NEWS} {IMAGE}>{items}</urlset>'


def index(*addresses: str) -> str:
    listed = "".join(f"<sitemap><loc>{address}</loc></sitemap>" for address in addresses)
    return f"<sitemapindex {PROTOCOL}>{listed}</sitemapindex>"


NEWS_ITEM = (
    "<url><image:image><image:loc>https://a.example/p.png</image:loc></image:image>"
    "<loc> https://a.example/1?x=1&amp;y=2 </loc><lastmod>2024-05-01T03:00:00Z</lastmod><news:news>"
    "<news:publication><news:name>试验报</news:name><news:language>zh</news:language>"
    "</news:publication><news:publication_date>2024-05-01T09:30:00+08:00</news:publication_date>"
    "<news:title>石门水泥 &amp; 煤</news:title><news:keywords>水泥, 煤</news:keywords></news:news></url>"
)


def test_a_news_sitemap_has_titles_and_times_of_publication():
    """What Google's extension says; the address is the page's, not the picture's."""
    (entry,) = read(urlset(NEWS_ITEM)).entries
    assert entry.url == "https://a.example/1?x=1&y=2"
    assert (entry.title, entry.author) == ("石门水泥 & 煤", "试验报")
    assert entry.published_at == datetime(2024, 5, 1, 1, 30, tzinfo=UTC)
    assert entry.keywords == ("水泥", "煤")


def test_lastmod_orders_and_is_no_time_of_publication():
    """It moves with each edit; the newest come first, and of those without, the last one."""
    items = "".join(
        f"<url><loc>https://a.example/{number}</loc>{lastmod}</url>"
        for number, lastmod in enumerate(
            [
                "",
                "<lastmod>2024-01-01</lastmod>",
                "<lastmod>2024-03-01T00:00:00+08:00</lastmod>",
                "",
            ]
        )
    )
    entries = read(urlset(items)).entries
    assert [entry.url[-1] for entry in entries] == ["2", "1", "3", "0"]
    assert {entry.published_at for entry in entries} == {None}


@pytest.mark.parametrize(
    "body",
    [
        urlset("<url><loc>https://a.example/1?a=1&b=2</loc></url>"),
        urlset("<url><loc><![CDATA[https://a.example/1?a=1&b=2]]></loc></url>"),
        "<urlset><url><loc>https://a.example/1?a=1&amp;b=2</loc></url></urlset>",
        '<s:urlset xmlns:s="x"><s:url><s:loc>https://a.example/1?a=1&amp;b=2</s:loc></s:url></s:urlset>',
        "https://a.example/1?a=1&b=2\r\n",
        "\ufeffhttps://a.example/1?a=1&b=2",
        '<rss version="2.0"><channel><item><link>https://a.example/1?a=1&amp;b=2</link></item></channel></rss>',
        gzip.compress(urlset("<url><loc>https://a.example/1?a=1&amp;b=2</loc></url>").encode()),
        gzip.compress(b"<urlset><url><loc>https://a.example/1?a=1&amp;b=2") + gzip.compress(b"</loc></url></urlset>"),
    ],
    ids=["bare ampersand", "CDATA", "no namespace", "prefix", "text", "mark", "a feed", "gzip", "members"],
)  # fmt: skip
def test_one_address_in_every_form(body):
    """As sites serve it."""
    document = read(body)
    assert [entry.url for entry in document.entries] == ["https://a.example/1?a=1&b=2"]
    assert document.fault == ""


def test_an_index_has_parts_the_newest_first():
    """And no entries."""
    text = (
        f"<sitemapindex {PROTOCOL}><sitemap><loc>/old.xml</loc><lastmod>2023-01-01</lastmod></sitemap>"
        "<sitemap><loc>/new.xml.gz</loc><lastmod>2024-01-01</lastmod></sitemap></sitemapindex>"
    )
    document = read(text)
    assert document.parts == ("https://a.example/new.xml.gz", "https://a.example/old.xml")
    assert document.entries == ()


def test_an_index_that_names_itself_is_said():
    """With others the others are read; alone it is nothing."""
    document = read(index(FEED.url, "https://a.example/2.xml"))
    assert document.parts == ("https://a.example/2.xml",)
    assert document.fault == "the index of sitemaps names itself"
    with pytest.raises(FeedUnreadable, match="names itself, and nothing else"):
        read(index(FEED.url))


def test_too_many_addresses_are_bounded_and_said():
    """The newest of them are read, as many as the protocol allows."""
    lines = "".join(f"<url><loc>http://a.example/{number}</loc></url>" for number in range(200_000))
    document = read(gzip.compress(urlset(lines).encode(), 1))
    assert len(document.entries) == MOST_ADDRESSES
    assert document.entries[0].url == "http://a.example/199999"
    assert document.fault.startswith("200000 addresses, 50000 at most")


def test_what_unpacks_to_more_than_the_bound_is_refused():
    """Without unpacking it."""
    with pytest.raises(FeedUnreadable, match="more than 50 MiB, unpacked"):
        read(gzip.compress(b"\0" * (200 * 1024**2), 1))


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "an empty body"),
        ("<!doctype html><title>404</title>", "not a sitemap"),
        (index(), "an index of no sitemaps"),
        (b"\x1f\x8bnot gzip", "damaged gzip"),
        ('<!DOCTYPE x [<!ENTITY a "b">]><urlset><url><loc>http://&a;</loc></url></urlset>', "entities"),
    ],
)  # fmt: skip
def test_what_is_no_sitemap_is_refused(body, said):
    """In one clear line."""
    with pytest.raises(FeedUnreadable, match=said):
        read(body)


@pytest.mark.parametrize(
    "body",
    [
        urlset(NEWS_ITEM).removesuffix("</urlset>") + "<url><loc>https://a.exam",
        gzip.compress(urlset(NEWS_ITEM * 50).encode())[:-12],
    ],
)
def test_a_sitemap_that_is_cut_off_is_said_and_its_whole_items_read(body):
    """Else its feed would count as read."""
    document = read(body)
    assert document.entries[0].title == "石门水泥 & 煤"
    assert "cut off after" in document.fault or "breaks off" in document.fault


@pytest.mark.parametrize(
    ("address", "day"),
    [
        ("https://a.example/sitemap-2024-05-01.xml", "2024-05-01"),
        ("https://a.example/sitemap_20240501.xml.gz", "2024-05-01"),
        ("https://a.example/2024/05/01/sitemap.xml", "2024-05-01"),
        ("https://a.example/sitemap.xml?yyyy=2024&mm=5&dd=1", "2024-05-01"),
        ("https://a.example/sitemap-2024-05.xml", ""),
        ("https://a.example/sitemap17.xml", ""),
    ],
)
def test_the_day_that_a_part_names(address, day):
    """As indexes have it that go by day; a month holds each of its days."""
    assert day_of(address) == day
    document = FeedDocument("", (), parts=(address,))
    held = bool(parts_of_day(document, date(2024, 5, 1)))
    assert held == (bool(day) or "2024-05" in address)
