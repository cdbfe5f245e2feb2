"""Which article is it? Canonical address, document id and publication day. Pure.

The address forms are Sina's, counted over 60,073 real addresses (2008 to 2019): the same
article is reached over http and https, with tracking parameters and a fragment, on the
desktop and on the mobile site (whose folder differs, so that only the document id tells),
and through a wrapper that carries the real address in its query.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import parse_qs, parse_qsl, quote, urlencode, urlsplit, urlunsplit
from zoneinfo import ZoneInfo

from w3lib.url import canonicalize_url

from ingestor.errors import Forbidden
from ingestor.model import Entry, Feed

MOST_URL_CHARACTERS = 2_000
"""Longer addresses are refused: no Sina address comes near, and they end up in indexes."""

_SHANGHAI = ZoneInfo("Asia/Shanghai")
_SINA = re.compile(r"(?:^|\.)sina\.(?:com\.cn|cn)$")
_COLUMN_HOSTS = frozenset({"cj.sina.com.cn", "t.cj.sina.com.cn", "cj.sina.cn", "t.cj.sina.cn"})
_DOCUMENT = re.compile(r"/(?:doc|detail|zl)-(i[a-z]{6,9}\d{6,8})(?:_\d+)?(?:\.d)?\.s?html?$")
_DOCUMENT_ID = re.compile(r"i?([a-z]{6,9}\d{6,8})")
_COLUMN = re.compile(r"^/articles?/view/(\d+)/[vm]?([0-9a-f]{6,}[0-9a-z]*)/?$")
_REPORT = re.compile(r"/vReport_Show/(?:.*/)?rptid/(\d+)(?:/|$)")
_STATIC_PAGE = re.compile(r"\.s?html?$")

CONTENT_SCHEME = "ni:"
_CONTENT_ADDRESS = re.compile(r"ni:///sha-256;[A-Za-z0-9_-]{43}")

_TRACKING = re.compile(r"(?i)^(?:utm_\w+|spm|fbclid|gclid|share_token|_refluxos)$")
"""Parameters that name a visit, on any site."""

_SINA_TRACKING = frozenset(
    ("from", "cre", "mod", "loc", "r", "rfunc", "tj", "tr", "wm", "finpagefr", "vt", "doct")
)
"""Parameters with which Sina's own pages and apps mark where a reader came from."""


def canonical_url(url: str) -> str:
    """Return the one address under which the article at ``url`` is kept.

    http becomes https (unless a port is named: then the scheme decides who answers),
    fragments, user names, default ports and tracking parameters go, the query is sorted,
    Sina's wrappers are opened, the column hosts are one.

    Raises :class:`~ingestor.errors.Forbidden` for anything but an absolute http(s)
    address of at most :data:`MOST_URL_CHARACTERS` characters.
    """
    text = url.strip()
    if len(text) > MOST_URL_CHARACTERS:
        raise Forbidden(f"the address is too long ({len(text)} characters): {text[:80]}…")
    try:
        parts = urlsplit(canonicalize_url(text, keep_fragments=False))
        host, port = _host(parts.hostname), parts.port
    except ValueError as error:
        raise Forbidden(f"not an address: {text[:200]}") from error
    if parts.scheme not in {"http", "https"} or not host:
        raise Forbidden(f"not an absolute http or https address: {text[:200]}")
    if wrapped := _wrapped(host, parts.path, parts.query):
        return canonical_url(wrapped)
    if port == {"http": 80, "https": 443}[parts.scheme]:
        port = None
    scheme = parts.scheme if port else "https"
    address = f"[{host}]" if ":" in host else host
    if host in _COLUMN_HOSTS and _COLUMN.search(parts.path):
        address = "cj.sina.com.cn"
    netloc = f"{address}:{port}" if port else address
    query = _query(host, parts.path, parts.query)
    return urlunsplit((scheme, netloc, parts.path or "/", query, ""))


