"""Hypothesis strategies: input that is nearly what the program reads."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

from tests.hostile.nasty_feeds import REFUSED, TAKEN, atom, json_feed, rss
from tests.hostile.nasty_pages import BODIES, HEADS, KEPT, LAST, TEMPLATES

MARKS = st.sampled_from(
    [
        "<",
        ">",
        "&",
        '"',
        "'",
        ";",
        ":",
        "/",
        "!",
        "-",
        "=",
        "]",
        "[",
        "{",
        "}",
        "%",
        "#",
        "\x00",
        "\x1b",
        "\u202e",
        "\u200b",
        "\ufeff",
        "\u3000",
        "�",
        "\n",
        "\r",
        "\t",
        "\x85",
    ]
)
WORDS = st.text(max_size=30) | st.sampled_from([KEPT, LAST, "责任编辑：某某", "来源：某报"])
PIECES = st.lists(MARKS | WORDS, max_size=20).map("".join)

TAGS = st.sampled_from(
    [
        "p",
        "div",
        "span",
        "a",
        "img",
        "b",
        "i",
        "u",
        "s",
        "font",
        "table",
        "tr",
        "td",
        "th",
        "ul",
        "ol",
        "li",
        "blockquote",
        "h1",
        "h2",
        "br",
        "hr",
        "pre",
        "code",
        "figure",
        "figcaption",
        "svg",
        "math",
        "style",
        "script",
        "iframe",
        "form",
        "input",
        "select",
        "option",
        "textarea",
        "noscript",
        "template",
        "title",
        "video",
        "audio",
        "source",
        "embed",
        "object",
        "meta",
        "base",
        "link",
        "plaintext",
        "xmp",
        "center",
        "section",
    ]
)
ATTRIBUTES = st.sampled_from(
    ["", " href=javascript:x", " href='//a.example/'", " src=//a.example/1.jpg", " onclick=x", " style=x",
     " class=img_descr", " class=video-2017", " id=artibody", " id=stock_sh600519", " colspan=2", " hidden",
     " cms-style='font-L strong-Bold'", " title='--><script>'", " src='data:,x'", " xlink:href=javascript:x"]
)  # fmt: skip
ELEMENTS = st.builds(
    lambda tag, attribute, inside, end: f"<{tag}{attribute}>{inside}{f'</{tag}>' if end else ''}",
    TAGS, ATTRIBUTES, PIECES, st.booleans(),
)  # fmt: skip
ATTACKS = st.sampled_from([one for one in BODIES.values() if len(one) < 5_000])
HTML = st.lists(ELEMENTS | PIECES | ATTACKS, max_size=12).map("".join)
"""Pieces of a body."""

CODECS = st.sampled_from(["utf-8", "utf-8", "gb18030", "utf-16", "utf-16-le", "big5"])
CHARSETS = st.sampled_from(
    ["", "utf-8", "gbk", "gb2312", "iso-8859-1", "utf-16", "utf-7", "idna", "punycode", "x-evil"]
)
CONTENT_TYPES = st.builds(
    lambda kind, charset: f"{kind}; charset={charset}" if charset else kind,
    st.sampled_from(["text/html", "text/xml", "application/rss+xml", "application/json", ""]),
    CHARSETS,
)
"""What a Content-Type header says."""


def encoded(text: st.SearchStrategy[str]) -> st.SearchStrategy[bytes]:
    """Return texts as bytes, in a character set that is not always the one that is declared."""
    return st.builds(lambda one, codec: one.encode(codec, "replace"), text, CODECS)


PAGES = encoded(
    st.builds(
        lambda template, body, head: template(f"<p>{KEPT}</p>{body}<p>{LAST}</p>", **head),
        st.sampled_from(TEMPLATES),
        HTML,
        st.sampled_from([{}, *HEADS.values()]),
    )
)
"""Pages of every template, whole and otherwise."""

_FIELDS = st.sampled_from(
    [
        "title",
        "link",
        "guid",
        "pubDate",
        "description",
        "author",
        "category",
        "dc:date",
        "content:encoded",
        "ttl",
        "media:content",
    ]
)
_ITEMS = st.lists(
    st.builds(lambda name, inside: f"<{name}>{inside}</{name}>", _FIELDS, PIECES | HTML), max_size=6
).map(lambda fields: f"<item>{''.join(fields)}</item>")
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | PIECES,
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["id", "url", "title", "content_html", "tags", "authors", "name"]), inner),
    max_leaves=10,
)  # fmt: skip
_KNOWN = [one for one, _ in (*REFUSED.values(), *TAKEN.values()) if 0 < len(one) < 20_000]
_XML = st.lists(_ITEMS | PIECES, max_size=4).map(lambda parts: rss(*parts))
_ATOM = HTML.map(
    lambda html: atom(f"<entry><title>{html}</title><content>{html}</content></entry>")
)
_ROLL = st.lists(_JSON, max_size=3).map(
    lambda data: json_feed(result={"status": {"code": 0}, "data": data})
)


_SINA_KEYS = st.sampled_from(
    ["id", "docid", "title", "stitle", "url", "wapurl", "urls", "intro", "summary", "ctime", "intime", "mtime",
     "media_name", "author", "keywords", "img", "images", "u", "rich_text", "create_time", "update_time",
     "docurl", "multimedia", "img_url", "tag", "name", "ext", "stocks", "market", "symbol", "key", "is_delete"]
)  # fmt: skip
_SINA_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | PIECES
    | st.sampled_from(
        ["1710121500", 1710121500, 1710121500000, "2024-03-11 09:45:00", "9" * 40, "[]", "{", '["x"]', "null",
         "https://finance.sina.com.cn/7x24/?id=1", "//n.sinaimg.cn/1.jpg", "http://[::1", "javascript:x"]
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_SINA_KEYS, inner, max_size=6),
    max_leaves=20,
)  # fmt: skip
_SINA_ITEMS = st.lists(st.dictionaries(_SINA_KEYS, _SINA_VALUES, max_size=10), max_size=4)


def _answered(items: list[dict[str, Any]], odd: object, *, live: bool) -> str:
    """Wrap items as an interface of Sina's does; now and then something stands in its place."""
    data: object = odd if odd is not None else items
    if live and odd is None:
        data = {"feed": {"list": items, "page_info": {"totalPage": 2}}}
    return json.dumps({"result": {"status": {"code": 0, "msg": "succ"}, "data": data}})


