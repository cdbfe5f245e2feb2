"""The nouns that travel between the stages: frozen records, complete when they are made.

Every ``datetime`` in here is aware and in UTC. A publication *day* is Asia/Shanghai's
(see :func:`ingestor.identity.publication_day`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

Headers = tuple[tuple[str, str], ...]
"""HTTP header fields in the order in which they were sent or received."""

ContentMode = Literal["page", "feed"]
"""Where an article's text comes from: its own page, or what the feed carries."""

Origin = Literal["page", "feed", "import"]
"""Where the stored text of an article came from."""

Cause = Literal["new", "edit", "reextract", "import", "doubt"]
"""Why a revision exists; only ``edit`` says that the publisher changed something."""


DateWitness = Literal["template", "structured", "address", "feed", "near-title"]
"""Who says when an article was published, the most trusted first: the page template's own place,
the page's structured data, the day in its address, the feed, a date near the title of a page
without template."""


def header(headers: Headers, name: str) -> str:
    """Return the first value of header field ``name`` (any case), or ``''``."""
    wanted = name.lower()
    return next((value for key, value in headers if key.lower() == wanted), "")


@dataclass(frozen=True, slots=True)
class Feed:
    """A feed as the operator configured it."""

    name: str
    """Unique; the third category of its articles."""
    kind: str
    """Which module of ``ingestor.sources`` reads it: ``rss``, ``sitemap``, ``sina-roll``,
    ``sina-live``."""
    url: str
    """Where to ask; for kinds that build their own address, that address."""
    categories: tuple[str, ...]
    """The categories above ``name``."""
    author: str
    """What the front matter names as author."""
    content: ContentMode = "page"
    """``page``: download each article; ``feed``: the feed's text is the article."""
    every: timedelta | None = None
    """Time between two polls; ``None`` for the schedule's default."""
    options: Mapping[str, int | str] = field(default_factory=dict)
    """What only this kind of feed knows, such as ``pageid`` and ``lid``."""


@dataclass(frozen=True, slots=True)
class Validators:
    """What lets a server answer "unchanged": kept with a feed, moved with its entries."""

    etag: str = ""
    last_modified: str = ""
    body_sha256: str = ""
    """Lower-case hex digest of the last body that was read in full."""

    @property
    def headers(self) -> Headers:
        """The request headers that let a server answer "unchanged" (RFC 9110, 13.1).

        What is not ASCII, such as a damaged one, cannot be sent: then it answers in full.
        """
        named = (("If-None-Match", self.etag), ("If-Modified-Since", self.last_modified))
        return tuple((name, value) for name, value in named if value and value.isascii())


@dataclass(frozen=True, slots=True)
class FeedState:
    """A configured feed with what is known about it."""

    id: int
    feed: Feed
    validators: Validators
    next_poll_at: datetime | None
    """When it is due; ``None``: at once."""
    failures: int
    """Polls that failed in a row."""
    interval: timedelta
    """Time between two polls while it answers; follows how often it publishes."""
    moved_to: str = ""
    """Where its address redirects for good; ``""``: nowhere."""
    moved_polls: int = 0
    """Polls in a row that were redirected there."""
    retry_at: datetime | None = None
    """Before this it asked not to be asked; ``None``: it did not."""
    stopped: str = ""
    """Why it is not asked any more; ``""``: it is."""


@dataclass(frozen=True, slots=True)
class Request:
    """A GET request that a source wants made."""

    url: str
    headers: Headers = ()


@dataclass(frozen=True, slots=True)
class Response:
    """What came back for a :class:`Request`."""

    url: str
    """The address that was asked for."""
    final_url: str
    """The address that answered, after redirects."""
    status: int
    headers: Headers
    body: bytes
    """The body after transfer and content decoding (no gzip left)."""
    fetched_at: datetime
    request_headers: Headers = ()
    moved_to: str = ""
    """The address that answered, if every redirect on the way said that it is for good."""

    def header(self, name: str) -> str:
        """Return the first value of response header ``name`` (any case), or ``''``."""
        return header(self.headers, name)

    @property
    def validators(self) -> Validators:
        """What makes the next request for this conditional; its body is not hashed."""
        return Validators(self.header("etag"), self.header("last-modified"))


@dataclass(frozen=True, slots=True)
class HostPause:
    """A host that asked to be left alone for a while."""

    until: datetime
    reason: str
    """What it answered, in one line."""


@dataclass(frozen=True, slots=True)
class Security:
    """A security that an article names."""

    market: str
    """``sh``, ``sz``, ``bj``, ``hk`` or ``us``."""
    symbol: str
    """Normalised with its market: ``sh600519``, ``hk00700``, ``us:BABA``."""
    name: str = ""
    """As the article writes it."""
    is_marked: bool = field(default=False, compare=False)
    """Whether Sina's markup gives the name; else it was told from a text."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One item as a feed announced it, before its page is looked at."""

    guid: str
    """The feed's own identifier; ``''`` when it gives none."""
    url: str
    """Absolute address of the article; ``''`` when the item has none."""
    title: str
    """Plain text."""
    published_at: datetime | None
    """What the feed claims; ``None`` when it gives no date that can be read."""
    date_text: str = ""
    """The date as the feed wrote it, for later and better readings."""
    author: str = ""
    """Who wrote it, as the feed says: on RSSHub's Sina feeds the medium."""
    summary: str = ""
    """HTML or text of the item's short description."""
    content: str = ""
    """HTML of the item's full text; ``''`` when the feed carries no body."""
    keywords: tuple[str, ...] = ()
    securities: tuple[Security, ...] = ()
    """Securities that the feed itself names with the item."""
    is_relative: bool = False
    """Whether ``published_at`` was told from the moment of the poll (3小时前)."""
    zone_shift: timedelta = timedelta(0)
    """What was taken off the feed's claim because it reads its source's zone wrongly."""

    @property
    def stated_at(self) -> datetime | None:
        """The moment that the feed itself names, the same at each poll; ``None``: it names none."""
        if self.published_at is None or self.is_relative:
            return None
        return self.published_at + self.zone_shift


