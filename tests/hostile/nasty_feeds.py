"""Feeds that mean harm, or that somebody's broken program wrote.

Each is a body, and what has to come of it: the titles of the entries that it announces, or the
reason for which it is refused. A feed that is refused moves no validators: it is asked again.
"""

from __future__ import annotations

import json

TEXT = "&lt;p&gt;一段虚构的正文，说的是石门水泥的产量。&lt;/p&gt;"


def item(title: str = "标题", more: str = "") -> str:
    """Write an item with a text of its own."""
    return f"<item><title>{title}</title><description>{TEXT}</description>{more}</item>"


def rss(*items: str, head: str = "", declaration: str = '<?xml version="1.0"?>') -> str:
    """Write a feed; ``head`` stands before its root."""
    return (
        f'{declaration}{head}<rss version="2.0"><channel><title>频道</title>'
        f"<link>https://a.example/news/</link>{''.join(items)}</channel></rss>"
    )


def atom(entries: str, attributes: str = "") -> str:
    """Write an Atom feed."""
    return (
        f'<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom" {attributes}>'
        f"<title>频道</title><id>x</id>{entries}</feed>"
    )


def json_feed(*items: object, **more: object) -> str:
    """Write a JSON Feed."""
    return json.dumps(
        {"version": "https://jsonfeed.org/version/1.1", "title": "频道", "items": items, **more}
    )


LAUGHS = "<!DOCTYPE rss [<!ENTITY a 'haha'>" + "".join(
    f"<!ENTITY {after} '{f'&{before};' * 10}'>" for before, after in zip("abcdefgh", "bcdefghi", strict=True)
) + "]>"  # fmt: skip
EXTERNAL = '<!DOCTYPE rss [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
PARAMETER = '<!DOCTYPE rss [<!ENTITY % x SYSTEM "http://127.0.0.1/x.dtd"> %x;]>'
WHOLE = rss(item("甲"), item("乙"))
NO_FEED = "not a feed"

REFUSED: dict[str, tuple[str | bytes, str]] = {
    "nothing": (b"", "empty body"),
    "spaces": (b" \n\t ", "empty body"),
    "a mark and nothing": (b"\xef\xbb\xbf", "empty body"),
    "null bytes": (bytes(100), "empty body"),
    "noise": (bytes(range(128, 256)) * 20, NO_FEED),
    "words": ("Service Unavailable", NO_FEED),
    "an error page": ("<!DOCTYPE html><html><title>502 Bad\x1b[2J Gateway</title>", "HTML page"),
    "an error page behind a comment": ("<!-- x --><HTML><body>x</body></HTML>", "HTML page"),
    "comments without end": ("<!--x-->" * 20_000 + "x", NO_FEED),
    "an XHTML page": (
        '<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><body/></html>',
        "HTML page",
    ),
    "another XML document": ("<?xml version='1.0'?><urlset><url/></urlset>", NO_FEED),
    "cut off in the first item": (WHOLE[: WHOLE.index("甲") + 1], "cut off after item 0"),
    "cut off in a CDATA section": (rss("<item><title><![CDATA[甲"), "cut off after item 0"),
    "an end that is only quoted": (
        WHOLE[: WHOLE.index("<item>")] + "<item><title><![CDATA[</channel></rss>]]>",
        "cut off after item 0",
    ),
    "three hundred elements deep": (
        rss(item("x", "<a:b>" * 300 + "</a:b>" * 300)),
        "nested more than 200",
    ),
    "a hundred thousand elements deep": (rss(item("x", "<_a>" * 10**5)), "nested more than 200"),
    "depth with signs in attributes": (
        rss(item("x", """<x a=">" b='/>'>""" * 300 + "</x>" * 300)),
        "nested more than 200",
    ),
    "a hundred thousand items": (rss("<item><title>x</title></item>" * 10**5), "100000 items"),
    "JSON of something else": ('{"errors": ["x"]}', "no JSON Feed"),
    "a JSON list": ("[1, 2]", "no JSON Feed"),
    "JSON that is cut off": (json_feed({"id": "1"})[:-5], "cut off"),
    "JSON without end": ("[" * 10**6, "cut off"),
    "a JSON number without end": ('{"version": ' + "9" * 10**5, "cut off"),
    "a JSON Feed whose items are none": (json_feed(items={}), "no JSON Feed"),
    "a JSON Feed of twenty thousand items": (json_feed(*[{}] * 20_000), "20000 items"),
}  # fmt: skip
"""Bodies of which nothing is taken."""

