"""What an answer says of itself: its status; where to go; when to come back, and for whom. Pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import quote, urljoin, urlsplit

from w3lib.html import get_meta_refresh

from ingestor.errors import Gone, Refused, Unreachable
from ingestor.model import Response

PAGE_STATUSES = frozenset({200, 203})
"""With these the body is what was asked for; 203: a proxy on the way changed something of it
(RFC 9110, 15.3.4)."""


def require_page(response: Response) -> None:
    """Raise the :class:`FetchError` that a status stands for, if not one of :data:`PAGE_STATUSES`.

    404 and 410 are :class:`Gone`; 401, 403, 407 and 451 :class:`Refused`; all others,
    server errors and 429 among them, :class:`Unreachable`.
    """
    if response.status in PAGE_STATUSES:
        return
    line = f"{response.url}: HTTP {response.status}"
    if response.status in {404, 410}:
        raise Gone(line)
    if response.status in {401, 403, 407, 451}:
        raise Refused(line)
    raise Unreachable(line)


def is_unchanged(response: Response) -> bool:
    """Whether what was asked for is as it was; 304 to a request that named no version is none."""
    conditional = {"if-none-match", "if-modified-since"}
    asked = {name.lower() for name, _ in response.request_headers}
    return response.status == 304 and not conditional.isdisjoint(asked)


REDIRECTS = frozenset({301, 302, 303, 307, 308})

LONGEST_REFRESH_SECONDS = 10
"""What shows for longer is meant to be read, and comes back for news rather than goes elsewhere."""

_HEAD_BYTES = 16_000
"""A ``meta`` stands at the beginning of a page; the rest need not be searched."""

_HTML = re.compile(
    rb"(?is)(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]{0,300}>\s*)?(?:<!--(?:(?!-->).){0,500}+-->\s*+)*+"
    rb"<(?:!doctype\s+html|html|head|meta|title|body|script|noscript)\b"
)
"""How a page begins: in a feed a ``meta`` is the text of an item."""

_REFRESH = re.compile(r"""(?i)\s*(\d{1,4})(?:\.\d{0,9})?\s*[;,]\s*(?:url\s*=)?\s*["']?([^"'\s]+)""")
_HOME = re.compile(r"(?i)^/?(?:index\.\w{3,5})?$")


def redirect_target(response: Response) -> str:
    """Return where an answer sends its reader, ``""`` where it is an answer.

    A ``Location`` beside a status of :data:`REDIRECTS`; or, of a page, a ``Refresh`` in the header
    (as browsers read it: HTML, "shared declarative refresh steps") or in a ``meta``, within
    :data:`LONGEST_REFRESH_SECONDS`. One to a home page is the courtesy of an error page, one to
    the page itself waits for news.
    """
    if response.status in REDIRECTS:
        return response.header("location")
    if response.status not in PAGE_STATUSES:
        return ""
    seconds, target = _refresh(response)
    if seconds > LONGEST_REFRESH_SECONDS or not target:
        return ""
    try:
        absolute = urljoin(response.final_url, target)
        path, own = urlsplit(absolute).path, urlsplit(response.final_url).path
    except ValueError:
        return ""
    return "" if _HOME.match(path) and not _HOME.match(own) else absolute


def _refresh(response: Response) -> tuple[float, str]:
    """Return after how many seconds a page is left, and for which address (``""``: it is not)."""
    if stated := _REFRESH.match(response.header("refresh")):
        return float(stated[1]), stated[2]
    head = response.body[:_HEAD_BYTES]
    # Most pages have none, and need not be decoded to see that.
    if b"refresh" not in head.lower() or not _HTML.match(head):
        return 0.0, ""
    seconds, target = get_meta_refresh(head.decode("utf-8", "replace"), response.final_url)
    return seconds or 0.0, target or ""


SLOW_DOWN = frozenset({429, 503})
"""Statuses that ask for fewer requests (RFC 6585, 4; RFC 9110, 15.6.4)."""

LONGEST_RETRY_AFTER = timedelta(days=1)
"""A mistake in a server's clock or configuration must not silence a feed for years."""

_MAX_AGE = re.compile(r'(?i)(?:^|[,\s])max-age\s*=\s*"?(\d{1,10})')
_RSSHUB_PAGE = re.compile(rb"(?i)welcome to rsshub|<title>[^<]{0,100}rsshub")
_PAGE_BYTES = 20_000


def retry_after(response: Response) -> timedelta | None:
    """Return how long a 429 or 503 asks us to wait, at most a day; ``None``: it does not say.

    Both forms of RFC 9110, 10.2.3 are read: seconds, and a date, which is counted from when
    the answer came.
    """
    text = response.header("retry-after").strip()
    if response.status not in SLOW_DOWN or not text:
        return None
    if text.isascii() and text.isdigit():
        return min(timedelta(seconds=int(text[:10])), LONGEST_RETRY_AFTER)
    try:
        until = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    aware: datetime = until if until.tzinfo else until.replace(tzinfo=UTC)
    return min(max(aware - response.fetched_at, timedelta(0)), LONGEST_RETRY_AFTER)


def max_age(response: Response) -> timedelta | None:
    """Return for how long an answer says that it stays fresh (RFC 9111, 5.2.2.1), less its age.

    ``None`` when it does not say, or says that it must not be kept.
    """
    control = response.header("cache-control")
    match = _MAX_AGE.search(control)
    if not match or re.search(r"(?i)no-cache|no-store", control):
        return None
    age = response.header("age").strip()
    elapsed = int(age[:10]) if age.isascii() and age.isdigit() else 0
    return timedelta(seconds=max(0, int(match[1]) - elapsed))


def speaks_for_its_host(response: Response) -> bool:
    """Return whether a request to slow down is the host's own, and not that of one route.

    RSSHub answers 503, with a Retry-After, for a single route whose source failed; taken for
    the whole instance it would freeze all its routes (FreshRSS 7870). An instance is known
    by its name, or by its error page.
    """
    name = urlsplit(response.final_url).hostname or ""
    return not ("rsshub" in name or _RSSHUB_PAGE.search(response.body[:_PAGE_BYTES]))


_HOST = re.compile(r"(?i)(?:https?:)?//[^/?#]*")
_ADDRESS = "".join(map(chr, range(0x21, 0x7F)))
"""The characters that an address is made of: all that ASCII shows."""


def target_of(url: str, location: str) -> str:
    """Return where a ``Location`` leads, its bytes read as Latin-1 as HTTP has it (RFC 9110, 5.5).

    Bytes that should have been escaped (raw UTF-8 or GBK) are escaped as they are: the server
    knows its own. A host in such bytes is UTF-8, as IDNA needs characters.
    """
    # No more than HTTP takes for white space: in Latin-1 the last byte of 章 is a space.
    text = location.strip(" \t\r\n")
    host = _HOST.match(text)
    named = host[0].encode("latin-1").decode("utf-8", "replace") if host else ""
    path = quote(text[host.end() if host else 0 :].encode("latin-1"), safe=_ADDRESS)
    try:
        return urljoin(url, f"{named}{path}")
    except ValueError as error:
        raise Unreachable(f"{url}: redirects to what is no address: {location[:200]}") from error
