"""What a Hexo site may want of a file beyond the schema: an excerpt, and pictures beside it. Pure.

The pictures of ``2024-03-11-title-id.md`` lie in the folder of its name beside it, which is Hexo's
asset folder of that post, and are named relative to the file. Hexo publishes them below the post's
own address without its ``.html`` (PostAsset.path), so the same name leads to them there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape, unescape
from pathlib import PurePosixPath

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
