"""What a page without a template is called, who wrote it and who edited it. Pure.

Three witnesses name an article on its page: a heading, ``og:title`` and ``<title>``. Each may be
cut short (at a quotation mark in an attribute), carry the site's name, or be the site's name.
What the feed announced is the fourth (:func:`titled`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import takewhile
from typing import Any

from ingestor.extract.tree import Tree, find
from ingestor.model import Article, Body
from ingestor.text.sanitize import bounded_name, one_line
from ingestor.text.similarity import title_key

_SEPARATOR = re.compile(
    r"(?<!\s)\s*+(?:[_|｜]|--+|——|(?<=\s)[-–—·](?=\s)|(?<![0-9A-Za-z])-|-(?![0-9A-Za-z]))\s*+"
)
"""Between a title and a site's name. A hyphen between digits or letters is part of a word."""

_SITE = re.compile(
    r"(?i)(?:网站?|新闻|报|社|频道|财经|在线|门户|资讯|中国|政府|证券|电视台|广播|杂志|周刊|客户端"
    r"|专栏|博客|滚动|快讯|要闻|正文|首页|官网|中心|委员会|银行|交易所|局|部|(?<![a-z0-9.])[a-z0-9.]+\.(?:com|cn|net|org)"
    r"|news|daily|the paper|times|app|号|股票|基金|视频|国内|国际|社会|文化|科技|体育|娱乐|评论)$"
)
_MOST_SITE = 20
"""Characters of a site's or a channel's name."""

LABELS = frozenset(
    ("公司公告", "正文", "新闻", "新闻中心", "新闻正文", "新闻详情", "详情", "资讯", "资讯详情",
     "要闻", "公告", "公告详情", "通知公告", "文章", "文章详情", "首页", "导航", "信息公开",
     "政策法规")
)  # fmt: skip
"""Headings that say what kind of page it is."""

LEAST_TITLE = 4
"""Letters of a heading that can be an article's title where nothing else names it so."""


def titles(tree: Tree) -> tuple[str, ...]:
    """Return the titles that a page gives itself, the likeliest first; ``()`` for none.

    A heading comes first that the others know (it holds one of them, or is held by it), the
    longest of them; then ``og:title``, if the rest knows it; then ``<title>`` without the site.
    """
    site = title_key(tree.meta("og:site_name"))
    whole = tree.text("//title")
    page, social = _without_site(whole, site), _without_site(tree.meta("og:title"), site)
    names = {title_key(part) for part in _SEPARATOR.split(whole)[1:]} - {title_key(page)} | {site}
    headings = [
        heading
        for heading in tree.texts("//h1") or tree.texts("//h2")
        if title_key(heading) not in names and heading not in LABELS
    ]
    known = [heading for heading in headings if _agree(heading, page) or _agree(heading, social)]
    known = [heading for heading in known if 2 * len(heading) >= len(page or social)]
    is_name = not social or title_key(social) in names
    socials = [] if is_name or (page and _is_cut(social, page)) else [social]
    first = [*sorted(known, key=len, reverse=True), *socials, page]
    rest = [heading for heading in headings if len(title_key(heading)) >= LEAST_TITLE]
    cut = not is_name and not socials
    every = dict.fromkeys(title for title in (*first, *rest, "" if cut else social) if title)
    return tuple(sorted(every, key=lambda title: title in LABELS))


def titled(article: Article, announced: str) -> Article:
    """Return the article under that of its titles that was announced, if one of them was."""
    key = title_key(announced)
    named = (title for title in article.titles if title_key(title) == key)
    return replace(article, title=next(named, article.title)) if key else article


def _agree(first: str, second: str) -> bool:
    """Whether one of two titles holds the other."""
    one, other = title_key(first), title_key(second)
    return bool(one and other) and (one in other or other in one)


def _is_cut(social: str, page: str) -> bool:
    """Whether an ``og:title`` is but the beginning of the title: an attribute ends at a quote."""
    short, whole = title_key(social), title_key(page)
    return len(short) < len(whole) and whole.startswith(short)


def _without_site(title: str, site: str) -> str:
    """Return a title without the names of site and channel behind it, or the site's before it."""
    while separators := list(_SEPARATOR.finditer(title)):
        last, first = separators[-1], separators[0]
        before, behind = title[: last.start()], title[last.end() :]
        if _is_site(behind, site, last[0]) and len(before) > LEAST_TITLE:
            title = before
        elif title_key(title[: first.start()]) == site and site:
            title = title[first.end() :]
        else:
            break
    return title.strip()


def _is_site(part: str, site: str, separator: str) -> bool:
    """Whether what follows a separator is a name; an underscore or a bar has no other use."""
    if not part or title_key(part) == site or separator.strip() in {"_", "|", "｜", "--"}:
        return len(part) <= 2 * _MOST_SITE
    return len(part) <= _MOST_SITE and bool(_SITE.search(part))


