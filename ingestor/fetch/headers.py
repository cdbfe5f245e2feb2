"""What an answer says of itself: its status; when to come back, and for whom. Pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from ingestor.errors import Gone, Refused, Unreachable
from ingestor.model import Response


def require_page(response: Response) -> None:
    """Raise the :class:`FetchError` that a status other than 200 stands for.

    404 and 410 are :class:`Gone`; 401, 403, 407 and 451 :class:`Refused`; all others,
    server errors and 429 among them, :class:`Unreachable`.
    """
    if response.status == 200:
        return
    line = f"{response.url}: HTTP {response.status}"
    if response.status in {404, 410}:
        raise Gone(line)
    if response.status in {401, 403, 407, 451}:
        raise Refused(line)
    raise Unreachable(line)


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
