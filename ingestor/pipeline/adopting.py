"""An article made from a file that somebody else's archive holds. Pure.

::

    bytes | front matter, HTML | clean | whose address? | Adoptable
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from html import escape, unescape
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from ingestor.archive.front_matter_reader import Post, read_post
from ingestor.dates import parse_date
from ingestor.errors import Forbidden, PostUnreadable
from ingestor.extract import extract_fragment
from ingestor.extract.feed_text import SUMMARY_CHARACTERS, untitled
from ingestor.extract.mentions import with_mentions
from ingestor.identity import canonical_url, content_address, document_id, is_content_address
from ingestor.model import Article, Body, Picture
from ingestor.text.sanitize import one_line
from ingestor.text.securities import normalised

TEMPLATE = "import"
"""``Article.template`` of what was adopted."""

MOST_CATEGORIES = 8
"""Each becomes a folder, and a path has an end."""

_BASE = "https://finance.sina.com.cn/"
"""What addresses in a body without an address of its own are relative to: these are Sina's
articles, and ``//n.sinaimg.cn/…`` is the one relative form in them."""

_MARKUP = re.compile(r"<[A-Za-z!/]")
_DAY = re.compile(r"\d{4}-\d{1,2}-\d{1,2}")
_ORIGINAL = r"(?:原文链接|原文地址|原文网址|原文出处|阅读原文|查看原文|来源链接|原始链接|原文)"
_SOURCE_LINK = re.compile(
    r"""(?i)href\s*=\s*["']\s*(https?://[^"'<>\s]{1,2000})["'][^<>]{0,300}>\s{0,20}[\[【（(]?\s{0,20}"""
    + _ORIGINAL
    + r"[^<]{0,5}</a>"
)
_SOURCE_TEXT = re.compile(
    rf"(?i){_ORIGINAL}\s{{0,20}}[：:]\s{{0,20}}(?:<a [^<>]{{0,2000}}>)?\s{{0,20}}(https?://[^\s<>\"']+)"
)
_EDITOR = re.compile(r"责任编辑\s*[：:]\s*([^\s<>（()）]{2,20})")


@dataclass(frozen=True, slots=True)
class Adoptable:
    """An article of another archive, ready to be stored."""

    article: Article
    author: str
    categories: tuple[str, ...]


def adoptable(name: str, data: bytes, not_after: datetime) -> Adoptable:
    """Return the article that a file holds.

    ``name`` is the file's, ``not_after`` the present: a later publication is a mistake.
    Raises :class:`PostUnreadable`, which says what is wrong with the file.
    """
    post = read_post(data)
    stem = PurePosixPath(name).stem
    address = _address(post)
    body = extract_fragment(_markup(post.html), address or _BASE)
    if not (body.text or body.pictures):
        raise PostUnreadable("has no text and no picture")
    first_line = untitled(body.text)
    title = post.title or one_line(stem) or first_line or "untitled"
    url = address or content_address(title, body.text)
    editor = _EDITOR.findall(post.html)
    article = Article(
        url=url,
        document_id=document_id(url),
        title=title,
        published_at=_published(post, stem, not_after),
        updated_at=parse_date(post.updated, not_after=not_after),
        body=with_mentions(_completed(body, post), title),
        media=post.media,
        editor=post.editor or (editor[-1] if editor else ""),
        summary=body.text.replace("\n", " ")[:SUMMARY_CHARACTERS],
        keywords=post.keywords,
        template=TEMPLATE,
    )
    return Adoptable(article, post.author, post.categories[:MOST_CATEGORIES])


def _published(post: Post, stem: str, not_after: datetime) -> datetime:
    """Return when it was published: what it says, else the day that its name begins with."""
    named = _DAY.match(stem)
    written = post.date or (named[0] if named else "")
    if not written:
        raise PostUnreadable("has no date")
    moment = parse_date(written, not_after=not_after)
    if moment is None:
        raise PostUnreadable(f'has a date that is none, or lies in the future: "{written[:60]}"')
    return moment


def _address(post: Post) -> str:
    """Return where the article was, as the file says; ``""`` when it does not."""
    if is_content_address(post.link):
        return post.link
    for url in (post.link, *_sources(post.html)):
        try:
            found = canonical_url(unescape(url))
        except Forbidden:
            continue
        # A site's front page is where many articles come from, and the address of none.
        if urlsplit(found).path != "/":
            return found
    return ""


def _sources(html: str) -> Iterator[str]:
    """Yield the addresses that a text itself calls those of the original."""
    for form in (_SOURCE_LINK, _SOURCE_TEXT):
        yield from (found[1] for found in form.finditer(html))


def _markup(body: str) -> str:
    """Return a body as HTML; plain text becomes a paragraph a line."""
    if _MARKUP.search(body):
        return body
    lines = (" ".join(line.split()) for line in unescape(body).splitlines())
    return "\n".join(f"<p>{escape(line, quote=False)}</p>" for line in lines if line)


def _completed(body: Body, post: Post) -> Body:
    """Add what only the front matter knows: a cover picture, securities."""
    named = {one.symbol: one for one in body.securities}
    for symbol in post.symbols:
        if security := normalised(symbol):
            named.setdefault(security.symbol, security)
    pictures = body.pictures
    cover = post.headimg
    # One that stood in the text and was cleaned away with its box is an advertisement.
    within = cover in post.html or escape(cover) in post.html
    if cover.startswith(("http://", "https://")) and not within:
        pictures = (Picture(cover), *pictures)
    return replace(body, pictures=pictures, securities=tuple(named.values()))
