"""What stands inside an article's body and is not the article: data, not code. Pure.

Found on real pages of Sina's and in what public extractors cut away from them.
"""

from __future__ import annotations

import re
from typing import Any

from lxml import etree

from ingestor.extract.margins import MOST_SHOWN
from ingestor.model import Dropped
from ingestor.text.sanitize import one_line, shortened

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
        "video-control", "ct_hqimg", "appQrCode", "qrcode", "qr-code", "article_ad", "statement",
        "post_statement", "article-recommend", "related-news", "read-more", "art_app_down",
        "weibo-card", "second-title", "date-source", "weibo_info", "art_time", "look_sub",
        "j_article_wbreco", "art_keywords", "suda_1028_guba", "xb_new_finance_app",
    )
)  # fmt: skip

VIDEO_BOXES = frozenset(("video-2017", "artical-player-wrap", "video-player", "contentPlayer"))
"""Videos: their poster and their title stay."""

_ID_PREFIX = re.compile(r"^(?:quote_|sinaads|ad_|PublicRelation)")
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
    return (
        [Dropped(shortened(text, MOST_SHOWN), shortened(f"{element.tag} {name}", 60))]
        if text
        else []
    )


def is_video_box(element: Any) -> bool:
    """Whether an element shows a video."""
    return not VIDEO_BOXES.isdisjoint(element.get("class", "").split()) or element.tag == "video"
