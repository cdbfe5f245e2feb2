"""Which article is it? Canonical address, document id and publication day. Pure.

The address forms are Sina's, counted over 60,073 real addresses (2008 to 2019) and looked
up in public code: the same article is reached over http and https, with tracking parameters
and a fragment, on the desktop and on the mobile site (whose folder differs, so that only the
document id tells), on sister hosts, and through a wrapper that carries the real address in
its query. Some articles are named by nothing but a parameter: dropping it loses them.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from base64 import urlsafe_b64encode
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from urllib.parse import parse_qs, quote, unquote, unquote_plus, urlsplit, urlunsplit
from zoneinfo import ZoneInfo

from w3lib.url import canonicalize_url

from ingestor.errors import Forbidden
from ingestor.identity_parameters import NAMING, SINA_TRACKING, STATIC_TRACKING, TRACKING
from ingestor.model import Entry, Feed

MOST_URL_CHARACTERS = 2_000
"""Longer addresses are refused: no Sina address comes near, and they end up in indexes."""

_SHANGHAI = ZoneInfo("Asia/Shanghai")
_SINA = re.compile(r"(?:^|\.)sina\.(?:com\.cn|cn)$")
_COLUMN_HOSTS = frozenset({"cj.sina.com.cn", "t.cj.sina.com.cn", "cj.sina.cn", "t.cj.sina.cn"})
_DOCUMENT = re.compile(r"/(?:doc|detail|zl)-(i[a-z]{6,9}\d{6,8})(?:_\d+)?(?:\.d)?\.s?html?$")
_DOCUMENT_ID = re.compile(r"i?([a-z]{6,9}\d{6,8})")
_COLUMN = re.compile(r"^/articles?/view/(\d+)/[vm]?(p?[0-9a-f]{6,}[0-9a-z]*)/?$")
_REPORT = re.compile(r"/vReport_Show/(?:.*/)?rptid/(\d+)(?:/|$)")
_FORMS = ((_DOCUMENT, "{}"), (_COLUMN, "column-{}-{}"), (_REPORT, "report-{}"))
"""How a path names its document, and the identifier made of it."""

_SINA_FORMS = (
    # k.sina.com.cn and k.sina.cn show the columns of cj.sina.com.cn: the same users' numbers,
    # and ids of one make (the number in hex, then a kind and a count).
    (re.compile(r"^/article_(\d+)_[vm]?(p?[0-9a-f]{6,}[0-9a-z]*)\.html$"), "column-{}-{}"),
    # blog.sina.com.cn/s/… and its mobile twin blog.sina.cn/dpool/blog/s/…
    (re.compile(r"^(?:/dpool/blog)?/s/blog_([0-9a-f]{6,}[0-9a-z]*)\.html$"), "blog-{}"),
)
"""Forms that say nothing on other hosts."""

_LIVE_PAGE = "https://finance.sina.com.cn/7x24/"
_SHORT_HOST = "doc.sina.cn"
"""``/?id=comos:fxqxcnz9093681``: stated by Sina's pages as their ``mobile-agent``."""

_STATIC_PAGE = re.compile(r"\.s?html?$")
_NUMBERED_PAGE = re.compile(
    r"/(?:\d{8}|\d{4}-\d\d-\d\d)/\d{9,13}(?:_\d+)?\.s?html?$|/slide_\d+_\d+_\d+\.html?$"
)
"""Pages whose path has a number of its own: those of 2008 to 2016 (26,188 of 30,037 real
addresses; with ``_2`` a further page of one), and slides."""

_SESSION = re.compile(r"(?i);jsessionid=[^/;]*")
_KEY_DAY = re.compile(r"(?:^| )\d{4}-\d\d-\d\d$")
_ABSOLUTE = re.compile(r"(?i)https?://[^/?#%]+(?:[/?#]|$)")

CONTENT_SCHEME = "ni:"
_CONTENT_ADDRESS = re.compile(r"ni:///sha-256;[A-Za-z0-9_-]{43}")


