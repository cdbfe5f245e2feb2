"""What an article of the made-up Sina is, and the blocks its body is made of."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from html import escape, unescape
from zoneinfo import ZoneInfo

CHINA = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True, slots=True)
class Block:
    """A part of a body that is more than a paragraph."""

    html: str
    lines: tuple[str, ...]
    """What a reader sees of it, one paragraph a line."""
    picture: str = ""
    """The address of its picture, without scheme; ``''`` when it has none."""


def figure(url: str, caption: str = "") -> Block:
    """Return a picture (``//host/path``) as Sina's editor inserts it, with its caption."""
    return Block(
        f'<div class="img_wrapper"><img src="{url}" alt="{escape(caption)}" '
        f'data-mcesrc="https:{url}"><span class="img_descr">{escape(caption)}</span></div>',
        (caption,) if caption else (),
        url,
    )


def table(*rows: tuple[str, ...]) -> Block:
    """Return a table whose first row is its head; a row is a line, its cells have tabs between."""
    head, *body = (
        "".join(f"<td>{escape(cell)}</td>" for cell in row).replace("td>", f"{kind}>")
        for row, kind in zip(rows, ["th", *["td"] * (len(rows) - 1)], strict=True)
    )
    html = "".join(f"<tr>{row}</tr>\n" for row in (head, *body))
    return Block(
        f'<table border="1" cellspacing="0"><tbody>\n{html}</tbody></table>',
        tuple("\t".join(row) for row in rows),
    )


def listing(*items: str) -> Block:
    """Return a list of plain texts."""
    html = "".join(f"<li>{escape(item)}</li>\n" for item in items)
    return Block(f"<ul>\n{html}</ul>", tuple(f"• {item}" for item in items))


def video(poster: str, title: str) -> Block:
    """Return a video player, of which the poster (``//host/path``) and the title remain."""
    return Block(
        f'<!--video-list-->\n<div class="video-2017" id="videoList0"><div class="play-video-area">'
        f'<a href="javascript:;" node-type="playArea"><img src="{poster}">'
        f'<em class="i-common i-play-b"></em></a></div><div class="video-info"><a href="'
        f'https://video.sina.example/p/1.d.html">视频-{escape(title)}</a></div></div>\n'
        f"<script>var videoList = {{'poster': '{poster}'}};</script>\n<!--/video-list-->",
        (f"视频-{title}",),
        poster,
    )


def security(symbol: str, name: str, quote: str) -> str:
    """Return the mention of a security, with the quote that a script filled in."""
    return (
        f'<span id="stock_{symbol}"><a class="keyword" target="_blank" href="https://finance.sina.'
        f'com.cn/realstock/company/{symbol}/nc.shtml">{name}</a></span>'
        f'<span id="quote_{symbol}">({quote})</span>'
    )


def bold(text: str) -> str:
    """Return plain text, emphasised as Sina's editor does."""
    return f'<font cms-style="font-L strong-Bold">{escape(text)}</font>'


_QUOTE = re.compile(r'<span id="quote_[^>]*>[^<]*</span>')
_TAG = re.compile(r"<[^>]*>")


def seen(html: str) -> str:
    """Return what a reader sees of a paragraph: no tags, no quotes, no space at its ends."""
    return unescape(_TAG.sub("", _QUOTE.sub("", html))).strip("　 ")


@dataclass(frozen=True)
class MadeUpArticle:
    """An article of the made-up Sina."""

    document_id: str
    """With the leading ``i`` that addresses have and ``publishid`` has not."""
    title: str
    published_at: datetime
    """Aware, to the second."""
    paragraphs: tuple[str | Block, ...]
    """The HTML inside each paragraph, or a block."""
    media: str = "晨潮财讯"
    editor: str = "林小满"
    keywords: tuple[str, ...] = ("公司", "财报")
    pictures: tuple[tuple[str, str], ...] = ()
    """Address (``//host/path``) and caption of each picture above the text."""
    symbols: str = ""
    """What the end mark names, as ``sh600001&sz000001``."""
    host: str = "finance.sina.com.cn"
    more: Mapping[str, str] = field(default_factory=dict)
    """Further ``<meta>`` elements by name, or other values of the usual ones."""

    @property
    def day(self) -> str:
        """The day in China on which it was published, ``YYYY-MM-DD``."""
        return self.published_at.astimezone(CHINA).date().isoformat()

    @property
    def url(self) -> str:
        return f"https://{self.host}/china/gncj/{self.day}/doc-{self.document_id}.shtml"

    @property
    def mobile_url(self) -> str:
        """The address of the mobile page, whose folder is another one."""
        return f"https://finance.sina.cn/china/gnxw/{self.day}/detail-{self.document_id}.d.html"

    @property
    def blocks(self) -> tuple[Block, ...]:
        """The whole body as blocks, the pictures above the text first."""
        paragraphs = (
            part
            if isinstance(part, Block)
            else Block(f'<p cms-style="font-L">{part}</p>', (seen(part),))
            for part in self.paragraphs
        )
        return (*(figure(*picture) for picture in self.pictures), *paragraphs)

    @property
    def picture_urls(self) -> list[str]:
        """The addresses of all pictures of the article, posters included, with scheme."""
        return [f"https:{block.picture}" for block in self.blocks if block.picture]

    @property
    def expected_text(self) -> str:
        """What a reader sees, one paragraph a line, captions where they stand."""
        return "\n".join(line for block in self.blocks for line in block.lines)

    @property
    def summary(self) -> str:
        """The beginning of the text, as Sina puts it into ``description``."""
        first = next(part for part in self.paragraphs if isinstance(part, str))
        return seen(first)[:110]
