"""The kinds of values that a configuration holds: durations, sizes, addresses.

Each is checked while it is read; the message of its ``ValueError`` is what a user sees.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ByteSize,
    Field,
    ValidationError,
    WrapValidator,
)

from ingestor.errors import Forbidden
from ingestor.identity import canonical_url

_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
_LONGEST = timedelta(days=3650)


@dataclass(frozen=True, slots=True)
class ObjectAddress:
    """A folder on an object store."""

    url: str
    """``s3://bucket`` or ``s3://bucket/prefix``, without a slash at its end."""
    key: str = ""
    """The configuration's key that names it, for what a person is told."""
    spool: Path | None = None
    """The local folder in which files grow that are put there once they are closed."""

    def __str__(self) -> str:
        return self.url

    def __truediv__(self, relative: str) -> ObjectAddress:
        return replace(self, url=f"{self.url}/{relative}")


Location = Path | ObjectAddress
"""Where a folder of the archive is."""


def anchored_folder(value: Location, base: Path, key: str, spool: Path | None = None) -> Location:
    """Return a path made relative to ``base``, an address with its ``key`` and ``spool``."""
    if isinstance(value, ObjectAddress):
        return replace(value, key=key, spool=spool)
    return base / value.expanduser()


def lies_inside(inner: Location, outer: Location) -> bool:
    """Whether one folder is another, or below it."""
    if isinstance(inner, Path) and isinstance(outer, Path):
        return inner.is_relative_to(outer)
    return f"{inner}/".startswith(f"{outer}/") and type(inner) is type(outer)


def _folder(value: object) -> object:
    if isinstance(value, Path | ObjectAddress):
        return value
    if not value or not isinstance(value, str):
        raise ValueError('a path in quotes, or an address such as "s3://bucket/prefix", is wanted')
    scheme = re.match(r"([A-Za-z][A-Za-z0-9+.-]*):/", value)
    if not scheme:
        return value
    # Userinfo is not repeated: it may be a secret.
    if "@" in value.partition("://")[2].partition("/")[0]:
        raise ValueError("credentials do not stand in the address; use AWS_ACCESS_KEY_ID and so on")
    if scheme[1] != "s3":
        raise ValueError(
            f'no store is known at "{scheme[1]}:"; give a path or "s3://bucket/prefix"'
        )
    if not re.fullmatch(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[^?#\s*\[\]]*)?", value):
        raise ValueError('an address such as "s3://bucket/prefix" is wanted')
    return ObjectAddress(re.sub(r"(?<![:/])/+", "/", value).rstrip("/"))


def _duration(value: object) -> object:
    if isinstance(value, timedelta):
        return value
    text = value if isinstance(value, str) else ""
    parts = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)", text)
    if not parts:
        raise ValueError('a duration such as "250ms", "20s", "5m", "6h" or "1d" is wanted')
    seconds = float(parts[1]) * _SECONDS[parts[2]]
    if seconds > _LONGEST.total_seconds():
        raise ValueError("longer than ten years")
    return timedelta(seconds=seconds)


def _size(value: object, parse: Callable[[object], ByteSize]) -> ByteSize:
    try:
        return parse(value)
    except ValidationError as error:
        if error.errors()[0]["type"].startswith("byte_size"):
            raise ValueError('a size such as "512KiB" or "8MiB" is wanted') from error
        raise


def _some_time(value: timedelta) -> timedelta:
    if value <= timedelta(0):
        raise ValueError("more than nothing is wanted")
    return value


def _meant(value: object) -> str:
    """Return the address that may be meant, as what to add to the message; ``""``: none is seen."""
    plain = unicodedata.normalize("NFKC", value).strip() if isinstance(value, str) else ""
    scheme, separator, rest = plain.partition("://")
    if separator and scheme.lower() in {"http", "https"}:
        plain = f"{scheme.lower()}://{rest}"
    elif not separator and re.match(r"(?:[\w-]++\.)+[A-Za-z]{2,}+(?:[:/]|$)", plain):
        plain = f"https://{plain}"
    else:
        return ""
    # Userinfo is not repeated: it may be a secret.
    return "" if "@" in plain else f'; did you mean "{plain}"?'


def _web_address(value: object) -> object:
    if not isinstance(value, str) or not re.match(r"https?://[^/\s]+", value):
        wanted = 'an address that begins with "http://" or "https://" is wanted'
        raise ValueError(wanted + _meant(value))
    try:
        canonical_url(value)
    except Forbidden as error:
        raise ValueError(str(error)) from error
    if re.search(r"\s", value):
        raise ValueError("an address has no spaces in it")
    return value


def _visible_ascii(value: str) -> str:
    if not re.fullmatch(r"[ -~]+", value):
        raise ValueError("it is sent in a header: ASCII characters are wanted, and at least one")
    return value


def _listen_address(value: str) -> str:
    if not re.fullmatch(r"(?:\S+:\d{1,5})?", value):
        raise ValueError('an address such as "127.0.0.1:9464" is wanted')
    return value


def _database_address(value: object) -> object:
    if isinstance(value, str) and re.fullmatch(r"sqlite(\+\w+)?:/{0,3}(:memory:)?", value):
        raise ValueError('it names no file, so nothing would be kept; use "sqlite:///archive.db"')
    if isinstance(value, str) and not re.match(
        r"(?:sqlite(?:\+pysqlite)?:///|postgresql(?:\+\w+)?://)", value
    ):
        raise ValueError('"sqlite:///archive.db" or "postgresql+psycopg://…" is wanted')
    return value


Duration = Annotated[timedelta, BeforeValidator(_duration)]
SomeTime = Annotated[Duration, AfterValidator(_some_time)]
DatabaseAddress = Annotated[str, BeforeValidator(_database_address)]
Folder = Annotated[Location, BeforeValidator(_folder)]
HeaderText = Annotated[str, AfterValidator(_visible_ascii)]
ListenAddress = Annotated[str, AfterValidator(_listen_address)]
Size = Annotated[ByteSize, WrapValidator(_size)]
WebAddress = Annotated[str, BeforeValidator(_web_address)]
OneOrMore = Annotated[
    tuple[Annotated[str, Field(min_length=1)], ...],
    BeforeValidator(lambda value: (value,) if isinstance(value, str) else value),
]
"""Names; one of them needs no brackets."""
ExtraKey = Literal[
    "link", "media", "editor", "keywords", "symbols", "symbol_names", "updated", "permalink"
]