TEN_KILOBYTES = "长" * 10_000

TAKEN: dict[str, tuple[str | bytes, list[str]]] = {
    "cut off in an item": (WHOLE[: WHOLE.index("乙")], ["甲"]),
    "cut off behind an item": (WHOLE[: WHOLE.index("</channel>")], ["甲", "乙"]),
    "cut off in a tag": (WHOLE[:-3], ["甲", "乙"]),
    "cut off in a character": (
        WHOLE.encode()[: WHOLE.encode().index("乙".encode()) + 1],
        ["甲"],
    ),
    "cut off in a comment": (WHOLE.replace("</channel></rss>", "<!-- "), ["甲", "乙"]),
    "an entity that is a word": (
        rss(item("&a;&nbsp;&b;"), head="<!DOCTYPE rss [<!ENTITY a '甲'><!ENTITY b \"&#20057;\">]>"),
        ["甲 &b;"],
    ),
    "a billion laughs": (rss(item("&i;"), head=LAUGHS), ["&i;"]),
    "a billion laughs behind a long comment": (
        rss(item("&i;"), head=f"<!--{' ' * 200_000}-->{LAUGHS}"),
        ["&i;"],
    ),
    "a billion laughs in UTF-16": (
        rss(item("&i;"), head=LAUGHS, declaration="").encode("utf-16"),
        ["&i;"],
    ),
    "a billion laughs in UTF-16 without a mark": (
        rss(item("&i;"), head=LAUGHS).encode("utf-16-be"),
        ["&i;"],
    ),
    "a billion laughs in small letters": (
        rss(item("&i;"), head=LAUGHS.replace("ENTITY", "entity")),
        ["&i;"],
    ),
    "one entity of a megabyte, used often": (
        rss(item("&x;" * 100), head=f"<!DOCTYPE rss [<!ENTITY x '{'y' * 10**6}'>]>"),
        ["&x;" * 100],
    ),
    "an external entity": (rss(item("&x;"), head=EXTERNAL), ["&x;"]),
    "a parameter entity": (rss(item("甲"), head=PARAMETER), ["甲"]),
    "a billion laughs behind a comment's beginning": (
        rss(item("&i;"), head=f"<?x <!-- ?>{LAUGHS}<!-- -->"),
        ["&i;"],
    ),
    "a billion laughs behind a section's beginning": (
        rss(item("&i;"), head=f"<!-- <![CDATA[ -->{LAUGHS}<!-- ]]> -->"),
        ["&i;"],
    ),
    "a billion laughs behind an attribute": (
        rss(item("&i;"), head=LAUGHS.replace("[", "[<!ATTLIST a b CDATA '<!--'>") + "<!-- -->"),
        ["&i;"],
    ),
    "a billion laughs behind a system's name": (
        rss(item("&i;"), head=LAUGHS.replace(" [", " SYSTEM 'a>b' [<?x <!-- ?>")),
        ["&i;"],
    ),
    "half a character by number": (rss(item("&#xD800;甲")), ["\ufffd甲"]),
    "both halves of a character by number": (rss(item("&#55357;&#56960;甲&#xd83d;&#xDE80;")), ["🚀甲🚀"]),
    "a number past every character": (rss(item("&#xFFFFFFFF;甲&#99999999999;")), ["\ufffd甲\ufffd"]),
    "a number of ten thousand digits": (rss(item("<![CDATA[&#" + "9" * 10_000 + ";甲]]>")), ["\ufffd甲"]),
    "no items": (rss(), []),
    "a root without an inside": ('<?xml version="1.0"?><rss version="2.0"/>', []),
    "an external DTD that nobody asks": (
        rss(item(), head='<!DOCTYPE rss SYSTEM "http://127.0.0.1/evil.dtd">'),
        ["标题"],
    ),
    "an XInclude that nobody asks": (
        rss(item(more='<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="/etc/passwd"/>')),
        ["标题"],
    ),
    "a style sheet that nobody asks": (
        rss(item(), head='<?xml-stylesheet href="http://127.0.0.1/x.xsl"?>'),
        ["标题"],
    ),
    "spaces before the declaration": ("\n\n " + WHOLE, ["甲", "乙"]),
    "two marks": (b"\xef\xbb\xbf\xef\xbb\xbf" + WHOLE.encode(), ["甲", "乙"]),
    "UTF-16 that says UTF-8": (WHOLE.encode("utf-16"), ["甲", "乙"]),
    "UTF-16 without a mark": (WHOLE.encode("utf-16-le"), ["甲", "乙"]),
    "UTF-8 that says GBK": (
        rss(item("甲"), declaration='<?xml version="1.0" encoding="gbk"?>'),
        ["甲"],
    ),
    "GBK that says gb2312, with a stray byte": (
        rss(item("工信部排查风险"), declaration='<?xml version="1.0" encoding="gb2312"?>')
        .encode("gbk")
        .replace(b"</link>", b"</link><x>\xff</x>"),
        ["工信部排查风险"],
    ),
    "a character set that there is not": (
        rss(item("甲"), declaration='<?xml version="1.0" encoding="x-evil"?>'),
        ["甲"],
    ),
    "a character set that is code": (
        rss(item("甲"), declaration='<?xml version="1.0" encoding="punycode"?>'),
        ["甲"],
    ),
    "null bytes and controls": (WHOLE.replace("甲", "甲\x00\x01\x0b\x1b[31m\x7f"), ["甲[31m", "乙"]),
    "controls by number": (rss(item("甲&#27;&#0;&#x9b;乙")), None),
    "directions and widths": (rss(item("甲\u202e乙\u2066丙\u200b\ufeff&#x202e;")), ["甲乙丙"]),
    "a title of nothing that is seen": (rss(item("\u202e\u200b")), [""]),
    "tags in a title": (rss(item("&lt;script&gt;steal()&lt;/script&gt;甲&lt;b&gt;")), ["steal()甲"]),
    "tags in a title, twice escaped": (rss(item("&amp;lt;script&amp;gt;甲")), ["<script>甲"]),
    "CDATA in a title": (rss(item("<![CDATA[<b>甲</b> & 乙]]>")), ["甲 & 乙"]),
    "CDATA that ends in CDATA": (rss(item("<![CDATA[甲]]]]><![CDATA[>乙]]>")), ["甲]]>乙"]),
    "CDATA with an end of the feed in it": (rss(item("<![CDATA[甲</title></item></channel></rss>]]>")), None),
    "CDATA with a billion laughs in it": (rss(item("甲", f"<x><![CDATA[{LAUGHS}]]></x>")), ["甲"]),
    "CDATA with a deep page in it": (
        rss(item("甲", f"<content:encoded xmlns:content='http://purl.org/rss/1.0/modules/content/'><![CDATA[{'<div>' * 5000}]]></content:encoded>")),
        ["甲"],
    ),
    "a title that is a book": (rss(item(TEN_KILOBYTES), item("乙")), [TEN_KILOBYTES, "乙"]),
    "a title in two elements": (rss("<item><title>甲</title><title>乙</title></item>"), None),
    "an item in an item": (rss(f"<item><title>甲</title>{item('乙')}</item>"), None),
    "an item outside the channel": (rss(item("甲")).replace("</rss>", f"{item('乙')}</rss>"), None),
    "links that are no web addresses": (
        rss(*(item(str(n), f"<link>{link}</link>") for n, link in enumerate((
            "javascript:steal()", " JAVASCRIPT:steal()", "data:text/html,x", "file:///etc/passwd",
            "http://[::1", "http://a.example:x/", "//", "https://" + "a" * 3000, "java&#10;script:x",
        )))),
        [str(n) for n in range(9)],
    ),
    "links into the network": (
        rss(item("甲", "<link>http://169.254.169.254/latest</link>"), item("乙", "<link>http://localhost/</link>")),
        ["甲", "乙"],
    ),
    "links relative to everything": (
        rss(item("甲", "<link>../../../x.shtml</link>"), item("乙", "<link>?x=1</link>"), item("丙", "<link>#x</link>")),
        ["甲", "乙", "丙"],
    ),
    "a channel's link that is broken": (
        rss(item("甲", "<link>x.shtml</link>")).replace("https://a.example/news/", "http://[::1"),
        ["甲"],
    ),
    "a channel's link that is a script": (
        rss(item("甲", "<link>x.shtml</link>")).replace("https://a.example/news/", "javascript:x"),
        ["甲"],
    ),
    "a link of controls": (rss(item("甲", "<link>https://a.example/\x1b[2J\u202ex</link>")), ["甲"]),
    "a base that is a script": (
        atom("<entry><id>1</id><title>甲</title><link href='x'/></entry>", 'xml:base="javascript:steal()//"'),
        ["甲"],
    ),
    "a base inside, and one of a base": (
        atom("<entry xml:base='//evil.example/'><id>1</id><title>甲</title><link xml:base='file:///' href='etc/passwd'/></entry>"),
        ["甲"],
    ),
    "one guid for all": (
        rss(*(item(title, f"<guid>x</guid><link>https://a.example/{n}</link>") for n, title in enumerate("甲乙丙"))),
        ["甲", "乙", "丙"],
    ),
    "guids that begin alike for long": (
        rss(*(item(title, f"<guid>{'x' * 5000}{title}</guid>") for title in "甲乙")),
        ["甲", "乙"],
    ),
    "a guid that is a script": (rss(item("甲", "<guid isPermaLink='true'>javascript:steal()</guid>")), ["甲"]),
    "dates of nonsense": (
        rss(*(item(str(n), f"<pubDate>{date}</pubDate>") for n, date in enumerate((
            "yesterday", "0000-00-00", "9999-99-99T99:99:99Z", "Thu, 99 Xxx 2024 25:61:61 +9999",
            "-1", "1e308", "2024-03-11T00:00:00+99:99", "x" * 10**5, "²⁰²⁴-03-11", "99999999999999999999",
        )))),
        [str(n) for n in range(10)],
    ),
    "a date in the far future": (rss(item("甲", "<pubDate>Fri, 31 Dec 9999 23:59:59 -2359</pubDate>")), ["甲"]),
    "a time to live without end": (rss("<ttl>99999999999999999999999</ttl>", item("甲")), ["甲"]),
    "a time to live that is no number": (rss("<ttl>²</ttl>", item("甲")), ["甲"]),
    "an update frequency of nothing": (
        rss("<sy:updatePeriod xmlns:sy='http://purl.org/rss/1.0/modules/syndication/'>hourly</sy:updatePeriod>"
            "<sy:updateFrequency xmlns:sy='http://purl.org/rss/1.0/modules/syndication/'>0</sy:updateFrequency>", item("甲")),
        ["甲"],
    ),
    "an update frequency without end": (
        rss("<sy:updatePeriod xmlns:sy='http://purl.org/rss/1.0/modules/syndication/'>daily</sy:updatePeriod>"
            f"<sy:updateFrequency xmlns:sy='http://purl.org/rss/1.0/modules/syndication/'>{'9' * 999}</sy:updateFrequency>", item("甲")),
        ["甲"],
    ),
    "two thousand categories": (rss(item("甲", "".join(f"<category>词{n}</category>" for n in range(2_000)))), ["甲"]),
    "an author that is a book": (rss(item("甲", f"<author>{TEN_KILOBYTES}</author>")), ["甲"]),
    "names in YAML": (rss(item("---&#10;evil: x", "<author>'a\n---\nb: c</author><category>- d: [e\x1b</category>")), ["--- evil: x"]),
    "a text that attacks": (
        rss("<item><title>甲</title><description>&lt;script&gt;steal()&lt;/script&gt;&lt;p onclick=steal()&gt;文&lt;a href=javascript:steal()&gt;x&lt;/a&gt;{{ x }}&lt;svg onload=steal()&gt;</description></item>"),
        ["甲"],
    ),
    "XHTML in Atom": (
        atom("<entry><id>1</id><title type='xhtml'><div xmlns='http://www.w3.org/1999/xhtml'>甲<script>steal()</script></div></title>"
             "<content type='xhtml'><div xmlns='http://www.w3.org/1999/xhtml'><p onclick='steal()'>文</p><script>steal()</script><svg xmlns='http://www.w3.org/2000/svg' onload='steal()'/></div></content></entry>"),
        None,
    ),
    "content in base64": (
        atom("<entry><id>1</id><title>甲</title><content type='text/html' mode='base64'>PHNjcmlwdD5zdGVhbCgpPC9zY3JpcHQ+</content></entry>"),
        ["甲"],
    ),
    "content from elsewhere": (
        atom("<entry><id>1</id><title>甲</title><content src='file:///etc/passwd' type='text/plain'/></entry>"),
        ["甲"],
    ),
    "another prefix for everything": (
        WHOLE.replace("<rss ", "<rss xmlns:dc='http://purl.org/dc/elements/1.1/' ").replace("<title>甲", "<dc:title>丁</dc:title><title>甲"),
        None,
    ),
    "a prefix that nobody declared": (rss(item("甲", "<evil:x evil:y='1'>z</evil:x>")), ["甲"]),
    "an attribute twice": (rss(item("甲", "<x a='1' a='2'/>")), ["甲"]),
    "ends without a beginning": ("<feed></link></author></entry></source></image></feed>", []),
    "a link without an address": (rss(item("甲", "<link/>"), item("乙", "<link> </link>")), ["甲", "乙"]),
    "an ampersand alone": (rss(item("甲 & 乙 &nbsp; &nosuch; &#;")), None),
    "a comment with a feed in it": (rss(item("甲"), f"<!-- {item('乙')} -->"), ["甲"]),
    "an enclosure and media": (
        rss(item("甲", "<enclosure url='javascript:steal()' length='-1' type='x'/><media:content xmlns:media='http://search.yahoo.com/mrss/' url='javascript:steal()'/>")),
        ["甲"],
    ),
    "JSON with everything of the wrong kind": (
        json_feed(
            None, 1, "x", [],
            {"id": {"a": 1}, "url": 5, "title": ["x"], "date_published": 7, "tags": "x", "authors": {"name": "x"}, "author": []},
            {"id": float("inf"), "title": "甲", "authors": [None, {"name": 5}], "tags": [None, {"a": 1}, "词"], "content_html": 5},
        ),
        ["", "甲"],
    ),
    "JSON with half characters": (
        (
        '{"version": "https://jsonfeed.org/version/1", "title": "\\ud800", "items": [{"id": "\\udfff", "url": "https://a.example/\\ud800", '
        '"title": "甲\\ud800\\u0000\\u202e", "content_html": "<p>文\\ud800\\u0000</p>", "author": {"name": "\\ud800名"}, "tags": ["\\ud800词"]}]}'
        ),
        ["甲"],
    ),
    "JSON with a text that attacks": (
        json_feed({"id": 1, "title": "<img src=x onerror=steal()>甲", "content_html": "<script>steal()</script><p onclick=x>文</p>", "summary": "{{ x }}"}),
        ["<img src=x onerror=steal()>甲"],
    ),
    "JSON with plain text that looks like HTML": (
        json_feed({"id": "1", "title": "甲", "content_text": "<script>steal()</script>\n{% x %}"}),
        ["甲"],
    ),
    "JSON with keys twice": (
        '{"version": "x", "version": "https://jsonfeed.org/version/1", "items": [], "items": [{"title": "甲", "content_text": "文"}]}',
        ["甲"],
    ),
}  # fmt: skip
"""Bodies that announce something: titles, or ``None`` where only harmlessness is asked for."""