_METAS = ("mediaid", "source", "article:author", "author", "og:site_name")
_SOURCE = re.compile(
    r"(?:[来來]源|来自|稿源|出处)\s*[：:]\s*([^\s|（()）：:，。；]{2,20})(?=[\s|（()），。；]|$)"
)
_LABEL = re.compile(r"(?:[来來]源|稿源|出处)\s*[：:]?\s*$")
_NAMED = (
    "//*[@id='author-name' or @id='media_name' or @id='source_baidu' or @id='media-name']"
    " | //*[contains(concat(' ',@class,' '),' author-name ')"
    " or contains(concat(' ',@class,' '),' media-name ')"
    " or contains(concat(' ',@class,' '),' article-source ')"
    " or contains(concat(' ',@class,' '),' source ')]"
)
_SOURCES = "//body//text()[contains(.,'来源') or contains(.,'來源') or contains(.,'稿源')]"
MOST_LABELS = 5
"""Texts that may say where an article is from: it is one of the first."""

_MEDIUM = re.compile(
    r"(?:^|[/／|\s])([\u4e00-\u9fff]{2,8}(?:网|報|报|社|網|周刊|杂志|电视台|新闻|财经|财讯|在线|证券|客户端))$"
)
_NOT_A_NAME = re.compile(r"^[\d\W]*$|[。？！]|^(?:相关|热门|推荐|最新|更多|今日|编辑)")
MOST_NEAR = 12
"""Texts below a title among which the line with the medium is."""


def medium(tree: Tree, title: str) -> str:
    """Return who published an article first, as its page says: 央视新闻, or ``''``."""
    return next(filter(None, _media(tree, title)), "")


def _media(tree: Tree, title: str) -> Iterator[str]:
    for text in find(tree.root, _SOURCES)[:MOST_LABELS]:
        if text.getparent().tag in {"script", "style"}:
            continue
        if source := _SOURCE.search(one_line(text)):
            yield _name(source[1])
        elif _LABEL.search(one_line(text)):
            yield _name(_behind(text))
    yield from map(_name, tree.texts(_NAMED))
    yield _beside(tree, title)
    yield from (_name(tree.meta(name)) for name in _METAS)


def _behind(label: Any) -> str:
    """Return the text that follows a label which is an element of its own."""
    texts = label.getparent().xpath("descendant::text() | following::text()")[:40]
    shown = [one_line(text) for text in texts if text.strip()]
    here = shown.index(one_line(label)) if one_line(label) in shown else len(shown)
    return next(iter(shown[here + 1 :]), "")


def _beside(tree: Tree, title: str) -> str:
    """Return the medium that stands by itself in the line below the title."""
    key = title_key(title)
    for heading in tree.root.iter("h1"):
        if title_key(heading.text_content()) == key:
            texts = heading.xpath(f"following::text()[normalize-space()][position()<={MOST_NEAR}]")
            above = takewhile(lambda text: "。" not in text, map(one_line, texts))
            named = (_MEDIUM.search(text) for text in above)
            return next((name for match in named if match and (name := _name(match[1]))), "")
    return ""


def _name(text: str) -> str:
    """Return a medium's name, without the word before it and what is said of it behind."""
    name = bounded_name(re.sub(r"^\s*(?:[来來]源|稿源|出处)\s*[：:]", "", text)).partition(" ")[0]
    return name if len(name) <= _MOST_SITE and not _NOT_A_NAME.search(name) else ""


_EDITOR = re.compile(
    r"(?:责任编辑|责编|编辑)\s*[：:|｜/]?\s*([^\s）)】\]]{2,30}(?:[、 ][\u4e00-\u9fff]{2,4})*)"
)
MOST_EDITORS = 80
"""Characters of a line that names them."""

_CODE = re.compile(r"(?<![\s_（(])[\s_（(]*+[A-Z]{1,3}\d{2,7}$")


def editor_of(body: Body, tree: Tree | None = None) -> str:
    """Return who edited an article, as the line says that was taken from its end.

    On a page without a template (``tree``) it may stand outside its text as well.
    """
    lines = [line.text for line in body.dropped if line.why == "tail"]
    if tree is not None:
        about = find(tree.root, "//body//text()[contains(.,'责任编辑') or contains(.,'责编')]")
        lines += [
            one_line(text) for text in about[:MOST_LABELS] if text.getparent().tag != "script"
        ]
    named = (_EDITOR.search(line) for line in lines if len(line) < MOST_EDITORS)
    return next((name for match in named if match and (name := _without_code(match[1]))), "")


def _without_code(name: str) -> str:
    bare = _CODE.sub("", name).strip(" 、_")
    return "" if bare.isdigit() else bare
