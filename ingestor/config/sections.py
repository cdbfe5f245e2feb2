"""The tables of the configuration: what each key is, and what it is when it is not given."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

from pydantic import (
    AliasChoices,
    BaseModel,
    ByteSize,
    ConfigDict,
    Field,
    SecretStr,
    model_validator,
)

from ingestor.config.channels import NAME_PREFIX, channel_named
from ingestor.config.values import (
    DatabaseAddress,
    Duration,
    ExtraKey,
    Folder,
    HeaderText,
    ListenAddress,
    OneOrMore,
    Size,
    SomeTime,
    WebAddress,
)
from ingestor.model import ContentMode, Feed
from ingestor.version import __version__

ROLL_API = "https://feed.mix.sina.com.cn/api/roll/get"
"""Sina's API of rolling news, for feeds of kind ``sina-roll``."""

LIVE_API = "https://zhibo.sina.com.cn/api/zhibo/feed"
"""Sina's API of 7×24 news in brief, for feeds of kind ``sina-live``."""


class Section(BaseModel):
    """A table of the file: immutable, and with no key that it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class StoreSettings(Section):
    """``[store]``: the database, which is the truth and the queue."""

    url: DatabaseAddress = "sqlite:///archive.db"
    """SQLAlchemy address; a relative path is relative to the configuration file."""


class ArchiveSettings(Section):
    """``[archive]``: the files, which are a projection of the database."""

    dir: Folder = Path("archive")
    raw: Literal["warc", "off"] = "warc"
    raw_dir: Folder = Path("warc")
    raw_spool: Path = Path("warc-spool")
    raw_upload_after: Duration = timedelta(minutes=15)
    raw_upload_bytes: Size = Field(default=ByteSize(64 * 1024**2), ge=1024)
    images: bool = False
    images_dir: Folder = Path("images")
    local_images: bool = False
    """Also beside the files, which name them."""
    excerpt: bool = False
    """Hexo's mark behind the first paragraphs of each file."""
    extra_front_matter: tuple[ExtraKey, ...] = ()

    @model_validator(mode="after")
    def _has_what_it_writes(self) -> ArchiveSettings:
        if self.local_images and not self.images:
            raise ValueError("local_images: needs images = true: what is not kept has no copy")
        return self


class FetchSettings(Section):
    """``[fetch]``: how we behave as a client."""

    user_agent: HeaderText = f"ingestor/{__version__}"
    timeout: SomeTime = timedelta(seconds=20)
    max_bytes: Size = Field(default=ByteSize(8 * 1024**2), ge=1024)
    connections: int = Field(default=16, ge=1, le=256)
    connections_per_host: int = Field(default=4, ge=1, le=64)
    delay_per_host: Duration = timedelta(milliseconds=250)
    robots: bool = True
    proxy: str = ""
    allow_private_addresses: bool = False


class ScheduleSettings(Section):
    """``[schedule]``: when feeds and articles are looked at."""

    every: SomeTime = timedelta(minutes=5)
    slowest: SomeTime = timedelta(hours=1)
    jitter: Duration = timedelta(seconds=30)
    recheck: tuple[Duration, ...] = (
        timedelta(hours=1),
        timedelta(hours=6),
        timedelta(days=1),
    )


class ServiceSettings(Section):
    """``[service]``: how the daemon lives."""

    listen: ListenAddress = ""
    """``host:port`` of health and metrics; empty: none."""
    stop_timeout: Duration = timedelta(seconds=4)
    stuck_after: Duration = timedelta(minutes=5)


class ClusterSettings(Section):
    """``[cluster]``: how ``ingest worker`` lives."""

    concurrency: int = Field(default=0, ge=0, le=64)
    stalled_after: SomeTime = timedelta(seconds=30)


