"""Feeds with what feedparser does not expect, and texts that only look like markup."""

import pytest

from ingestor.sources._text import with_base
from tests.support.feeds import FEED, read, rss

BEFORE = "<item><title>甲</title><link>https://a.example/1</link></item>"
AFTER = "<item><title>丙</title><link>https://a.example/3</link></item>"
STUMBLES = {
    "a place without georss:where": "<gml:pos>39.9 116.3</gml:pos>",
    "a line without georss:where": "<gml:posList>39.9 116.3 40 117</gml:posList>",
    "a place under another prefix": "<g:pos>39.9 116.3</g:pos>",
    "a search field": (
        "<textInput><title>搜</title><description>d</description><name>q</name>"
        "<link>https://a.example/s</link></textInput>"
    ),
    "a width that nobody began": "</width>",
    "a height that nobody began": "</height>",
    "a width beside a void element": (
        '<description>图<img src="https://a.example/1.jpg"><width>600</width></description>'
    ),
}


def atom(entry: str, head: str = "") -> str:
    return f'<feed xmlns="http://www.w3.org/2005/Atom"><title>c</title>{head}{entry}</feed>'


@pytest.mark.parametrize("element", STUMBLES.values(), ids=STUMBLES)
def test_an_element_out_of_place_costs_no_item(element):
    """Neither its own nor another's."""
    odd = f"<item><title>乙</title><link>https://a.example/2</link>{element}</item>"
    body = rss(BEFORE + odd + AFTER).replace(
        "<rss",
        '<rss xmlns:gml="http://www.opengis.net/gml" xmlns:g="http://www.opengis.net/gml"',
    )
    entries = read(body).entries
    assert [entry.title for entry in entries] == ["甲", "乙", "丙"]
    assert [entry.url[-1] for entry in entries] == ["1", "2", "3"]


def test_an_item_that_cannot_be_read_costs_itself(monkeypatch):
    """And is said: feedparser may stumble over what nobody thought of."""
    import feedparser

    parse = feedparser.parse

    def stumbling(stream, **options):
        if "乙" in stream.read().decode():
            raise KeyError("unheard of")
        return parse(stream, **options)

    monkeypatch.setattr(feedparser, "parse", stumbling)
    document = read(rss(f"{BEFORE}<item><title>乙</title></item>{AFTER}"))
    assert [entry.title for entry in document.entries] == ["甲", "丙"]
    assert document.title == "c"
    assert document.fault == "items that cannot be read: 2"


LITERAL = {
    "without a type": "<content>用 &lt;br&gt; 标签换行\n第二行 A&amp;B</content>",
    "of type text": '<content type="text">用 &lt;br&gt; 标签换行\n第二行 A&amp;B</content>',
    "in a CDATA section": "<content><![CDATA[用 <br> 标签换行\n第二行 A&B]]></content>",
}


@pytest.mark.parametrize("content", LITERAL.values(), ids=LITERAL)
def test_a_text_of_atom_has_no_markup(content):
    """Each of its lines stays one."""
    literal = "<p>用 &lt;br&gt; 标签换行</p><p>第二行 A&amp;B</p>"
    (entry,) = read(atom(f"<entry><title>t</title>{content}</entry>")).entries
    assert entry.content == literal
    summary = content.replace("content", "summary")
    (entry,) = read(atom(f"<entry><title>t</title>{summary}</entry>")).entries
    assert (entry.summary, entry.content) == (literal, "")


def test_a_html_text_of_atom_is_markup():
    """Its type says so."""
    content = '<content type="html">&lt;p&gt;正文&lt;/p&gt;</content>'
    (entry,) = read(atom(f"<entry><title>t</title>{content}</entry>")).entries
    assert entry.content == "<p>正文</p>"


MEDIA = (
    '<media:content url="https://a.example/1.jpg" medium="image">'
    "<media:description>图说</media:description></media:content>"
)
OWN = "<description>概要正文</description>"