def document_id(url: str) -> str:
    """Return the publisher's identifier that the address carries, or ``''``.

    ``…/doc-ihqfskcn2160999.shtml`` and ``…/detail-ihqfskcn2160999.d.html`` both give
    ``ihqfskcn2160999``; columns and research reports have theirs. Outside Sina's own
    hosts the identifier is followed by ``@host``, so that no other site can claim one
    of Sina's.
    """
    parts = urlsplit(url)
    if found := _DOCUMENT.search(parts.path):
        return _scoped(found[1], parts.netloc)
    if found := _COLUMN.search(parts.path):
        return _scoped(f"column-{found[1]}-{found[2]}", parts.netloc)
    if found := _REPORT.search(parts.path):
        return _scoped(f"report-{found[1]}", parts.netloc)
    return ""


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
    the article, or there is no address, the guid decides, else the words themselves.
    """
    day = publication_day(entry.published_at) if entry.published_at else ""
    named = entry.guid if feed.content == "feed" else ""
    if not named and entry.url:
        named = document_id(entry.url) or _canonical_or_as_given(entry.url)
    named = named or entry.guid or fingerprint(entry.title, entry.content or entry.summary)
    return f"{named} {day}".strip()


def entry_address(feed: Feed, entry: Entry, *, shared: bool = False) -> str:
    """Return the canonical address under which an entry's own text is kept.

    An entry without an address gets the feed's, with what identifies it as fragment; so
    does one whose address is ``shared`` with another entry of the feed.
    """
    if entry.url and not shared:
        return canonical_url(entry.url)
    named = entry.guid or fingerprint(entry.title, entry.content or entry.summary)[:16]
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


@dataclass(frozen=True, slots=True)
class Known:
    """An article in the archive that shares an address or a document id with a new one."""

    article_id: int
    date: str
    """Its publication day."""
    days: frozenset[str]
    """Every day under which it was ever announced, its own included."""
    fingerprint: str


def match(known: Sequence[Known], page_day: str, announced_day: str, print_: str) -> Known | None:
    """Return the known article that an announced one is, or ``None`` when it is a new one.

    ``page_day`` is what the page claims, ``announced_day`` the feed's (``""``: none),
    ``print_`` the :func:`fingerprint`. Text that is known is the same article, whatever
    day is claimed. Other text is an edit, unless the feed announces it under a day under
    which no article of this address is known: then the publisher used the address again.
    """
    by_closeness = sorted(
        known,
        key=lambda article: (
            article.date == page_day,
            announced_day in article.days,
            article.date,
        ),
    )[::-1]
    for article in by_closeness:
        if article.fingerprint == print_:
            return article
    if announced_day and all(announced_day not in article.days for article in known):
        return None
    for article in by_closeness:
        if not announced_day or announced_day in article.days:
            return article
    return None


def free_day(known: Sequence[Known], page_day: str, announced_day: str) -> str:
    """Return the publication day of a new article: the page's, unless that is taken."""
    taken = {article.date for article in known}
    return announced_day if page_day in taken and announced_day else page_day


def file_id(url: str, identifier: str) -> str:
    """Return the short id that ends a file's name: the document id, else 12 hex digits.

    ``url`` is canonical. The id depends on the article alone, so that two archives of
    the same article name their files alike.
    """
    if identifier and "@" not in identifier:
        return identifier
    return hashlib.sha256((identifier or url).encode()).hexdigest()[:12]


def _canonical_or_as_given(url: str) -> str:
    """Return something for an address that is refused: it still tells entries apart."""
    try:
        return canonical_url(url)
    except Forbidden:
        return url


def _host(hostname: str | None) -> str:
    return (hostname or "").rstrip(".").lower()


def _scoped(identifier: str, netloc: str) -> str:
    host = netloc.rpartition("@")[2].lower()
    return identifier if _SINA.search(host) else f"{identifier}@{host}"


def _wrapped(host: str, path: str, query: str) -> str:
    """Return the address inside Sina's reader wrapper, which shows another page as its own."""
    if not _SINA.search(host) or not path.endswith("/norm_detail"):
        return ""
    target = parse_qs(query).get("url", [""])[0]
    return target if target.startswith(("http://", "https://")) else ""


def _query(host: str, path: str, query: str) -> str:
    """Return what of the query selects content; a static page or a document has no such."""
    if _SINA.search(host) and (_STATIC_PAGE.search(path) or document_id(f"https://{host}{path}")):
        return ""
    loose = _SINA.search(host) or _STATIC_PAGE.search(path)
    kept = [
        (name, value)
        for name, value in parse_qsl(query, keep_blank_values=True)
        if not _TRACKING.match(name) and not (loose and name in _SINA_TRACKING)
    ]
    return urlencode(kept)
