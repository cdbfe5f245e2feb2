"""What stands inside an article's body and is not the article: data, not code. Pure.

Found on real pages of Sina's and in what public extractors cut away from them.
"""

from __future__ import annotations

import re
from typing import Any

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
        "weibo-card", "second-title", "date-source",
    )
)  # fmt: skip

VIDEO_BOXES = frozenset(("video-2017", "artical-player-wrap", "video-player", "contentPlayer"))
"""Videos: their poster and their title stay."""

_ID_PREFIX = re.compile(r"^(?:quote_|sinaads|ad_|PublicRelation)")
_HIDDEN = re.compile(r"(?i)display\s*:\s*none|visibility\s*:\s*hidden")

_LINE = re.compile(
    r"^\W*(?:"
    r"(?:责任编辑|责编|编辑)\s*[：:].{0,40}"
    r"|(?:【\d{1,2}】){2,20}"
    r"|本文来源\s*[：:].{0,40}"
    r"|您所在的位置\s*[：:].{0,80}"
    r"|.{0,10}(?:微信公众号|APP)"
    r"|海量资讯、精准解读，尽在新浪财经APP"
    r"|24小时滚动播报最新的财经资讯和视频.{0,60}"
    r"|扫二维码.{0,20}开户.{0,40}"
    r"|.{0,12}扫码?.{0,20}(?:下载|关注|领取).{0,30}(?:APP|客户端|公众号).{0,20}"
    r"|新浪(?:财经)?声明\s*[：:].{0,200}"
    r"|特别声明\s*[：:]\s*以上.{0,20}内容仅代表.{0,200}"
    r"|炒股就看金麒麟分析师研报.{0,80}"
    r"|【?线索征集令.{0,120}"
    r"|进入【?新浪财经股吧】?讨论"
    r"|热点栏目.{0,60}自选股.{0,80}"
    r"|(?:点击|打开)?(?:新浪)?(?:新闻|财经|科技)客户端.{0,30}"
    r"|更多猛料！欢迎扫描.{0,60}"
    r")\W*$"
)


def is_boilerplate(element: Any) -> bool:
    """Whether an element is boilerplate of the site, judged by its tag, id, class and style."""
    if element.tag in TAGS:
        return True
    identifier = element.get("id", "")
    if identifier in IDS or _ID_PREFIX.match(identifier):
        return True
    if not CLASSES.isdisjoint(element.get("class", "").split()):
        return True
    return bool(_HIDDEN.search(element.get("style", "")) or element.get("hidden") is not None)


def is_video_box(element: Any) -> bool:
    """Whether an element shows a video."""
    return not VIDEO_BOXES.isdisjoint(element.get("class", "").split()) or element.tag == "video"


def is_boilerplate_line(line: str) -> bool:
    """Whether a whole line of text is what Sina appends to articles."""
    return len(line) < 300 and bool(_LINE.match(line))
