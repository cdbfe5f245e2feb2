"""robots.txt (RFC 9309): what a site asks crawlers not to fetch.

It is heeded for pages, not for feeds, whose addresses the operator named.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from protego import Protego

from ingestor.decode import decode_page
from ingestor.errors import FetchError, Refused, Unreachable
from ingestor.model import Request, Response

KEPT_SECONDS = 24 * 3600.0
"""How long an answer is used: RFC 9309, 2.4 advises at most a day."""

FAILED_SECONDS = 300.0
"""How long a site is left alone after its robots.txt could not be had."""

MOST_CHARACTERS = 512 * 1024
"""How much of a file is read: RFC 9309, 2.5 asks for at least 500 KiB."""


@dataclass(frozen=True, slots=True)
class _Rules:
    parsed: Protego | None
    """``None``: the file could not be had, so nothing is allowed for now."""
    until: float
    trouble: str = ""
    """Why it could not be had."""


class Robots:
    """The rules of every site asked so far. Safe to use from several threads."""

    def __init__(
        self, get: Callable[[Request], Response], user_agent: str, monotonic: Callable[[], float]
    ) -> None:
        self._get = get
        self._user_agent = user_agent
        self._monotonic = monotonic
        self._rules: dict[str, _Rules] = {}
        self._locks: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()

    def check(self, url: str) -> None:
        """Raise :class:`Refused` when the site's robots.txt does not want ``url`` fetched.

        Raises :class:`Unreachable` while the file cannot be had: RFC 9309, 2.3.1.4 then
        forbids everything, but that is an outage and not the site's wish.
        """
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc}"
        with self._lock:
            lock = self._locks.setdefault(origin, threading.Lock())
        with lock:
            rules = self._rules.get(origin)
            if rules is None or rules.until <= self._monotonic():
                rules = self._rules[origin] = self._read(origin)
        if rules.parsed is None:
            raise Unreachable(f"{rules.trouble}; its pages are not asked meanwhile")
        if not rules.parsed.can_fetch(url, self._user_agent):
            raise Refused(f"{url}: the site's robots.txt does not want it fetched")

    def _read(self, origin: str) -> _Rules:
        until = self._monotonic() + KEPT_SECONDS
        try:
            response = self._get(Request(f"{origin}/robots.txt"))
        except FetchError as error:
            return _Rules(None, self._monotonic() + FAILED_SECONDS, str(error))
        if response.status >= 500 or response.status == 429:
            line = f"{origin}/robots.txt: HTTP {response.status}"
            return _Rules(None, self._monotonic() + FAILED_SECONDS, line)
        # RFC 9309, 2.3.1.3: any other answer but success means that there are no rules.
        text = (
            decode_page(response.body, "text/plain; charset=utf-8")
            if response.status == 200
            else ""
        )
        return _Rules(Protego.parse(text[:MOST_CHARACTERS]), until)
