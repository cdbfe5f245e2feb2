"""Where an article's file lies: a path that every file system and Hexo can hold. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

from ingestor.text.sanitize import one_line

MOST_NAME_BYTES = 200
"""Bytes of a file's name: file systems take 255, and tools put suffixes behind it."""

MOST_FOLDER_BYTES = 120
"""Bytes of a category's folder name: three of them and a name stay below 1,024."""

_FORBIDDEN = re.compile(r"""[%#?\\/:*"<>|{}\[\]$!&'`;^~\x00-\x1f]+""")
_RESERVED = re.compile(r"(?i)^(con|prn|aux|nul|com\d|lpt\d)(?=$|[. -])")
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
    return _RESERVED.sub(r"_\1", name)


def _cut(text: str, most_bytes: int) -> str:
    """Return as many whole characters as fit, without a torn end."""
    cut = text.encode("utf-8", "ignore")[: max(0, most_bytes)].decode("utf-8", "ignore")
    return cut.strip(" .-\u200d")
