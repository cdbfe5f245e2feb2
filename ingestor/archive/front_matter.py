"""An article as a file: YAML front matter of a fixed schema, then the cleaned HTML. Pure.

The schema is that of the Hexo posts which ``ingest import`` adopts: seven keys in a fixed
order. Whatever a title holds, YAML 1.1 and 1.2 readers give the same values back, and no
template engine (Nunjucks, Liquid, Hugo) finds anything of its own in the body.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from ingestor.dates import http_date
from ingestor.text.sanitize import one_line, storable

_PLAIN = re.compile(r"[^\W\d_][\w－·]*")
_RESERVED = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf"})
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
    plain = _PLAIN.fullmatch(line) and line.lower() not in _RESERVED
    return line if plain else _quoted(line)


def _quoted(text: str) -> str:
    return "'" + one_line(text).replace("'", "''") + "'"