SINA_JSON = encoded(
    st.builds(
        _answered, _SINA_ITEMS, st.none() | st.none() | st.none() | _SINA_VALUES, live=st.booleans()
    )
    | st.builds(lambda text, end: text[:end], _SINA_ITEMS.map(json.dumps), st.integers(0, 2000))
)
"""What Sina's roll and live interfaces answer, or nearly."""

_LINES = st.sampled_from(
    ["User-agent: *", "User-agent: ingestor", "Disallow: /", "Disallow: /*?*$", "Allow: /%e4%b8", "Disallow:",
     "Crawl-delay: 1e309", "Crawl-delay: -1", "Crawl-delay: ９", "Request-rate: 1/0s 99:99", "Sitemap: http://[",
     "Visit-time: 9999-0000", "Disallow: /" + "*a" * 300]
)  # fmt: skip
ROBOTS = encoded(st.lists(_LINES | PIECES, max_size=8).map("\n".join)) | st.binary(max_size=200)
"""Files of rules for crawlers."""

QUERIES = st.lists(
    PIECES
    | st.sampled_from(['"', "“", "-", "－", " ", "茅台", "5G", "*", "NEAR(", "OR", "^", "title:"]),
    max_size=8,
).map("".join)
"""What people type into a search."""

_HEAD_LINES = st.builds(
    "{}: {}".format, st.sampled_from(["title", "date", "categories", "tags", "link", "x"]), PIECES
) | st.sampled_from(
    ["- a", " - [b]", "a: &a [*a]", "? x", "!!python/object:os.x {}", "---", "...", "\t"]
)
POSTS = encoded(
    st.builds("---\n{}\n---\n{}".format, st.lists(_HEAD_LINES, max_size=8).map("\n".join), HTML)
) | st.binary(max_size=200)  # fmt: skip
"""Files of other archives."""


def _damaged(body: bytes, place: int, more: bytes) -> bytes:
    place %= len(body) + 1
    return body[:place] + more + body[place + len(more) :]


FEEDS = (
    encoded(_XML | _ATOM | st.lists(_JSON, max_size=3).map(lambda items: json_feed(*items)) | _ROLL)
    | st.builds(
        _damaged,
        st.sampled_from(_KNOWN).map(
            lambda one: one if isinstance(one, bytes) else one.encode("utf-8", "replace")
        ),
        st.integers(0, 20_000),
        st.binary(max_size=20),
    )
)  # fmt: skip
"""Feeds of every kind, and known ones with some bytes changed."""

_NAMES = st.sampled_from(
    ["Content-Type", "Content-Length", "Content-Encoding", "Transfer-Encoding", "Location", "ETag",
     "Retry-After", "Last-Modified", "Cache-Control", "Set-Cookie", "Connection", "X"]
)  # fmt: skip
_VALUES = st.sampled_from(
    ["gzip", "chunked", "identity", "br", "0", "-1", "3", "9" * 30, "text/html; charset=idna", "close",
     "http://[::1", "//a.example:99999/", "javascript:x", "Thu, 99 Xxx 9999 99:99:99 GMT", "max-age=1e9"]
) | st.text(st.characters(max_codepoint=255), max_size=40)  # fmt: skip
HEADERS = st.lists(st.builds("{}: {}".format, _NAMES, _VALUES), max_size=5).map(
    lambda lines: "\r\n".join(["", *lines]).encode("latin-1")
)
"""Header fields, each behind a line break."""

STATUS = st.sampled_from(
    ["200 OK", "301 Moved", "304 Not Modified", "100 Continue", "99 x", "204 No"]
)
