"""An article as a file: its path, YAML front matter of a fixed schema, the HTML. Written and read.

Every file system and Hexo can hold the path. The schema is that of the Hexo posts which ``ingest
import`` reads: seven keys in a fixed order. Whatever a title holds, YAML 1.1 and 1.2 readers give
the same values back, and no template engine (Nunjucks, Liquid, Hugo) finds anything of its own in
the body.

What others wrote is often not YAML: ``title: "报告称"利好"频出"``, ``title: [快讯]沪指``,
``title: a: b``. Where YAML cannot read it, each line is taken for what it evidently says. The
bytes may be UTF-8, GBK or UTF-16, with or without a byte order mark, with any line ends, and
blank lines may come before the front matter. All of it is pure.

A Hexo site may want more: an excerpt, and pictures beside the file. Those of
``2024-03-11-title-id.md`` lie in the folder of its name beside it, which is Hexo's asset folder of
that post, and are named relative to the file. Hexo publishes them below the post's own address
without its ``.html`` (PostAsset.path), so the same name leads to them there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape, unescape
from itertools import islice
from pathlib import PurePosixPath
from typing import Any

import yaml

from ingestor.errors import PostUnreadable
from ingestor.text.dates import http_date
from ingestor.text.decode import decode_page
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


MOST_BYTES = 8 * 1024**2
"""A larger file is no article: the bound that holds for pages too."""

MOST_VALUES = 200
"""Values of one key that are read, such as keywords."""

_MOST_HEAD_CHARACTERS = 64_000
_MOST_NESTING = 3
_FENCE = re.compile(r"^-{3,}[ \t]*$", re.MULTILINE)
_KEY = re.compile(r"([A-Za-z_][\w-]{0,60})[ \t]*:(?:[ \t]+(.*)|)$")
_ITEM = re.compile(r"[ \t]*-[ \t]+(.+)$")
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_LISTS = frozenset({"categories", "category", "keywords", "tags", "symbols"})
_OPENING = re.compile(rb"-{3,}[ \t]*(?:[\r\n]|\Z)")
_MARKS = b"\xef\xbb\xbf\xff\xfe \t\r\n"
"""Byte order marks and white space."""

_Values = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Post:
    """What a file says. A key that is missing is ``""`` or ``()``."""

    title: str
    date: str
    """As it is written."""
    categories: tuple[str, ...]
    author: str
    headimg: str
    """``headimg``, else ``thumbnail``."""
    link: str
    """``link``, else another key that names where the article was: ``url``, ``source``."""
    media: str
    editor: str
    updated: str
    keywords: tuple[str, ...]
    """``keywords``, else Hexo's ``tags``."""
    symbols: tuple[str, ...]
    html: str
    """What comes after the front matter."""


def begins_as_post(beginning: bytes) -> bool:
    """Whether a file that begins with these bytes may have front matter, whatever its name."""
    return bool(_OPENING.match(beginning.replace(b"\x00", b"").lstrip(_MARKS)))


def read_post(data: bytes) -> Post:
    """Read a whole file; raise :class:`PostUnreadable` when there is no front matter in it."""
    if len(data) > MOST_BYTES:
        raise PostUnreadable(f"is larger than {MOST_BYTES // 1024**2} MiB")
    text = _ILLEGAL.sub("", decode_page(data, "")).replace("\r\n", "\n").replace("\r", "\n")
    head, html = _parts(text.lstrip("\ufeff \t\n"))
    values = _values(head)

    def first(*keys: str) -> str:
        """Return the first value of the first of these keys that is there, on one line."""
        return next((one_line(values[key][0]) for key in keys if values.get(key)), "")

    def every(*keys: str) -> tuple[str, ...]:
        """Return all values of the first of these keys that is there, each once."""
        texts = next((values[key] for key in keys if values.get(key)), ())
        return tuple(dict.fromkeys(line for text in texts if (line := one_line(text))))

    return Post(
        title=first("title"),
        date=first("date"),
        categories=every("categories", "category"),
        author=first("author"),
        headimg=first("headimg", "thumbnail"),
        link=first("link", "url", "source_url", "source"),
        media=first("media"),
        editor=first("editor"),
        updated=first("updated"),
        keywords=every("keywords", "tags"),
        symbols=every("symbols"),
        html=html,
    )


def _parts(text: str) -> tuple[str, str]:
    """Cut a file at its first two lines of dashes: front matter and body."""
    opening = _FENCE.match(text)
    if not opening:
        raise PostUnreadable("has no front matter: it does not begin with a line of ---")
    closing = _FENCE.search(text, opening.end(), _MOST_HEAD_CHARACTERS)
    if not closing:
        raise PostUnreadable("has a front matter without an end: no second line of ---")
    return text[opening.end() : closing.start()], text[closing.end() :]


