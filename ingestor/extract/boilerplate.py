"""What is in an article's body and is not the article: by its markup, and at its margins. Pure.

The markup was found on real pages of Sina's and in what public extractors cut away from them.
Promotional lines stand before, behind and, as links, between a body's lines; which they are, and
where, is data (``promotions.toml`` beside this file). They end with the first that is none, so that
a line in the middle of the prose is never taken for one.
"""

from __future__ import annotations

import pkgutil
import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from lxml import etree

from ingestor.model import Dropped, Picture
from ingestor.text.sanitize import one_line, shortened
from ingestor.text.similarity import title_key

MOST_LINE = 500
"""Characters of a promotional line: the longest are declarations."""

MOST_SHOWN = 300
"""Characters of what was taken out that are kept, to be shown."""

LEAST_RELATED = 3
"""Dated links at the end that are a list of other articles, without a heading that says so."""

_DATE = re.compile(r"(?<!\d)\d{1,2}[-/月.]\d{1,2}(?!\d)")


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, a heading, a picture, a list: a part of a body."""

    html: str
    text: str
    """``''`` for a picture without a caption; of a list or a table a line for each item or row."""
    pictures: tuple[Picture, ...] = ()
    is_link: bool = False
    """Whether its letters are all inside links; a date may stand beside them."""


def block_around(html: str, lines: list[str], inner: list[Block]) -> Block:
    """Return a block that holds others."""
    pictures = tuple(picture for block in inner for picture in block.pictures)
    is_link = all(block.is_link for block in inner)
    return Block(html, "\n".join(lines), pictures=pictures, is_link=is_link)


def trimmed(blocks: Sequence[Block], title: str) -> tuple[list[Block], list[Dropped]]:
    """Return the blocks that are the article, and what was taken out at the margins.

    A line at the beginning that is the ``title`` is taken out as well.
    """
    why = {at: "link" for at, block in enumerate(blocks) if block.is_link and _fits("link", block)}
    why |= dict.fromkeys(_head(blocks, title), "head")
    why |= dict.fromkeys(_tail(blocks, why), "tail")
    if all(at in why for at, block in enumerate(blocks) if block.text):
        # Nothing but what looks like it: then it is what the page has to say.
        return list(blocks), []
    dropped = [
        Dropped(shortened(blocks[at].text or blocks[at].pictures[0].url, MOST_SHOWN), why[at])
        for at in sorted(why)
    ]
    return [block for at, block in enumerate(blocks) if at not in why], dropped


def is_promotion(line: str) -> bool:
    """Whether a line with markup of its own, such as a caption, is a promotional one."""
    return _matches("tail", line)


def _head(blocks: Sequence[Block], title: str) -> list[int]:
    """Return which blocks at the beginning are promotional, or repeat the title."""
    found: list[int] = []
    waiting: list[int] = []
    for at, block in enumerate(blocks):
        is_title = len(title) > 1 and title_key(block.text) == title_key(title)
        if (is_title and not block.pictures) or (block.text and _fits("head", block)):
            found += [*waiting, at]
            waiting = []
        elif block.text and _fits("byline", block):
            waiting.append(at)
        elif block.text:
            break
    return found


def _tail(blocks: Sequence[Block], others: dict[int, str]) -> list[int]:
    """Return which blocks at the end are promotional, with the pictures between them.

    Links are so when a heading says that they lead to other articles, or when they are dated.
    """
    found: list[int] = []
    waiting: list[int] = []
    links: list[int] = []
    for at in reversed(range(len(blocks))):
        block = blocks[at]
        if not block.text:
            waiting.append(at)
        elif at in others or (_fits("tail", block) and not _is_spoken(block, blocks)):
            if not links:
                found += waiting if found else []
                waiting = []
            found.append(at)
        elif _fits("related", block):
            found += [*waiting, *links, at]
            waiting, links = [], []
        elif block.is_link or _fits("teaser", block):
            links.append(at)
        else:
            break
    lines = [line for at in links for line in blocks[at].text.split("\n")]
    if len(lines) >= LEAST_RELATED and all(map(_DATE.search, lines)):
        found += links
    return found


def _is_spoken(block: Block, blocks: Sequence[Block]) -> bool:
    """Whether ``编辑：…`` is what an editor says, in an interview: there are several then."""
    label = block.text[:2]
    return label == "编辑" and sum(other.text.startswith(label) for other in blocks) > 1


def _fits(section: str, block: Block) -> bool:
    return all(_matches(section, line) for line in block.text.split("\n"))


def _matches(section: str, line: str) -> bool:
    return len(line) <= MOST_LINE and bool(_patterns()[section].match("".join(line.split())))


@cache
def _patterns() -> dict[str, re.Pattern[str]]:
    """Return the sections of ``promotions.toml``; a link may be any of them."""
    # A part of the program like a module, and found like one.
    data = pkgutil.get_data(__package__, "promotions.toml") or b""
    sections = {
        name: [line for line in lines.splitlines() if line and not line.startswith("#")]
        for name, lines in tomllib.loads(data.decode("utf-8")).items()
    }
    sections["head"] += sections["either"]
    sections["tail"] += sections["either"]
    sections["link"] += [*sections["head"], *sections["tail"]]
    return {
        name: re.compile(rf"^\W*(?:{'|'.join(patterns)})\W*$")
        for name, patterns in sections.items()
    }


TAGS = frozenset(
    (
        "script", "style", "noscript", "iframe", "object", "embed", "applet", "form", "input",
        "button", "select", "textarea", "link", "meta", "base", "head", "title", "template",
        "svg", "math", "canvas", "audio", "source", "track", "map", "frame", "frameset", "nav",
        "dialog", "noframes", "xmp", "plaintext",
    )
)  # fmt: skip
"""Elements that never hold an article's text."""