@dataclass(frozen=True, slots=True)
class FeedDocument:
    """A feed body, read."""

    title: str
    entries: tuple[Entry, ...]
    ttl: timedelta | None = None
    """The least time between two polls that the feed asks for."""
    zone_shift: timedelta = timedelta(0)
    """By how many hours its times were too late, and were set right."""
    fault: str = ""
    """Why this is not all that it announces (it stops in the middle); ``""``: it is."""
    next_url: str = ""
    """Where the items go on that are older (RFC 5005, ``rel=next``); ``""``: nowhere."""
    parts: tuple[str, ...] = ()
    """The addresses of the documents that hold its items (an index of sitemaps), the newest
    first; then it has none of its own."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture of an article."""

    url: str
    """Absolute, https where the publisher serves it."""
    caption: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """A downloaded page, as the extractor needs it."""

    url: str
    """The address that answered, after redirects."""
    body: bytes
    content_type: str = ""
    """The Content-Type header, with its charset if it had one."""


@dataclass(frozen=True, slots=True)
class Dropped:
    """What was taken out of an article's body as boilerplate."""

    text: str
    """What it says, or the beginning of it."""
    why: str
    """``head``, ``tail``, ``link`` or ``caption`` for a line by where it stood; else the tag and
    the id or class of the element."""


@dataclass(frozen=True, slots=True)
class Body:
    """The cleaned text of an article."""

    html: str
    """Safe HTML, block elements one a line, without the enclosing ``<div>``."""
    text: str
    """One paragraph a line, without leading full-width spaces."""
    pictures: tuple[Picture, ...] = ()
    securities: tuple[Security, ...] = ()
    dropped: tuple[Dropped, ...] = ()
    """What stood among it and is not the article; not stored."""


@dataclass(frozen=True, slots=True)
class StatedDate:
    """When an article was published, as one witness states it."""

    witness: DateWitness
    moment: datetime
    is_day: bool = False
    """Whether it names a day alone: ``moment`` is then its midnight in China."""


@dataclass(frozen=True, slots=True)
class Publication:
    """When an article is believed to be published, and all that was stated."""

    published_at: datetime | None
    """``None``: nobody says so, or nobody who can be believed."""
    witness: DateWitness | Literal[""]
    """Whose moment it is; ``""``: nobody's."""
    stated: tuple[StatedDate, ...]
    """What every witness states, the feed included, the most trusted first."""


@dataclass(frozen=True, slots=True)
class Article:
    """What a page says, extracted: the same bytes always give the same article."""

    url: str
    """Canonical address, as the page itself states it or else as it was reached; for an imported
    article without one, the name of its content."""
    document_id: str
    """The publisher's own identifier (see :mod:`ingestor.identity`), or ``''``."""
    title: str
    """The likeliest of ``titles``, where there are several."""
    published_at: datetime | None
    """The moment that the page itself names; :func:`ingestor.policy.believed_publication` weighs
    it against the clock, the address and the feed."""
    body: Body
    updated_at: datetime | None = None
    """When the publisher says that it edited the page."""
    media: str = ""
    """Who wrote it, such as 央视新闻."""
    editor: str = ""
    summary: str = ""
    keywords: tuple[str, ...] = ()
    template: str = "generic"
    """Which page template read it; ``generic`` when none did, ``feed`` for feed text,
    ``import`` for another archive's file."""
    aliases: tuple[str, ...] = ()
    """Other addresses that the page names as its own (its mobile twin)."""
    stated_dates: tuple[StatedDate, ...] = ()
    """When the page says that it was published, and where it says so; the most trusted first."""
    titles: tuple[str, ...] = ()
    """What a page without template may be called, the likeliest first; which it is, says a feed."""
    parts: tuple[str, ...] = ()
    """Where the article goes over several pages: the addresses of all, in order. This is then
    only what one of them says; see :mod:`ingestor.extract.multipage`."""

    @property
    def headimg(self) -> str:
        """The address of the first picture, ``''`` when there is none."""
        return self.body.pictures[0].url if self.body.pictures else ""


@dataclass(frozen=True, slots=True)
class WarcPlace:
    """Where a WARC file holds the response record of a capture."""

    file: str
    """Relative to the raw folder."""
    offset: int
    """Byte of the compressed file at which the record starts."""
    length: int
    """Bytes of the compressed record."""

    @property
    def end(self) -> int:
        """Return the byte behind the record."""
        return self.offset + self.length
