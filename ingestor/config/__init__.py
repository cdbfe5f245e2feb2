"""The configuration: a TOML file and the environment, read into typed settings.

``load(path, environment)`` is the one way in. All that is wrong is one :class:`ConfigError`, a
line a mistake: with the file, the line and the key, and for an unknown key the nearest known one.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import partial
from operator import itemgetter
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from ingestor.config.problems import Mistake, explained
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
from ingestor.config.toml_text import Location, read_toml
from ingestor.config.values import anchored_folder, lies_inside
from ingestor.errors import ConfigError
from ingestor.text.sanitize import one_line, shortened

SectionT = TypeVar("SectionT", bound=Section)

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


def load(path: Path, environment: Mapping[str, str], kinds: Collection[str] = ()) -> Settings:
    """Read ``path``, let ``INGEST_<SECTION>__<KEY>`` variables override it, check all of it.

    ``kinds`` are those of feeds that there are; with none, each may be. Relative paths come back
    absolute, relative to the file. Raises :class:`ConfigError`.
    """
    try:
        text = path.read_text(encoding="utf-8").lstrip("\ufeff")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: is not in UTF-8; save it as UTF-8") from error
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    # Half of UTF-16 without a mark in front, which UTF-8 has as well.
    if "\0" in text:
        raise ConfigError(f"{path}: is not in UTF-8; save it as UTF-8")
    return read(text, path, environment, kinds)


def read(
    text: str, path: Path, environment: Mapping[str, str], kinds: Collection[str] = ()
) -> Settings:
    """Read the text of a configuration whose place is ``path``, as :func:`load` does."""
    toml = read_toml(text)
    is_read, values = bool(toml.values) or not toml.problems, toml.values
    overridden = _override(values, environment)
    settings, problems = _checked(values, path.resolve().parent, kinds)
    unreadable = {problem.line for problem in toml.problems}
    said = [(problem.line, f"{path}:{problem.line}: {problem.text}") for problem in toml.problems]
    said += [(0, f"{name}: is written {right}") for name, right in _misspelt(environment)]
    for location, message in problems if is_read else ():
        variable, line = overridden.get(location[:2]), toml.line(location)
        # What was guessed for a line that is no TOML is not wrong again.
        if variable:
            said.append((0, f"{variable}: {message}"))
        elif line not in unreadable:
            said.append((line, f"{path}:{line}: {message}" if line else f"{path}: {message}"))
    if said or settings is None:
        raise ConfigError("\n".join(text for _, text in sorted(said, key=itemgetter(0))))
    return settings


def _checked(
    values: dict[str, Any], folder: Path, kinds: Collection[str]
) -> tuple[Settings | None, list[Mistake]]:
    """Return the settings, anchored in ``folder``, and where something is wrong with what."""
    settings, problems = None, list[Mistake]()
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        problems += explained(error, Settings, partial(_feed_called, values))
        # What is well in itself is looked at beside the rest, whatever else is wrong.
        feeds = [_valid(FeedSettings, table) for table in _tables(values)]
        archive = _valid(ArchiveSettings, values.get("archive", {}))
    else:
        feeds, archive = list[FeedSettings | None](settings.feeds), settings.archive
        problems += _mistaken_watches(settings)
    problems += _mistaken_feeds(_tables(values), feeds, kinds)
    if archive:
        archive = _anchored_archive(archive, folder)
        problems += _misplaced(archive)
    if settings is None or archive is None:
        return None, problems
    store = _anchored_store(settings.store, folder)
    watch = tuple(_anchored_watch(each, folder) for each in settings.watch)
    update = {"archive": archive, "store": store, "watch": watch}
    return settings.model_copy(update=update), problems


def _tables(values: Mapping[str, Any]) -> Sequence[Any]:
    listed = values.get("feeds")
    return listed if isinstance(listed, list) else []


def _valid(section: type[SectionT], table: object) -> SectionT | None:
    try:
        return section.model_validate(table)
    except ValidationError:
        return None


def _feed_called(values: Mapping[str, Any], location: Location) -> str:
    """Return how a person calls the feed of a number: by its name, else by where it stands."""
    _, number, *_ = location
    table = values["feeds"][number]
    name = table.get("name") or table.get("channel") if isinstance(table, dict) else None
    if name and isinstance(name, str):
        return f'feed "{shortened(one_line(name), 60)}"'
    return f"feeds[{int(number) + 1}]"


def _mistaken_feeds(
    tables: Sequence[Any], feeds: Sequence[FeedSettings | None], kinds: Collection[str]
) -> Iterator[Mistake]:
    """Find names that two feeds have, and kinds that there are not.

    ``feeds`` are what the tables say, ``None`` for one that is wrong.
    """
    taken: set[str] = set()
    for number, (table, feed) in enumerate(zip(tables, feeds, strict=True)):
        # A channel's name may be the feed's, which only a valid one has.
        given = table.get("name") if isinstance(table, dict) else None
        name = feed.name if feed else given if isinstance(given, str) else ""
        if name in taken:
            line = f'two feeds are named "{name}"; give each its own name'
            yield ("feeds", number, "name"), line
        if feed and kinds and feed.kind not in kinds:
            line = f'there is no feed kind "{feed.kind}"; there are: {", ".join(kinds)}'
            yield ("feeds", number, "kind"), f'feed "{feed.name}": {line}'
        taken |= {name} if name else set()


def _mistaken_watches(settings: Settings) -> Iterator[Mistake]:
    """Find names that two watches have, and feeds that there are not."""
    known = {feed.name for feed in settings.feeds}
    taken: set[str] = set()
    for number, watch in enumerate(settings.watch):
        called = f'watch "{watch.name}"'
        if watch.name in taken:
            yield ("watch", number, "name"), f"two watches are named {called[6:]}; rename one"
        taken.add(watch.name)
        if unknown := [name for name in watch.feeds if name not in known]:
            yield ("watch", number, "feeds"), f'{called}: feeds: there is no feed "{unknown[0]}"'


def _misplaced(archive: ArchiveSettings) -> Iterator[Mistake]:
    """Find folders inside the one of the articles' files."""
    for key in ("raw_dir", "images_dir"):
        # A static site would take the raw files for its own; verify, the pictures for strangers'.
        if lies_inside(getattr(archive, key), archive.dir):
            yield ("archive", key), f"archive.{key}: lies inside archive.dir; put it beside it"


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