IDS = frozenset(
    ("left_hzh_ad", "article-bottom", "share_more", "wrap_bottom_omment", "bottom_sina_comment",
     "top_bar_wrap", "artice_bottom_slider_dot", "article-botton-slide", "app-qr", "keywords")
)  # fmt: skip

CLASSES = frozenset(
    (
        "appendQr_wrap", "app-kaihu-qr", "tech-quotation", "article-bottom", "article-bottom-tg",
        "wap_special", "sinaads", "new_style_article", "top-ad", "ad", "blk-wxfollow",
        "page-tools", "share-more-list", "article-editor", "show_author", "keywords",
        "show_statement", "finance_app_zqtg", "hqimg_related", "hqimg_wrapper", "hq_img",
        "otherContent_01", "corrTxt_01", "blkComment", "sina-comment-wrap", "play-tips",
        "video-control", "ct_hqimg", "appQrCode", "qrcode", "qr-code", "article_ad",
        "post_statement", "article-recommend", "related-news", "read-more", "art_app_down",
        "cookie-banner", "cookie-notice", "cookie-consent", "cookie-bar", "comment-box",
        "comment-form", "weibo-card", "second-title", "date-source", "weibo_info", "art_time",
        "related", "related_news", "related-list", "related-links", "related-articles",
        "related-posts", "look_sub", "j_article_wbreco", "art_keywords", "suda_1028_guba",
        "xb_new_finance_app",
    )
)  # fmt: skip

VIDEO_BOXES = frozenset(("video-2017", "artical-player-wrap", "video-player", "contentPlayer"))
"""Videos: their poster and their title stay."""

_ID_PREFIX = re.compile(r"^(?:quote_[a-z]|sinaads|ad_|PublicRelation)")
_shown = etree.XPath("descendant::text()[not(parent::script or parent::style)]")
_HIDDEN = re.compile(r"(?i)display\s*:\s*none|visibility\s*:\s*hidden")


def is_boilerplate(element: Any) -> bool:
    """Whether an element is boilerplate of the site, judged by its tag, id, class and style."""
    if element.tag in TAGS:
        return True
    identifier = element.get("id", "")
    if identifier in IDS or _ID_PREFIX.match(identifier):
        return True
    if not CLASSES.isdisjoint(element.get("class", "").split()):
        return True
    return is_hidden(element)


def is_hidden(element: Any) -> bool:
    """Whether an element is not shown, by its own style."""
    return bool(_HIDDEN.search(element.get("style", "")) or element.get("hidden") is not None)


def marked_text(element: Any) -> list[Dropped]:
    """Return what a boilerplate element says, if it says anything: it is taken out."""
    if element.tag in TAGS:
        return []
    text = one_line(" ".join(_shown(element)))
    if not text:
        return []
    name = element.get("id") or element.get("class") or "hidden"
    return [Dropped(shortened(text, MOST_SHOWN), shortened(f"{element.tag} {name}", 60))]


def is_video_box(element: Any) -> bool:
    """Whether an element shows a video."""
    return not VIDEO_BOXES.isdisjoint(element.get("class", "").split()) or element.tag == "video"
