"""Sina's video pages (``video.sina.com.cn``): the poster, the title, what is said about it.

The film itself is behind another address and is not kept. The scripts name a ``video_id``
(RSSHub ``lib/routes/sina/utils.tsx``) and mostly the poster.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ingestor.extract.template import Template, page_title, scripts, show
from ingestor.extract.tree import Tree

_POSTER = re.compile(
    r"\b(?:pic|poster|image|cover|img)\w{0,10}[\"']?\s*[:=]\s*[\"']((?:https?:)?//[^\"'\s]{5,500})"
)


def _prepare(tree: Tree) -> None:
    show(tree, "video", _parts(tree))


def _parts(tree: Tree) -> Iterator[tuple[str, str, str]]:
    title = tree.text("//h1") or tree.meta("og:title") or page_title(tree)
    description = tree.meta("description", "og:description")
    poster = tree.meta("og:image") or tree.text("//video/@poster")
    if not poster and (named := _POSTER.search(scripts(tree).replace("\\/", "/"))):
        poster = named[1]
    if poster:
        yield "figure", title, poster
    elif title:
        yield "p", title, ""
    if description and description != title:
        yield "p", description, ""


TEMPLATE = Template(
    name="sina-video",
    marks=("//script[contains(text(),'video_id')] | //video",),
    address=r"^https?://(?:[\w-]+\.)*video\.sina\.(?:com\.cn|cn)/",
    prepare=_prepare,
    body=("//*[@data-from='video']/section",),
    title=("//h1",),
    date=("id('pub_date')", "//*[contains(@class,'date') or contains(@class,'time')]"),
    media=(
        "//*[@data-sudaclick='media_name']",
        "//*[contains(concat(' ',@class,' '),' source ')]",
    ),
)
