"""robots.txt (RFC 9309): what a site asks crawlers not to fetch.

It is obeyed for pages, not for feeds, whose addresses the operator named.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from protego import Protego

from ingestor.errors import FetchError, Postponed, Refused, Unreachable
from ingestor.fetch.headers import PAGE_STATUSES, max_age
from ingestor.model import Request, Response, Validators

KEPT_SECONDS = 24 * 3600.0
"""How long an answer is used at most, and where it does not say: RFC 9309, 2.4 advises a day."""

SHORTEST_SECONDS = 3600.0
"""How long it is used at least: a file that says ``max-age=0`` is not asked for every page."""

FAILED_SECONDS = 300.0
"""How long a site is left alone after its robots.txt could not be had."""

MOST_CHARACTERS = 512 * 1024
"""How much of a file is read: RFC 9309, 2.5 asks for at least 500 KiB."""


@dataclass(frozen=True, slots=True)
class _Rules:
    parsed: Protego | None
    """``None``: the file could not be had, so nothing is allowed for now."""
    until: float
    """Second of the monotonic clock at which the site is asked for it again."""
    failure: str = ""
    """Why it could not be had."""
    validators: Validators = field(default_factory=Validators)
    """With these the site may answer that it is unchanged."""


class Robots:
    """The rules of every site asked so far. Safe to use from several threads."""

    def __init__(
        self,
        get: Callable[[Request], Response],
        user_agent: str,
        monotonic: Callable[[], float],
        crawl_delay: Callable[[str, float], None],
    ) -> None:
        """Ask through ``get``; tell ``crawl_delay`` the seconds that an origin asks for."""
        self._get = get
        self._user_agent = user_agent
        self._monotonic = monotonic
        self._crawl_delay = crawl_delay
        self._rules: dict[str, _Rules] = {}
        self._locks: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()

    def is_known(self, url: str) -> bool:
        """Return whether :meth:`check` needs not ask the site."""
        rules = self._rules.get(_origin(url))
        return rules is not None and rules.until > self._monotonic()

    def check(self, url: str) -> None:
        """Raise :class:`Refused` when the site's robots.txt does not want ``url`` fetched.

        Raises :class:`Unreachable` while the file cannot be had: RFC 9309, 2.3.1.4 then
        forbids everything, but that is an outage and not the site's wish.
        """
        origin = _origin(url)
        with self._lock:
            lock = self._locks.setdefault(origin, threading.Lock())
        with lock:
            rules = self._rules.get(origin)
            if rules is None or rules.until <= self._monotonic():
                rules = self._rules[origin] = self._read(origin, rules)
        if rules.parsed is None:
            raise Unreachable(f"{rules.failure}; its pages are not asked meanwhile")
        if not rules.parsed.can_fetch(url, self._user_agent):
            raise Refused(f"{url}: the site's robots.txt does not want it fetched")

    def _read(self, origin: str, known: _Rules | None) -> _Rules:
        validators = known.validators if known else Validators()
        try:
            response = self._get(Request(f"{origin}/robots.txt", validators.headers))
        except Postponed:
            # It was not asked: that says nothing about the file.
            raise
        except FetchError as error:
            return self._failed(known, str(error))
        if response.status >= 500 or response.status == 429:
            return self._failed(known, f"{origin}/robots.txt: HTTP {response.status}")
        until = self._monotonic() + _seconds_kept(response)
        if response.status == 304 and known and known.parsed:
            return replace(known, until=until)
        # RFC 9309, 2.3.1.3: any other answer but success means that there are no rules.
        text = _text(response) if response.status in PAGE_STATUSES else ""
        parsed = Protego.parse(text[:MOST_CHARACTERS])
        if delay := parsed.crawl_delay(self._user_agent):
            self._crawl_delay(origin, float(delay))
        return _Rules(parsed, until, validators=response.validators)

    def _failed(self, known: _Rules | None, failure: str) -> _Rules:
        """Go on with the rules that are known: RFC 9309, 2.4 allows it while there is an outage."""
        until = self._monotonic() + FAILED_SECONDS
        if known and known.parsed:
            return replace(known, until=until)
        return _Rules(None, until, failure)


def _text(response: Response) -> str:
    # A pass that asks for no page asks for no rules either; this is a tenth of what it imports.
    from ingestor.text.decode import decode_page  # noqa: PLC0415

    return decode_page(response.body, "text/plain; charset=utf-8")


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _seconds_kept(response: Response) -> float:
    fresh = max_age(response)
    seconds = KEPT_SECONDS if fresh is None else fresh.total_seconds()
    return min(max(seconds, SHORTEST_SECONDS), KEPT_SECONDS)
