"""An article as a file: its path, YAML front matter of a fixed schema, the cleaned HTML. Pure.

Every file system and Hexo can hold the path. The schema is that of the Hexo posts which ``ingest
import`` reads: seven keys in a fixed order. Whatever a title holds, YAML 1.1 and 1.2 readers give
the same values back, and no template engine (Nunjucks, Liquid, Hugo) finds anything of its own in
the body.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath

from ingestor.text.dates import http_date
from ingestor.text.sanitize import one_line, storable

MOST_NAME_BYTES = 200
"""Bytes of a file's name: file systems take 255, and tools put suffixes behind it."""

MOST_FOLDER_BYTES = 120
"""Bytes of a category's folder name: three of them and a name stay below 1,024."""

_FORBIDDEN = re.compile(r"""[%#?\\/:*"<>|{}\[\]$!&'`;^~\x00-\x1f]+""")
_RESERVED_CHARACTERS = re.compile(r"(?i)^(con|prn|aux|nul|com\d|lpt\d)(?=$|[. -])")
"""Names that Windows keeps for devices, with or without an ending."""


def article_path(categories: Sequence[str], day: str, title: str, identifier: str) -> str:
    """Return the path of an article's file, relative to the archive folder.

    ``<category>/…/<YYYY-MM-DD>-<title>-<identifier>.md``; ``day`` and ``identifier`` are
    part of the article's identity, so that two articles never share a path.
    """
    folders = [_folder(category) for category in categories]
    ending = f"-{_safe(identifier).replace('@', '-')}.md"
    room = MOST_NAME_BYTES - len(f"{day}-{ending}".encode())
    words = _cut(_safe(title), room) or "untitled"
    return str(PurePosixPath(*folders, f"{day}-{words}{ending}"))


def _folder(category: str) -> str:
    name = _cut(_safe(category), MOST_FOLDER_BYTES)
    # A leading dot hides a folder, a leading underscore makes Hexo skip it.
    return name.lstrip("._ -") or "uncategorized"


def _safe(text: str) -> str:
    name = _FORBIDDEN.sub(" ", one_line(text))
    name = re.sub(r"\s+", " ", name).strip(" .-")
    return _RESERVED_CHARACTERS.sub(r"_\1", name)


def _cut(text: str, most_bytes: int) -> str:
    """Return as many whole characters as fit, without a torn end."""
    cut = text.encode("utf-8", "ignore")[: max(0, most_bytes)].decode("utf-8", "ignore")
    return cut.strip(" .-\u200d")


_PLAIN = re.compile(r"[^\W\d_][\w－·]*")
_RESERVED_WORDS = frozenset(
    {"y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf"}
)
"""Words that some YAML reader takes for something else than text."""

_BLANK_LINES = re.compile(r"\n\s*\n")


@dataclass(frozen=True, slots=True)
class FileContent:
    """What a file says."""

    title: str
    categories: tuple[str, ...]
    headimg: str
    author: str
    published_at: datetime
    html: str
    extra: tuple[tuple[str, str | tuple[str, ...]], ...] = ()
    """Further keys, after the schema's, in order."""


def render(content: FileContent) -> str:
    """Return the whole text of a file."""
    lines = [
        "---",
        f"title: {_quoted(content.title)}",
        "categories: ",
        *_items(content.categories),
        f"headimg: {_quoted(content.headimg)}",
        f"author: {_scalar(content.author)}",
        "comments: false",
        f"date: {http_date(content.published_at)}",
        f"thumbnail: {_quoted(content.headimg)}",
    ]
    for key, value in content.extra:
        if isinstance(value, str):
            lines.append(f"{key}: {_quoted(value)}")
        elif value:
            lines += [f"{key}: ", *_items(value)]
        else:
            lines.append(f"{key}: []")
    return "\n".join([*lines, "---", "", "<div>", inert(content.html), "</div>", ""])


def inert(html: str) -> str:
    """Return HTML in which no template engine finds a tag: braces as references.

    Nor does it hold a blank line, behind which Markdown would read on as Markdown: its links
    were never judged (CommonMark 4.6, HTML blocks).
    """
    unbroken = _BLANK_LINES.sub("\n", storable(html))
    return unbroken.replace("{", "&#123;").replace("}", "&#125;")


def _items(values: Iterable[str]) -> list[str]:
    return [f" - {_scalar(value)}" for value in values]


def _scalar(text: str) -> str:
    """Return a plain scalar where every reader takes it for text, else a quoted one."""
    line = one_line(text)
    plain = _PLAIN.fullmatch(line) and line.lower() not in _RESERVED_WORDS
    return line if plain else _quoted(line)


def _quoted(text: str) -> str:
    return "'" + one_line(text).replace("'", "''") + "'"