def _misspelt(environment: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the variables that would be heeded with two underscores, each with its right name."""
    for section, field in Settings.model_fields.items():
        for key in getattr(field.annotation, "model_fields", ()):
            right = f"{ENVIRONMENT_PREFIX}{section}__{key}".upper()
            if (name := right.replace("__", "_")) in environment:
                yield name, right


def _toml_value(text: str) -> object:
    """Read an environment variable as TOML would; what is no TOML value is plain text."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _anchored_archive(given: ArchiveSettings, folder: Path) -> ArchiveSettings:
    """Make every relative path of the file relative to the file's own folder."""
    spool = folder / given.raw_spool.expanduser()
    return given.model_copy(
        update={
            "dir": anchored_folder(given.dir, folder, "archive.dir"),
            "raw_dir": anchored_folder(given.raw_dir, folder, "archive.raw_dir", spool),
            "raw_spool": spool,
            "images_dir": anchored_folder(given.images_dir, folder, "archive.images_dir"),
        }
    )


def _anchored_store(given: StoreSettings, folder: Path) -> StoreSettings:
    path = re.fullmatch(r"sqlite:///(?!/)(.+)", given.url)
    if not path or path[1] == ":memory:":
        return given
    return given.model_copy(update={"url": f"sqlite:///{folder / Path(path[1]).expanduser()}"})


def _anchored_watch(watch: WatchSettings, folder: Path) -> WatchSettings:
    # A program without a slash in its name is looked for in PATH.
    program = watch.command[:1]
    if program and "/" in program[0]:
        program = (str(folder / Path(program[0]).expanduser()),)
    feed = watch.feed and folder / watch.feed.expanduser()
    return watch.model_copy(update={"command": program + watch.command[1:], "feed": feed})
