"""Feeds of ours, as Atom: whatever strangers wrote, a reader of feeds takes them."""

from __future__ import annotations

from datetime import UTC, datetime

import feedparser
import pytest
from lxml import etree

from ingestor.archive.atom import AtomEntry, AtomFeed, entry_element, feed_xml, id_of, read_entries
from ingestor.errors import UsageError

ATOM = "{http://www.w3.org/2005/Atom}"
SEEN = datetime(2026, 5, 1, 2, 3, 4, tzinfo=UTC)
OWN = "https://archive.example/search.atom?q=%E7%9F%B3&x=1"
NASTY = [
    *("".join(map(chr, range(start, start + 32))) for start in (0, 0x7F)),
    "\ud800半\udfff个",
    "\ufffe不是\uffff字符",
    "\U0001fffe\U0010ffff",
    "]]></title><script>alert(1)</script><![CDATA[",
    "<b>&amp;&lt;</b> &nbsp; &#0; \"'",
    "<!DOCTYPE x [<!ENTITY a 'b'>]>&a;",
    "\u202e\u200b\ufeff",
    "行\r\n行\u2028行\x0b",
    "",
]


def entry(text: str, number: int = 1, **more) -> AtomEntry:
    place = f"https://archive.example/article/{number}"
    values = {"published": SEEN, "author": text, "summary": text, "html": text} | more
    return AtomEntry(place, place, text, SEEN, categories=(text or "-",), **values)


def feed(title: str, *entries: AtomEntry, own: str = OWN) -> str:
    page = "https://archive.example/search"
    return feed_xml(AtomFeed(own, own, page, title, SEEN), list(map(entry_element, entries)))


def faults(text: str) -> list[str]:
    """Return what a feed lacks of what RFC 4287 (4.1.1 and 4.1.2) asks of it."""
    root = etree.fromstring(text.encode())
    entries = root.findall(f"{ATOM}entry")
    found = [
        f"{len(element.findall(f'{ATOM}{name}'))} × {name} in {element.tag}"
        for element in (root, *entries)
        for name in ("id", "title", "updated", "author")
        if len(element.findall(f"{ATOM}{name}")) != 1 or not "".join(element.find(f"{ATOM}{name}").itertext())
    ]  # fmt: skip
    for element, wanted in ((root, {"self", "alternate"}), *((each, {"alternate"}) for each in entries)):  # fmt: skip
        relations = [link.get("rel") for link in element.findall(f"{ATOM}link")]
        if sorted(relations) != sorted(wanted) or not all(link.get("href") for link in element.findall(f"{ATOM}link")):  # fmt: skip
            found.append(f"links: {relations}")
    ids = [each.findtext(f"{ATOM}id") for each in entries]
    return found + ["the same id twice"] * (len(set(ids)) < len(ids))


@pytest.mark.parametrize("text", NASTY, ids=ascii)
def test_whatever_a_title_holds_the_feed_is_valid(text):
    """In a title, a name, a text, an address and a category alike."""
    made = feed(text, entry(text, 1), entry(text, 2), own=f"https://a.example/{text}")
    assert faults(made) == []
    parsed = feedparser.parse(made.encode("utf-8"))
    assert (parsed.bozo, len(parsed.entries)) == (0, 2)
    assert "alert" not in parsed.entries[0].get("link", "")


def test_a_reader_of_feeds_reads_what_was_written():
    """Text as text, HTML as HTML, each where it belongs."""
    values = {"author": "虚构日报", "summary": "第一行\n第二行", "html": "<p>石门 &amp; 海棠</p>"}
    parsed = feedparser.parse(feed("a & b", entry("<b>粗体</b> & 石门", **values)).encode())
    assert (parsed.bozo, parsed.encoding, parsed.version) == (0, "utf-8", "atom10")
    assert (parsed.feed.title, parsed.feed.id, parsed.feed.updated) == (
        "a & b",
        OWN,
        "2026-05-01T02:03:04Z",
    )
    assert [(link.rel, link.href) for link in parsed.feed.links] == [
        ("self", OWN),
        ("alternate", "https://archive.example/search"),
    ]
    (one,) = parsed.entries
    assert (one.title_detail.type, one.author) == ("text/plain", "虚构日报")
    assert one.title == "<b>粗体</b> & 石门"
    assert (one.summary, one.content[0].value) == ("第一行\n第二行", "<p>石门 &amp; 海棠</p>")


def test_a_feed_is_read_back_by_who_wrote_it_alone():
    """Its entries go into the next one; another file's never do."""
    made = feed("x", entry("甲", 1), entry("乙", 2)).encode()
    entries = read_entries(made, OWN)
    assert [id_of(element)[-1] for element in entries] == ["1", "2"]
    again = feed_xml(AtomFeed(OWN, OWN, "", "x", SEEN), [entry_element(entry("丙", 3)), *entries])
    assert [each.title for each in feedparser.parse(again).entries] == ["丙", "甲", "乙"]
    for other in (b"", b"<feed", b"<a/>", made.replace(b"archive.example", b"other.example")):
        with pytest.raises(UsageError):
            read_entries(other, OWN)
