"""Changes to the feeds of a configuration file that leave all else in it as it is.

::

    file | its text | with feeds added, or without one | read it as a run would | put it in place

A feed is added behind everything that is there. Of one that is removed the comments above it stay:
they may be about more. Each change is checked for being what was meant, and nothing else.
"""

from __future__ import annotations

import fcntl
import os
import re
import tempfile
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeAlias

from ingestor import config
from ingestor.config import Settings
from ingestor.errors import ConfigError

FeedTable: TypeAlias = Mapping[str, str | int | Sequence[str]]
"""The keys and values of a ``[[feeds]]`` section."""

_HEADER = re.compile(
    r"""^[ \t]*\[\[?[ \t]*(?:[\w-]+|"[^"\n]*"|'[^'\n]*')[ \t]*\]\]?[ \t]*(?:#.*)?\r?$""",
    re.MULTILINE,
)
"""A line that begins a section, unless it stands within a text of several lines."""

_FEED = re.compile(r"""[ \t]*\[\[[ \t]*(?:feeds|"feeds"|'feeds')[ \t]*\]\]""")
_MARK = "\ufeff"


def add_feeds(path: Path, tables: Sequence[FeedTable], environment: Mapping[str, str]) -> Settings:
    """Add feeds at the end of a configuration file; return the configuration that it is then.

    Raises :class:`ConfigError`, and leaves the file as it was, where that is none.
    """
    return _change(path, lambda text: _with_feeds(text, tables), environment)


def remove_feed(path: Path, name: str, environment: Mapping[str, str]) -> Settings:
    """Take the feed of a name out of a configuration file, as :func:`add_feeds` adds one."""
    return _change(path, lambda text: _without_feed(text, path, name, environment), environment)


def rendered(tables: Sequence[FeedTable]) -> str:
    """Return the sections of feeds as TOML, a blank line between two."""
    # Most commands change no configuration.
    import tomlkit  # noqa: PLC0415

    return "\n".join(
        "".join(
            (
                "[[feeds]]\n",
                *(f"{key} = {tomlkit.item(value).as_string()}\n" for key, value in table.items()),
            )
        )
        for table in tables
    )


def _with_feeds(text: str, tables: Sequence[FeedTable]) -> str:
    before = tomllib.loads(text)
    expected = {**before, "feeds": [*before.get("feeds", ()), *map(dict, tables)]}
    if "feeds" in before and not _is_section(text):
        changed = _in_array(text, lambda feeds: [feeds.append(dict(table)) for table in tables])
    else:
        added = f"\n{rendered(tables)}" if text else rendered(tables)
        ended = added if text.endswith("\n") or not text else f"\n{added}"
        # Windows' line ends are those of what is added too.
        changed = text + (ended.replace("\n", "\r\n") if "\r\n" in text else ended)
    return _checked(changed, expected)


def _without_feed(text: str, path: Path, name: str, environment: Mapping[str, str]) -> str:
    before = tomllib.loads(text)
    # By what it is read as: one of a channel may have no name in the file.
    names = [feed.name for feed in config.read(text, path, environment).feeds]
    number = names.index(name)
    feeds = [*before["feeds"][:number], *before["feeds"][number + 1 :]]
    if not _is_section(text):
        changed = _in_array(text, lambda listed: listed.pop(number))
        return _checked(changed, {**before, "feeds": feeds})
    expected = {**before, "feeds": feeds} if feeds else _without_key(before, "feeds")
    headers = [found.start() for found in _HEADER.finditer(text)]
    begins = [start for start in headers if _FEED.match(text, start)]
    # A line like a header may stand within a text of several lines: then it is another one.
    for begin in [*begins[number : number + 1], *begins]:
        for end in (*(start for start in headers if start > begin), len(text)):
            changed = text[:begin] + text[_last_value_end(text, begin, end) :]
            if _values(changed) == expected:
                return changed
    raise ConfigError(f'{path}: the section of "{name}" cannot be told from the others')


def _last_value_end(text: str, begin: int, end: int) -> int:
    """Return where the comments and blank lines begin that stand at the end of a section."""
    lines = text[begin:end].splitlines(keepends=True)
    while len(lines) > 1 and (not lines[-1].strip() or lines[-1].lstrip().startswith("#")):
        lines.pop()
    return begin + sum(map(len, lines))


def _without_key(values: Mapping[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name != key}


def _is_section(text: str) -> bool:
    """Whether feeds are sections of their own, and not one array of tables in braces."""
    return any(_FEED.match(text, found.start()) for found in _HEADER.finditer(text))


def _in_array(text: str, change: Callable[[Any], object]) -> str:
    import tomlkit  # noqa: PLC0415 - as above

    document = tomlkit.parse(text)
    change(document["feeds"])
    return tomlkit.dumps(document)


def _values(text: str) -> dict[str, Any] | None:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return None


def _checked(text: str, expected: Mapping[str, Any]) -> str:
    if _values(text) != expected:
        raise ConfigError("the file cannot be changed without changing more of it; edit it by hand")
    return text


def _change(path: Path, change: Callable[[str], str], environment: Mapping[str, str]) -> Settings:
    """Put a changed text in the place of a file, whole or not at all."""
    # A link goes on leading to the file, which keeps its place.
    place = path.resolve()
    try:
        with _alone(place.parent):
            data = place.read_bytes()
            text = data.decode("utf-8-sig")
            mark = _MARK if data.decode("utf-8").startswith(_MARK) else ""
            changed = change(text)
            settings = config.read(changed, path, environment)
            _replace(place, f"{mark}{changed}".encode())
    except OSError as error:
        raise ConfigError(f"{path}: cannot be changed: {error.strerror}") from error
    return settings


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Wait until nobody else changes a file of this folder, and keep others waiting."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _replace(place: Path, data: bytes) -> None:
    """Put a file's new content in its place, with the rights and the owner that it has."""
    before = place.stat()
    handle, name = tempfile.mkstemp(prefix=f".{place.name}.", dir=place.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            with suppress(PermissionError):
                # Only the owner, or root, may give it away: another one keeps it.
                os.fchown(file.fileno(), before.st_uid, before.st_gid)
            os.fchmod(file.fileno(), before.st_mode & 0o7777)
            os.fsync(file.fileno())
        Path(name).replace(place)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