# The same one is asked for several times: of a feed, an entry, its file.
@lru_cache(maxsize=2_048)
def canonical_url(url: str) -> str:
    """Return the one address under which the article at ``url`` is kept.

    http becomes https (unless a port is named: then the scheme decides who answers),
    fragments, user names, default ports and tracking parameters go, the query is sorted,
    Sina's wrappers are opened, its doubled and trailing slashes removed, the column hosts
    are one. A parameter that is not known as tracking stays: it may name the article.

    Raises :class:`~ingestor.errors.Forbidden` for anything but an absolute http(s)
    address of at most :data:`MOST_URL_CHARACTERS` characters.
    """
    parts = _parts(url)
    # What is wrapped is a part of its wrapper, so that this ends.
    while wrapped := _wrapped(parts):
        parts = _parts(wrapped)
    host = "cj.sina.com.cn" if _is_column(parts) else parts.host
    netloc = f"[{host}]" if ":" in host else host
    if parts.port:
        netloc = f"{netloc}:{parts.port}"
    scheme = parts.scheme if parts.port else "https"
    return urlunsplit((scheme, netloc, parts.path, _query(parts), ""))


def document_id(url: str) -> str:
    """Return the publisher's identifier that the address carries, or ``''``.

    ``…/doc-ihqfskcn2160999.shtml`` and ``…/detail-ihqfskcn2160999.d.html`` both give
    ``ihqfskcn2160999``; columns, blogs and research reports have theirs. Outside Sina's own
    hosts the identifier is followed by ``@host``, so that no other site can claim one
    of Sina's. All forms of an address give the same; one that is refused gives none.
    """
    try:
        parts = urlsplit(canonical_url(url))
    except Forbidden:
        return ""
    if identifier := _document_of(parts.netloc, parts.path):
        return identifier
    if parts.netloc != _SHORT_HOST:
        return ""
    catalogue, _, named = parse_qs(parts.query).get("id", [""])[0].partition(":")
    return scoped_document_id(named, url) if catalogue == "comos" else ""


def scoped_document_id(identifier: str, url: str) -> str:
    """Return the document id for what a page at ``url`` states as its ``publishid``.

    ``identifier`` comes with or without its leading ``i``; ``''`` when it has not the
    form of one.
    """
    bare = identifier.strip()
    if not _DOCUMENT_ID.fullmatch(bare):
        return ""
    letters = len(bare.rstrip("0123456789"))
    # The id has seven letters; with an eighth, the first is the leading i of addresses.
    whole = bare if letters > 7 and bare.startswith("i") else f"i{bare}"
    return _scoped(whole, urlsplit(url).netloc)


def same_publisher(first: str, second: str) -> bool:
    """Whether two addresses belong to one publisher: both Sina's, or the same host."""
    hosts = [_host(urlsplit(url).hostname) for url in (first, second)]
    return is_sina(first) and is_sina(second) if hosts[0] != hosts[1] else bool(hosts[0])


def is_sina(url: str) -> bool:
    """Whether the address is on one of Sina's own hosts."""
    return bool(_SINA.search(_host(urlsplit(url).hostname)))


def publication_day(published_at: datetime) -> str:
    """Return the calendar day in Asia/Shanghai of an aware moment, as ``YYYY-MM-DD``."""
    return published_at.astimezone(_SHANGHAI).date().isoformat()


def entry_key(feed: Feed, entry: Entry) -> str:
    """Return what makes an entry this one within its feed.

    That is the article it names (document id or canonical address: a headline that
    changes changes guid and link as well, but not those) and the day under which it is
    announced, for Sina reuses addresses for daily columns. Where the feed's own text is
    the article, guid and link decide together; without an address the guid does, else the
    words themselves.
    """
    day = publication_day(entry.stated_at) if entry.stated_at else ""
    named = _guid_and_link(feed, entry) if feed.content == "feed" and entry.guid else ""
    named = named or (_named(entry.url) if entry.url else "")
    named = named or entry.guid or fingerprint(entry.title, entry.content or entry.summary)
    if len(encoded := named.encode("utf-8", "replace")) > MOST_URL_CHARACTERS:
        named = f"sha256:{hashlib.sha256(encoded).hexdigest()}"
    return f"{named} {day}".strip()


@dataclass(frozen=True, slots=True)
class EntryKeys:
    """What an entry may be known by."""

    key: str
    own: str = ""
    """With its words, where it may share its link with others and has no guid; else ``""``."""
    shared: bool = False
    """The document has others of the same key."""


