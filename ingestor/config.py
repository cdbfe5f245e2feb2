"""The configuration: a TOML file and the environment, read into typed settings.

``load(path, environment)`` is the one way in. Every error is a :class:`ConfigError` that
names the file and the key, and for an unknown key the nearest known one.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from ingestor import __version__
from ingestor.config_values import (
    DatabaseAddress,
    Duration,
    ExtraKey,
    Folder,
    Size,
    SomeTime,
    WebAddress,
    anchored_folder,
    lies_inside,
)
from ingestor.errors import ConfigError
from ingestor.model import ContentMode, Feed

ENVIRONMENT_PREFIX = "INGEST_"
SEARCH_PATHS = (
    "config.toml",
    "~/.config/ingestor/config.toml",
    "/etc/ingestor/config.toml",
)
"""Where a configuration is looked for, in this order, when none is named."""

ROLL_API = "https://feed.mix.sina.com.cn/api/roll/get"
"""Sina's API of rolling news, for feeds of kind ``sina-roll``."""

LIVE_API = "https://zhibo.sina.com.cn/api/zhibo/feed"
"""Sina's API of 7×24 news in brief, for feeds of kind ``sina-live``."""


class _Section(BaseModel):
    """A table of the file: immutable, and with no key that it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class StoreSettings(_Section):
    """``[store]``: the database, which is the truth and the queue."""

    url: DatabaseAddress = "sqlite:///archive.db"
    """SQLAlchemy address; a relative path is relative to the configuration file."""


class ArchiveSettings(_Section):
    """``[archive]``: the files, which are a projection of the database."""

    dir: Folder = Path("archive")
    raw: Literal["warc", "off"] = "warc"
    raw_dir: Folder = Path("warc")
    raw_spool: Path = Path("warc-spool")
    raw_upload_after: Duration = timedelta(minutes=15)
    raw_upload_bytes: Size = Field(default=64 * 1024**2, ge=1024)
    images: bool = False
    images_dir: Folder = Path("images")
    extra_front_matter: tuple[ExtraKey, ...] = ()


class FetchSettings(_Section):
    """``[fetch]``: how we behave as a client."""

    user_agent: str = Field(default=f"ingestor/{__version__}", min_length=1, pattern=r"^[ -~]+$")
    timeout: SomeTime = timedelta(seconds=20)
    max_bytes: Size = Field(default=8 * 1024**2, ge=1024)
    connections: int = Field(default=16, ge=1, le=256)
    connections_per_host: int = Field(default=4, ge=1, le=64)
    delay_per_host: Duration = timedelta(milliseconds=250)
    robots: bool = True
    proxy: str = ""
    allow_private_addresses: bool = False


class ScheduleSettings(_Section):
    """``[schedule]``: when feeds and articles are looked at."""

    every: SomeTime = timedelta(minutes=5)
    slowest: SomeTime = timedelta(hours=1)
    jitter: Duration = timedelta(seconds=30)
    recheck: tuple[Duration, ...] = (
        timedelta(hours=1),
        timedelta(hours=6),
        timedelta(days=1),
    )


class ServiceSettings(_Section):
    """``[service]``: how the daemon lives."""

    listen: str = Field(default="", pattern=r"^$|^\S+:\d{1,5}$")
    """``host:port`` of health and metrics; empty: none."""
    stop_timeout: Duration = timedelta(seconds=30)
    stuck_after: Duration = timedelta(minutes=5)


class ClusterSettings(_Section):
    """``[cluster]``: how ``ingest worker`` lives."""

    concurrency: int = Field(default=0, ge=0, le=64)
    stalled_after: SomeTime = timedelta(seconds=30)


class FeedSettings(_Section):
    """One ``[[feeds]]``."""

    name: str = Field(min_length=1, max_length=200)
    kind: str = "rss"
    url: WebAddress | None = None
    categories: tuple[str, ...] = ("金融", "新浪财经")
    author: str = "新浪财经"
    content: ContentMode | None = None
    """``None``: the item's own text for ``sina-live``, else the page."""
    every: SomeTime | None = None
    pageid: int | None = None
    lid: int | None = None
    zhibo_id: int = 152
    tag: int = 0

    @model_validator(mode="after")
    def _whole(self) -> FeedSettings:
        if self.kind == "rss" and not self.url:
            raise ValueError('url: a feed of kind "rss" needs one')
        if self.kind == "sina-roll" and not self.url and None in {self.pageid, self.lid}:
            raise ValueError('pageid, lid: a feed of kind "sina-roll" needs both')
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


