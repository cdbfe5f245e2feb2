"""Text and addresses of feed items, cleaned and bounded. Pure."""

from __future__ import annotations

import hashlib
import html
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import urljoin

from ingestor.errors import Forbidden
from ingestor.identity import MOST_URL_CHARACTERS, canonical_url
from ingestor.model import Entry
from ingestor.text.sanitize import (
    MOST_CONTENT_CHARACTERS,
    address_text,
    one_line,
    shortened,
    storable,
)
from ingestor.text.written_dates import parse_date

Item = TypeVar("Item")

MOST_ENTRIES = 10_000
"""Items of one feed: real ones have tens; a backlog may have thousands."""

MOST_GUID_CHARACTERS = 2_000
"""A guid is an address or a number."""

MOST_DATE_CHARACTERS = 200
"""A date in words has about forty; what is longer is none, and is left out."""

_MOST_SAID = 3
"""Items that are named of those that cannot be read."""

_NUMBERS = re.compile(r"(?:&#(?:[xX][0-9a-fA-F]+|[0-9]+);?)+")
_NUMBER = re.compile(r"&#(?:[xX]0*([0-9a-fA-F]+)|0*([0-9]+));?")
_LAST_CHARACTER = 0x10FFFF
_SHOWN = re.compile(r"<img\b", re.IGNORECASE)
_PICTURE = re.compile(r"\.(?:jpe?g|png|gif|webp|bmp|avif)$", re.IGNORECASE)
_NAMES = (
    "a|abbr|acronym|address|article|aside|audio|b|bdi|bdo|big|blink|blockquote|body|br|button|center|"
    "cite|code|col|colgroup|dd|del|details|dfn|dir|div|dl|dt|em|embed|figcaption|figure|font|footer|"
    "form|h[1-6]|head|header|hr|html|i|iframe|img|input|ins|kbd|label|li|link|main|mark|marquee|meta|"
    "nav|nobr|noscript|object|ol|option|p|picture|pre|q|rp|rt|ruby|s|samp|script|section|select|"
    "small|source|span|strike|strong|style|sub|summary|sup|svg|table|tbody|td|textarea|tfoot|th|"
    "thead|time|title|tr|tt|u|ul|var|video|wbr"
)
_TAG = re.compile(
    rf"</?(?:{_NAMES})(?:\s[^<>=]{{0,100}}=[^<>]{{0,1000}}|\s{{0,9}}/?)>|<!--.{{0,1000}}?-->",
    re.DOTALL | re.IGNORECASE,
)
"""HTML's tags. ``PE<PB且ROE>10%`` and ``评<红楼梦>`` have none."""
_MARKED_UP = re.compile(r"""<[a-zA-Z](?:[^<>"']|"[^"<]*"|'[^'<]*')*+>""")
_ATTRIBUTE = re.compile(
    r"""(?<![^\s"'/])([\w:-]{1,40}+)(\s*=\s*)(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))"""
)
_CANDIDATE = re.compile(r"([^\s,]\S*(?<!,))(,+(?=\s|$)|\s[^,]*+|)")
"""One picture of a ``srcset``: its address, and how wide or dense it is (HTML, 4.8.4.2.1)."""
_ADDRESSES = frozenset(
    {"src", "href", "poster", "data-src", "data-original", "data-lazy-src", "data-echo"}
)
_SETS = frozenset({"srcset", "data-srcset"})


def string_of(record: Mapping[str, Any], key: str) -> str:
    """Return a record's text, ``""`` where something else stands: of broken feeds anything may."""
    value = record.get(key)
    return value if isinstance(value, str) else ""


def plain(text: str) -> str:
    """Return a title as plain text on one line: no tags, references read, no unseen marks.

    It comes back whole, however long: the one who makes an article of it judges the length.
    """
    if "<" in text or "&" in text:
        text = html.unescape(numbers_made_legal(_TAG.sub("", text)))
    return one_line(text)


def numbers_made_legal(text: str) -> str:
    """Return a text whose references by number all name characters that XML and HTML have.

    Two that are the halves of one character (&#55357;&#56960;, as JavaScript and Java count) are
    that; one without its other half, or past Unicode's end, is U+FFFD; a control is none.
    """
    return _NUMBERS.sub(_characters, text) if "&#" in text else text


def _characters(references: re.Match[str]) -> str:
    points = [_point(*number) for number in _NUMBER.findall(references[0])]
    halves = "".join(map(chr, points)).encode("utf-16-le", "surrogatepass")
    characters = halves.decode("utf-16-le", "replace")
    # Below 160 may be markup, or windows-1252 as HTML has it: that is read later.
    return "".join(
        character if character > "\x9f" else f"&#{ord(character)};"
        for character in characters
        if character >= " " or character in "\t\n\r"
    )