def _values(head: str) -> _Values:
    """Return the values of each key, in lower case."""
    plain = dict(_lines(head))
    try:
        # Every value stays the text that it is: a title may be 600519, no or 2022-04-14.
        mapping = yaml.load(head, Loader=yaml.BaseLoader)  # noqa: S506 - builds nothing but texts
    except (yaml.YAMLError, RecursionError, ValueError):
        return plain
    if not isinstance(mapping, dict):
        return plain
    read = {
        key.lower(): tuple(islice(_texts(value, 0), MOST_VALUES))
        for key, value in mapping.items()
        if isinstance(key, str)
    }
    if not isinstance(mapping.get("title", ""), str):
        # [快讯] is a list to YAML, and {x} a mapping; a title is neither.
        read["title"] = plain.get("title", ())
    return read


def _texts(value: Any, depth: int) -> Iterator[str]:
    """Yield the texts of a value, however lists of lists Hexo lets categories be."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list) and depth < _MOST_NESTING:
        for part in value[:MOST_VALUES]:
            yield from _texts(part, depth + 1)


def _lines(head: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield each key with its values, read line by line, whatever YAML thinks of them."""
    key, values = "", list[str]()
    for line in head.split("\n"):
        if match := _KEY.match(line):
            if key:
                yield key, tuple(values)
            key, values = match[1].lower(), list(_inline(match[1].lower(), match[2] or ""))
        elif (match := _ITEM.match(line)) and len(values) < MOST_VALUES:
            values.append(_unquoted(match[1].strip()))
    if key:
        yield key, tuple(values)


def _inline(key: str, text: str) -> Iterator[str]:
    """Yield the values that stand behind a key on its own line."""
    whole = text.strip()
    if key in _LISTS and whole.startswith("[") and whole.endswith("]"):
        parts = (part.strip() for part in whole[1:-1].split(","))
        yield from (_unquoted(part) for part in parts if part)
    elif whole:
        yield _unquoted(whole)


def _unquoted(text: str) -> str:
    if len(text) > 1 and text[0] == text[-1] == "'":
        return text[1:-1].replace("''", "'")
    if len(text) > 1 and text[0] == text[-1] == '"':
        return text[1:-1].replace('\\"', '"')
    return text


FEWEST_EXCERPT_CHARACTERS = 120
"""Of text before the mark: a first paragraph is often a dateline."""

_MORE = "</div>\n<!-- more -->\n<div>"
"""The excerpt is a whole element, so that a page of excerpts is not torn."""

_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)[^<>]*+>")
_VOID = frozenset({"img", "br", "hr", "col", "wbr", "source"})
_SOURCE = re.compile(r'(<img src=")([^"<>]*+)"')


def with_excerpt(html: str) -> str:
    """Return an article's HTML with Hexo's mark behind the first paragraphs.

    It stands between two elements, with text before and behind it; a short article has none.
    """
    depth = characters = last = 0
    for tag in _TAG.finditer(html):
        characters += len("".join(html[last : tag.start()].split()))
        last = tag.end()
        if tag[2].lower() in _VOID:
            continue
        depth += -1 if tag[1] else 1
        if tag[1] and depth == 0 and characters >= FEWEST_EXCERPT_CHARACTERS:
            rest = html[last:]
            return f"{html[:last]}{_MORE}{rest}" if _TAG.sub("", rest).strip() else html
    return html


def asset_name(path: str, copy: str) -> str:
    """Return where a picture lies beside a file, relative to the archive folder.

    ``path`` is the file's, ``copy`` the kept picture's in its own folder (``ab/abcd….jpg``).
    """
    return f"{path.removesuffix('.md')}/{PurePosixPath(copy).name}"


def with_local_images(html: str, path: str, copies: Mapping[str, str]) -> str:
    """Return HTML that names the pictures beside its file; ``copies`` are kept, by address."""

    def named(image: re.Match[str]) -> str:
        """Return the beginning of a picture with the name that it is to have."""
        copy = copies.get(unescape(image[2]))
        return f'{image[1]}{_relative(path, copy)}"' if copy else image[0]

    return _SOURCE.sub(named, html)


def original(html: str, path: str, copies: Mapping[str, str]) -> str:
    """Return the article's HTML of which a file has this, as :func:`with_local_images` has it."""
    addresses = {_relative(path, copy): escape(url) for url, copy in copies.items()}
    plain = html.replace(_MORE, "")
    return _SOURCE.sub(lambda image: f'{image[1]}{addresses.get(image[2], image[2])}"', plain)


def _relative(path: str, copy: str) -> str:
    stem, name = PurePosixPath(asset_name(path, copy)).parts[-2:]
    return f"{escape(stem.replace(' ', '%20'))}/{name}"


def permalink(path: str) -> str:
    """Return an address in the site that does not repeat the folders: year, month, file's name."""
    stem = PurePosixPath(path).stem
    return f"{stem[:4]}/{stem[5:7]}/{stem}.html"
