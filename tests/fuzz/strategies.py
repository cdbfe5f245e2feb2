"""Hypothesis strategies: input that is nearly what the program reads."""

from __future__ import annotations

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