@pytest.mark.parametrize("texts", [OWN + MEDIA, MEDIA + OWN, MEDIA + OWN + MEDIA])
def test_a_pictures_caption_is_not_the_text(texts):
    """In whichever order they come."""
    media = '<rss xmlns:media="http://search.yahoo.com/mrss/"'
    body = rss(f"{BEFORE}<item><title>t</title>{texts}</item>").replace("<rss", media)
    entry = read(body).entries[1]
    assert entry.content == ""
    assert entry.summary == '概要正文<img src="https://a.example/1.jpg">'


def test_a_caption_alone_is_the_text():
    """Feeds of videos have no other."""
    media = '<rss xmlns:media="http://search.yahoo.com/mrss/"'
    body = rss(f"<item><title>t</title>{MEDIA}</item>").replace("<rss", media)
    assert read(body).entries[0].summary.startswith("图说")


ADDRESSES = {
    '<img src="b.jpg">': '<img src="https://a.example/n/b.jpg">',
    "<img alt=x src=b.jpg>": '<img alt=x src="https://a.example/n/b.jpg">',
    "<IMG SRC='/b.jpg?a=1&amp;b=2'/>": "<IMG SRC='https://a.example/b.jpg?a=1&amp;b=2'/>",
    '<img data-original="b.jpg" data-echo=c.jpg>': (
        '<img data-original="https://a.example/n/b.jpg" data-echo="https://a.example/n/c.jpg">'
    ),
    '<source srcset="b.jpg 1x, /w_1,h_2/c.jpg 2x">': (
        '<source srcset="https://a.example/n/b.jpg 1x, https://a.example/w_1,h_2/c.jpg 2x">'
    ),
    '<img srcset="b.jpg, c.jpg 480w,d.jpg 2x">': (
        '<img srcset="https://a.example/n/b.jpg, https://a.example/n/c.jpg 480w,'
        'https://a.example/n/d.jpg 2x">'
    ),
    '<img alt=" src=b.jpg">': '<img alt=" src=b.jpg">',
    '<img alt="a>b" src="b.jpg">': '<img alt="a>b" src="https://a.example/n/b.jpg">',
    "src=b.jpg": "src=b.jpg",
}


@pytest.mark.parametrize(("text", "expected"), ADDRESSES.items(), ids=ADDRESSES)
def test_a_base_is_for_every_address_in_a_text(text, expected):
    """Quoted or not, one or several, and those that a script would put into ``src``."""
    assert with_base(text, "https://a.example/n/") == expected


def test_the_base_of_an_atom_text_is_used():
    """As it stands at an element around it."""
    content = '<content type="html" xml:base="https://b.example/n/">&lt;img src=1.jpg&gt;</content>'
    (entry,) = read(atom(f"<entry><title>t</title>{content}</entry>")).entries
    assert entry.content == '<img src="https://b.example/n/1.jpg">'


def test_a_link_of_atom_is_relative_to_the_feed():
    """Not to the page that it names as its own."""
    head = '<link rel="alternate" href="https://www.example/home/"/>'
    entry = '<entry><title>t</title><link href="news/1"/></entry>'
    assert read(atom(entry, head)).entries[0].url == FEED.url.rpartition("/")[0] + "/news/1"


TITLES = {
    "若PE&lt;PB且ROE&gt;10%则买入": "若PE<PB且ROE>10%则买入",
    "评&lt;红楼梦&gt;与&lt;K线&gt;": "评<红楼梦>与<K线>",
    "&lt;b&gt;涨停&lt;/b&gt;潮&lt;br /&gt;": "涨停潮",
    '&lt;font color="red"&gt;快讯&lt;/font&gt;': "快讯",
    "&lt;B&gt;快讯&lt;/B&gt;": "快讯",
    "a&lt;b且c&gt;d": "a<b且c>d",
}


@pytest.mark.parametrize(("title", "expected"), TITLES.items(), ids=TITLES)
def test_only_an_element_of_html_is_a_tag(title, expected):
    """What stands between two signs of inequality stays."""
    assert read(rss(f"<item><title>{title}</title></item>")).entries[0].title == expected
