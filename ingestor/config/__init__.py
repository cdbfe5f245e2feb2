"""The configuration: a TOML file and the environment, read into typed settings.

``load(path, environment)`` is the one way in. Every error is a :class:`ConfigError` that
names the file and the key, and for an unknown key the nearest known one.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

from pydantic import ValidationError, model_validator

from ingestor.config.sections import (
    ArchiveSettings,
    ClusterSettings,
    FeedSettings,
    FetchSettings,
    ScheduleSettings,
    Section,
    ServiceSettings,
    StoreSettings,
    WatchSettings,
)
from ingestor.config.values import anchored_folder, lies_inside
from ingestor.errors import ConfigError

ENVIRONMENT_PREFIX = "INGEST_"
SEARCH_PATHS = (
    "config.toml",
    "~/.config/ingestor/config.toml",
    "/etc/ingestor/config.toml",
)
"""Where a configuration is looked for, in this order, when none is named."""


class Settings(Section):
    """A whole configuration."""

    store: StoreSettings = StoreSettings()
    archive: ArchiveSettings = ArchiveSettings()
    fetch: FetchSettings = FetchSettings()
    schedule: ScheduleSettings = ScheduleSettings()
    service: ServiceSettings = ServiceSettings()
    cluster: ClusterSettings = ClusterSettings()
    feeds: tuple[FeedSettings, ...] = ()
    watch: tuple[WatchSettings, ...] = ()

    @model_validator(mode="after")
    def _names_are_unique(self) -> Settings:
        for key, named in (("feeds: two feeds", self.feeds), ("watch: two watches", self.watch)):
            for name, times in Counter(section.name for section in named).items():
                if times > 1:
                    raise ValueError(f'{key} are named "{name}"; give each its own name')
        return self

    @model_validator(mode="after")
    def _watched_feeds_are_there(self) -> Settings:
        known = {feed.name for feed in self.feeds}
        for number, watch in enumerate(self.watch, start=1):
            if unknown := [name for name in watch.feeds if name not in known]:
                raise ValueError(f'watch[{number}].feeds: there is no feed "{unknown[0]}"')
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
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: is not in UTF-8; save it as UTF-8") from error
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    return read(text, path, environment)


def read(text: str, path: Path, environment: Mapping[str, str]) -> Settings:
    """Read the text of a configuration whose place is ``path``, as :func:`load` does."""
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from error
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
    if (path := re.fullmatch(r"sqlite:///(?!/)(.+)", url)) and path[1] != ":memory:":
        url = f"sqlite:///{folder / Path(path[1]).expanduser()}"
    store = settings.store.model_copy(update={"url": url})
    watch = tuple(_anchored_watch(each, folder) for each in settings.watch)
    return settings.model_copy(update={"archive": archive, "store": store, "watch": watch})


def _anchored_watch(watch: WatchSettings, folder: Path) -> WatchSettings:
    # A program without a slash in its name is looked for in PATH.
    program = watch.command[:1]
    if program and "/" in program[0]:
        program = (str(folder / Path(program[0]).expanduser()),)
    feed = watch.feed and folder / watch.feed.expanduser()
    return watch.model_copy(update={"command": program + watch.command[1:], "feed": feed})