class FeedSettings(Section):
    """One ``[[feeds]]``."""

    name: str = Field(min_length=1, max_length=200)
    kind: str = "rss"
    url: WebAddress | None = None
    categories: tuple[str, ...] = ("金融", "新浪财经")
    author: str = "新浪财经"
    content: ContentMode | None = None
    """``None``: the item's own text for ``sina-live``, else the page."""
    every: SomeTime | None = None
    channel: str = ""
    """One of Sina's by its name: gives ``kind`` and the numbers below, and ``name`` if need be."""
    pageid: int | None = None
    lid: int | None = None
    zhibo_id: int = 152
    tag: int = 0

    @model_validator(mode="before")
    @classmethod
    def _with_channel(cls, given: Any) -> Any:
        """Fill in what a channel's name stands for; what is given beside it must be the same."""
        if not isinstance(given, dict) or not isinstance(given.get("channel"), str):
            return given
        kind, name = given.get("kind", ""), given["channel"]
        if kind not in {"", "sina-roll", "sina-live"}:
            raise ValueError(f'channel: a feed of kind "{kind}" has none')
        try:
            channel = channel_named(name, kind)
        except ValueError as error:
            raise ValueError(f"channel: {error}") from error
        for key, number in channel.options.items():
            if given.get(key, number) != number:
                raise ValueError(f'{key}: the channel "{name}" has {number}; leave one of them out')
        named = {"name": f"{NAME_PREFIX}{channel.name}", "kind": channel.kind}
        return named | channel.options | given

    @model_validator(mode="after")
    def _whole(self) -> FeedSettings:
        if self.kind in {"rss", "sitemap"} and not self.url:
            raise ValueError(f'url: a feed of kind "{self.kind}" needs one')
        if self.kind == "sina-roll" and not self.url and None in {self.pageid, self.lid}:
            raise ValueError('pageid, lid: a feed of kind "sina-roll" needs both, or a channel')
        return self

    @property
    def address(self) -> str:
        """Where the feed is asked: ``url``, or the channel's address at Sina."""
        if self.kind == "sina-roll" and not self.url:
            return f"{ROLL_API}?pageid={self.pageid}&lid={self.lid}"
        if self.kind == "sina-live" and not self.url:
            return f"{LIVE_API}?zhibo_id={self.zhibo_id}"
        return self.url or ""

    def feed(self) -> Feed:
        """Return the feed as the rest of the program knows it."""
        given = {"pageid": self.pageid, "lid": self.lid}
        if self.kind == "sina-live":
            given = {"zhibo_id": self.zhibo_id, "tag": self.tag}
        return Feed(
            name=self.name,
            kind=self.kind,
            url=self.address,
            categories=self.categories,
            author=self.author,
            content=self.content or ("feed" if self.kind == "sina-live" else "page"),
            every=self.every,
            options={key: value for key, value in given.items() if value is not None},
        )


class WatchSettings(Section):
    """One ``[[watch]]``: what is waited for, and what is done with each hit."""

    name: str = Field(min_length=1, max_length=100)
    query: str = ""
    """As in ``ingest search``; ``""``: whatever the words."""
    symbols: OneOrMore = ()
    """Names one of these; ``()``: whatever it names."""
    feeds: OneOrMore = ()
    media: OneOrMore = ()
    webhook: WebAddress | None = None
    secret: SecretStr = SecretStr("")
    """Signs what a webhook is sent; ``""``: it is not signed."""
    command: OneOrMore = ()
    feed: Path | None = Field(default=None, validation_alias=AliasChoices("feed", "atom"))
    timeout: SomeTime = Field(default=timedelta(seconds=20), le=timedelta(minutes=10))
    """Of one delivery."""

    @model_validator(mode="after")
    def _does_one_thing(self) -> WatchSettings:
        if sum((bool(self.webhook), bool(self.command), bool(self.feed))) != 1:
            raise ValueError("one of webhook, command and feed is wanted: what is done with a hit")
        if self.command and not self.command[0].strip():
            raise ValueError("command: names no program")
        if self.secret.get_secret_value() and not self.webhook:
            raise ValueError("secret: only a webhook is signed")
        return self