def entry_keys(feed: Feed, announced: Sequence[Entry]) -> list[EntryKeys]:
    """Return what each entry of a document is known by.

    In a feed of texts without guids, items that share a link are told apart by their words: their
    headlines, where they have any.
    """
    keys = [EntryKeys(entry_key(feed, entry)) for entry in announced]
    if feed.content != "feed":
        return keys
    sharing = defaultdict[str, set[str]](set)
    for position, (keyed, entry) in enumerate(zip(keys, announced, strict=True)):
        if entry.url and not entry.guid:
            words = fingerprint(entry.title, "" if entry.title else entry.content)
            keys[position] = EntryKeys(keyed.key, f"{words[:16]} {keyed.key}")
            sharing[keyed.key].add(words)
    return [replace(keyed, shared=len(sharing[keyed.key]) > 1) for keyed in keys]


def entry_day(key: str) -> str:
    """Return the day under which an entry of this key is announced, ``''`` for none."""
    return key[-10:] if _KEY_DAY.search(key) else ""


def entry_address(feed: Feed, entry: Entry, *, shared: bool = False) -> str:
    """Return the canonical address under which an entry's own text is kept.

    An entry without an address gets the feed's, with what identifies it as fragment (an item of
    Sina's 7×24 news that of its page for people, for the feed's is JSON); one
    whose address is ``shared`` with another entry of the feed gets its own with that. A guid
    that only went from http to https gives the same.
    """
    if entry.url and not shared:
        return canonical_url(entry.url)
    if feed.kind == "sina-live" and entry.guid and not entry.url:
        return canonical_url(f"{_LIVE_PAGE}?id={quote(entry.guid, safe='')}")
    named = _guid(entry) or fingerprint(entry.title, entry.content or entry.summary)[:16]
    named += entry.url.partition("#")[2]
    return f"{canonical_url(entry.url or feed.url)}#{quote(named, safe='')}"


def fingerprint(title: str, text: str) -> str:
    """Return what changes exactly when an article was edited: a SHA-256 in hex.

    White space and the width of letters (Ａ or A) are no edit.
    """
    folded = unicodedata.normalize("NFKC", f"{title}\x00{text}")
    return hashlib.sha256("".join(folded.split()).encode("utf-8", "replace")).hexdigest()


def content_address(title: str, text: str) -> str:
    """Return the address of an article that has none: RFC 6920's name for its content.

    ``ni:///sha-256;<base64url>``, of the :func:`fingerprint`: the same words get the same
    address in every archive.
    """
    digest = bytes.fromhex(fingerprint(title, text))
    return f"{CONTENT_SCHEME}///sha-256;{urlsafe_b64encode(digest).decode().rstrip('=')}"


def is_content_address(url: str) -> bool:
    """Whether an address is one that :func:`content_address` gives."""
    return bool(_CONTENT_ADDRESS.fullmatch(url))


def file_id(url: str, identifier: str) -> str:
    """Return the short id that ends a file's name: the document id, else 12 hex digits.

    ``url`` is canonical. The id depends on the article alone, so that two archives of
    the same article name their files alike.
    """
    if identifier and "@" not in identifier:
        return identifier
    return hashlib.sha256((identifier or url).encode()).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class _Parts:
    """An http(s) address taken apart, its escapes and its case settled."""

    scheme: str
    host: str
    """Lower case, without a dot behind."""
    port: int | None
    """``None`` for the scheme's own."""
    path: str
    query: str

    @property
    def is_sina(self) -> bool:
        """Whether the host is one of Sina's own."""
        return bool(_SINA.search(self.host))


def _parts(url: str) -> _Parts:
    """Take an address apart, or raise ``Forbidden``."""
    text = url.strip()
    if len(text) > MOST_URL_CHARACTERS:
        raise Forbidden(f"the address is too long ({len(text)} characters): {text[:80]}…")
    try:
        parts = urlsplit(canonicalize_url(text, keep_fragments=False))
        host, port = _host(parts.hostname), parts.port
    except ValueError as error:
        raise Forbidden(f"not an address: {text[:200]}") from error
    # A host that is still not ASCII is none that IDNA could encode: nobody can be asked there.
    if parts.scheme not in {"http", "https"} or not host or not host.isascii():
        raise Forbidden(f"not an absolute http or https address: {text[:200]}")
    if port == {"http": 80, "https": 443}[parts.scheme]:
        port = None
    path = _SESSION.sub("", parts.path)
    path = _sina_path(path) if _SINA.search(host) else path
    return _Parts(parts.scheme, host, port, path or "/", parts.query)