def _point(hexadecimal: str, decimal: str) -> int:
    # Eight digits are more than any character has, and int() takes no thousands of them.
    point = int(hexadecimal[:8], 16) if hexadecimal else int(decimal[:8])
    return point if point <= _LAST_CHARACTER and point not in {0, 0xFFFE, 0xFFFF} else 0xFFFD


def paragraphs(text: str) -> str:
    """Return a plain text as HTML that shows it as it is, each of its lines a paragraph."""
    return "".join(f"<p>{html.escape(line)}</p>" for line in text.splitlines() if line.strip())


def with_base(text: str, base: str) -> str:
    """Return HTML whose addresses of pages and pictures are absolute, joined to ``base``."""

    def mended(found: re.Match[str]) -> str:
        """Return an attribute with its address, or those of a set, joined to the base."""
        name, value = found[1].lower(), found[3] or found[4] or found[5] or ""
        if name in _ADDRESSES:
            value = _joined(base, value)
        elif name in _SETS:
            value = _CANDIDATE.sub(lambda part: _joined(base, part[1]) + part[2], value)
        else:
            return found[0]
        quote = "'" if found[4] else '"'
        return f"{found[1]}{found[2]}{quote}{value}{quote}"

    return _MARKED_UP.sub(lambda tag: _ATTRIBUTE.sub(mended, tag[0]), text)


def _joined(base: str, url: str) -> str:
    try:
        return html.escape(urljoin(base, html.unescape(url)), quote=True) if url else url
    except ValueError:
        return url


def identifier(text: str) -> str:
    """Return an item's guid; one past the bound by its SHA-256, for a cut one names others too."""
    if len(text) <= MOST_GUID_CHARACTERS:
        return storable(text)
    return f"sha256:{hashlib.sha256(text.encode('utf-8', 'replace')).hexdigest()}"


def date_text(text: str) -> str:
    """Return a date as the feed wrote it, ``""`` for one that is too long to be one."""
    return one_line(text) if len(text) <= MOST_DATE_CHARACTERS else ""


def moment_of(dates: Iterable[str], polled_at: datetime) -> tuple[str, datetime | None, bool]:
    """Return the first of an item's dates that can be read: as the feed writes it, and its moment.

    And whether it was told from now. Where none can be read, the first that there is.
    """
    written = [stated for stated in dates if stated]
    for stated in written:
        absolute = parse_date(stated, not_after=polled_at)
        told = absolute or parse_date(stated, not_after=polled_at, polled_at=polled_at)
        if told:
            return stated, told, told != absolute
    return next(iter(written), ""), None, False


def is_picture(url: str, kind: str) -> bool:
    """Whether an address is a picture's, by its media type, or its ending where it has none."""
    if kind:
        return kind.lower().startswith("image")
    return bool(_PICTURE.search(url.partition("?")[0].strip()))


def whole(text: str) -> str:
    """Return an item's text, ``""`` for one past the bound: a truncated article is none."""
    if len(text) > MOST_CONTENT_CHARACTERS:
        return ""
    return storable(numbers_made_legal(text))


def illustrated(text: str, pictures: Iterable[str]) -> str:
    """Return an item's text as HTML with the pictures beside it, where it shows none itself.

    The first picture of an article is its head image.
    """
    if _SHOWN.search(text):
        return text
    addresses = dict.fromkeys(filter(None, pictures))
    return text + "".join(f'<img src="{html.escape(url)}">' for url in addresses)


def web_address(url: str, base: str) -> str:
    """Return ``url`` as absolute http(s) address, ``""`` when it is none that can be asked."""
    if not (cleaned := address_text(url)):
        # Joined to the base it would be the base: the feed's own home page.
        return ""
    try:
        scheme, colon, rest = urljoin(base, cleaned).partition(":")
        # ``HTTP://`` is ``http://`` (RFC 3986, 3.1), and joining leaves it as it was written.
        absolute = f"{scheme.lower()}{colon}{rest}"
        canonical_url(absolute)
    except (ValueError, Forbidden):
        return ""
    return absolute if len(absolute) <= MOST_URL_CHARACTERS else ""


def each_read(items: Iterable[Item], read: Callable[[Item], Entry]) -> tuple[list[Entry], str]:
    """Return the entries of a feed's items, and which of them could not be read, ``""`` for none.

    Whatever is wrong with an item, or with us, costs that item.
    """
    entries, broken = [], []
    for number, item in enumerate(items, 1):
        try:
            entries.append(read(item))
        except Exception as error:  # noqa: BLE001 - one item of many, and said in the feed's error
            broken.append(f"item {number} cannot be read: {shortened(one_line(repr(error)), 100)}")
    return entries, "; ".join(broken[:_MOST_SAID])
