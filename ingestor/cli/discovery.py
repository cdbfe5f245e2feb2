"""A feed found at an address that a person gives: the feed itself, or a page that names one.

::

    address | Sina's own interface? its kind | ask | a feed? a sitemap? | a page: ask what it names
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

from ingestor.cli.check import said_of, tried
from ingestor.config.channels import channels, shortest_name
from ingestor.config.sections import FeedSettings
from ingestor.errors import FeedUnreadable, IngestorError
from ingestor.fetch.client import Fetcher
from ingestor.fetch.headers import require_page
from ingestor.model import Request, Response, Validators
from ingestor.sources import source
from ingestor.text.decode import decode_page
from ingestor.workers.tasks import read_feed

MOST_NAMED = 5
"""Feeds of a page that are tried; the first that is one is taken."""

_FEED_TYPES = frozenset({"application/rss+xml", "application/atom+xml", "application/feed+json"})
_OWN = {
    ("feed.mix.sina.com.cn", "/api/roll/get"): ("sina-roll", ("pageid", "lid")),
    ("zhibo.sina.com.cn", "/api/zhibo/feed"): ("sina-live", ("zhibo_id", "tag_id")),
}
"""Sina's interfaces, the kinds that read them, and the parameters that name a channel."""


@dataclass(frozen=True, slots=True)
class Found:
    """A feed that answered."""

    table: dict[str, Any]
    """Its ``[[feeds]]`` section, without a name."""
    title: str
    """What it calls itself, else its host."""
    said: str
    """How its first look went, in words."""
    fault: str = ""
    """Why that is not all that it announces."""
    others: tuple[str, ...] = ()
    """Further feeds that the page names."""


def own_table(url: str, kind: str = "") -> dict[str, Any]:
    """Return the section of one of Sina's own interfaces, ``{}`` for any other address."""
    parts = urlsplit(url)
    own = _OWN.get(((parts.hostname or "").lower(), parts.path))
    if not own or kind not in {"", own[0]}:
        return {}
    query = parse_qs(parts.query)
    given = {
        name.removesuffix("_id") if name == "tag_id" else name: query.get(name) for name in own[1]
    }
    numbers = {key: int(value[0]) for key, value in given.items() if value and value[0].isdecimal()}
    if own[0] == "sina-live":
        numbers = {"zhibo_id": 152, "tag": 0} | numbers
    for channel in channels():
        if channel.kind == own[0] and channel.options == numbers:
            return {"kind": own[0], "channel": shortest_name(channel)}
    return {"kind": own[0], **numbers}


def looked_at(client: Fetcher, table: dict[str, Any]) -> Found:
    """Ask for a feed whose section is known; raise why it does not answer with one."""
    feed = FeedSettings.model_validate({"name": "new", **table}).feed()
    response = client.get(source(feed.kind).request(feed, Validators()))
    document = tried(feed, response)
    named = FeedSettings.model_validate({"name": "", **table} if "channel" not in table else table)
    return Found(table, named.name or document.title, said_of(document))


def found_at(client: Fetcher, url: str, kind: str = "") -> Found:
    """Ask for an address and find a feed there, of this ``kind`` where one is given.

    Raises :class:`FeedUnreadable` where there is none, and what the fetcher raises.
    """
    if kind and kind not in {"rss", "sitemap"}:
        return looked_at(client, {"kind": kind, "url": url})
    response = client.get(Request(url))
    require_page(response)
    try:
        return _read(response, response.moved_to or url, kind)
    except FeedUnreadable as error:
        reason = error
    named = list(dict.fromkeys(feeds_named_in(response)))
    for place, address in enumerate(named[:MOST_NAMED]):
        try:
            answer = client.get(Request(address))
            require_page(answer)
            found = _read(answer, answer.moved_to or address, kind)
        except IngestorError as error:
            reason = FeedUnreadable(f"{url}: names {address}, but: {error}")
            continue
        others = tuple(named[:place] + named[place + 1 :])
        return replace(found, others=others)
    raise reason if named else FeedUnreadable(f"{reason}; it names no feed either")


def _read(response: Response, url: str, kind: str) -> Found:
    """Read an answer as a feed, then as a sitemap; raise why it is none of them."""
    reason: FeedUnreadable | None = None
    for each in (kind,) if kind else ("rss", "sitemap"):
        feed = FeedSettings.model_validate({"name": "new", "kind": each, "url": url}).feed()
        try:
            document = read_feed(feed, response)
        except FeedUnreadable as error:
            reason = reason or error
            continue
        title = document.title or (urlsplit(url).hostname or url)
        return Found({"kind": each, "url": url}, title, said_of(document), document.fault)
    raise reason or FeedUnreadable(f"{url}: not a feed")


def feeds_named_in(response: Response) -> Iterator[str]:
    """Yield the absolute addresses of the feeds that a page names (HTML, ``link`` alternate)."""
    page = _Links()
    page.feed(decode_page(response.body, response.header("content-type")))
    base = urljoin(response.final_url, page.base)
    for href in page.feeds:
        try:
            absolute = urljoin(base, href)
        except ValueError:
            continue
        if absolute.startswith(("http://", "https://")):
            yield absolute


class _Links(HTMLParser):
    """Collects what a page says of feeds; nothing of it is run, and nothing nested."""

    def __init__(self) -> None:
        super().__init__()
        self.base = ""
        self.feeds: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take note of a ``base``, and of each ``link`` to a feed."""
        said = {name: (value or "").strip() for name, value in attrs}
        if tag == "base":
            self.base = self.base or said.get("href", "")
        alternate = "alternate" in said.get("rel", "").lower().split()
        kind = said.get("type", "").lower().partition(";")[0].strip()
        if tag in {"link", "a"} and alternate and kind in _FEED_TYPES and said.get("href"):
            self.feeds.append(said["href"])