def _sina_path(path: str) -> str:
    """Return the path as Sina's servers read it: slashes doubled or behind a page are none.

    Nor is a query that somebody escaped once too often, behind a page that has a document id.
    """
    single = re.sub(r"/{2,}", "/", path)
    return re.sub(r"(\.s?html?)/$|(/\w+-i[a-z]{6,9}\d{6,8}[\w.]*?\.s?html?)%3F.*$", r"\1\2", single)


def _is_column(parts: _Parts) -> bool:
    return parts.host in _COLUMN_HOSTS and bool(_COLUMN.search(parts.path))


def _wrapped(parts: _Parts) -> str:
    """Return the address inside Sina's reader wrapper, which shows another page as its own.

    ``cj.sina.cn/article/norm_detail?url=…`` and ``partners.sina.cn/…?docUrl=…``; escaped
    once, or more than once by those who passed it on.
    """
    if not parts.is_sina or not (
        parts.path.endswith("/norm_detail") or parts.host == "partners.sina.cn"
    ):
        return ""
    query = parse_qs(parts.query)
    target = (query.get("url") or query.get("docUrl") or [""])[0].strip()
    while not _ABSOLUTE.match(target) and (plain := unquote(target)) != target:
        target = plain
    return target if _ABSOLUTE.match(target) else ""


def _document_of(netloc: str, path: str) -> str:
    """Return the document id that a path carries."""
    forms = _FORMS + _SINA_FORMS if _SINA.search(netloc) else _FORMS
    for form, identifier in forms:
        if matched := form.search(path):
            return _scoped(identifier.format(*matched.groups()), netloc)
    return ""


def _query(parts: _Parts) -> str:
    """Return what of the query names the article.

    Behind a path with a document id nothing does, behind one with a number what is known to,
    elsewhere all that is not known as tracking.
    """
    if parts.is_sina and _document_of(parts.host, parts.path):
        return ""
    numbered = parts.is_sina and bool(_NUMBERED_PAGE.search(parts.path))
    # The pairs stay as they are escaped: decoded and escaped again, GBK would be lost.
    return "&".join(
        pair for pair in parts.query.split("&") if _names(parts, pair, numbered=numbered)
    )


def _names(parts: _Parts, pair: str, *, numbered: bool) -> bool:
    """Whether a parameter may name the article."""
    name = unquote_plus(pair.partition("=")[0]).lower()
    if parts.is_sina and name in NAMING:
        return True
    # Where a feed escapes twice, "&amp;from=" comes as a parameter "amp;from".
    name = name.removeprefix("amp;")
    if numbered or not pair or TRACKING.fullmatch(name):
        return False
    if parts.is_sina:
        return name not in SINA_TRACKING
    return not (name in STATIC_TRACKING and _STATIC_PAGE.search(parts.path))


def _named(url: str) -> str:
    """Return which article an address names; one that is refused still tells entries apart."""
    try:
        return document_id(url) or canonical_url(url)
    except Forbidden:
        return url


def _guid_and_link(feed: Feed, entry: Entry) -> str:
    """Return guid and link as one name: either tells two entries of a feed apart.

    One of them is enough where both name the same, and for Sina's live items, whose number
    is their own and whose page may come later.
    """
    guid, link = _guid(entry), _with_fragment(entry.url)
    if not entry.url or feed.kind == "sina-live" or _with_fragment(entry.guid) == link:
        return guid
    return f"{guid} {link}"


def _with_fragment(url: str) -> str:
    """Return what an address names, and where in it: items may be parts of one page."""
    address, _, fragment = url.strip().partition("#")
    return f"{_named(address)}#{fragment}" if fragment else _named(address)


def _guid(entry: Entry) -> str:
    """Return the guid; one that is an address in its canonical form, with its fragment."""
    address, mark, fragment = entry.guid.strip().partition("#")
    if not _ABSOLUTE.match(address):
        return entry.guid
    try:
        return f"{canonical_url(address)}{mark}{fragment}"
    except Forbidden:
        return entry.guid


def _host(hostname: str | None) -> str:
    return (hostname or "").rstrip(".").lower()


def _scoped(identifier: str, netloc: str) -> str:
    host = netloc.rpartition("@")[2].lower()
    return identifier if _SINA.search(host) else f"{identifier}@{host}"