class Settings(_Section):
    """A whole configuration."""

    store: StoreSettings = StoreSettings()
    archive: ArchiveSettings = ArchiveSettings()
    fetch: FetchSettings = FetchSettings()
    schedule: ScheduleSettings = ScheduleSettings()
    service: ServiceSettings = ServiceSettings()
    cluster: ClusterSettings = ClusterSettings()
    feeds: tuple[FeedSettings, ...] = ()

    @model_validator(mode="after")
    def _names_are_unique(self) -> Settings:
        names = [feed.name for feed in self.feeds]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f'feeds: two feeds are named "{name}"; give each its own name')
        return self


def find(named: Path | None, environment: Mapping[str, str]) -> Path:
    """Return the configuration file to read: the one named, else the first that exists.

    Raises :class:`ConfigError` when there is none.
    """
    wanted = named or (Path(value) if (value := environment.get("INGEST_CONFIG")) else None)
    if wanted:
        if wanted.is_dir():
            raise ConfigError(f"{wanted}: is a folder; name the file in it")
        if not wanted.is_file():
            raise ConfigError(f"{wanted}: there is no such file; `ingest init` writes one")
        return wanted
    for candidate in map(Path, SEARCH_PATHS):
        if candidate.expanduser().is_file():
            return candidate.expanduser()
    places = ", ".join(SEARCH_PATHS)
    raise ConfigError(f"no configuration found (looked at {places}); `ingest init` writes one")


def load(path: Path, environment: Mapping[str, str]) -> Settings:
    """Read ``path``, let ``INGEST_<SECTION>__<KEY>`` variables override it, check all of it.

    Relative paths come back absolute, relative to the file. Raises :class:`ConfigError`.
    """
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: is not in UTF-8; save it as UTF-8") from error
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    overridden = _override(values, environment)
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        where = overridden.get(error.errors()[0]["loc"][:2], path)
        raise ConfigError(f"{where}: {_explain(error)}") from error
    anchored = _anchored(settings, path.resolve().parent)
    for key in ("raw_dir", "images_dir"):
        # A static site would take the raw files for its own; verify, the pictures for strangers'.
        if lies_inside(getattr(anchored.archive, key), anchored.archive.dir):
            raise ConfigError(f"{path}: archive.{key}: lies inside archive.dir; put it beside it")
    return anchored


def _override(
    values: dict[str, Any], environment: Mapping[str, str]
) -> dict[tuple[int | str, ...], str]:
    """Put the environment's values in; return which variable gave which key."""
    given: dict[tuple[int | str, ...], str] = {}
    for name, text in environment.items():
        section, separator, key = name.removeprefix(ENVIRONMENT_PREFIX).lower().partition("__")
        if not name.startswith(ENVIRONMENT_PREFIX) or not separator:
            continue
        if not isinstance(values.setdefault(section, {}), dict):
            raise ConfigError(f"{name}: only keys of single sections can come from the environment")
        values[section][key] = _toml_value(text)
        given[section, key] = name
        given.setdefault((section,), name)
    return given


def _toml_value(text: str) -> object:
    """Read an environment variable as TOML would; what is no TOML value is plain text."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _explain(error: ValidationError) -> str:
    """Say the first problem in one line that names its key."""
    problem = error.errors()[0]
    where = [f"[{part + 1}]" if isinstance(part, int) else str(part) for part in problem["loc"]]
    key = ".".join(where).replace(".[", "[")
    if problem["type"] == "extra_forbidden":
        return f'unknown key "{key}"{_nearest(problem["loc"])}'
    message = problem["msg"].removeprefix("Value error, ")
    return f"{key}: {message}" if key else message


def _nearest(location: tuple[int | str, ...]) -> str:
    known = list(_known_keys(location[:-1]))
    close = difflib.get_close_matches(str(location[-1]), known, n=1)
    return f'; did you mean "{close[0]}"?' if close else f"; known here: {', '.join(known)}"


def _known_keys(location: tuple[int | str, ...]) -> Mapping[str, Any]:
    section: Any = Settings
    for part in location:
        if isinstance(part, str):
            annotation = section.model_fields[part].annotation
            section = next(iter(get_args(annotation)), annotation)
    fields: Mapping[str, Any] = section.model_fields
    return fields


def _anchored(settings: Settings, folder: Path) -> Settings:
    """Make every relative path of the file relative to the file's own folder."""
    given = settings.archive
    spool = folder / given.raw_spool.expanduser()
    update = {
        "dir": anchored_folder(given.dir, folder, "archive.dir"),
        "raw_dir": anchored_folder(given.raw_dir, folder, "archive.raw_dir", spool),
        "raw_spool": spool,
        "images_dir": anchored_folder(given.images_dir, folder, "archive.images_dir"),
    }
    archive = given.model_copy(update=update)
    url = settings.store.url
    if (found := re.fullmatch(r"sqlite:///(?!/)(.+)", url)) and found[1] != ":memory:":
        url = f"sqlite:///{folder / Path(found[1]).expanduser()}"
    store = settings.store.model_copy(update={"url": url})
    return settings.model_copy(update={"archive": archive, "store": store})
